-- Takes away what split_sheets.sql made.
DROP TRIGGER creator_keeps_an_owner ON catalog_creatorrole;
DROP FUNCTION catalog_creator_keeps_an_owner();
DROP TRIGGER split_line_is_part_of_a_whole ON catalog_splitline;
DROP TRIGGER split_sheet_is_whole ON catalog_splitsheet;
DROP FUNCTION catalog_split_sheet_is_whole();
DROP TRIGGER split_sheet_is_never_deleted ON catalog_splitsheet;
DROP TRIGGER split_sheet_stays ON catalog_splitsheet;
DROP FUNCTION catalog_split_sheet_stays();
DROP TRIGGER split_line_is_never_deleted ON catalog_splitline;
DROP TRIGGER split_line_stays ON catalog_splitline;
DROP FUNCTION catalog_split_line_stays();
