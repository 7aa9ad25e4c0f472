-- Reports, decisions, suspensions and appeals are a record: rows of the past stay as they were written.

CREATE FUNCTION catalog_refuse_report_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A report is answered once, and that is all that ever changes in it.
    IF OLD.decision_id IS NULL AND NEW.decision_id IS NOT NULL
       AND to_jsonb(OLD) - 'decision_id' = to_jsonb(NEW) - 'decision_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a report is never changed, only answered once' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER report_is_only_answered BEFORE UPDATE ON catalog_report
    FOR EACH ROW EXECUTE FUNCTION catalog_refuse_report_change();
CREATE TRIGGER report_is_never_deleted BEFORE DELETE ON catalog_report
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER report_decision_is_append_only BEFORE UPDATE OR DELETE ON catalog_reportdecision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER suspension_is_append_only BEFORE UPDATE OR DELETE ON catalog_suspension
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER appeal_is_append_only BEFORE UPDATE OR DELETE ON catalog_appeal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER appeal_decision_is_append_only BEFORE UPDATE OR DELETE ON catalog_appealdecision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER lifting_is_append_only BEFORE UPDATE OR DELETE ON catalog_lifting
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Whoever suspended a work does not decide the appeal against it.
CREATE FUNCTION catalog_check_appeal_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.staff_id = (SELECT d.staff_id FROM catalog_appeal a
                         JOIN catalog_suspension s ON s.id = a.suspension_id
                         JOIN catalog_reportdecision d ON d.id = s.decision_id
                        WHERE a.id = NEW.appeal_id) THEN
        RAISE EXCEPTION 'an appeal is decided by another person' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appeal_is_decided_by_another BEFORE INSERT ON catalog_appealdecision
    FOR EACH ROW EXECUTE FUNCTION catalog_check_appeal_decision();

-- When earnings of a work were to be held: what the apps to the right may read.
CREATE VIEW catalog_work_suspension AS
    SELECT s.work_id, s.suspended_at, l.lifted_at
      FROM catalog_suspension s LEFT JOIN catalog_lifting l ON l.suspension_id = s.id;
