-- What the apps to the right may read in SQL of who has left: everybody who belonged once and does not now, and when the
-- last of it ended, whether they left or were expelled. Who joined again is not among them.
CREATE VIEW members_gone_facts AS
    SELECT person_id, max(ended_at) AS ended_at
      FROM members_membership gone
     WHERE joined_at IS NOT NULL AND ended_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM members_membership here
                        WHERE here.person_id = gone.person_id AND here.joined_at IS NOT NULL AND here.ended_at IS NULL)
     GROUP BY person_id;

-- A proof reads the 256 lines around one's own (members/voting/roll_trees.py); an open roll is kept by person.
CREATE INDEX roll_by_name ON members_roll (name);
