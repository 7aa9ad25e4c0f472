CREATE OR REPLACE FUNCTION coop_money_moment() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    moment timestamptz;
    opened timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1919247969);  -- the constant that names the periods
    moment := coop_now();
    SELECT (max(m.starts_on) + interval '1 month') AT TIME ZONE (SELECT time_zone FROM members_coop)
      INTO opened FROM members_month m;
    RETURN greatest(moment, opened);
END $$;
DROP VIEW members_policy_facts;
