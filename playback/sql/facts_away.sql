DROP VIEW playback_pocket_facts;
DROP VIEW playback_wallet_facts;
DROP VIEW playback_usage_facts;
DROP VIEW playback_money_facts;
CREATE OR REPLACE FUNCTION playback_refuse_refund_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
