-- What payouts read of suspensions: the works that are suspended now, each with the moment it began.
CREATE VIEW catalog_suspension_facts AS
    SELECT s.work_id, max(s.suspended_at) AS suspended_at
      FROM catalog_suspension s JOIN catalog_work w ON w.id = s.work_id
     WHERE w.state = 'suspended' GROUP BY s.work_id;
