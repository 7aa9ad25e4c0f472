-- As before (payouts.sql), and an account that is ended may be emptied.
CREATE OR REPLACE FUNCTION royalties_refuse_payout_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emptied text[] := ARRAY['sealed', 'holder', 'mask'];
BEGIN
    -- One that is ended may be emptied when its owner was erased.
    IF OLD.ended_at IS NOT NULL AND NEW.sealed = 'v1.' AND NEW.holder = '' AND NEW.mask = ''
       AND to_jsonb(OLD) - emptied = to_jsonb(NEW) - emptied THEN
        RETURN NEW;
    END IF;
    IF OLD.ended_at IS NOT NULL OR to_jsonb(OLD) - 'ended_at' <> to_jsonb(NEW) - 'ended_at' THEN
        RAISE EXCEPTION 'an account is never changed, only ended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
