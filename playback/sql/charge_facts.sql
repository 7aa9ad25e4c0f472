-- What a royalty run reads: a row for each charge, and the inverse of it for each reversal, both at the moment of the
-- charge. `reversed_at` is null for a charge.
CREATE VIEW playback_charge_facts AS
    SELECT work_id, listener_id, charged_at, NULL::timestamptz AS reversed_at, kind, play_number, amount_micros, promo_micros
      FROM playback_charge
    UNION ALL
    SELECT c.work_id, c.listener_id, c.charged_at, r.reversed_at, c.kind, c.play_number, -r.amount_micros, -r.promo_micros
      FROM playback_reversal r JOIN playback_charge c ON c.listener_id = r.listener_id AND c.id = r.charge_id;
