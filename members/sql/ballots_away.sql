-- The models' tables go with the migration; the functions of their triggers, and what stands beside them, go here.
DROP TABLE members_roll, members_urn;
DROP TRIGGER election_goes_forward_only ON members_election;
DROP FUNCTION members_refuse_election_change, members_refuse_roll_change, members_close_election, members_new_trackers, members_known_trackers,
    members_cast, members_correct_roll, members_open_roll, members_tracker, members_table_of, members_election_lock;
