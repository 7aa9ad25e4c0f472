DROP TRIGGER transfer_waits_while_closed ON royalties_transfer;
DROP TRIGGER bank_part_is_never_changed ON royalties_bankpart;
CREATE OR REPLACE FUNCTION royalties_refuse_payout_change() RETURNS trigger LANGUAGE plpgsql AS $$
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
