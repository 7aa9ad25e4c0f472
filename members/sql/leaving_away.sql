DROP INDEX roll_by_name;
DROP VIEW members_gone_facts;
