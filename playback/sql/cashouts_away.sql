-- The tables go with the migration before; what stands beside them goes here.
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
      FROM playback_promogrant;
DROP TRIGGER refund_transfer_is_for_somebody_else ON playback_refundtransfer;
DROP TRIGGER refund_belongs_to_the_sum ON playback_refund;
DROP TRIGGER cash_out_is_the_sum_of_its_refunds ON playback_cashout;
DROP TRIGGER refund_goes_forward_only ON playback_refund;
DROP TRIGGER refund_is_at_most_its_payment ON playback_refund;
DROP FUNCTION playback_check_refund_transfer();
DROP FUNCTION playback_check_cash_out();
DROP FUNCTION playback_refuse_refund_change();
DROP FUNCTION playback_check_refund();
