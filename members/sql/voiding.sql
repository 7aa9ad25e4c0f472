-- Void an election that cannot be counted because its urn, its roll and its checkpoints do not agree. Its voters were
-- promised as much as those of any other: urn and roll are written anew, each in an order of its own, and what they lay
-- in is dropped. What was found stays to be looked at, as it was found; who said it does not. Safe to run again.
CREATE FUNCTION members_void_election(of_election uuid)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    e members_election;
    moment timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(1919247986);  -- Tables are dropped by one closing at a time.
    PERFORM pg_advisory_xact_lock(members_election_lock(of_election));
    moment := coop_now();
    SELECT * INTO STRICT e FROM members_election WHERE id = of_election;
    IF e.state <> 'announced' THEN
        RETURN;
    END IF;
    IF moment < e.closes_at THEN
        RAISE EXCEPTION 'an election is voided when it has closed, and not before' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE members_election SET state = 'voided', closed_at = moment WHERE id = of_election;
    -- What somebody wrote into it by hand may stand in another urn, or twice on the roll: that alone is left out.
    INSERT INTO members_ballot (tracker, election_id, class, choice, nonce)
        SELECT tracker, election_id, class, choice, nonce FROM members_urn WHERE election_id = of_election ORDER BY tracker
        ON CONFLICT DO NOTHING;
    INSERT INTO members_rollline (election_id, name, person_id, class, voted)
        SELECT r.election_id, r.name, p.id, r.class, r.voted
          FROM members_roll r LEFT JOIN members_person p ON p.id = r.person_id
         WHERE r.election_id = of_election ORDER BY r.name
        ON CONFLICT DO NOTHING;
    EXECUTE format('DROP TABLE IF EXISTS %I', members_table_of('roll', of_election));
    EXECUTE format('DROP TABLE IF EXISTS %I', members_table_of('urn', of_election));
END $$;
