-- Elections: the roll says who may vote and who did, the urn what was said, and nothing says who said what.
--
-- While a vote is open, roll and urn lie in tables of their own for each election, written by the functions below and by
-- nobody else. Closing writes both anew, each in an order that follows from itself, and drops what they lay in: then
-- neither the moment of a row nor its place leads from one to the other. The web role reads the roll, and an urn never.

CREATE TABLE members_roll (
    election_id uuid NOT NULL,
    person_id uuid NOT NULL,
    class text NOT NULL,
    name text NOT NULL,          -- what the person is called on this roll, in public
    voted boolean NOT NULL DEFAULT false,
    CONSTRAINT roll_has_a_person_once PRIMARY KEY (election_id, person_id),
    CONSTRAINT roll_class_is_a_word CHECK (class ~ '^[a-z][a-z-]{0,15}$'),
    CONSTRAINT roll_name_is_128_bits CHECK (name ~ '^[0-9a-f]{32}$')
) PARTITION BY LIST (election_id);

CREATE TABLE members_urn (
    election_id uuid NOT NULL,
    tracker bytea NOT NULL,
    class text NOT NULL,
    choice text NOT NULL,
    nonce bytea NOT NULL,
    CONSTRAINT urn_has_a_tracker_once PRIMARY KEY (election_id, tracker),
    CONSTRAINT urn_choice_is_one_of_three CHECK (choice IN ('yes', 'no', 'abstain')),
    CONSTRAINT urn_nonce_is_128_bits CHECK (octet_length(nonce) = 16)
) PARTITION BY LIST (election_id);

-- The lock of an election: shared by who votes, alone for who corrects, counts or closes. It dates nothing by itself;
-- whoever has it reads the clock next, so a ballot was cast before the urn was closed or it was not cast.
CREATE FUNCTION members_election_lock(of_election uuid) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(of_election::text, 1919247985)
$$;

CREATE FUNCTION members_table_of(kind text, of_election uuid) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'members_' || kind || '_' || replace(of_election::text, '-', '')
$$;

-- The SHA-256 of the canonical JSON of a ballot (RFC 8785): each word in it is plain ASCII. members/voting/ballots.py says the same.
CREATE FUNCTION members_tracker(of_election uuid, of_class text, said text, secret bytea)
RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to('{"choice":"' || said || '","class":"' || of_class || '","domain":"refrain-ballot/1","election":"'
        || of_election || '","nonce":"' || encode(secret, 'hex') || '"}', 'UTF8'))
$$;

-- Make the roll and the urn of an election that was just announced.
CREATE FUNCTION members_open_roll(of_election uuid, people uuid[], classes text[], names text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part text;
    parent text;
BEGIN
    PERFORM pg_advisory_xact_lock(members_election_lock(of_election));
    IF NOT EXISTS (SELECT FROM members_election WHERE id = of_election AND state = 'announced' AND opens_at > coop_now()) THEN
        RAISE EXCEPTION 'a roll is made before its election opens' USING ERRCODE = 'restrict_violation';
    END IF;
    FOREACH parent IN ARRAY ARRAY['roll', 'urn'] LOOP
        part := members_table_of(parent, of_election);
        -- Filled on its own and attached at the end, so that nobody who votes elsewhere waits. Each row is written once
        -- more when its person votes: there is room for that on its page.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL, CHECK (election_id = %L)) WITH (fillfactor = %s)',
                       part, 'members_' || parent, of_election, CASE parent WHEN 'roll' THEN 60 ELSE 100 END);
        IF parent = 'roll' THEN
            EXECUTE format('INSERT INTO %I SELECT $1, p, c, n FROM unnest($2, $3, $4) AS r(p, c, n) ORDER BY n', part)
              USING of_election, people, classes, names;
        END IF;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%L)', 'members_' || parent, part, of_election);
        EXECUTE format('ANALYZE %I', part);
    END LOOP;
END $$;

-- Put a person into a class of the roll, or take them off it (no class); until a day before the election opens.
CREATE FUNCTION members_correct_roll(of_election uuid, person uuid, new_class text, new_name text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    old_class text;
BEGIN
    SELECT class INTO old_class FROM members_roll WHERE election_id = of_election AND person_id = person;
    DELETE FROM members_roll WHERE election_id = of_election AND person_id = person;
    IF new_class <> '' THEN
        INSERT INTO members_roll VALUES (of_election, person, new_class, new_name);
    END IF;
    RETURN coalesce(old_class, '');
END $$;

-- From a day before the opening on nothing moves a roll; then a mark is set once, by who votes.
CREATE FUNCTION members_refuse_roll_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    e members_election;
BEGIN
    SELECT * INTO e FROM members_election WHERE id = coalesce(OLD.election_id, NEW.election_id);
    IF e.state <> 'announced' OR coop_now() >= e.opens_at - interval '24 hours' THEN
        RAISE EXCEPTION 'nothing moves a roll from 24 hours before its election opens' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.voted THEN
        RAISE EXCEPTION 'nobody voted before the election opened' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER roll_is_left_alone BEFORE INSERT OR DELETE ON members_roll
    FOR EACH ROW EXECUTE FUNCTION members_refuse_roll_change();
CREATE TRIGGER roll_row_is_left_alone BEFORE UPDATE ON members_roll FOR EACH ROW
    WHEN (OLD.voted OR NOT NEW.voted OR (OLD.election_id, OLD.person_id, OLD.class, OLD.name)
          IS DISTINCT FROM (NEW.election_id, NEW.person_id, NEW.class, NEW.name))
    EXECUTE FUNCTION members_refuse_roll_change();
CREATE TRIGGER urn_row_is_left_alone BEFORE UPDATE OR DELETE ON members_urn
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Cast a ballot. A refusal is an answer and no error, so that no log of the database ever holds what somebody said.
-- Cast again with the same choice and nonce it answers as before.
CREATE FUNCTION members_cast(of_election uuid, voter uuid, said text, secret bytea,
                             OUT outcome text, OUT cast_tracker bytea, OUT sealed_by text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    e members_election;
    r members_roll;
    moment timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(members_election_lock(of_election));
    moment := coop_now();
    SELECT * INTO e FROM members_election WHERE id = of_election;
    IF NOT FOUND THEN
        outcome := 'unknown';
    ELSIF said NOT IN ('yes', 'no', 'abstain') OR octet_length(secret) <> 16 THEN
        outcome := 'unreadable';
    ELSIF moment < e.opens_at THEN
        outcome := 'early';
    ELSIF e.state <> 'announced' OR moment >= e.closes_at THEN
        outcome := 'late';
    ELSE
        SELECT * INTO r FROM members_roll WHERE election_id = of_election AND person_id = voter FOR UPDATE;
        IF NOT FOUND THEN
            outcome := 'stranger';
            RETURN;
        END IF;
        cast_tracker := members_tracker(of_election, r.class, said, secret);
        sealed_by := e.signing_key;
        IF r.voted THEN
            outcome := CASE WHEN EXISTS (SELECT FROM members_urn WHERE election_id = of_election AND tracker = cast_tracker)
                            THEN 'again' ELSE 'voted' END;
            RETURN;
        END IF;
        INSERT INTO members_urn VALUES (of_election, cast_tracker, r.class, said, secret) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN
            outcome := 'taken';
            RETURN;
        END IF;
        UPDATE members_roll SET voted = true WHERE election_id = of_election AND person_id = voter;
        outcome := 'cast';
    END IF;
END $$;

-- What the checkpoints of an election have named.
CREATE FUNCTION members_known_trackers(of_election uuid, OUT tracker bytea) RETURNS SETOF bytea LANGUAGE sql STABLE AS $$
    SELECT substr(c.new_trackers, 32 * n + 1, 32)
      FROM members_checkpoint c, generate_series(0, octet_length(c.new_trackers) / 32 - 1) n
     WHERE c.election_id = of_election
$$;

-- The trackers of an open election that no checkpoint has named yet, sorted; null unless a checkpoint is due: a day after
-- the last, with five new ballots or more in every class that has any.
CREATE FUNCTION members_new_trackers(of_election uuid)
RETURNS bytea[] LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    e members_election;
    moment timestamptz;
    fresh bytea[];
BEGIN
    PERFORM pg_advisory_xact_lock(members_election_lock(of_election));
    moment := coop_now();
    SELECT * INTO e FROM members_election WHERE id = of_election;
    IF NOT FOUND OR e.state <> 'announced' OR moment < e.opens_at OR moment >= e.closes_at
       OR EXISTS (SELECT FROM members_checkpoint WHERE election_id = of_election AND made_at > moment - interval '1 day') THEN
        RETURN NULL;
    END IF;
    WITH by_class AS (
        SELECT array_agg(u.tracker) AS trackers FROM members_urn u LEFT JOIN members_known_trackers(of_election) k USING (tracker)
         WHERE u.election_id = of_election AND k.tracker IS NULL GROUP BY u.class
    )
    SELECT array_agg(tracker ORDER BY tracker) INTO fresh FROM by_class, unnest(trackers) tracker
     WHERE (SELECT min(cardinality(trackers)) FROM by_class) >= 5;
    RETURN fresh;
END $$;

-- Close an election: count, write its urn and roll anew, drop what they lay in. Safe to run again. Raises RF409 where the
-- urn and the marks, or a checkpoint and the urn, do not agree: then nothing is dropped, and somebody has to look.
CREATE FUNCTION members_close_election(of_election uuid)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    e members_election;
    moment timestamptz;
    counted jsonb;
    fault text;
BEGIN
    PERFORM pg_advisory_xact_lock(1919247986);  -- Tables are dropped by one closing at a time.
    PERFORM pg_advisory_xact_lock(members_election_lock(of_election));
    moment := coop_now();
    SELECT * INTO STRICT e FROM members_election WHERE id = of_election;
    IF e.state <> 'announced' THEN
        RETURN;
    END IF;
    IF moment < e.closes_at THEN
        RAISE EXCEPTION 'an election is counted when it has closed, and not before' USING ERRCODE = 'restrict_violation';
    END IF;
    WITH marks AS (
        SELECT class, count(*) AS members, count(*) FILTER (WHERE voted) AS marks
          FROM members_roll WHERE election_id = of_election GROUP BY class
    ), said AS (
        SELECT class, count(*) AS ballots, count(*) FILTER (WHERE choice = 'yes') AS yes,
               count(*) FILTER (WHERE choice = 'no') AS no, count(*) FILTER (WHERE choice = 'abstain') AS abstained,
               count(*) FILTER (WHERE tracker <> members_tracker(of_election, class, choice, nonce)) AS altered
          FROM members_urn WHERE election_id = of_election GROUP BY class
    ), both_of AS (
        SELECT class, coalesce(members, 0) AS members, coalesce(marks, 0) AS marks, coalesce(ballots, 0) AS ballots,
               coalesce(yes, 0) AS yes, coalesce(no, 0) AS no, coalesce(abstained, 0) AS abstained,
               coalesce(altered, 0) AS altered
          FROM marks FULL JOIN said USING (class)
    )
    SELECT coalesce(jsonb_object_agg(class, jsonb_build_object(
               'members', members, 'marks', marks, 'yes', yes, 'no', no, 'abstained', abstained)), '{}'),
           string_agg(CASE WHEN altered > 0 THEN format('%s ballots of the class %s are not those that were cast', altered, class)
                           WHEN marks <> ballots THEN format('the class %s has %s marks and %s ballots', class, marks, ballots)
                      END, '; ')
      INTO counted, fault FROM both_of;
    IF fault IS NULL AND (SELECT coalesce(jsonb_object_agg(class, n), '{}') FROM (
            SELECT class, count(*) AS n FROM members_roll WHERE election_id = of_election GROUP BY class) c
       ) <> e.roll_members THEN
        fault := 'the roll has other members in its classes than were announced';
    END IF;
    IF fault IS NULL AND EXISTS (
            SELECT tracker FROM members_known_trackers(of_election)
            EXCEPT SELECT tracker FROM members_urn WHERE election_id = of_election) THEN
        fault := 'a ballot that a checkpoint named is not in the urn';
    END IF;
    IF fault IS NOT NULL THEN
        RAISE EXCEPTION '%', fault USING ERRCODE = 'RF409';
    END IF;
    UPDATE members_election SET state = 'closed', closed_at = moment, votes = counted WHERE id = of_election;
    INSERT INTO members_ballot (tracker, election_id, class, choice, nonce)
        SELECT tracker, election_id, class, choice, nonce FROM members_urn WHERE election_id = of_election ORDER BY tracker;
    INSERT INTO members_rollline (election_id, name, person_id, class, voted)
        SELECT r.election_id, r.name, p.id, r.class, r.voted
          FROM members_roll r LEFT JOIN members_person p ON p.id = r.person_id
         WHERE r.election_id = of_election ORDER BY r.name;
    -- First the roll, as everybody who votes elsewhere takes them.
    EXECUTE format('DROP TABLE %I', members_table_of('roll', of_election));
    EXECUTE format('DROP TABLE %I', members_table_of('urn', of_election));
END $$;

-- What was announced stays; an election goes forward only, and is counted once.
CREATE FUNCTION members_refuse_election_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    movable text[] := ARRAY['roll_root', 'roll_members', 'state', 'closed_at', 'votes', 'result', 'bundle_key',
                            'bundle_bytes', 'bundle_sha256', 'manifest'];
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(OLD) - movable <> to_jsonb(NEW) - movable THEN
        RAISE EXCEPTION 'what was announced of an election is never changed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.roll_root, OLD.roll_members) IS DISTINCT FROM (NEW.roll_root, NEW.roll_members)
       AND (OLD.state <> 'announced' OR coop_now() >= OLD.opens_at - interval '24 hours') THEN
        RAISE EXCEPTION 'nothing moves a roll from 24 hours before its election opens' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'announced' AND (OLD.state, OLD.closed_at, OLD.votes) IS DISTINCT FROM (NEW.state, NEW.closed_at, NEW.votes)
       OR OLD.state = 'announced' AND NEW.state <> 'announced' AND coop_now() < OLD.closes_at
       OR OLD.result IS NOT NULL AND (OLD.result, OLD.manifest, OLD.bundle_sha256)
          IS DISTINCT FROM (NEW.result, NEW.manifest, NEW.bundle_sha256) THEN
        RAISE EXCEPTION 'an election is counted once, after it has closed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER election_goes_forward_only BEFORE UPDATE OR DELETE ON members_election
    FOR EACH ROW EXECUTE FUNCTION members_refuse_election_change();
CREATE TRIGGER election_is_never_emptied BEFORE TRUNCATE ON members_election
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoint_is_append_only BEFORE UPDATE OR DELETE ON members_checkpoint
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER roll_correction_is_append_only BEFORE UPDATE OR DELETE ON members_rollcorrection
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_is_append_only BEFORE UPDATE OR DELETE ON members_ballot
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ballot_is_never_emptied BEFORE TRUNCATE ON members_ballot
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Of a roll that is past a person may be forgotten; their name on it, their class and their mark stay.
CREATE TRIGGER roll_line_is_never_deleted BEFORE DELETE ON members_rollline
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER roll_line_forgets_a_person_only BEFORE UPDATE ON members_rollline FOR EACH ROW
    WHEN (NEW.person_id IS NOT NULL OR (OLD.election_id, OLD.name, OLD.class, OLD.voted)
          IS DISTINCT FROM (NEW.election_id, NEW.name, NEW.class, NEW.voted))
    EXECUTE FUNCTION refuse_change();
