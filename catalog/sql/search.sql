-- What a published work is found by. One row of words for each, kept by triggers, so that nothing that publishes, renames
-- or retags has to think of it; and a list of every word there is, in which a mistyped one finds its neighbours.

-- The one spelling in which words are kept and asked for: compatibility forms folded (ＡＢＣ is ABC), accents off, lower
-- case in every script whatever the database's locale, punctuation gone (so that a.b is two words and no host name), and
-- each character of the scripts that put no spaces between words a word of its own: a phrase of them finds any part.
CREATE FUNCTION catalog_search_text(said text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(regexp_replace(
        lower(public.unaccent('public.unaccent', normalize(said, NFKC)) COLLATE "pg_c_utf8"),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020]+', ' ', 'g'),
        '([\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])', ' \1 ', 'g'))
$$;

-- The question that words ask. All of them must be met; the last one may be the beginning of a word, as one types.
CREATE FUNCTION catalog_search_query(said text) RETURNS tsquery LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    asked tsquery := ''::tsquery;
    words text[] := (regexp_split_to_array(btrim(said), '\s+'))[1:12];
    word text;
    last text;
BEGIN
    FOREACH word IN ARRAY words LOOP
        asked := asked && phraseto_tsquery('simple', catalog_search_text(word));
    END LOOP;
    last := catalog_search_text(words[array_upper(words, 1)]);
    -- A word that stands alone, not one of a phrase, and long enough not to begin half of the catalogue: three letters,
    -- or one syllable of Hangul, whose words carry their endings.
    IF last ~ '^[^\s\\'':]{3,40}$' OR last ~ '^[\uac00-\ud7a3]{1,40}$' THEN
        asked := ''::tsquery;
        FOREACH word IN ARRAY words[1:array_upper(words, 1) - 1] LOOP
            asked := asked && phraseto_tsquery('simple', catalog_search_text(word));
        END LOOP;
        asked := asked && to_tsquery('simple', '''' || last || ''':*');
    END IF;
    RETURN asked;
END $$;

-- Writes what these works are found by; those that are not published are passed over. The creators' and releases' names
-- stay as they are until this is committed, so that a renaming at the same moment is seen by one of the two.
CREATE FUNCTION catalog_write_findings(works uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM catalog_creator
      WHERE id IN (SELECT creator_id FROM catalog_work WHERE id = ANY(works)) ORDER BY id FOR SHARE;
    PERFORM 1 FROM catalog_release
      WHERE id IN (SELECT release_id FROM catalog_work WHERE id = ANY(works)) ORDER BY id FOR SHARE;
    INSERT INTO catalog_finding (work_id, kind, published_at, title, vector)
    SELECT w.id, w.kind, w.published_at, catalog_search_text(w.title),
           setweight(to_tsvector('simple', catalog_search_text(w.title)), 'A')
           || setweight(to_tsvector('simple', catalog_search_text(c.name)), 'B')
           || setweight(to_tsvector('simple', coalesce(catalog_search_text(r.title), '')), 'C')
           || setweight(to_tsvector('simple', catalog_search_text(array_to_string(w.tags, ' '))), 'D')
      FROM catalog_work w JOIN catalog_creator c ON c.id = w.creator_id LEFT JOIN catalog_release r ON r.id = w.release_id
     WHERE w.id = ANY(works) AND w.state = 'published'
     ORDER BY w.id
    ON CONFLICT (work_id) DO UPDATE
       SET kind = excluded.kind, published_at = excluded.published_at, title = excluded.title, vector = excluded.vector;
    INSERT INTO catalog_word (word)
    SELECT DISTINCT lexeme
      FROM catalog_finding f, unnest(tsvector_to_array(f.vector)) lexeme
     WHERE f.work_id = ANY(works) AND lexeme ~ '^[[:alpha:]][^\s\\'':]{2,39}$'
     ORDER BY lexeme
    ON CONFLICT (word) DO NOTHING;
END $$;

CREATE FUNCTION catalog_find_work() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.state = 'published' THEN
        PERFORM catalog_write_findings(ARRAY[NEW.id]);
    ELSE
        DELETE FROM catalog_finding WHERE work_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER work_is_found AFTER INSERT ON catalog_work
    FOR EACH ROW WHEN (NEW.state = 'published') EXECUTE FUNCTION catalog_find_work();
CREATE TRIGGER work_is_found_as_it_is AFTER UPDATE ON catalog_work
    FOR EACH ROW WHEN (
        (NEW.state = 'published' OR OLD.state = 'published')
        AND (OLD.state, OLD.title, OLD.kind, OLD.creator_id, OLD.release_id, OLD.tags, OLD.published_at)
            IS DISTINCT FROM (NEW.state, NEW.title, NEW.kind, NEW.creator_id, NEW.release_id, NEW.tags, NEW.published_at)
    ) EXECUTE FUNCTION catalog_find_work();

-- A label may have ten thousand works: only the part of their words that is the name is made anew.
CREATE FUNCTION catalog_find_works_of_creator() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    named tsvector := setweight(to_tsvector('simple', catalog_search_text(NEW.name)), 'B');
BEGIN
    UPDATE catalog_finding f SET vector = ts_filter(f.vector, '{a,c,d}') || named
      FROM (SELECT one.work_id FROM catalog_finding one JOIN catalog_work w ON w.id = one.work_id
             WHERE w.creator_id = NEW.id ORDER BY one.work_id FOR UPDATE OF one) theirs
     WHERE f.work_id = theirs.work_id;
    INSERT INTO catalog_word (word)
    SELECT DISTINCT lexeme FROM unnest(tsvector_to_array(named)) lexeme
     WHERE lexeme ~ '^[[:alpha:]][^\s\\'':]{2,39}$' ORDER BY lexeme
    ON CONFLICT (word) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER creator_is_found_by_its_name AFTER UPDATE ON catalog_creator
    FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION catalog_find_works_of_creator();

CREATE FUNCTION catalog_find_works_of_release() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM catalog_write_findings(ARRAY(SELECT id FROM catalog_work WHERE release_id = NEW.id AND state = 'published'));
    RETURN NULL;
END $$;
CREATE TRIGGER release_is_found_by_its_title AFTER UPDATE ON catalog_release
    FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION catalog_find_works_of_release();

-- The words most like a mistyped one, likest first. Which of them is near enough is decided in catalog/search.py.
CREATE FUNCTION catalog_near_words(said text, most integer) RETURNS TABLE (word varchar, likeness real)
LANGUAGE sql STABLE STRICT SET pg_trgm.similarity_threshold = 0.25 AS $$
    SELECT w.word, similarity(w.word, said)
      FROM catalog_word w
     WHERE w.word % said AND char_length(w.word) BETWEEN char_length(said) - 2 AND char_length(said) + 2
     ORDER BY 2 DESC, 1 LIMIT most
$$;

CREATE INDEX creator_words ON catalog_creator USING gin (to_tsvector('simple', catalog_search_text(name)));
CREATE INDEX release_words ON catalog_release USING gin (to_tsvector('simple', catalog_search_text(title)));

SELECT catalog_write_findings(ARRAY(SELECT id FROM catalog_work WHERE state = 'published'));
