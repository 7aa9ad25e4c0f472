-- What must never be written about who is paid, whoever asks the database.

-- A line is written once: who answers it, and when, may be added to it and never be changed.
CREATE FUNCTION catalog_split_line_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER split_line_stays BEFORE UPDATE ON catalog_splitline
    FOR EACH ROW EXECUTE FUNCTION catalog_split_line_stays();
CREATE TRIGGER split_line_is_never_deleted BEFORE DELETE ON catalog_splitline
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A sheet comes into force at one moment, or ends without; neither is taken back.
CREATE FUNCTION catalog_split_sheet_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.work_id, NEW.version, NEW.created_at) IS DISTINCT FROM (OLD.work_id, OLD.version, OLD.created_at)
        OR (OLD.in_force_from IS NOT NULL AND NEW.in_force_from IS DISTINCT FROM OLD.in_force_from)
        OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ending) IS DISTINCT FROM (OLD.ended_at, OLD.ending)) THEN
        RAISE EXCEPTION 'a split sheet is written once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER split_sheet_stays BEFORE UPDATE ON catalog_splitsheet
    FOR EACH ROW EXECUTE FUNCTION catalog_split_sheet_stays();
CREATE TRIGGER split_sheet_is_never_deleted BEFORE DELETE ON catalog_splitsheet
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- At the end of each transaction: the shares are the whole, and what is in force was accepted by every payee.
CREATE FUNCTION catalog_split_sheet_is_whole() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked uuid;
    whole bigint;
    unanswered bigint;
    forced timestamptz;
BEGIN
    IF TG_TABLE_NAME = 'catalog_splitsheet' THEN checked := NEW.id; ELSE checked := NEW.sheet_id; END IF;
    SELECT sum(share_ppm), count(*) FILTER (WHERE person_id IS NULL OR accepted_at IS NULL)
      INTO whole, unanswered FROM catalog_splitline WHERE sheet_id = checked;
    SELECT in_force_from INTO forced FROM catalog_splitsheet WHERE id = checked;
    IF whole IS DISTINCT FROM 1000000 THEN
        RAISE EXCEPTION 'the shares of split sheet % sum to %, not to 1000000', checked, whole
            USING ERRCODE = 'check_violation';
    END IF;
    IF forced IS NOT NULL AND unanswered > 0 THEN
        RAISE EXCEPTION 'split sheet % is not accepted by all of its payees', checked USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER split_sheet_is_whole AFTER INSERT OR UPDATE ON catalog_splitsheet
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog_split_sheet_is_whole();
CREATE CONSTRAINT TRIGGER split_line_is_part_of_a_whole AFTER INSERT ON catalog_splitline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog_split_sheet_is_whole();

-- Somebody always owns a profile that is open.
CREATE FUNCTION catalog_creator_keeps_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM catalog_creator WHERE id = OLD.creator_id AND closed_at IS NULL)
        AND NOT EXISTS (SELECT FROM catalog_creatorrole WHERE creator_id = OLD.creator_id AND role = 'owner') THEN
        RAISE EXCEPTION 'profile % would have no owner', OLD.creator_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER creator_keeps_an_owner AFTER UPDATE OR DELETE ON catalog_creatorrole
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION catalog_creator_keeps_an_owner();
