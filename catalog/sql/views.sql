-- What the apps to the right may read of a work in SQL.
CREATE VIEW catalog_work_standing AS SELECT id AS work_id, state, title, creator_id FROM catalog_work;
