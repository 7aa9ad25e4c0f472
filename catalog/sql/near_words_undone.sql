CREATE OR REPLACE FUNCTION catalog_near_words(said text, most integer) RETURNS TABLE (word varchar, likeness real)
LANGUAGE sql STABLE STRICT SET pg_trgm.similarity_threshold = 0.25 AS $$
    SELECT w.word, similarity(w.word, said)
      FROM catalog_word w
     WHERE w.word % said AND char_length(w.word) BETWEEN char_length(said) - 2 AND char_length(said) + 2
     ORDER BY 2 DESC, 1 LIMIT most
$$;
