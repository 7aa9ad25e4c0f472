-- Charging: the only statements that take a listener's money for a play or a purchase.
--
-- The functions compare and move; they contain no price rule. What a play costs was computed and shown when the quote
-- was written into the session (playback/holdings.py), and never more than that is taken here.
--
-- Every function locks the listener's wallet first, so one listener's money moves one thing at a time. The lines
-- between "guard NAME" and "end" each keep one promise; tests/simulation/test_guards.py removes them in turn.

CREATE TYPE playback_answer AS (
    outcome text,             -- charged, recorded, owned, or the slug of the problem
    charge_id uuid,
    work_id uuid,
    play_number smallint,
    charged_micros bigint,
    paid_micros bigint,
    cap_micros bigint,
    balance_micros bigint,
    promo_micros bigint,
    limit_name text,          -- day or month, with spending-limit-reached
    limit_micros bigint,
    needed_micros bigint,     -- what would have been charged, with a refusal
    playlist_until timestamptz  -- of a track; a photo has no playlist
);

-- Spend `amount` from the locked wallet `w`: promo first, both counters. The answer has an outcome only where it refuses,
-- and nothing has moved then.
CREATE FUNCTION playback_spend(w playback_wallet, amount bigint, moment timestamptz)
RETURNS playback_answer LANGUAGE plpgsql AS $$
DECLARE
    a playback_answer;
    today date;
    this_month date;
    spent_today bigint;
    spent_this_month bigint;
    day_limit bigint;
    month_limit bigint;
    from_promo bigint;
BEGIN
    today := coop_day(moment);
    this_month := date_trunc('month', today);
    a.balance_micros := w.balance_micros;
    a.promo_micros := w.promo_micros;
    a.needed_micros := amount;
    -- guard frozen
    IF w.frozen_at IS NOT NULL THEN
        a.outcome := 'wallet-frozen';
        RETURN a;
    END IF;
    -- end
    spent_today := CASE WHEN w.spent_day = today THEN w.spent_day_micros ELSE 0 END;
    spent_this_month := CASE WHEN w.spent_month = this_month THEN w.spent_month_micros ELSE 0 END;
    day_limit := CASE WHEN w.next_day_limit_at <= moment THEN w.next_day_limit_micros ELSE w.day_limit_micros END;
    month_limit := CASE WHEN w.next_month_limit_at <= moment THEN w.next_month_limit_micros ELSE w.month_limit_micros END;
    -- guard day limit
    IF spent_today + amount > day_limit THEN
        a.outcome := 'spending-limit-reached';
        a.limit_name := 'day';
        a.limit_micros := day_limit;
        RETURN a;
    END IF;
    -- end
    -- guard month limit
    IF spent_this_month + amount > month_limit THEN
        a.outcome := 'spending-limit-reached';
        a.limit_name := 'month';
        a.limit_micros := month_limit;
        RETURN a;
    END IF;
    -- end
    -- guard funds
    IF w.balance_micros + w.promo_micros < amount THEN
        a.outcome := 'insufficient-funds';
        RETURN a;
    END IF;
    -- end
    from_promo := least(w.promo_micros, amount);
    a.charged_micros := amount;
    a.promo_micros := w.promo_micros - from_promo;
    a.balance_micros := w.balance_micros - (amount - from_promo);
    UPDATE playback_wallet SET
        balance_micros = a.balance_micros, promo_micros = a.promo_micros,
        spent_day = today, spent_day_micros = spent_today + amount,
        spent_month = this_month, spent_month_micros = spent_this_month + amount
    WHERE listener_id = w.listener_id;
    RETURN a;
END $$;

-- Take `amount` from the locked wallet `w` for a play (with its number and session) or a purchase (with neither).
-- `h` is the holding as read under the lock; `terms` are used, and kept from now on, if it has none yet.
CREATE FUNCTION playback_take(
    w playback_wallet, h playback_holding, terms playback_holding,
    session uuid, number smallint, amount bigint
) RETURNS playback_answer LANGUAGE plpgsql AS $$
DECLARE
    a playback_answer;
    moment timestamptz;
BEGIN
    moment := coop_money_moment();
    a := playback_spend(w, amount, moment);
    a.work_id := terms.work_id;
    IF a.outcome IS NOT NULL THEN
        RETURN a;
    END IF;
    a.charge_id := gen_random_uuid();
    a.play_number := number;
    a.cap_micros := coalesce(h.cap_micros, terms.cap_micros);
    a.paid_micros := coalesce(h.paid_micros, 0) + amount;

    INSERT INTO playback_charge (
        listener_id, id, work_id, session_id, kind, play_number, amount_micros, promo_micros, charged_at, pricing_version,
        paid_after_micros, cap_after_micros, balance_after_micros, promo_after_micros
    ) VALUES (
        w.listener_id, a.charge_id, terms.work_id, session, CASE WHEN number IS NULL THEN 'purchase' ELSE 'play' END, number,
        amount, w.promo_micros - a.promo_micros, moment, coalesce(h.pricing_version, terms.pricing_version),
        a.paid_micros, a.cap_micros, a.balance_micros, a.promo_micros
    );

    INSERT INTO playback_holding AS kept (
        listener_id, work_id, price_micros, plays, growth_num, growth_den, pricing_version, cap_micros,
        paid_micros, paid_plays, owned_at, revision
    ) VALUES (
        w.listener_id, terms.work_id, terms.price_micros, terms.plays, terms.growth_num, terms.growth_den, terms.pricing_version,
        a.cap_micros, a.paid_micros, CASE WHEN number IS NULL THEN 0 ELSE 1::bigint << (number - 1) END,
        CASE WHEN a.paid_micros = a.cap_micros THEN moment END, 1
    )
    ON CONFLICT (listener_id, work_id) DO UPDATE SET
        price_micros = coalesce(kept.price_micros, EXCLUDED.price_micros),
        plays = coalesce(kept.plays, EXCLUDED.plays),
        growth_num = coalesce(kept.growth_num, EXCLUDED.growth_num),
        growth_den = coalesce(kept.growth_den, EXCLUDED.growth_den),
        pricing_version = coalesce(kept.pricing_version, EXCLUDED.pricing_version),
        cap_micros = EXCLUDED.cap_micros,
        paid_micros = EXCLUDED.paid_micros,
        paid_plays = kept.paid_plays | EXCLUDED.paid_plays,
        owned_at = EXCLUDED.owned_at,
        revision = kept.revision + 1;

    a.outcome := 'charged';
    RETURN a;
END $$;

-- Charge the play that the session's quote describes, never more than `price`. Asked again, it gives the same answer.
CREATE FUNCTION playback_charge_session(p_listener uuid, p_session uuid, price bigint)
RETURNS playback_answer LANGUAGE plpgsql AS $$
DECLARE
    w playback_wallet;
    s playback_session;
    h playback_holding;
    terms playback_holding;
    a playback_answer;
BEGIN
    SELECT * INTO w FROM playback_wallet WHERE listener_id = p_listener FOR NO KEY UPDATE;
    SELECT * INTO s FROM playback_session WHERE listener_id = p_listener AND id = p_session;
    IF NOT FOUND THEN
        a.outcome := 'not-found';
        RETURN a;
    END IF;
    a.work_id := s.work_id;
    a.balance_micros := w.balance_micros;
    a.promo_micros := w.promo_micros;
    a.playlist_until := CASE WHEN s.view_seconds IS NULL THEN s.playlist_until END;
    -- guard charged once
    IF s.charge_id IS NOT NULL THEN
        SELECT 'recorded', c.id, c.work_id, c.play_number, c.amount_micros, c.paid_after_micros, c.cap_after_micros,
               c.balance_after_micros, c.promo_after_micros, NULL, NULL, NULL, a.playlist_until
          INTO a FROM playback_charge c WHERE c.listener_id = p_listener AND c.id = s.charge_id;
        RETURN a;
    END IF;
    -- end
    SELECT * INTO h FROM playback_holding WHERE listener_id = p_listener AND work_id = s.work_id;
    a.paid_micros := coalesce(h.paid_micros, 0);
    a.cap_micros := coalesce(h.cap_micros, s.cap_micros);
    IF s.basis <> 'paid' THEN
        a.outcome := 'owned';
        a.charged_micros := 0;
        RETURN a;
    END IF;
    -- guard suspended
    IF (SELECT state FROM catalog_work_standing WHERE work_id = s.work_id) = 'suspended' AND h.owned_at IS NULL THEN
        a.outcome := 'work-unavailable';
        RETURN a;
    END IF;
    -- end
    -- guard expired
    IF s.ended_at IS NOT NULL OR s.expires_at <= coop_now() THEN
        a.outcome := 'session-expired';
        RETURN a;
    END IF;
    -- end
    -- guard owned
    IF h.owned_at IS NOT NULL THEN
        a.outcome := 'owned';
        a.charged_micros := 0;
        RETURN a;
    END IF;
    -- end
    -- guard revision
    IF coalesce(h.revision, 0) <> s.holding_revision THEN
        a.outcome := 'price-changed';
        RETURN a;
    END IF;
    -- end
    -- guard price
    IF price < s.price_micros THEN
        a.outcome := 'price-changed';
        RETURN a;
    END IF;
    -- end
    terms.work_id := s.work_id;
    terms.price_micros := s.terms_price_micros;
    terms.plays := s.terms_plays;
    terms.growth_num := s.terms_growth_num;
    terms.growth_den := s.terms_growth_den;
    terms.pricing_version := s.pricing_version;
    terms.cap_micros := s.cap_micros;
    a := playback_take(w, h, terms, s.id, s.play_number, s.price_micros);
    IF a.outcome = 'charged' THEN
        -- A photo is seen in full from now on for so long as its session says.
        UPDATE playback_session SET
            charge_id = a.charge_id, playlist_until = coalesce(coop_now() + make_interval(secs => view_seconds), playlist_until)
        WHERE listener_id = p_listener AND id = p_session;
        a.playlist_until := CASE WHEN s.view_seconds IS NULL THEN s.playlist_until END;
    END IF;
    RETURN a;
END $$;

-- Pay the rest of a work at once, never more than `price`. The caller has locked the wallet and written the quote.
CREATE FUNCTION playback_charge_purchase(
    p_listener uuid, p_work uuid, price bigint,
    t_price bigint, t_plays smallint, t_num integer, t_den integer, t_version integer, t_cap bigint
) RETURNS playback_answer LANGUAGE plpgsql AS $$
DECLARE
    w playback_wallet;
    h playback_holding;
    terms playback_holding;
    a playback_answer;
BEGIN
    SELECT * INTO w FROM playback_wallet WHERE listener_id = p_listener FOR NO KEY UPDATE;
    SELECT * INTO h FROM playback_holding WHERE listener_id = p_listener AND work_id = p_work;
    terms.work_id := p_work;
    terms.price_micros := t_price;
    terms.plays := t_plays;
    terms.growth_num := t_num;
    terms.growth_den := t_den;
    terms.pricing_version := t_version;
    terms.cap_micros := t_cap;
    -- Suspended since the caller looked: from then on nothing is sold.
    IF (SELECT state FROM catalog_work_standing WHERE work_id = p_work) = 'suspended' THEN
        a.outcome := 'work-unavailable';
        RETURN a;
    END IF;
    IF coalesce(h.cap_micros, t_cap) - coalesce(h.paid_micros, 0) > price THEN
        a.outcome := 'price-changed';
        RETURN a;
    END IF;
    RETURN playback_take(w, h, terms, NULL, NULL, coalesce(h.cap_micros, t_cap) - coalesce(h.paid_micros, 0));
END $$;
