"""A catalogue by the hundred thousand: creators, releases and works with names of made-up words, a few of them common.

Word number `n` can be computed from the number, in SQL as here, so that a bench knows what to ask for. The triggers
that keep what works are found by are passed over, and their one function is called for many works at once.
"""

import psycopg

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnrstv" for vowel in "aeiou"]
WORDS = 60_000
# A title's words are drawn so that the first of them are common: word 0 stands in some percent of all titles.
SKEW = 3
FINDINGS_AT_ONCE = 50_000

MAKE_WORDS = """
    CREATE TEMP TABLE made_words AS
    SELECT n, s.of[1 + n %% 60] || s.of[1 + n / 60 %% 60] || s.of[1 + n / 3600 %% 60] || s.of[1 + n * 7 %% 60] AS word
      FROM (SELECT %(syllables)s::text[] AS of) s, generate_series(0, %(words)s::int - 1) n
"""
CREATORS = """
    INSERT INTO catalog_creator (id, slug, name, about, created_at)
    SELECT md5('creator ' || drawn.n)::uuid, 'creator-' || drawn.n, initcap(a.word || ' ' || b.word), '', coop_now()
      FROM (SELECT n, (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS a,
                   (%(words)s * random())::int %% %(words)s AS b
              FROM generate_series(0, %(creators)s::int - 1) n) drawn
      JOIN made_words a ON a.n = drawn.a JOIN made_words b ON b.n = drawn.b
"""
RELEASES = """
    INSERT INTO catalog_release (id, creator_id, title, kind, created_at)
    SELECT md5('release ' || drawn.n)::uuid, md5('creator ' || drawn.n)::uuid, initcap(a.word), 'album', coop_now()
      FROM (SELECT n, (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS a
              FROM generate_series(0, %(creators)s::int - 1) n) drawn
      JOIN made_words a ON a.n = drawn.a
"""
# A tenth are photos; some creators have many works and many have few, as in life.
WORKS = """
    INSERT INTO catalog_work (id, creator_id, release_id, position, kind, title, state, state_reason, licence, origin,
        explicit, historic, credits, isrc, language, alternative_text, tags, duration_ms, lossless, width, height,
        created_at, published_at)
    SELECT md5('work ' || drawn.n)::uuid, md5('creator ' || by)::uuid, md5('release ' || by)::uuid, drawn.n %% 12,
           CASE WHEN drawn.n %% 10 = 0 THEN 'photo' ELSE 'track' END,
           initcap(a.word || ' ' || b.word || CASE WHEN drawn.n %% 3 = 0 THEN ' ' || c.word ELSE '' END),
           'published', '', (ARRAY['all-rights-reserved', 'cc-by-4.0', 'cc-by-sa-4.0'])[1 + drawn.n %% 3], 'human',
           false, false, '[]', '', '', '', ARRAY['tag-' || tag], 180000, drawn.n %% 4 > 0,
           CASE WHEN drawn.n %% 10 = 0 THEN 3000 END, CASE WHEN drawn.n %% 10 = 0 THEN 2000 END, moment, moment
      FROM (SELECT n, (%(creators)s * random() ^ 2)::int %% %(creators)s AS by,
                   (1000 * random() ^ %(skew)s)::int AS tag, (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS a,
                   (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS b,
                   (%(words)s * random())::int %% %(words)s AS c, now() - n * interval '1 minute' AS moment
              FROM generate_series(0, %(works)s::int - 1) n) drawn
      JOIN made_words a ON a.n = drawn.a JOIN made_words b ON b.n = drawn.b JOIN made_words c ON c.n = drawn.c
"""
COVERS = """
    INSERT INTO catalog_rendition (id, work_id, kind, prefix, layout, size_bytes, created_at)
    SELECT gen_random_uuid(), id, 'cover', 'renditions/' || id || '/cover/',
           '{"file": "cover.jpg", "width": 480, "height": 480, "content_type": "image/jpeg"}', 20000, coop_now()
      FROM catalog_work
"""
SOUND = """
    INSERT INTO catalog_rendition (id, work_id, kind, prefix, layout, size_bytes, created_at)
    SELECT gen_random_uuid(), id, 'hls-128', 'renditions/' || id || '/sound/', %(layout)s, 2880000, coop_now()
      FROM catalog_work WHERE kind = 'track' ORDER BY published_at DESC LIMIT 1000
"""
FINDINGS = """
    SELECT catalog_write_findings(ARRAY(
        SELECT md5('work ' || n)::uuid FROM generate_series(%s::int, %s::int) n))
"""


def word(number: int) -> str:
    """Return the word of that number."""
    places = (number % 60, number // 60 % 60, number // 3600 % 60, number * 7 % 60)
    return "".join(SYLLABLES[place] for place in places)


def make(connection: psycopg.Connection, *, works: int, creators: int) -> None:
    """Make so many published works by so many creators. `connection` is a superuser's, in autocommit mode."""
    figures = {"works": works, "creators": creators, "words": WORDS, "skew": SKEW, "syllables": SYLLABLES}
    connection.execute("SELECT setseed(0.5)")
    connection.execute("SET session_replication_role = replica")
    for statement in (MAKE_WORDS, CREATORS, RELEASES, WORKS, COVERS):
        # As text, with its parameters in it: a table cannot be made by a statement that has them beside it.
        psycopg.ClientCursor(connection).execute(statement, figures)
    connection.execute("SET session_replication_role = origin")
    connection.execute("ANALYZE")
    for first in range(0, works, FINDINGS_AT_ONCE):
        connection.execute(FINDINGS, [first, min(first + FINDINGS_AT_ONCE, works) - 1])
    connection.execute("VACUUM ANALYZE")


def make_sound(connection: psycopg.Connection, layout: object) -> None:
    """Give the newest thousand tracks the layout of their sound."""
    connection.execute(SOUND, {"layout": layout})
