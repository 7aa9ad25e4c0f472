-- A database restored from a backup knows less than the world does. So it is closed until it has recovered.

-- Which database this is, as far as a server can tell: a cluster, its timeline, the database, and the table that says so.
-- A restored dump has other tables, usually in another cluster; a standby or a recovery to a moment has another timeline.
-- The first three cost a look into a file and stay the same for a connection, which therefore remembers them.
CREATE FUNCTION coop_identity() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    server text;
BEGIN
    server := current_setting('refrain.server', true);
    IF coalesce(server, '') = '' THEN
        SELECT set_config('refrain.server', concat_ws('.', s.system_identifier, c.timeline_id, d.oid), false) INTO server
          FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database();
    END IF;
    RETURN server || '.' || to_regclass('members_lineage')::oid;
END $$;

-- Whether money has to wait. Whoever recovers says so for their own connection (`members.lineage.recovering`).
CREATE FUNCTION coop_is_closed() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('refrain.recovering', true) = 'on' THEN
        RETURN false;
    END IF;
    RETURN EXISTS (SELECT FROM members_closing WHERE opened_at IS NULL)
           OR EXISTS (SELECT FROM members_lineage WHERE identity <> coop_identity());
END $$;

CREATE FUNCTION coop_check_open() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF coop_is_closed() THEN
        RAISE EXCEPTION 'the co-op is closed until what it lost with a backup is recovered' USING ERRCODE = 'RF503';
    END IF;
END $$;

CREATE FUNCTION coop_refuse_while_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM coop_check_open();
    RETURN NULL;
END $$;

CREATE TRIGGER month_waits_while_closed BEFORE INSERT OR UPDATE ON members_month
    FOR EACH STATEMENT EXECUTE FUNCTION coop_refuse_while_closed();
CREATE TRIGGER closing_is_never_deleted BEFORE DELETE ON members_closing
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- As before (month_facts.sql), and never while the co-op is closed.
CREATE OR REPLACE FUNCTION coop_money_moment() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    moment timestamptz;
    opened timestamptz;
    closed timestamptz;
BEGIN
    PERFORM coop_check_open();
    PERFORM pg_advisory_xact_lock_shared(1919247969);  -- the constant that names the periods
    moment := coop_now();
    SELECT (max(m.starts_on) + interval '1 month') AT TIME ZONE (SELECT time_zone FROM members_coop), max(m.closed_at)
      INTO opened, closed FROM members_month m;
    RETURN greatest(moment, opened, closed);
END $$;
