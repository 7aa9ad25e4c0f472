-- Who ran a profile, and when. Roles say who does now; what a person brought to the co-op within a year leaves out what
-- they ran at any time in it (royalties/year), so the past of roles is kept. Who only looks runs nothing.
CREATE FUNCTION catalog_keep_tenure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.role <> 'viewer'
       AND (TG_OP = 'DELETE' OR NEW.role = 'viewer' OR (NEW.creator_id, NEW.person_id) <> (OLD.creator_id, OLD.person_id))
    THEN
        UPDATE catalog_tenure SET until = greatest(since, coop_now())
         WHERE creator_id = OLD.creator_id AND person_id = OLD.person_id AND until IS NULL;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.role <> 'viewer' THEN
        INSERT INTO catalog_tenure (creator_id, person_id, since) VALUES (NEW.creator_id, NEW.person_id, coop_now())
        ON CONFLICT (creator_id, person_id) WHERE until IS NULL DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER role_keeps_its_tenure AFTER INSERT OR UPDATE OR DELETE ON catalog_creatorrole
    FOR EACH ROW EXECUTE FUNCTION catalog_keep_tenure();

-- Of roles given before this was kept nobody knows since when: they count as always.
INSERT INTO catalog_tenure (creator_id, person_id, since)
SELECT creator_id, person_id, '2000-01-01T00:00:00Z' FROM catalog_creatorrole WHERE role <> 'viewer';

CREATE VIEW catalog_manager_facts AS
    SELECT w.id AS work_id, t.person_id, t.since, t.until FROM catalog_tenure t JOIN catalog_work w USING (creator_id);
