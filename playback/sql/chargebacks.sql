-- Chargebacks: what the database refuses whoever asks, and their lines in the wallet's history.

CREATE FUNCTION playback_refuse_chargeback_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ending text[] := ARRAY['state', 'ended_at', 'won_balance_after_micros', 'won_promo_after_micros'];
    deciding text[] := ARRAY['decided_by_id', 'decided_at', 'reason'];
BEGIN
    IF to_jsonb(OLD) - ending - deciding <> to_jsonb(NEW) - ending - deciding
       OR OLD.decided_at IS NOT NULL AND (NEW.decided_by_id, NEW.decided_at, NEW.reason)
                                         IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.reason) THEN
        RAISE EXCEPTION 'the money and the decision of a chargeback are never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    -- The banks may think again once: one that was lost may still be won. Nothing follows a win.
    IF NOT (OLD.state = NEW.state OR OLD.state = 'open' OR OLD.state = 'lost' AND NEW.state = 'won')
       OR OLD.state = 'won' AND to_jsonb(OLD) - deciding <> to_jsonb(NEW) - deciding THEN
        RAISE EXCEPTION 'a chargeback does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER chargeback_goes_forward_only BEFORE UPDATE ON playback_chargeback
    FOR EACH ROW EXECUTE FUNCTION playback_refuse_chargeback_change();
CREATE TRIGGER chargeback_is_never_deleted BEFORE DELETE ON playback_chargeback
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER chargeback_is_never_emptied BEFORE TRUNCATE ON playback_chargeback
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A payment that the bank took back is not refunded as well; one that was won may be.
CREATE FUNCTION playback_refuse_refund_of_chargeback() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM playback_chargeback WHERE top_up_id = NEW.top_up_id AND state <> 'won') THEN
        RAISE EXCEPTION 'a payment that was taken back is not refunded' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refund_is_not_of_a_chargeback BEFORE INSERT ON playback_refund
    FOR EACH ROW EXECUTE FUNCTION playback_refuse_refund_of_chargeback();

-- The wallet's history, with what a bank took back and what was booked back of it.
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
      FROM playback_refund WHERE state = 'returned'
    UNION ALL
    SELECT listener_id, opened_at, 'chargeback', id, NULL, NULL, NULL,
           -taken_micros, 0, balance_after_micros, promo_after_micros
      FROM playback_chargeback
    UNION ALL
    SELECT listener_id, ended_at, 'chargeback-won', id, NULL, NULL, NULL,
           taken_micros, 0, won_balance_after_micros, won_promo_after_micros
      FROM playback_chargeback WHERE state = 'won';
