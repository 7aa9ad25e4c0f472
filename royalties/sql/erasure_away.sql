CREATE OR REPLACE FUNCTION royalties_refuse_payout_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL OR to_jsonb(OLD) - 'ended_at' <> to_jsonb(NEW) - 'ended_at' THEN
        RAISE EXCEPTION 'an account is never changed, only ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
