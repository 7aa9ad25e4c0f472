"""A catalogue by the hundred thousand: creators, releases and works with names of made-up words, a few of them common.

Word number `n` can be computed from the number, in SQL as here, so that a bench knows what to ask for. It is written
with a few set-based statements while triggers and indexes are away; what the triggers would have written of each work
is written for all at once, and compared with theirs on some.
"""

import psycopg

SYLLABLES = [consonant + vowel for consonant in "bdfgklmnrstv" for vowel in "aeiou"]
WORDS = 60_000
# A title's words are drawn so that the first of them are common: word 0 stands in some percent of all titles.
SKEW = 3
WORKS_ON_A_RELEASE = 12
COMPARED = 500
TABLES = ("catalog_creator", "catalog_release", "catalog_work", "catalog_rendition", "catalog_finding", "catalog_word")

MAKE_WORDS = """
    CREATE TEMP TABLE made_words AS
    SELECT n, s.of[1 + n %% 60] || s.of[1 + n / 60 %% 60] || s.of[1 + n / 3600 %% 60] || s.of[1 + n * 7 %% 60] AS word
      FROM (SELECT %(syllables)s::text[] AS of) s, generate_series(0, %(words)s::int - 1) n
"""
# Some creators have many works and many have few, as in life; a release holds so many that one hears it through.
MAKE_WORKS = """
    CREATE TEMP TABLE made_works AS
    SELECT drawn.*, (row_number() OVER (PARTITION BY by ORDER BY n) - 1) / %(on_a_release)s AS release
      FROM (SELECT n, (%(creators)s * random() ^ 2)::int %% %(creators)s AS by,
                   (1000 * random() ^ %(skew)s)::int AS tag, (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS a,
                   (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS b,
                   (%(words)s * random())::int %% %(words)s AS c, now() - n * interval '1 minute' AS moment
              FROM generate_series(0, %(works)s::int - 1) n) drawn
"""
CREATORS = """
    INSERT INTO catalog_creator (id, slug, name, about, created_at)
    SELECT md5('creator ' || drawn.n)::uuid, 'creator-' || drawn.n, initcap(a.word || ' ' || b.word), '',
           now() - drawn.n * interval '10 minutes'
      FROM (SELECT n, (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS a,
                   (%(words)s * random())::int %% %(words)s AS b
              FROM generate_series(0, %(creators)s::int - 1) n) drawn
      JOIN made_words a ON a.n = drawn.a JOIN made_words b ON b.n = drawn.b
"""
RELEASES = """
    INSERT INTO catalog_release (id, creator_id, title, kind, created_at)
    SELECT md5('release ' || one.by || '-' || one.release)::uuid, md5('creator ' || one.by)::uuid, initcap(a.word),
           'album', one.moment
      FROM (SELECT by, release, max(moment) AS moment, (%(words)s * random() ^ %(skew)s)::int %% %(words)s AS a
              FROM made_works GROUP BY by, release) one JOIN made_words a ON a.n = one.a
"""
# The oldest first, as they would have come; a tenth are photos.
WORKS = """
    INSERT INTO catalog_work (id, creator_id, release_id, position, kind, title, state, state_reason, licence, origin,
        explicit, historic, credits, isrc, language, alternative_text, tags, duration_ms, lossless, width, height,
        created_at, published_at)
    SELECT md5('work ' || made.n)::uuid, md5('creator ' || by)::uuid, md5('release ' || by || '-' || release)::uuid,
           made.n %% 12, CASE WHEN made.n %% 10 = 0 THEN 'photo' ELSE 'track' END,
           initcap(a.word || ' ' || b.word || CASE WHEN made.n %% 3 = 0 THEN ' ' || c.word ELSE '' END),
           'published', '', (ARRAY['all-rights-reserved', 'cc-by-4.0', 'cc-by-sa-4.0'])[1 + made.n %% 3], 'human',
           false, false, '[]', '', '', '', ARRAY['tag-' || tag], 180000, made.n %% 4 > 0,
           CASE WHEN made.n %% 10 = 0 THEN 3000 END, CASE WHEN made.n %% 10 = 0 THEN 2000 END, moment, moment
      FROM made_works made
      JOIN made_words a ON a.n = made.a JOIN made_words b ON b.n = made.b JOIN made_words c ON c.n = made.c
     ORDER BY moment
"""
COVERS = """
    INSERT INTO catalog_rendition (id, work_id, kind, prefix, layout, size_bytes, created_at)
    SELECT gen_random_uuid(), id, 'cover', 'renditions/' || id || '/cover/',
           '{"file": "cover.jpg", "width": 480, "height": 480, "content_type": "image/jpeg"}', 20000, published_at
      FROM catalog_work
"""
SOUND = """
    INSERT INTO catalog_rendition (id, work_id, kind, prefix, layout, size_bytes, created_at)
    SELECT gen_random_uuid(), id, 'hls-128', 'renditions/' || id || '/sound/', %(layout)s, 2880000, coop_now()
      FROM catalog_work WHERE kind = 'track' ORDER BY published_at DESC LIMIT 1000
"""
# What `catalog_write_findings` writes: here each name is spelled once, and not once for each work of that name.
FINDINGS = """
    WITH creators AS MATERIALIZED (
        SELECT id, setweight(to_tsvector('simple', catalog_search_text(name)), 'B') AS words FROM catalog_creator),
    releases AS MATERIALIZED (
        SELECT id, setweight(to_tsvector('simple', catalog_search_text(title)), 'C') AS words FROM catalog_release),
    tags AS MATERIALIZED (
        SELECT tags, setweight(to_tsvector('simple', catalog_search_text(array_to_string(tags, ' '))), 'D') AS words
          FROM (SELECT DISTINCT tags FROM catalog_work) each)
    INSERT INTO catalog_finding (work_id, kind, published_at, title, vector)
    SELECT w.id, w.kind, w.published_at, lower(w.title),
           setweight(to_tsvector('simple', w.title), 'A') || c.words || r.words || t.words
      FROM catalog_work w JOIN creators c ON c.id = w.creator_id JOIN releases r ON r.id = w.release_id
      JOIN tags t ON t.tags = w.tags
     ORDER BY w.published_at
"""
KNOWN_WORDS = """
    INSERT INTO catalog_word (word)
    SELECT word FROM ts_stat('SELECT vector FROM catalog_finding') WHERE word ~ '^[[:alpha:]][^\\s\\\\'':]{2,39}$'
"""
SHELVES = """
    INSERT INTO playback_shelfplace (day, shelf, kind, position, work_id, owners_least)
    SELECT coop_day(coop_now()), shelf, kind, row_number() OVER (PARTITION BY shelf, kind), id,
           CASE shelf WHEN 'owned' THEN 50 END
      FROM (VALUES ('owned', 0), ('quiet', 1)) shelves (shelf, n), (VALUES ('track'), ('photo')) kinds (kind),
           LATERAL (SELECT id FROM catalog_work w WHERE w.kind = kinds.kind ORDER BY id OFFSET 8 * n LIMIT 8) few
"""


def word(number: int) -> str:
    """Return the word of that number."""
    places = (number % 60, number // 60 % 60, number // 3600 % 60, number * 7 % 60)
    return "".join(SYLLABLES[place] for place in places)


def make(connection: psycopg.Connection, *, works: int, creators: int) -> None:
    """Make so many published works by so many creators, and the front page's shelves.

    `connection` is a superuser's, in autocommit mode.
    """
    connection.execute("SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'; SET synchronous_commit = off")
    indexes = connection.execute(INDEXES, [list(TABLES)]).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    write(connection, works=works, creators=creators)
    for _, definition in indexes:
        connection.execute(definition)
    connection.execute("RESET work_mem")
    connection.execute("VACUUM ANALYZE")
    compare(connection)


def write(connection: psycopg.Connection, *, works: int, creators: int) -> None:
    """Write the rows, past the triggers. `connection` is a superuser's."""
    figures = {
        "works": works,
        "creators": creators,
        "words": WORDS,
        "skew": SKEW,
        "syllables": SYLLABLES,
        "on_a_release": WORKS_ON_A_RELEASE,
    }
    connection.execute("SET session_replication_role = replica; SELECT setseed(0.5)")
    for statement in (MAKE_WORDS, MAKE_WORKS, CREATORS, RELEASES, WORKS, COVERS, FINDINGS, KNOWN_WORDS, SHELVES):
        # As text, with its parameters in it: a table cannot be made by a statement that has them beside it.
        psycopg.ClientCursor(connection).execute(statement, figures)
    connection.execute("SET session_replication_role = origin")


# Those that no constraint stands on: the keys stay.
INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
      FROM pg_index i
     WHERE i.indrelid = ANY(%s::text[]::regclass[]) AND NOT i.indisprimary
       AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
# Each is written anew by the function of the triggers: nothing may have changed.
WRITTEN = """
    SELECT f.*, (SELECT count(*) FROM catalog_word) FROM catalog_finding f JOIN catalog_work w ON w.id = f.work_id
     ORDER BY w.id LIMIT %s
"""
WRITE_ANEW = "SELECT catalog_write_findings(ARRAY(SELECT id FROM catalog_work ORDER BY id LIMIT %s))"


def compare(connection: psycopg.Connection) -> None:
    """Assert that the function of the triggers would have written the same of some of the works."""
    ours = connection.execute(WRITTEN, [COMPARED]).fetchall()
    with connection.transaction(force_rollback=True):
        connection.execute(WRITE_ANEW, [COMPARED])
        assert connection.execute(WRITTEN, [COMPARED]).fetchall() == ours, "works are found by other words than these"


def make_sound(connection: psycopg.Connection, layout: object) -> None:
    """Give the newest thousand tracks the layout of their sound."""
    connection.execute(SOUND, {"layout": layout})
