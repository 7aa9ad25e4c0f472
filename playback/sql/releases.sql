-- The purchase of a release: all of the works named, or none. One statement for the charges, one for the holdings, however
-- many there are.
--
-- The caller has locked the wallet and written the quotes: caps have fallen where they do. `works` are those that can be
-- sold and are neither owned nor own; the arrays beside it are the terms of holdings that begin now.
CREATE FUNCTION playback_charge_release(
    p_listener uuid, most bigint, works uuid[],
    t_prices bigint[], t_plays smallint[], t_nums integer[], t_dens integer[], t_versions integer[]
) RETURNS playback_answer LANGUAGE plpgsql AS $$
DECLARE
    w playback_wallet;
    a playback_answer;
    moment timestamptz;
    total bigint;
    from_promo bigint;
    earlier integer;
BEGIN
    SELECT * INTO w FROM playback_wallet WHERE listener_id = p_listener FOR NO KEY UPDATE;
    PERFORM FROM playback_holding WHERE listener_id = p_listener AND work_id = ANY (works) ORDER BY work_id FOR NO KEY UPDATE;
    -- Suspended since the caller looked: the list is another one.
    IF EXISTS (SELECT FROM catalog_work_standing WHERE work_id = ANY (works) AND state = 'suspended') THEN
        a.outcome := 'price-changed';
        RETURN a;
    END IF;
    SELECT sum(coalesce(h.cap_micros, t.price) - coalesce(h.paid_micros, 0)) INTO total
      FROM unnest(works, t_prices) AS t (work_id, price)
      LEFT JOIN playback_holding h ON h.listener_id = p_listener AND h.work_id = t.work_id;
    -- guard release price
    IF total > most THEN
        a.outcome := 'price-changed';
        RETURN a;
    END IF;
    -- end
    moment := coop_money_moment();
    a := playback_spend(w, total, moment);
    -- guard release refused
    IF a.outcome IS NOT NULL THEN
        RETURN a;
    END IF;
    -- end
    from_promo := w.promo_micros - a.promo_micros;
    -- A millionth of a second apart, in the order of their keys, so that the wallet's history has an order too; all
    -- within the day that the limits counted.
    earlier := CASE WHEN coop_day(moment + cardinality(works) * interval '1 microsecond') = coop_day(moment)
                    THEN 0 ELSE cardinality(works) END;
    INSERT INTO playback_charge (
        listener_id, id, work_id, kind, amount_micros, promo_micros, charged_at, pricing_version,
        paid_after_micros, cap_after_micros, balance_after_micros, promo_after_micros
    )
    SELECT p_listener, gen_random_uuid(), work_id, 'purchase', amount,
           least(from_promo, spent) - least(from_promo, spent - amount),
           moment + (place - earlier) * interval '1 microsecond', version,
           cap, cap, w.balance_micros - (spent - least(from_promo, spent)), w.promo_micros - least(from_promo, spent)
      FROM (
        SELECT *, (sum(amount) OVER in_order)::bigint AS spent, row_number() OVER in_order - 1 AS place
          FROM (
            SELECT t.work_id, coalesce(h.cap_micros, t.price) AS cap, coalesce(h.pricing_version, t.version) AS version,
                   coalesce(h.cap_micros, t.price) - coalesce(h.paid_micros, 0) AS amount
              FROM unnest(works, t_prices, t_versions) AS t (work_id, price, version)
              LEFT JOIN playback_holding h ON h.listener_id = p_listener AND h.work_id = t.work_id
          ) AS asked
        WINDOW in_order AS (ORDER BY work_id)
      ) AS running;
    INSERT INTO playback_holding AS kept (
        listener_id, work_id, price_micros, plays, growth_num, growth_den, pricing_version, cap_micros,
        paid_micros, paid_plays, owned_at, revision
    )
    SELECT p_listener, work_id, price, plays, num, den, version, price, price, 0, moment, 1
      FROM unnest(works, t_prices, t_plays, t_nums, t_dens, t_versions) AS t (work_id, price, plays, num, den, version)
     ORDER BY work_id
    ON CONFLICT (listener_id, work_id) DO UPDATE SET
        price_micros = coalesce(kept.price_micros, EXCLUDED.price_micros),
        plays = coalesce(kept.plays, EXCLUDED.plays),
        growth_num = coalesce(kept.growth_num, EXCLUDED.growth_num),
        growth_den = coalesce(kept.growth_den, EXCLUDED.growth_den),
        pricing_version = coalesce(kept.pricing_version, EXCLUDED.pricing_version),
        cap_micros = coalesce(kept.cap_micros, EXCLUDED.cap_micros),
        paid_micros = coalesce(kept.cap_micros, EXCLUDED.cap_micros),
        owned_at = EXCLUDED.owned_at,
        revision = kept.revision + 1;
    a.outcome := 'charged';
    RETURN a;
END $$;
