-- The co-op's clock. Everything that dates money, votes or months asks here, after taking its lock.

CREATE FUNCTION coop_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT clock_timestamp() + clock_offset FROM members_coop
$$;

-- The day of the co-op's time zone in which a moment lies: limits, months and midnights are in it.
CREATE FUNCTION coop_day(moment timestamptz) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (moment AT TIME ZONE time_zone)::date FROM members_coop
$$;

-- The moment at which money that moves now is booked. It takes the periods' lock, shared, until the transaction ends;
-- whoever closes a month takes it exclusively. A moment in a month no longer open (the clock stepped back) becomes the
-- first moment of the open one. Months close in order, so the latest row says which month is open.
CREATE FUNCTION coop_money_moment() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
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

-- Rows of the past stay as they were written.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER policy_version_is_append_only BEFORE UPDATE OR DELETE ON members_policyversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_version_is_never_emptied BEFORE TRUNCATE ON members_policyversion
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
