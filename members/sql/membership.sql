-- The register keeps everybody who ever belonged; what was paid, chosen or shown as a qualification stays as written.
CREATE TRIGGER membership_is_never_deleted BEFORE DELETE ON members_membership
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER membership_is_never_emptied BEFORE TRUNCATE ON members_membership
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER class_place_is_never_deleted BEFORE DELETE ON members_classplace
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER voting_choice_is_append_only BEFORE UPDATE OR DELETE ON members_votingchoice
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER voting_choice_is_never_emptied BEFORE TRUNCATE ON members_votingchoice
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER qualification_is_append_only BEFORE UPDATE OR DELETE ON members_qualification
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dues_are_append_only BEFORE UPDATE OR DELETE ON members_duespayment
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dues_are_never_emptied BEFORE TRUNCATE ON members_duespayment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER shares_are_never_deleted BEFORE DELETE ON members_shareholding
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The ways a membership can go: nobody joins without having been approved, and nobody changes when they joined.
CREATE FUNCTION members_check_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.person_id <> OLD.person_id OR NEW.applied_at <> OLD.applied_at
       OR OLD.joined_at IS NOT NULL AND NEW.joined_at IS DISTINCT FROM OLD.joined_at
       OR OLD.number IS NOT NULL AND NEW.number IS DISTINCT FROM OLD.number THEN
        RAISE EXCEPTION 'the past of a membership is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (OLD.state = NEW.state
            OR OLD.state = 'applied' AND NEW.state IN ('approved', 'refused', 'withdrawn')
            OR OLD.state = 'approved' AND NEW.state IN ('joined', 'withdrawn')
            OR OLD.state = 'joined' AND NEW.state IN ('left', 'expelled')
            OR OLD.state = 'expelled' AND NEW.state = 'joined') THEN
        RAISE EXCEPTION 'a membership does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER membership_goes_its_way BEFORE UPDATE ON members_membership
    FOR EACH ROW EXECUTE FUNCTION members_check_membership();

-- Shares once paid in stay as they were paid in; hours once decided stay decided.
CREATE FUNCTION members_check_shares() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.membership_id, NEW.count, NEW.amount_micros, NEW.asked_at)
       IS DISTINCT FROM (OLD.membership_id, OLD.count, OLD.amount_micros, OLD.asked_at)
       OR OLD.paid_at IS NOT NULL AND (NEW.paid_at, NEW.confirmed_by_id)
          IS DISTINCT FROM (OLD.paid_at, OLD.confirmed_by_id)
       OR OLD.repaid_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'what was paid for shares is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shares_stay_as_paid BEFORE UPDATE ON members_shareholding
    FOR EACH ROW EXECUTE FUNCTION members_check_shares();

CREATE FUNCTION members_check_worked_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.decided_at IS NOT NULL
       OR (NEW.person_id, NEW.worked_on, NEW.minutes, NEW.words)
          IS DISTINCT FROM (OLD.person_id, OLD.worked_on, OLD.minutes, OLD.words) THEN
        RAISE EXCEPTION 'worked time is decided once and never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER worked_time_is_decided_once BEFORE UPDATE OR DELETE ON members_workedtime
    FOR EACH ROW EXECUTE FUNCTION members_check_worked_time();
