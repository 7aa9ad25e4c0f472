-- What the apps to the right may read in SQL of belonging: who held a place in which class from when until when, under
-- which number in the register; and the time that was worked and that another approved.
CREATE VIEW members_place_facts AS
    SELECT m.person_id, m.number, p.member_class, greatest(p.since, m.joined_at) AS since,
           least(p.ended_at, m.ended_at) AS until
      FROM members_classplace p JOIN members_membership m ON m.id = p.membership_id
     WHERE p.since IS NOT NULL AND m.joined_at IS NOT NULL;

CREATE VIEW members_worked_facts AS
    SELECT person_id, worked_on, minutes, decided_at AS approved_at FROM members_workedtime WHERE approved;
