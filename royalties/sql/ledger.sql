-- The ledger: what the database keeps and what it refuses, whoever asks.

-- One pen: transfers are written by one transaction at a time, so that their numbers are in the order in which they
-- became true, and what was once exported never changes. Whoever books does it last in their transaction.
CREATE FUNCTION royalties_take_the_pen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1919247972);  -- the constant that names the ledger
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_is_written_with_the_pen BEFORE INSERT ON royalties_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_take_the_pen();
CREATE TRIGGER month_is_locked_with_the_pen BEFORE INSERT ON royalties_lockedmonth
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_take_the_pen();

-- Balances follow the transfers of a statement all together: a floor is asked of what stands after it. The function has
-- the owner's rights, for nobody else may change a balance. Thousands of accounts may be new, and unknown to the planner.
CREATE FUNCTION royalties_keep_balances() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET enable_nestloop = off AS $$
DECLARE
    wrong text;
BEGIN
    -- A month is locked with a later one too: the bank's balance at that one's end counts all that came before.
    SELECT to_char(b.month, 'YYYY-MM') INTO wrong FROM booked b
     WHERE b.month <= (SELECT max(month) FROM royalties_lockedmonth) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the books of % are locked', wrong USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT b.key INTO wrong FROM booked b JOIN royalties_transfer t ON t.id = b.reverses_id
     WHERE t.reverses_id IS NOT NULL OR (b.debit, b.credit, b.amount_micros) <> (t.credit, t.debit, t.amount_micros)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a reversal is the inverse of a transfer that reverses nothing: %', wrong
            USING ERRCODE = 'restrict_violation';
    END IF;
    WITH moved AS (
        SELECT code, sum(micros)::bigint AS micros
          FROM (SELECT debit AS code, amount_micros AS micros FROM booked
                UNION ALL SELECT credit, -amount_micros FROM booked) AS sides
         GROUP BY code
    ), kept AS (
        UPDATE royalties_account a SET balance_micros = a.balance_micros + m.micros
          FROM moved m WHERE a.code = m.code RETURNING a.code
    )
    SELECT m.code INTO wrong FROM moved m WHERE m.code NOT IN (SELECT code FROM kept) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no account %', wrong USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_moves_balances AFTER INSERT ON royalties_transfer
    REFERENCING NEW TABLE AS booked FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_balances();

CREATE TRIGGER transfer_is_append_only BEFORE UPDATE OR DELETE ON royalties_transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_is_never_emptied BEFORE TRUNCATE ON royalties_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER locked_month_stays_locked BEFORE UPDATE OR DELETE ON royalties_lockedmonth
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER locked_months_are_never_emptied BEFORE TRUNCATE ON royalties_lockedmonth
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An account opens empty, keeps its nature, and its balance changes by transfers alone (from inside their trigger).
CREATE FUNCTION royalties_refuse_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.balance_micros <> 0 THEN
            RAISE EXCEPTION 'an account opens empty' USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF to_jsonb(OLD) - ARRAY['name', 'balance_micros'] <> to_jsonb(NEW) - ARRAY['name', 'balance_micros'] THEN
        RAISE EXCEPTION 'an account keeps its nature' USING ERRCODE = 'restrict_violation';
    ELSIF OLD.balance_micros <> NEW.balance_micros AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'a balance changes by transfers alone' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER account_changes_by_transfers_alone BEFORE INSERT OR UPDATE ON royalties_account
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_account_change();
CREATE TRIGGER account_is_never_deleted BEFORE DELETE ON royalties_account
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_are_never_emptied BEFORE TRUNCATE ON royalties_account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER posting_mark_is_never_changed BEFORE UPDATE ON royalties_postingmark
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
