CREATE OR REPLACE FUNCTION playback_check_refund_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
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
