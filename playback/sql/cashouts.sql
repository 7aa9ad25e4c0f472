-- Cashing out: what the database refuses whoever asks, and the lines of it in the wallet's history.

-- A cash-out and its transfers' past stay as they were written.
CREATE TRIGGER cash_out_is_append_only BEFORE UPDATE OR DELETE ON playback_cashout
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER cash_out_is_never_emptied BEFORE TRUNCATE ON playback_cashout
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_is_never_deleted BEFORE DELETE ON playback_refund
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_is_never_emptied BEFORE TRUNCATE ON playback_refund
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refund_transfer_is_never_deleted BEFORE DELETE ON playback_refundtransfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- All refunds of a payment that were not given back to the wallet are at most the payment, net, VAT and so gross.
CREATE FUNCTION playback_check_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    paid playback_topup;
    net bigint;
    vat bigint;
BEGIN
    -- Locked, so that two refunds of one payment are counted one after the other.
    SELECT * INTO paid FROM playback_topup WHERE id = NEW.top_up_id FOR UPDATE;
    IF paid.state <> 'settled' OR paid.listener_id <> NEW.listener_id
       OR NEW.listener_id <> (SELECT listener_id FROM playback_cashout WHERE id = NEW.cash_out_id) THEN
        RAISE EXCEPTION 'a refund goes to a settled payment of the same listener' USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT coalesce(sum(net_cents), 0) + NEW.net_cents, coalesce(sum(vat_cents), 0) + NEW.vat_cents INTO net, vat
      FROM playback_refund WHERE top_up_id = NEW.top_up_id AND state <> 'returned';
    IF net > paid.net_cents OR vat > paid.vat_cents THEN
        RAISE EXCEPTION 'never more is refunded than was paid' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_is_at_most_its_payment BEFORE INSERT ON playback_refund
    FOR EACH ROW EXECUTE FUNCTION playback_check_refund();

-- A refund goes forward only; its money never changes. A gateway may say that a refund it had made came back to it, so
-- `refunded` may still become `returned`; nothing follows that.
CREATE FUNCTION playback_refuse_refund_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'gateway_id', 'attempts', 'not_before', 'ended_at', 'reason',
                            'balance_after_micros', 'promo_after_micros'];
BEGIN
    IF to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'the money of a refund is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (OLD.state = NEW.state AND OLD.state IN ('waiting', 'sent', 'transfer')
            OR OLD.state = 'waiting' AND NEW.state IN ('sent', 'transfer', 'refunded', 'returned')
            OR OLD.state = 'sent' AND NEW.state IN ('transfer', 'refunded', 'returned')
            OR OLD.state = 'transfer' AND NEW.state IN ('refunded', 'returned')
            OR OLD.state = 'refunded' AND NEW.state = 'returned') THEN
        RAISE EXCEPTION 'a refund does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_goes_forward_only BEFORE UPDATE ON playback_refund
    FOR EACH ROW EXECUTE FUNCTION playback_refuse_refund_change();

-- A cash-out is the sum of its refunds, looked at when everything is written.
CREATE FUNCTION playback_check_cash_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    cash_out uuid := CASE TG_TABLE_NAME WHEN 'playback_cashout' THEN to_jsonb(NEW) ->> 'id'
                                        ELSE to_jsonb(NEW) ->> 'cash_out_id' END;
BEGIN
    IF (SELECT amount_micros FROM playback_cashout WHERE id = cash_out)
       <> (SELECT coalesce(sum(net_cents), 0) * 10000 FROM playback_refund WHERE cash_out_id = cash_out) THEN
        RAISE EXCEPTION 'a cash-out is the sum of its refunds' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cash_out_is_the_sum_of_its_refunds AFTER INSERT ON playback_cashout
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION playback_check_cash_out();
CREATE CONSTRAINT TRIGGER refund_belongs_to_the_sum AFTER INSERT ON playback_refund
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION playback_check_cash_out();

-- Nobody enters or releases a transfer to themselves, and an entry changes only by its release, once.
CREATE FUNCTION playback_check_refund_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    listener uuid := (SELECT listener_id FROM playback_refund WHERE id = NEW.refund_id);
BEGIN
    IF listener IN (NEW.entered_by_id, NEW.released_by_id) THEN
        RAISE EXCEPTION 'nobody pays a transfer to themselves' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.released_at IS NOT NULL
       OR to_jsonb(OLD) - ARRAY['released_by_id', 'released_at'] <> to_jsonb(NEW) - ARRAY['released_by_id', 'released_at'])
    THEN
        RAISE EXCEPTION 'a transfer is released once and never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_transfer_is_for_somebody_else BEFORE INSERT OR UPDATE ON playback_refundtransfer
    FOR EACH ROW EXECUTE FUNCTION playback_check_refund_transfer();

-- The wallet's history, with what was cashed out and what came back of it.
CREATE OR REPLACE VIEW playback_wallet_entry AS
    SELECT listener_id, charged_at AS at, kind::text AS kind, id AS row_id, work_id, play_number, NULL::text AS reason,
           -(amount_micros - promo_micros) AS balance_micros, -promo_micros AS promo_micros,
           balance_after_micros, promo_after_micros
      FROM playback_charge
    UNION ALL
    SELECT r.listener_id, r.reversed_at, 'reversal', r.id, c.work_id, c.play_number, r.reason,
           r.amount_micros - r.promo_micros, r.promo_micros, r.balance_after_micros, r.promo_after_micros
      FROM playback_reversal r JOIN playback_charge c ON c.listener_id = r.listener_id AND c.id = r.charge_id
    UNION ALL
    SELECT listener_id, settled_at, 'top-up', id, NULL, NULL, NULL,
           net_cents * 10000, 0, balance_after_micros, promo_after_micros
      FROM playback_topup WHERE state = 'settled'
    UNION ALL
    SELECT listener_id, granted_at, 'promo', id, NULL, NULL, reason, 0, amount_micros, balance_after_micros, promo_after_micros
      FROM playback_promogrant
    UNION ALL
    SELECT listener_id, taken_at, 'cash-out', id, NULL, NULL, NULL, -amount_micros, 0, balance_after_micros, promo_after_micros
      FROM playback_cashout
    UNION ALL
    SELECT listener_id, ended_at, 'cash-out-returned', id, NULL, NULL, reason,
           net_cents * 10000, 0, balance_after_micros, promo_after_micros
      FROM playback_refund WHERE state = 'returned';
