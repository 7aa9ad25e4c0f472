-- Capital of members who left: what was begun is confirmed once, as it was begun.
CREATE FUNCTION royalties_release_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'confirmed_by_id', 'confirmed_at'];
BEGIN
    IF OLD.state <> 'begun' OR to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'a release of capital is confirmed once, as it was begun' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER capital_release_stands BEFORE UPDATE ON royalties_capitalrelease
    FOR EACH ROW EXECUTE FUNCTION royalties_release_stands();
CREATE TRIGGER capital_release_is_never_deleted BEFORE DELETE ON royalties_capitalrelease
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Its lines come with it: to a confirmed one nothing is added.
CREATE FUNCTION royalties_refuse_late_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT release_id FROM written) w
                 JOIN royalties_capitalrelease r ON r.id = w.release_id WHERE r.state <> 'begun') THEN
        RAISE EXCEPTION 'nothing is added to a confirmed release' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER released_line_comes_with_its_release AFTER INSERT ON royalties_releasedline
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_late_line();
CREATE TRIGGER released_line_stays BEFORE UPDATE OR DELETE ON royalties_releasedline
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER released_line_is_never_emptied BEFORE TRUNCATE ON royalties_releasedline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
