DROP FUNCTION members_void_election;
