"""Pages on which works are found, among a million works of a hundred thousand creators, against their bare SQL.

    infra/bench/browse [--works 1000000] [--creators 100000] [--rounds 7] [--requests 12]

Asked over HTTP of the production server: the front page, browsing, a tag, searches for the words of a title, a common
word and a mistyped one, and a work's page. In turn with each, the page's main query is sent to the same database
without anything around it. What is printed are medians of rounds of medians, and how a page stands to what it may take:
three times its SQL, or sixty milliseconds on top of it. The last line is the middle one of how often a page's SQL goes
into the page; it exits with 1 when a page takes more than it may, or a mistyped search more than 300 ms.
"""

import argparse
import http.client
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import psycopg
from psycopg.types.json import Jsonb

from catalog import ranking
from infra import serving
from infra.bench import catalogue, ground
from infra.stack import Stack

DATABASE = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "jit": "off"}
# What a page may take: so many times its SQL, or so long on top of it; and a search with a mistyped word, all in all.
TIMES_MOST, ON_TOP_MS_MOST, MISTYPED_MS_MOST = 3, 60.0, 300.0
TITLES = 2_000
MISTYPED = "search, mistyped"

NEW = """SELECT * FROM catalog_work WHERE state = 'published' ORDER BY published_at DESC, id DESC LIMIT 60"""
TAGGED = """SELECT * FROM catalog_work WHERE state = 'published' AND tags @> ARRAY[%(tag)s]::varchar[]
    ORDER BY published_at DESC, id DESC LIMIT 49"""
WORK = """SELECT * FROM catalog_work w JOIN catalog_creator c ON c.id = w.creator_id WHERE w.id = %(work)s"""
LIMITS = {"ranked_most": ranking.RANKED_MOST, "same_title_most": ranking.SAME_TITLE_MOST, "most": 49}


def _search(question: str, said: str) -> str:
    """Return the statement that ranks works, as a search without filters asks it."""
    score = ranking.SCORE.format(question=question, said=said)
    return ranking.WORKS.format(work="", narrowed="", later="true", score=score, question=question, said=said)


AS_IT_IS = _search("catalog_search_query(%(words)s)", "catalog_search_text(%(words)s)")
NEAR = "SELECT word FROM catalog_near_words(%(words)s, 60)"
AS_MEANT = _search("plainto_tsquery('simple', %(meant)s)", "catalog_search_text(%(meant)s)")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A page and its bare queries, for something drawn anew each time: the names in its path and its queries."""

    name: str
    draw: Callable[[random.Random], dict[str, str]]
    path: str
    sql: tuple[str, ...]


def _common(draw: random.Random) -> dict[str, str]:
    return {"words": catalogue.word(draw.randrange(5))}


def _mistyped(draw: random.Random) -> dict[str, str]:
    """Return a word with two of its inner letters swapped, which nearly always makes it none that there is."""
    meant = catalogue.word(draw.randrange(1_000, 50_000))
    place = draw.randrange(1, len(meant) - 2)
    return {"words": meant[:place] + meant[place + 1] + meant[place] + meant[place + 2 :], "meant": meant}


def _pages(works: list[str], titles: list[str]) -> list[Asked]:
    def title(draw: random.Random) -> dict[str, str]:
        return {"words": draw.choice(titles)}

    def tag(draw: random.Random) -> dict[str, str]:
        return {"tag": f"tag-{draw.randrange(1_000)}"}

    def work(draw: random.Random) -> dict[str, str]:
        return {"work": draw.choice(works)}

    return [
        Asked(name="front page", draw=lambda _: {}, path="/", sql=(NEW,)),
        Asked(name="browse", draw=lambda _: {}, path="/browse", sql=(NEW,)),
        Asked(name="a tag", draw=tag, path="/browse?tag={tag}", sql=(TAGGED,)),
        Asked(name="work page", draw=work, path="/works/{work}", sql=(WORK,)),
        Asked(name="search, a title", draw=title, path="/browse?q={words}", sql=(AS_IT_IS,)),
        Asked(name="search, a common word", draw=_common, path="/browse?q={words}", sql=(AS_IT_IS,)),
        Asked(name=MISTYPED, draw=_mistyped, path="/browse?q={words}", sql=(AS_IT_IS, NEAR, AS_MEANT)),
    ]


def main() -> None:
    """Run the bench and print its figures; exit with 1 when a page takes more than it may."""
    arguments = argparse.ArgumentParser(prog="infra/bench/browse", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--works", type=int, default=1_000_000)
    arguments.add_argument("--creators", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--requests", type=int, default=12, help="of each page in a round")
    chosen = arguments.parse_args()
    with ground.laid(database=DATABASE) as stack:
        prepare(stack, chosen)
        ratio, is_slow = measure(stack, rounds=chosen.rounds, requests=chosen.requests)
    print(f"browse ratio {ratio:.2f}")
    sys.exit(is_slow)


def prepare(stack: Stack, chosen: argparse.Namespace) -> None:
    """Make the works, their creators, and the sound of the newest."""
    print(f"Making {chosen.works:,} works of {chosen.creators:,} creators ...", flush=True)
    began = time.monotonic()
    with stack.postgres.connect(database=stack.postgres.database) as connection:
        catalogue.make(connection, works=chosen.works, creators=chosen.creators)
        pieces = [{"file": f"{n:05d}.m4s", "offset": 0, "bytes": 80_000, "micros": 5_000_000} for n in range(36)]
        init = {"file": "init.mp4", "bytes": 700}
        catalogue.make_sound(connection, Jsonb({"init": init, "segments": pieces, "target_seconds": 5}))
    print(f"made in {time.monotonic() - began:.0f} s", flush=True)


def measure(stack: Stack, *, rounds: int, requests: int) -> tuple[float, bool]:
    """Return the median over pages of page to bare SQL, and whether one takes more than it may; print all."""
    with stack.postgres.connect(database=stack.postgres.database) as connection:
        works = [one for (one,) in connection.execute(WORKS_WITH_SOUND)]
        titles = [one for (one,) in connection.execute(SOME_TITLES, [TITLES])]
    web = serving.start_web(stack)
    ground.wait_for_answers(web, port=stack.web_port)
    pages = _pages(works, titles)
    took: dict[str, list[tuple[float, float]]] = {page.name: [] for page in pages}
    draw = random.Random(1)  # noqa: S311 - the same questions each time
    with stack.postgres.connect(user=stack.postgres.web_role, database=stack.postgres.database) as connection:
        for turn in range(rounds + 1):
            for page in pages:
                times = [_both(stack, connection, page, page.draw(draw)) for _ in range(requests)]
                if turn:  # the first round warms caches and is not counted
                    took[page.name].append(
                        (statistics.median(one for one, _ in times), statistics.median(other for _, other in times))
                    )
    middle = {name: [statistics.median(column) for column in zip(*pairs, strict=True)] for name, pairs in took.items()}
    print(f"{f'medians of {rounds} rounds':24} {'page ms':>9} {'sql ms':>9} {'ratio':>8} {'of what it may':>15}")
    allowed = {name: max(bare * TIMES_MOST, bare + ON_TOP_MS_MOST) for name, (_, bare) in middle.items()}
    for name, (served, bare) in middle.items():
        print(f"{name:24} {served:9.1f} {bare:9.2f} {served / bare:8.2f} {served / allowed[name]:15.2f}")
    with stack.postgres.connect(database=stack.postgres.database) as connection:
        renamed, taken = _rename_the_largest(connection)
    print(f"renaming a creator of {renamed:,} works: {taken:.0f} ms")
    is_slow = any(served > allowed[name] for name, (served, _) in middle.items())
    return (
        statistics.median(served / bare for served, bare in middle.values()),
        is_slow or middle[MISTYPED][0] > MISTYPED_MS_MOST,
    )


WORKS_WITH_SOUND = "SELECT work_id::text FROM catalog_rendition WHERE kind = 'hls-128' ORDER BY work_id"
# Ids are random, so that the first are of any time.
SOME_TITLES = "SELECT title FROM catalog_work ORDER BY id LIMIT %s"


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


def _both(stack: Stack, connection: psycopg.Connection, page: Asked, drawn: dict[str, str]) -> tuple[float, float]:
    """Return how many milliseconds the page and its bare queries took."""
    path = page.path.format(**{name: quote(value) for name, value in drawn.items()})
    web = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=60)
    began = time.perf_counter()
    web.request("GET", path)
    answer = web.getresponse()
    content = answer.read()
    served = time.perf_counter() - began
    web.close()
    assert answer.status == 200, (path, answer.status, content[:500])
    values = {**drawn, **LIMITS, "as_of": datetime.now(UTC)}
    began = time.perf_counter()
    for statement in page.sql:
        # Parameters stand in the statement, as Django sends them: the planner then knows the words.
        psycopg.ClientCursor(connection).execute(statement, values).fetchall()
    return served * 1000, (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
