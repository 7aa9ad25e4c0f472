-- The table goes with the migration before; what stands beside it goes here.
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
      FROM playback_refund WHERE state = 'returned';
DROP TRIGGER refund_is_not_of_a_chargeback ON playback_refund;
DROP FUNCTION playback_refuse_refund_of_chargeback();
DROP TRIGGER chargeback_goes_forward_only ON playback_chargeback;
DROP FUNCTION playback_refuse_chargeback_change();
