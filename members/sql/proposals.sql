-- What was put before the members stays as it was put: versions and parts are written once, and what was frozen stands.
CREATE TRIGGER proposal_part_is_append_only BEFORE UPDATE OR DELETE ON members_part
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER proposal_is_never_deleted BEFORE DELETE ON members_proposal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER proposal_version_is_never_deleted BEFORE DELETE ON members_proposalversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER remark_is_append_only BEFORE UPDATE OR DELETE ON members_remark
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION members_proposal_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - '{accepted_at,declined_at}'::text[] <> to_jsonb(OLD) - '{accepted_at,declined_at}'::text[]
       OR OLD.accepted_at IS NOT NULL OR OLD.declined_at IS NOT NULL THEN
        RAISE EXCEPTION 'a version of a proposal is written once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER proposal_version_stays BEFORE UPDATE ON members_proposalversion
    FOR EACH ROW EXECUTE FUNCTION members_proposal_version_stays();

-- Once it is frozen nothing of the question changes, nor by which rules it is asked; an ended proposal does not move.
CREATE FUNCTION members_frozen_proposal_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'proposal % has ended', OLD.number USING ERRCODE = 'restrict_violation';
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
CREATE TRIGGER frozen_proposal_stands BEFORE UPDATE ON members_proposal
    FOR EACH ROW EXECUTE FUNCTION members_frozen_proposal_stands();
