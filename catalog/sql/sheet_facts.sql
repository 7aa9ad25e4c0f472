-- What a royalty run reads of split sheets: from when until when each was in force, and whom it pays. A sheet is in force
-- until a newer one is; of two that begin at one moment the later version holds and the other never did.
CREATE VIEW catalog_sheet_facts AS
    SELECT work_id, id AS sheet_id, version, in_force_from,
           lead(in_force_from) OVER (PARTITION BY work_id ORDER BY in_force_from, version) AS in_force_until
      FROM catalog_splitsheet WHERE in_force_from IS NOT NULL;

CREATE VIEW catalog_payee_facts AS
    SELECT s.work_id, l.sheet_id, l.line_number, l.person_id AS payee_id, l.share_ppm
      FROM catalog_splitline l JOIN catalog_splitsheet s ON s.id = l.sheet_id
     WHERE s.in_force_from IS NOT NULL;
