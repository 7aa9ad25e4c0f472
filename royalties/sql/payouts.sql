-- Payouts, the bank's lines and the journal: what the database refuses whoever asks.

-- A payout goes forward only; its money never changes.
CREATE FUNCTION royalties_refuse_payout_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'booked_on', 'ended_at', 'reason'];
BEGIN
    IF to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'the money of a payout is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (OLD.state = 'prepared' AND NEW.state IN ('in-transit', 'dropped', 'booked')
            OR OLD.state = 'in-transit' AND NEW.state IN ('booked', 'rejected')
            OR OLD.state = 'booked' AND NEW.state = 'returned') THEN
        RAISE EXCEPTION 'a payout does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_goes_forward_only BEFORE UPDATE ON royalties_payout
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payout_change();

-- A batch is released or dropped once; what it pays is never changed.
CREATE FUNCTION royalties_refuse_batch_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'file_sha256', 'released_by_id', 'released_at', 'dropped_by_id'];
BEGIN
    IF OLD.state <> 'prepared' OR to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'a batch is released or dropped once and never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_batch_is_ended_once BEFORE UPDATE ON royalties_payoutbatch
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_batch_change();

-- An account changes only by its end; an entry of the journal, and a balance, only by being confirmed or dropped.
CREATE FUNCTION royalties_refuse_payout_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR to_jsonb(OLD) - 'ended_at' <> to_jsonb(NEW) - 'ended_at' THEN
        RAISE EXCEPTION 'an account is never changed, only ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payout_account_is_ended_once BEFORE UPDATE ON royalties_payoutaccount
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_payout_account_change();

CREATE FUNCTION royalties_refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'confirmed_by_id', 'confirmed_at', 'dropped_by_id'];
BEGIN
    IF to_jsonb(OLD) ->> 'confirmed_at' IS NOT NULL OR to_jsonb(OLD) ->> 'state' = 'dropped'
       OR to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'an entry of the journal is confirmed once and never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journal_entry_is_confirmed_once BEFORE UPDATE ON royalties_journalentry
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_journal_change();
CREATE TRIGGER bank_balance_is_confirmed_once BEFORE UPDATE ON royalties_bankbalance
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_journal_change();

-- Nothing of all this is ever deleted.
CREATE TRIGGER payout_is_never_deleted BEFORE DELETE ON royalties_payout
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payout_batch_is_never_deleted BEFORE DELETE ON royalties_payoutbatch
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payout_account_is_never_deleted BEFORE DELETE ON royalties_payoutaccount
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entry_is_never_deleted BEFORE DELETE ON royalties_journalentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_balance_is_never_deleted BEFORE DELETE ON royalties_bankbalance
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_line_is_never_deleted BEFORE DELETE ON royalties_bankline
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bank_file_is_never_deleted BEFORE UPDATE OR DELETE ON royalties_bankfile
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
