-- What the apps to the right may read in SQL of the co-op's months: those that are no longer open, and the time zone.
CREATE VIEW members_month_facts AS
    SELECT starts_on, state, closed_at, sealed_at FROM members_month;
CREATE VIEW members_zone_facts AS
    SELECT time_zone FROM members_coop;
