-- What a royalty run reads of split sheets: when each came into force, and whom it pays. A sheet is in force until a newer
-- one is; of two that begin at one moment the later version holds. Payees of a sheet in force are known people.
CREATE VIEW catalog_sheet_facts AS
    SELECT work_id, id AS sheet_id, version, in_force_from FROM catalog_splitsheet WHERE in_force_from IS NOT NULL;

CREATE VIEW catalog_payee_facts AS
    SELECT sheet_id, line_number, person_id AS payee_id, share_ppm FROM catalog_splitline WHERE person_id IS NOT NULL;
