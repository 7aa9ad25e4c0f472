-- The words that a mistyped one may be meant for, fewest letters apart first. Which of them is near enough is decided in
-- catalog/questions.py. Looked at are those that share some of its trigrams, and those in which two neighbours are
-- swapped: of a short word a swap leaves no trigram as it was. Each swap is looked up by its key, one row at a time, so
-- that the planner, who guesses a thousand of them, does not read the whole list instead.
CREATE OR REPLACE FUNCTION catalog_near_words(said text, most integer) RETURNS TABLE (word varchar, likeness real)
LANGUAGE sql STABLE STRICT SET pg_trgm.similarity_threshold = 0.2 AS $$
    SELECT near.word, similarity(near.word, said)
      FROM (SELECT w.word
              FROM catalog_word w
             WHERE w.word % said AND char_length(w.word) BETWEEN char_length(said) - 2 AND char_length(said) + 2
             UNION
            SELECT swapped.word
              FROM generate_series(1, least(char_length(said), 40) - 1) place,
                   LATERAL (SELECT w.word FROM catalog_word w
                             WHERE w.word = left(said, place - 1) || substr(said, place + 1, 1) || substr(said, place, 1)
                                            || substr(said, place + 2)
                             LIMIT 1) swapped) near
     ORDER BY levenshtein(near.word, said), 2 DESC, 1 LIMIT most
$$;
