-- A closed year: what was drawn and shared stands once it is drawn, and its motion once it is published.
CREATE FUNCTION royalties_year_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'percent', 'words', 'through', 'accepted_at', 'done_at', 'redeeming_by_id',
                            'redeeming_at', 'redeemed_by_id', 'redeemed_at'];
BEGIN
    IF OLD.state = 'drawing' THEN
        movable := movable || ARRAY['figures', 'lines'];
    ELSIF OLD.state = 'publishing' THEN
        movable := movable || ARRAY['key', 'size_bytes', 'zip_sha256', 'manifest_sha256', 'previous_manifest_sha256',
                                    'document'];
    END IF;
    IF to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'the year % is closed: its figures stand', OLD.year USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (OLD.state = NEW.state
            OR OLD.state = 'drawing' AND NEW.state IN ('publishing', 'nothing')
            OR OLD.state = 'publishing' AND NEW.state = 'ready'
            OR OLD.state = 'ready' AND NEW.state = 'booking'
            OR OLD.state = 'booking' AND NEW.state = 'done'
            OR OLD.state = 'done' AND NEW.state = 'redeeming'
            OR OLD.state = 'redeeming' AND NEW.state = 'redeemed') THEN
        RAISE EXCEPTION 'a year does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER year_stands BEFORE UPDATE ON royalties_financialyear
    FOR EACH ROW EXECUTE FUNCTION royalties_year_stands();
CREATE TRIGGER year_is_never_deleted BEFORE DELETE ON royalties_financialyear
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Drawing is one transaction: what it writes is never changed, and nothing is added to it.
CREATE FUNCTION royalties_refuse_late_patronage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT year FROM written) w JOIN royalties_financialyear y USING (year)
                WHERE y.state <> 'drawing') THEN
        RAISE EXCEPTION 'nothing is added to % of a drawn year', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER eligible_comes_with_the_drawing AFTER INSERT ON royalties_eligible
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_late_patronage();
CREATE TRIGGER patronage_comes_with_the_drawing AFTER INSERT ON royalties_patronage
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_late_patronage();
CREATE TRIGGER eligible_stays BEFORE UPDATE OR DELETE ON royalties_eligible
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER patronage_stays BEFORE UPDATE OR DELETE ON royalties_patronage
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER eligible_is_never_emptied BEFORE TRUNCATE ON royalties_eligible
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER patronage_is_never_emptied BEFORE TRUNCATE ON royalties_patronage
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
