-- What royalties may read of playback: every row that moved money, and every play.

-- A refund remembers when it was made, also when a bank sent it back later.
CREATE OR REPLACE FUNCTION playback_refuse_refund_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['state', 'gateway_id', 'attempts', 'not_before', 'ended_at', 'refunded_at', 'reason',
                            'balance_after_micros', 'promo_after_micros'];
BEGIN
    IF to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'the money of a refund is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (OLD.state = NEW.state AND OLD.state IN ('waiting', 'sent', 'transfer')
            OR OLD.state = 'waiting' AND NEW.state IN ('sent', 'transfer', 'refunded', 'returned')
            OR OLD.state = 'sent' AND NEW.state IN ('transfer', 'refunded', 'returned')
            OR OLD.state = 'transfer' AND NEW.state IN ('refunded', 'returned')
            OR OLD.state = 'refunded' AND NEW.state = 'returned') THEN
        RAISE EXCEPTION 'a refund does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.refunded_at := CASE WHEN NEW.state = 'refunded' THEN NEW.ended_at ELSE OLD.refunded_at END;
    RETURN NEW;
END $$;

-- The promo budget is what was put into it less what was given away, and its past stays as it was written.
CREATE TRIGGER promo_funding_is_append_only BEFORE UPDATE OR DELETE ON playback_promofunding
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER promo_funding_is_never_emptied BEFORE TRUNCATE ON playback_promofunding
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One line for each row that moved money, in micros and never negative: `kind` says which way.
--
-- `bought_micros` is bought credit, `promo_micros` promo credit, `net_micros` and `vat_micros` what a payment or a refund
-- was made of, `borne_micros` what the co-op pays of a chargeback. `day` is when it happened; `month` the period it counts
-- in: a reversal counts in its charge's month if it came before that closed, else (`refund-borne`) in its own.
-- (source, row_id) names a line for ever. Ask for a range of `happened_at`: it is the rows' own moment, and indexed.
CREATE VIEW playback_money_facts AS
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
  ) AS moved;

-- One line for each play: `paid` with its number, or of an owned, own or free work.
CREATE VIEW playback_usage_facts AS
SELECT source, row_id, listener_id, work_id, basis, play_number, played_at,
       (played_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date AS day, reversed
  FROM (
    SELECT 'charge'::text AS source, id AS row_id, listener_id, work_id, 'paid'::text AS basis, play_number,
           charged_at AS played_at, reversal_id IS NOT NULL AS reversed
      FROM playback_charge WHERE kind = 'play'
    UNION ALL
    SELECT 'free-play', session_id, listener_id, work_id, basis::text, NULL, played_at, false FROM playback_freeplay
  ) AS heard;

-- Each wallet as it stands, beside the sum of the rows that moved it.
CREATE VIEW playback_wallet_facts AS
SELECT listener_id, coalesce(w.balance_micros, 0) AS balance_micros, coalesce(w.promo_micros, 0) AS promo_micros,
       coalesce(e.balance_micros, 0) AS balance_of_rows_micros, coalesce(e.promo_micros, 0) AS promo_of_rows_micros
  FROM playback_wallet w
  FULL JOIN (SELECT listener_id, sum(balance_micros)::bigint AS balance_micros, sum(promo_micros)::bigint AS promo_micros
               FROM playback_wallet_entry GROUP BY listener_id) e USING (listener_id);

-- What lies in playback's pockets now, all listeners together.
CREATE VIEW playback_pocket_facts AS
    SELECT 'wallets'::text AS pocket, coalesce(sum(balance_micros), 0)::bigint AS micros FROM playback_wallet
    UNION ALL
    SELECT 'promo-wallets', coalesce(sum(promo_micros), 0)::bigint FROM playback_wallet
    UNION ALL
    SELECT 'promo-budget', coalesce(sum(left_micros), 0)::bigint FROM playback_promobudget
    UNION ALL
    SELECT 'cash-outs', coalesce(sum(net_cents), 0)::bigint * 10000 FROM playback_refund
     WHERE state IN ('waiting', 'sent', 'transfer');
