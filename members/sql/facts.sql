-- What the apps to the right may read in SQL: the versions of policies.
CREATE VIEW members_policy_facts AS
    SELECT key, seq, params, effective_from FROM members_policyversion;

-- As before (clock.sql), and never before the moment at which the last month closed: so whether a reversal came before
-- its charge's month closed can be read from their two moments for ever, even if the clock stepped back between them.
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
