-- A sealed month never changes, whoever asks. Rows of a month that is still run may be written anew, so that every step
-- of a run can be done again.

CREATE FUNCTION royalties_refuse_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM members_month WHERE starts_on = OLD.month AND state = 'sealed') THEN
        RAISE EXCEPTION 'the month % is sealed: % of % refused', OLD.month, TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- A held group is marked when it is released, once, and this is all that ever changes in a sealed month's groups.
CREATE FUNCTION royalties_refuse_group_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM members_month WHERE starts_on = OLD.month AND state = 'sealed') THEN
        RETURN NEW;
    END IF;
    IF to_jsonb(OLD) - 'released_in' = to_jsonb(NEW) - 'released_in'
       AND NOT EXISTS (SELECT FROM members_month WHERE starts_on = OLD.released_in AND state = 'sealed')
       AND NOT EXISTS (SELECT FROM members_month WHERE starts_on = NEW.released_in AND state = 'sealed') THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the month % is sealed: its groups stay', OLD.month USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION royalties_refuse_late_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT month FROM written) w JOIN members_month m ON m.starts_on = w.month
                WHERE m.state = 'sealed') THEN
        RAISE EXCEPTION 'nothing is added to % of a sealed month', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER run_sealed_stays BEFORE UPDATE OR DELETE ON royalties_run
    FOR EACH ROW WHEN (OLD.state = 'sealed') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER group_of_a_sealed_month_stays BEFORE UPDATE ON royalties_group
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_group_change();
CREATE TRIGGER group_of_a_sealed_month_is_kept BEFORE DELETE ON royalties_group
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_sealed();
CREATE TRIGGER group_comes_before_the_seal AFTER INSERT ON royalties_group
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_late_rows();
CREATE TRIGGER line_of_a_sealed_month_stays BEFORE UPDATE OR DELETE ON royalties_line
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_sealed();
CREATE TRIGGER line_comes_before_the_seal AFTER INSERT ON royalties_line
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_late_rows();
CREATE TRIGGER statement_of_a_sealed_month_stays BEFORE UPDATE OR DELETE ON royalties_statement
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_sealed();
CREATE TRIGGER statement_comes_before_the_seal AFTER INSERT ON royalties_statement
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_late_rows();

CREATE FUNCTION royalties_refuse_emptying() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER run_is_never_emptied BEFORE TRUNCATE ON royalties_run
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_emptying();
CREATE TRIGGER group_is_never_emptied BEFORE TRUNCATE ON royalties_group
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_emptying();
CREATE TRIGGER line_is_never_emptied BEFORE TRUNCATE ON royalties_line
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_emptying();
CREATE TRIGGER statement_is_never_emptied BEFORE TRUNCATE ON royalties_statement
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_emptying();
