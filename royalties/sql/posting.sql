-- Posting: from when on rows of playback are asked for their marks, and which marks may be forgotten.

-- The rows of a sealed month were all posted before its seal, so they count as marked; from this moment on rows have
-- marks of their own.
CREATE FUNCTION royalties_posted_before() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((max(starts_on) + interval '1 month') AT TIME ZONE (SELECT time_zone FROM members_zone_facts), '-infinity')
      FROM members_month_facts WHERE state = 'sealed'
$$;

-- A mark that went missing would let its row be posted twice.
CREATE FUNCTION royalties_keep_marks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM forgotten WHERE day >= coop_day(royalties_posted_before())) THEN
        RAISE EXCEPTION 'marks are kept until their month is sealed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER posting_marks_stay_until_the_seal AFTER DELETE ON royalties_postingmark
    REFERENCING OLD TABLE AS forgotten FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_marks();
CREATE TRIGGER posting_marks_are_never_emptied BEFORE TRUNCATE ON royalties_postingmark
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Forget the marks of sealed months; with the owner's rights, for nobody else may delete one.
CREATE FUNCTION royalties_forget_marks() RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH forgotten AS (
        DELETE FROM royalties_postingmark WHERE day < coop_day(royalties_posted_before()) RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;
