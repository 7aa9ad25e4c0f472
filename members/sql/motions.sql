-- As before (proposals.sql), and neither does the motion that a frozen proposal is about.
CREATE OR REPLACE FUNCTION members_frozen_proposal_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'proposal % has ended', OLD.number USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.motion_sha256 <> NEW.motion_sha256 THEN
        RAISE EXCEPTION 'a proposal stays the motion that it is' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.frozen_sha256 <> '' AND
       (NEW.author_id, NEW.key, NEW.kind, NEW.title, NEW.reasons, NEW.params, NEW.base_seq, NEW.version, NEW.frozen_sha256,
        NEW.governance_seq)
       IS DISTINCT FROM
       (OLD.author_id, OLD.key, OLD.kind, OLD.title, OLD.reasons, OLD.params, OLD.base_seq, OLD.version, OLD.frozen_sha256,
        OLD.governance_seq) THEN
        RAISE EXCEPTION 'what members vote on does not change' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
