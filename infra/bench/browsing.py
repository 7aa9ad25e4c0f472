"""Pages on which works are found, among a million works of a hundred thousand creators, against their bare SQL.

    infra/bench/browse [--works 1000000] [--creators 100000] [--rounds 7] [--requests 12]

Asked over HTTP of the production server: the front page, browsing, a tag, searches for a rare, a common and a mistyped
word, and a work's page. In turn with each, the page's main query is sent to the same database without anything around
it. What is printed are medians; the last line compares the searches, which are what the database works hardest for.
"""

import argparse
import http.client
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg.types.json import Jsonb

from infra import demo_run
from infra.bench import catalogue, ground
from infra.stack import Stack

DATABASE = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "jit": "off"}
# A search that mistyped words have to be looked up for answers within so long, at the median.
MISTYPED_MS_MOST = 300.0

NEW = """SELECT * FROM catalog_work WHERE state = 'published' ORDER BY published_at DESC, id DESC LIMIT 60"""
TAGGED = """SELECT * FROM catalog_work WHERE state = 'published' AND tags @> ARRAY[%s]::varchar[]
    ORDER BY published_at DESC, id DESC LIMIT 49"""
WORK = """SELECT * FROM catalog_work w JOIN catalog_creator c ON c.id = w.creator_id WHERE w.id = %s"""
SEARCH = """
    SELECT f.work_id, round(ts_rank('{{0.1,0.2,0.4,1.0}}', f.vector, {query})::numeric * 100000)::int
           + CASE WHEN f.title = {title} THEN 2000000 WHEN f.title LIKE {title} || '%%' THEN 1000000 ELSE 0 END AS score
      FROM catalog_finding f WHERE f.work_id IN (
           (SELECT work_id FROM catalog_finding WHERE vector @@ {query}
             ORDER BY published_at DESC, work_id DESC LIMIT 1000)
           UNION (SELECT work_id FROM catalog_finding WHERE title = {title}
             ORDER BY published_at DESC, work_id DESC LIMIT 200))
     ORDER BY 2 DESC, f.published_at DESC, f.work_id DESC LIMIT 49
"""
AS_IT_IS = SEARCH.format(query="catalog_search_query(%(words)s)", title="catalog_search_text(%(words)s)")
NEAR = "SELECT word FROM catalog_near_words(%(words)s, 60)"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A page and its bare query, for something drawn anew each time."""

    name: str
    draw: Callable[[random.Random], str]
    path: Callable[[str], str]
    sql: tuple[str, ...]
    searches: bool = False


def _rare(draw: random.Random) -> str:
    return f"{catalogue.word(draw.randrange(20_000, 50_000))} {catalogue.word(draw.randrange(50))}"


def _common(draw: random.Random) -> str:
    return catalogue.word(draw.randrange(5))


def _mistyped(draw: random.Random) -> str:
    """Return a word with two of its inner letters swapped, which nearly always makes it none that there is."""
    right = catalogue.word(draw.randrange(1_000, 50_000))
    place = draw.randrange(1, len(right) - 2)
    return right[:place] + right[place + 1] + right[place] + right[place + 2 :]


def _pages(works: list[str]) -> list[Asked]:
    def search(words: str) -> str:
        return f"/browse?q={quote(words)}"

    return [
        Asked(name="front page", draw=lambda _: "", path=lambda _: "/", sql=(NEW,)),
        Asked(name="browse", draw=lambda _: "", path=lambda _: "/browse", sql=(NEW,)),
        Asked(
            name="a tag",
            draw=lambda draw: f"tag-{draw.randrange(1_000)}",
            path=lambda tag: f"/browse?tag={tag}",
            sql=(TAGGED,),
        ),
        Asked(name="work page", draw=lambda draw: draw.choice(works), path=lambda id_: f"/works/{id_}", sql=(WORK,)),
        Asked(name="search, rare words", draw=_rare, path=search, sql=(AS_IT_IS,), searches=True),
        Asked(name="search, a common word", draw=_common, path=search, sql=(AS_IT_IS,), searches=True),
        Asked(name="search, mistyped", draw=_mistyped, path=search, sql=(AS_IT_IS, NEAR), searches=True),
    ]


def main() -> None:
    """Run the bench and print its figures; exit with 1 when a mistyped search takes too long."""
    arguments = argparse.ArgumentParser(prog="infra/bench/browse", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--works", type=int, default=1_000_000)
    arguments.add_argument("--creators", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--requests", type=int, default=12, help="of each page in a round")
    chosen = arguments.parse_args()
    with ground.laid(database=DATABASE) as stack:
        ratio, mistyped = measure(stack, chosen)
    print(f"browse ratio {ratio:.2f}")
    sys.exit(mistyped > MISTYPED_MS_MOST)


def measure(stack: Stack, chosen: argparse.Namespace) -> tuple[float, float]:
    """Return the median over searches of page to bare SQL, and the mistyped search's median in ms; print all."""
    print(f"Making {chosen.works:,} works of {chosen.creators:,} creators ...", flush=True)
    began = time.monotonic()
    with stack.postgres.connect(database=stack.postgres.database) as connection:
        catalogue.make(connection, works=chosen.works, creators=chosen.creators)
        pieces = [{"file": f"{n:05d}.m4s", "offset": 0, "bytes": 80_000, "micros": 5_000_000} for n in range(36)]
        init = {"file": "init.mp4", "bytes": 700}
        catalogue.make_sound(connection, Jsonb({"init": init, "segments": pieces, "target_seconds": 5}))
        rows = connection.execute("SELECT work_id::text FROM catalog_rendition WHERE kind = 'hls-128'").fetchall()
    print(f"made in {time.monotonic() - began:.0f} s", flush=True)
    web = demo_run.start_web(stack)
    ground.wait_for_answers(web, port=stack.web_port)
    pages = _pages([one for (one,) in rows])
    took: dict[str, list[tuple[float, float]]] = {page.name: [] for page in pages}
    draw = random.Random(1)  # noqa: S311 - the same questions each time
    with stack.postgres.connect(user=stack.postgres.web_role, database=stack.postgres.database) as connection:
        for turn in range(chosen.rounds + 1):
            for page in pages:
                times = [_both(stack, connection, page, page.draw(draw)) for _ in range(chosen.requests)]
                if turn:  # the first round warms caches and is not counted
                    took[page.name].append(
                        (statistics.median(one for one, _ in times), statistics.median(other for _, other in times))
                    )
    print(f"{'medians of ' + str(chosen.rounds) + ' rounds':24} {'page ms':>9} {'sql ms':>9} {'ratio':>8}")
    middle = {name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in took.items()}
    for name, (served, bare) in middle.items():
        print(f"{name:24} {served:9.1f} {bare:9.2f} {served / bare:8.2f}")
    with stack.postgres.connect(database=stack.postgres.database) as connection:
        works, taken = _rename_the_largest(connection)
    print(f"renaming a creator of {works:,} works: {taken:.0f} ms")
    ratios = [middle[page.name][0] / middle[page.name][1] for page in pages if page.searches]
    return statistics.median(ratios), middle["search, mistyped"][0]


def _rename_the_largest(connection: psycopg.Connection) -> tuple[int, float]:
    """Rename the creator with the most works, and take it back; return how many they are, and the milliseconds."""
    found = connection.execute(
        "SELECT creator_id, count(*)::int FROM catalog_work GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    ).fetchone()
    assert found is not None
    began = time.perf_counter()
    with connection.transaction(force_rollback=True):
        connection.execute("UPDATE catalog_creator SET name = 'Somebody Else' WHERE id = %s", [found[0]])
        taken = time.perf_counter() - began
    return found[1], taken * 1000


def _both(stack: Stack, connection: psycopg.Connection, page: Asked, drawn: str) -> tuple[float, float]:
    """Return how many milliseconds the page and its bare queries took."""
    web = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=60)
    began = time.perf_counter()
    web.request("GET", page.path(drawn))
    answer = web.getresponse()
    content = answer.read()
    served = time.perf_counter() - began
    web.close()
    assert answer.status == 200, (page.path(drawn), answer.status, content[:500])
    began = time.perf_counter()
    for statement in page.sql:
        parameters = {"words": drawn} if "%(words)s" in statement else [drawn] if "%s" in statement else None
        # Parameters stand in the statement, as Django sends them: the planner then knows the words.
        psycopg.ClientCursor(connection).execute(statement, parameters).fetchall()
    return served * 1000, (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
