DROP VIEW catalog_work_suspension;
DROP TRIGGER appeal_is_decided_by_another ON catalog_appealdecision;
DROP FUNCTION catalog_check_appeal_decision();
DROP TRIGGER report_is_only_answered ON catalog_report;
DROP FUNCTION catalog_refuse_report_change();
