CREATE OR REPLACE FUNCTION catalog_split_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.sheet_id, NEW.line_number, NEW.email, NEW.part, NEW.share_ppm)
        IS DISTINCT FROM (OLD.sheet_id, OLD.line_number, OLD.email, OLD.part, OLD.share_ppm)
        OR (OLD.person_id IS NOT NULL AND NEW.person_id IS DISTINCT FROM OLD.person_id)
        OR (OLD.accepted_at IS NOT NULL AND NEW.accepted_at IS DISTINCT FROM OLD.accepted_at)
        OR (OLD.declined_at IS NOT NULL AND NEW.declined_at IS DISTINCT FROM OLD.declined_at) THEN
        RAISE EXCEPTION 'the share of a payee is written once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION catalog_refuse_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A report is answered once, and that is all that ever changes in it.
    IF OLD.decision_id IS NULL AND NEW.decision_id IS NOT NULL
       AND to_jsonb(OLD) - 'decision_id' = to_jsonb(NEW) - 'decision_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report is never changed, only answered once' USING ERRCODE = 'restrict_violation';
END $$;
