-- Which charges of a month were paid with credit that was bought less than `age` before the month's end.
--
-- Bought credit is spent oldest first and cashed out newest first, so at the month's end what is left in a wallet is the
-- rest of its newest top-ups; whatever of the fresh ones is not left there was spent, by the last charges.
CREATE FUNCTION playback_fresh_charges(month_start timestamptz, month_end timestamptz, age interval)
    RETURNS TABLE (work_id uuid, charged_at timestamptz, micros bigint) LANGUAGE sql STABLE AS $$
    WITH fresh AS (
        SELECT t.listener_id,
               sum(t.net_cents * 10000
                   - coalesce((SELECT sum(r.net_cents) * 10000
                                 FROM playback_refund r JOIN playback_cashout c ON c.id = r.cash_out_id
                                WHERE r.top_up_id = t.id AND r.state <> 'returned' AND c.taken_at < month_end), 0)
                   - coalesce((SELECT sum(b.taken_micros) FROM playback_chargeback b
                                WHERE b.top_up_id = t.id AND b.state <> 'won' AND b.opened_at < month_end), 0)) AS micros
          FROM playback_topup t
         WHERE t.state = 'settled' AND t.settled_at >= month_end - age AND t.settled_at < month_end
         GROUP BY t.listener_id
    ), spent AS (
        SELECT f.listener_id,
               f.micros - least(f.micros, (SELECT coalesce(sum(e.balance_micros), 0) FROM playback_wallet_entry e
                                            WHERE e.listener_id = f.listener_id AND e.at < month_end)) AS micros
          FROM fresh f
    ), charged AS (
        SELECT c.work_id, c.charged_at, s.micros AS spent, c.amount_micros - c.promo_micros AS bought,
               sum(c.amount_micros - c.promo_micros)
                   OVER (PARTITION BY c.listener_id ORDER BY c.charged_at DESC, c.id DESC) AS through
          FROM spent s JOIN playback_charge c USING (listener_id)
         WHERE s.micros > 0 AND c.charged_at >= month_start AND c.charged_at < month_end
           AND NOT EXISTS (SELECT FROM playback_reversal r
                            WHERE r.charge_id = c.id AND r.reversed_at < month_end)
    )
    SELECT work_id, charged_at, least(bought, spent - (through - bought))::bigint
      FROM charged WHERE bought > 0 AND spent > through - bought
$$;
