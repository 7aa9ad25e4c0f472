-- What postings summed by work and day is as lasting as their marks, and forgotten with them.
CREATE TRIGGER posted_works_stay_until_the_seal AFTER DELETE ON royalties_postedwork
    REFERENCING OLD TABLE AS forgotten FOR EACH STATEMENT EXECUTE FUNCTION royalties_keep_marks();
CREATE TRIGGER posted_works_are_never_emptied BEFORE TRUNCATE ON royalties_postedwork
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE FUNCTION royalties_forget_marks() RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM royalties_postedwork WHERE day < coop_day(royalties_posted_before());
    WITH forgotten AS (
        DELETE FROM royalties_postingmark WHERE day < coop_day(royalties_posted_before()) RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;

-- What was posted before there were such sums.
INSERT INTO royalties_postedwork (posting_id, day, work_id, amount_micros, promo_micros)
SELECT m.posting_id, coop_day(f.charged_at), f.work_id,
       sum(CASE f.kind WHEN 'reversal' THEN -1 ELSE 1 END * (f.bought_micros + f.promo_micros)),
       sum(CASE f.kind WHEN 'reversal' THEN -1 ELSE 1 END * f.promo_micros)
  FROM royalties_postingmark m JOIN playback_money_facts f ON f.source = m.source AND f.row_id = m.row_id
 WHERE f.happened_at >= (SELECT royalties_posted_before()) AND f.kind IN ('play', 'purchase', 'reversal')
 GROUP BY 1, 2, 3;
