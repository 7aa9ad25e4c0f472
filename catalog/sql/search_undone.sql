DROP INDEX release_words;
DROP INDEX creator_words;
DROP FUNCTION catalog_near_words;
DROP TRIGGER release_is_found_by_its_title ON catalog_release;
DROP TRIGGER creator_is_found_by_its_name ON catalog_creator;
DROP TRIGGER work_is_found_as_it_is ON catalog_work;
DROP TRIGGER work_is_found ON catalog_work;
DROP FUNCTION catalog_find_works_of_release, catalog_find_works_of_creator, catalog_find_work, catalog_write_findings;
DROP FUNCTION catalog_search_query, catalog_search_text;
