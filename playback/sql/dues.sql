-- Dues from the wallet: what was taken stays as written, and stands in the wallet's history and among what moved money.
CREATE TRIGGER dues_taken_are_append_only BEFORE UPDATE OR DELETE ON playback_duestaken
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dues_taken_are_never_emptied BEFORE TRUNCATE ON playback_duestaken
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The wallet's history, with the dues that were paid from it.
CREATE OR REPLACE VIEW playback_wallet_entry AS
    SELECT listener_id, charged_at AS at, kind::text AS kind, id AS row_id, work_id, play_number, NULL::text AS reason,
           -(amount_micros - promo_micros) AS balance_micros, -promo_micros AS promo_micros,
           balance_after_micros, promo_after_micros
      FROM playback_charge
    UNION ALL
    SELECT r.listener_id, r.reversed_at, 'reversal', r.id, c.work_id, c.play_number, r.reason,
           r.amount_micros - r.promo_micros, r.promo_micros, r.balance_after_micros, r.promo_after_micros
      FROM playback_reversal r JOIN playback_charge c ON c.listener_id = r.listener_id AND c.id = r.charge_id
    UNION ALL
    SELECT listener_id, settled_at, 'top-up', id, NULL, NULL, NULL,
           net_cents * 10000, 0, balance_after_micros, promo_after_micros
      FROM playback_topup WHERE state = 'settled'
    UNION ALL
    SELECT listener_id, granted_at, 'promo', id, NULL, NULL, reason, 0, amount_micros, balance_after_micros, promo_after_micros
      FROM playback_promogrant
    UNION ALL
    SELECT listener_id, taken_at, 'cash-out', id, NULL, NULL, NULL, -amount_micros, 0, balance_after_micros, promo_after_micros
      FROM playback_cashout
    UNION ALL
    SELECT listener_id, ended_at, 'cash-out-returned', id, NULL, NULL, reason,
           net_cents * 10000, 0, balance_after_micros, promo_after_micros
      FROM playback_refund WHERE state = 'returned'
    UNION ALL
    SELECT listener_id, opened_at, 'chargeback', id, NULL, NULL, NULL,
           -taken_micros, 0, balance_after_micros, promo_after_micros
      FROM playback_chargeback
    UNION ALL
    SELECT listener_id, ended_at, 'chargeback-won', id, NULL, NULL, NULL,
           taken_micros, 0, won_balance_after_micros, won_promo_after_micros
      FROM playback_chargeback WHERE state = 'won'
    UNION ALL
    SELECT listener_id, taken_at, 'dues', id, NULL, NULL, NULL, -amount_micros, 0, balance_after_micros, promo_after_micros
      FROM playback_duestaken;

-- One line for each row that moved money, in micros and never negative: `kind` says which way.
--
-- `bought_micros` is bought credit, `promo_micros` promo credit, `net_micros` and `vat_micros` what a payment or a refund
-- was made of, `borne_micros` what the co-op pays of a chargeback. `day` is when it happened; `month` the period it counts
-- in: a reversal counts in its charge's month if it came before that closed, else (`refund-borne`) in its own.
-- (source, row_id) names a line for ever. Ask for a range of `happened_at`: it is the rows' own moment, and indexed.
CREATE OR REPLACE VIEW playback_money_facts AS
SELECT source, kind, row_id, listener_id, happened_at,
       (happened_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date AS day,
       date_trunc('month', counted_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date AS month,
       date_trunc('month', charged_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date AS charged_month,
       charged_at, charge_id, work_id, play_number, bought_micros, promo_micros, net_micros, vat_micros, borne_micros
  FROM (
    SELECT 'charge'::text AS source, c.kind::text AS kind, c.id AS row_id, c.listener_id, c.charged_at AS happened_at,
           c.charged_at AS counted_at, c.charged_at, c.id AS charge_id, c.work_id, c.play_number,
           c.amount_micros - c.promo_micros AS bought_micros, c.promo_micros,
           0::bigint AS net_micros, 0::bigint AS vat_micros, 0::bigint AS borne_micros
      FROM playback_charge c
    UNION ALL
    SELECT 'reversal', CASE WHEN r.reversed_at >= m.closed_at THEN 'refund-borne' ELSE 'reversal' END,
           r.id, r.listener_id, r.reversed_at,
           CASE WHEN r.reversed_at >= m.closed_at THEN r.reversed_at ELSE c.charged_at END,
           c.charged_at, c.id, c.work_id, c.play_number, r.amount_micros - r.promo_micros, r.promo_micros, 0, 0, 0
      FROM playback_reversal r
      JOIN playback_charge c ON c.listener_id = r.listener_id AND c.id = r.charge_id
      LEFT JOIN members_month_facts m ON m.starts_on = date_trunc(
        'month', c.charged_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date
    UNION ALL
    SELECT 'top-up', 'top-up', id, listener_id, settled_at, settled_at, NULL, NULL, NULL, NULL,
           0, 0, net_cents * 10000, vat_cents * 10000, 0
      FROM playback_topup WHERE state = 'settled'
    UNION ALL
    SELECT 'promo-grant', 'promo-grant', id, listener_id, granted_at, granted_at, NULL, NULL, NULL, NULL,
           0, amount_micros, 0, 0, 0
      FROM playback_promogrant
    UNION ALL
    SELECT 'promo-funding', CASE WHEN amount_micros > 0 THEN 'promo-raised' ELSE 'promo-lowered' END,
           id, NULL, funded_at, funded_at, NULL, NULL, NULL, NULL, 0, abs(amount_micros), 0, 0, 0
      FROM playback_promofunding
    UNION ALL
    SELECT 'cash-out', 'cash-out', id, listener_id, taken_at, taken_at, NULL, NULL, NULL, NULL, amount_micros, 0, 0, 0, 0
      FROM playback_cashout
    UNION ALL
    SELECT 'refund', CASE WHEN t.refund_id IS NULL THEN 'refund' ELSE 'refund-by-transfer' END,
           f.id, f.listener_id, f.refunded_at, f.refunded_at, NULL, NULL, NULL, NULL,
           0, 0, f.net_cents * 10000, f.vat_cents * 10000, 0
      FROM playback_refund f
      LEFT JOIN playback_refundtransfer t ON t.refund_id = f.id AND t.released_at IS NOT NULL
     WHERE f.refunded_at IS NOT NULL
    UNION ALL
    SELECT 'refund-returned', CASE WHEN f.refunded_at IS NULL THEN 'refund-failed'
                                   WHEN t.refund_id IS NULL THEN 'refund-came-back' ELSE 'transfer-came-back' END,
           f.id, f.listener_id, f.ended_at, f.ended_at, NULL, NULL, NULL, NULL,
           0, 0, f.net_cents * 10000, f.vat_cents * 10000, 0
      FROM playback_refund f
      LEFT JOIN playback_refundtransfer t ON t.refund_id = f.id AND t.released_at IS NOT NULL
     WHERE f.state = 'returned'
    UNION ALL
    SELECT 'chargeback', 'chargeback', id, listener_id, opened_at, opened_at, NULL, NULL, NULL, NULL,
           taken_micros, 0, 0, 0, disputed_micros
      FROM playback_chargeback
    UNION ALL
    SELECT 'chargeback-won', 'chargeback-won', id, listener_id, ended_at, ended_at, NULL, NULL, NULL, NULL,
           taken_micros, 0, 0, 0, disputed_micros
      FROM playback_chargeback WHERE state = 'won'
    UNION ALL
    SELECT 'dues', 'dues', id, listener_id, taken_at, taken_at, NULL, NULL, NULL, NULL, amount_micros, 0, 0, 0, 0
      FROM playback_duestaken
  ) AS moved;
