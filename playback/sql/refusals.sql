-- What the database refuses whoever asks, and how the hot tables are stored.

CREATE FUNCTION playback_refuse_charge_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A charge is given back once, and that is all that ever changes in it.
    IF OLD.reversal_id IS NULL AND NEW.reversal_id IS NOT NULL
       AND to_jsonb(OLD) - 'reversal_id' = to_jsonb(NEW) - 'reversal_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a charge is never changed, only given back once' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER charge_is_never_changed BEFORE UPDATE ON playback_charge
    FOR EACH ROW EXECUTE FUNCTION playback_refuse_charge_change();
CREATE TRIGGER charge_is_never_deleted BEFORE DELETE ON playback_charge
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER charge_is_never_emptied BEFORE TRUNCATE ON playback_charge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reversal_is_append_only BEFORE UPDATE OR DELETE ON playback_reversal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER promo_grant_is_append_only BEFORE UPDATE OR DELETE ON playback_promogrant
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER gateway_event_is_append_only BEFORE UPDATE OR DELETE ON playback_gatewayevent
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER kept_answer_is_append_only BEFORE UPDATE OR DELETE ON playback_keptanswer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION playback_refuse_top_up_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a settled top-up is never changed' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER top_up_settled_is_final BEFORE UPDATE ON playback_topup
    FOR EACH ROW WHEN (OLD.state = 'settled') EXECUTE FUNCTION playback_refuse_top_up_change();

-- Every row that moved credit, one line each: the wallet's history, and the sum that the balance must equal.
CREATE VIEW playback_wallet_entry AS
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

-- Rows that are updated in place leave room on their page for it.
ALTER TABLE playback_wallet SET (fillfactor = 80);
ALTER TABLE playback_holding SET (fillfactor = 85);
ALTER TABLE playback_session SET (fillfactor = 85);
