DROP TRIGGER posted_works_are_never_emptied ON royalties_postedwork;
DROP TRIGGER posted_works_stay_until_the_seal ON royalties_postedwork;
CREATE OR REPLACE FUNCTION royalties_forget_marks() RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH forgotten AS (
        DELETE FROM royalties_postingmark WHERE day < coop_day(royalties_posted_before()) RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;
