DROP VIEW catalog_manager_facts;
DROP TRIGGER role_keeps_its_tenure ON catalog_creatorrole;
DROP FUNCTION catalog_keep_tenure();
