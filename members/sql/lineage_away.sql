DROP TRIGGER month_waits_while_closed ON members_month;
DROP TRIGGER closing_is_never_deleted ON members_closing;
CREATE OR REPLACE FUNCTION coop_money_moment() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    moment timestamptz;
    opened timestamptz;
    closed timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1919247969);  -- the constant that names the periods
    moment := coop_now();
    SELECT (max(m.starts_on) + interval '1 month') AT TIME ZONE (SELECT time_zone FROM members_coop), max(m.closed_at)
      INTO opened, closed FROM members_month m;
    RETURN greatest(moment, opened, closed);
END $$;
DROP FUNCTION coop_refuse_while_closed;
DROP FUNCTION coop_check_open;
DROP FUNCTION coop_is_closed;
DROP FUNCTION coop_identity;
