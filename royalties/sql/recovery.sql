-- While the co-op is closed nothing is booked (members/sql/lineage.sql).
CREATE TRIGGER transfer_waits_while_closed BEFORE INSERT ON royalties_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION coop_refuse_while_closed();

-- As before (payouts.sql); until a payout is released the bank may still turn out to have it.
CREATE OR REPLACE FUNCTION royalties_refuse_payout_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'booked_on', 'ended_at', 'reason'];
BEGIN
    IF OLD.state = 'prepared' AND NOT OLD.bank_has_it THEN
        movable := movable || 'bank_has_it'::text;
    END IF;
    IF to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'the money of a payout is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (OLD.state = 'prepared' AND NEW.state IN ('prepared', 'in-transit', 'dropped', 'booked')
            OR OLD.state = 'in-transit' AND NEW.state IN ('booked', 'rejected')
            OR OLD.state = 'booked' AND NEW.state = 'returned') THEN
        RAISE EXCEPTION 'a payout does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER bank_part_is_never_changed BEFORE UPDATE OR DELETE ON royalties_bankpart
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- What lines said of payouts nobody knew, so far only where it was one.
INSERT INTO royalties_bankpart (line_id, end_to_end, cents, reason)
SELECT id, end_to_end, cents, '' FROM royalties_bankline WHERE end_to_end <> '' AND payouts = 0;
