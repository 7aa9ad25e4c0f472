-- What was published of a sealed month stays, whoever asks.
CREATE TRIGGER publication_of_a_sealed_month_stays BEFORE UPDATE OR DELETE ON royalties_publication
    FOR EACH ROW EXECUTE FUNCTION royalties_refuse_sealed();
CREATE TRIGGER publication_is_never_emptied BEFORE TRUNCATE ON royalties_publication
    FOR EACH STATEMENT EXECUTE FUNCTION royalties_refuse_emptying();
