-- Takes away what an unsealed try at a month's run wrote. Whoever works has no right to delete; this they may, and the
-- triggers of a sealed month refuse it there.
CREATE FUNCTION royalties_start_over(given date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM royalties_statement WHERE month = given;
    DELETE FROM royalties_line WHERE month = given;
    UPDATE royalties_group SET released_in = NULL WHERE released_in = given;
    DELETE FROM royalties_group WHERE month = given;
END $$;
