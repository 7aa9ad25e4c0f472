"""The pages of a creator with a thousand works and millions of charges, against their bare SQL.

    infra/bench/earnings [--charges 5000000] [--works 1000] [--months 24] [--rounds 7] [--requests 5]

Charges of two years go in by COPY, evenly over the months. All months but the last are divided by the run's own
statements, and their statements written; the last one runs, and is counted as it is each night. Pages are asked for
over HTTP of the production server by the payee of every work; in turn with each, what its figures come from is asked of
the same database without anything around it. How many queries a page takes is counted in a process of its own, for that
payee and for one who has ten works: they have to be equal. The last line is the median over pages of page to SQL.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import statistics
import sys
import time
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from infra import serving
from infra.bench import ground, population
from infra.bench.month_ground import DATABASE, INTO, PEOPLE_WHO_ARE_PAID
from infra.stack import Stack

LISTENERS, PAYEES, FEW_WORKS = 20_000, 2, 10
LAST = date(2026, 11, 1)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
AT_ONCE = 500_000
SECONDS_TO_END = 10
# The payee of every work, and somebody who shares the first ten of them.
SHEETS = """
INSERT INTO catalog_splitsheet (id, work_id, version, created_at, in_force_from, ending)
SELECT md5('sheet ' || n)::uuid, md5('work ' || n)::uuid, 1, %(since)s, %(since)s, ''
  FROM generate_series(0, %(works)s::int - 1) n
"""
SHARES = """
INSERT INTO catalog_splitline (sheet_id, line_number, email, person_id, part, share_ppm, accepted_at)
SELECT md5('sheet ' || n)::uuid, place, 'payee-' || place - 1 || '@bench.example', md5('payee ' || place - 1)::uuid, '',
       CASE WHEN n >= %(few)s THEN 1000000 WHEN place = 1 THEN 600000 ELSE 400000 END, %(since)s
  FROM generate_series(0, %(works)s::int - 1) n, generate_series(1, CASE WHEN n < %(few)s THEN 2 ELSE 1 END) place
"""
CHARGES = """
COPY (SELECT md5('listener ' || l)::uuid, gen_random_uuid(), md5('work ' || w)::uuid, gen_random_uuid(), 'play',
             (1 + n % 9)::smallint, 2000::bigint << (n % 9)::int, 0::bigint,
             timestamptz '{begins}' + n * (interval '{seconds} seconds' / {charges}), 1, 0::bigint, 0::bigint,
             0::bigint, 0::bigint
        FROM (SELECT n, (random() * ({listeners} - 1))::int AS l, (random() * ({works} - 1))::int AS w
                FROM generate_series({first}::bigint, {last}::bigint) n) AS drawn) TO STDOUT (FORMAT binary)
"""
PAYEE = md5(b"payee 0", usedforsecurity=False).hexdigest()
SO_FAR = """
SELECT l.work_id, w.title, l.net_micros, g.gross_micros, g.creators_micros FROM royalties_sofarline l
  JOIN royalties_sofargroup g USING (month, work_id, sheet_id, revenue_seq)
  JOIN catalog_work w ON w.id = l.work_id WHERE l.payee_id = %(who)s
"""
CONTENT = "SELECT content FROM royalties_statement WHERE person_id = %(who)s ORDER BY month DESC LIMIT 1"
MONTHS = "SELECT month, earned_micros, closing_micros FROM royalties_statement WHERE person_id = %(who)s"
YEAR = """
SELECT l.work_id, w.title, sum(l.net_micros) FROM royalties_line l JOIN catalog_work w ON w.id = l.work_id
 WHERE l.payee_id = %(who)s AND l.month >= '2026-01-01' GROUP BY 1, 2 ORDER BY 3 DESC
"""
# Each page, with what its figures come from.
PAGES = {
    "/earnings": (SO_FAR, CONTENT, MONTHS),
    "/earnings/so-far.csv": (SO_FAR,),
    "/statements": (MONTHS,),
    "/statements/2026-10": (CONTENT,),
    "/statements/2026-10.csv": (CONTENT,),
    "/statements/2026-10.pdf": (CONTENT,),
    "/earnings/years/2026": (YEAR, MONTHS),
    "/earnings/years/2026.csv": (YEAR, MONTHS),
    "/earnings/years/2026.pdf": (YEAR, MONTHS),
    "/api/v1/earnings": (SO_FAR, MONTHS),
}


def main() -> None:
    """Run the bench and print its figures; exit with 1 when a page asks more of many works than of few."""
    arguments = argparse.ArgumentParser(prog="infra/bench/earnings", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--charges", type=int, default=5_000_000)
    arguments.add_argument("--works", type=int, default=1_000)
    arguments.add_argument("--months", type=int, default=24)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--requests", type=int, default=5, help="of each page in a round")
    asked = arguments.parse_args()
    with ground.laid(database=DATABASE) as stack:
        fill(stack, asked)
        told = _in_django(stack, months=asked.months)
        ratio = measure(stack, told["cookie"], rounds=asked.rounds, requests=asked.requests)
    is_constant = all(many == few for many, few in told["queries"].values())
    for page, (many, few) in told["queries"].items():
        print(f"{page:28} {many:3} queries of {asked.works:,} works, {few:3} of {FEW_WORKS}")
    print(f"earnings ratio {ratio:.2f}")
    sys.exit(not is_constant)


def _begins(months: int) -> datetime:
    years, month = divmod(LAST.year * 12 + LAST.month - months, 12)
    return datetime(years, month + 1, 1, tzinfo=UTC)


def fill(stack: Stack, asked: argparse.Namespace) -> None:
    """Make people, works, sheets and two years of charges."""
    print(f"Making {asked.works:,} works and {asked.charges:,} charges of {asked.months} months ...", flush=True)
    began = time.monotonic()
    begins = _begins(asked.months)
    given = {"works": asked.works, "few": FEW_WORKS, "payees": PAYEES, "since": begins - timedelta(days=40)}
    with _connect(stack) as connection:
        connection.execute("SET session_replication_role = replica")
        population.make_people(connection, listeners=LISTENERS)
        population.make_works(connection, works=asked.works)
        for statement in (PEOPLE_WHO_ARE_PAID, SHEETS, SHARES):
            connection.execute(statement, given)
        connection.execute("DROP INDEX charge_one_live_per_play_number, charge_one_live_purchase")
    with _connect(stack) as reader, _connect(stack) as writer:
        writer.execute("SET session_replication_role = replica")
        for first in range(0, asked.charges, AT_ONCE):
            text = CHARGES.format(
                begins=begins,
                seconds=int((NOW - begins).total_seconds()),
                charges=asked.charges,
                listeners=LISTENERS,
                works=asked.works,
                first=first,
                last=min(first + AT_ONCE, asked.charges) - 1,
            )
            with reader.cursor().copy(text) as source, writer.cursor().copy(INTO) as target:
                for block in source:
                    target.write(block)
    with _connect(stack) as connection:
        connection.autocommit = True
        connection.execute("UPDATE members_coop SET clock_offset = %s - clock_timestamp()", [NOW])
        connection.execute("VACUUM ANALYZE")
    print(f"  in {time.monotonic() - began:.0f} s", flush=True)


def _in_django(stack: Stack, *, months: int) -> dict[str, Any]:
    """Let a process that has the settings divide the months; return a cookie, and how many queries each page takes."""
    context = multiprocessing.get_context("spawn")
    line, other = context.Pipe()
    process = context.Process(target=_divide, args=(other, stack.env(), months), daemon=True)
    process.start()
    # Ours alone: if the process dies, nobody is left to write, and reading ends.
    other.close()
    told: dict[str, Any] = json.loads(line.recv())
    process.join(timeout=SECONDS_TO_END)
    process.terminate()
    return told


def _divide(line: Connection, env: dict[str, str], number: int) -> None:
    """Divide all months but the last, count that one, and count queries. Runs as the workers' role."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="infra.settings")
    import django  # noqa: PLC0415  (settings read the environment)

    django.setup()
    from members import clock, months  # noqa: PLC0415
    from members.models import Person  # noqa: PLC0415
    from playback import audience_counting  # noqa: PLC0415
    from playback.audience_models import AudienceCounted  # noqa: PLC0415
    from royalties import so_far  # noqa: PLC0415

    began = time.monotonic()
    shown = [LAST]
    while len(shown) < number:
        shown.append(months.before(shown[-1]))
    for month in sorted(shown)[:-1]:
        _divide_one(month)
    print(f"divided {number - 1} months in {time.monotonic() - began:.0f} s", flush=True)
    AudienceCounted.objects.create(day=LAST - timedelta(days=1), settled=True)
    audience_counting.count_all(now=clock.now())
    began = time.monotonic()
    so_far.count(now=clock.now())
    print(f"the month so far of every work was counted in {time.monotonic() - began:.1f} s", flush=True)
    much, little = (Person.objects.get(email=f"payee-{n}@bench.example") for n in range(PAYEES))
    cookie, many = _queries(much)
    _, few = _queries(little)
    line.send(json.dumps({"cookie": cookie, "queries": {page: (many[page], few[page]) for page in PAGES}}))


def _divide_one(month: date) -> None:
    """Write a month's groups, lines and statements, and seal it; nothing is posted and nothing published."""
    from django.db import connection, transaction  # noqa: PLC0415  (settings read the environment)

    from members import months, patience  # noqa: PLC0415
    from royalties import earning, periods, posting, statements  # noqa: PLC0415
    from royalties.run_models import Run  # noqa: PLC0415

    closed_at = periods.bounds(month)[1] + timedelta(days=2)
    with transaction.atomic():
        patience.take_time(minutes=20, megabytes=128)
        months.close(month=month, no_earlier_than=None)
        run = Run.objects.create(month=month, begun_at=closed_at)
        with connection.cursor() as cursor:
            posting.take_rows(cursor)
            cursor.execute("DROP TABLE taken")
        earning.gather(month)
        earning.line(month)
        earning.count(month)
        statements.write(month)
        run.state, run.sealed_at = Run.State.SEALED, closed_at
        run.save()
        months.seal(month=month, now=closed_at)


def _queries(person: Any) -> tuple[str, dict[str, int]]:
    """Return a person's cookie, and how many queries each page takes once what is remembered is remembered."""
    from django.conf import settings  # noqa: PLC0415  (settings read the environment)
    from django.db import connection  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(person)
    counts = {}
    for page in PAGES:
        answer = browser.get(page)
        assert answer.status_code == 200, (page, answer.status_code, answer.content[:500])
        with CaptureQueriesContext(connection) as asked:
            browser.get(page)
        counts[page] = len(asked)
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}", counts


def measure(stack: Stack, cookie: str, *, rounds: int, requests: int) -> float:
    """Return the median over pages of page to bare SQL; print all."""
    print("asking for pages ...", flush=True)
    web = serving.start_web(stack)
    ground.wait_for_answers(web, port=stack.web_port)
    took: dict[str, list[tuple[float, float]]] = {page: [] for page in PAGES}
    with stack.postgres.connect(user=stack.postgres.web_role, database=stack.postgres.database) as connection:
        for turn in range(rounds + 1):
            for page, queries in PAGES.items():
                times = [_both(stack, connection, page, queries, cookie) for _ in range(requests)]
                if turn:  # the first round warms caches and is not counted
                    took[page] += times
    ratios = []
    print(f"{'p50':28} {'page ms':>9} {'sql ms':>9} {'ratio':>8}")
    for page, times in took.items():
        served, bare = (statistics.median(column) for column in zip(*times, strict=True))
        ratios.append(served / bare)
        print(f"{page:28} {served:9.1f} {bare:9.2f} {served / bare:8.2f}")
    return statistics.median(ratios)


def _both(
    stack: Stack, connection: psycopg.Connection, page: str, queries: tuple[str, ...], cookie: str
) -> tuple[float, float]:
    """Return how many milliseconds the page and its bare queries took."""
    web = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=60)
    began = time.perf_counter()
    web.request("GET", page, headers={"Cookie": cookie})
    answer = web.getresponse()
    content = answer.read()
    served = time.perf_counter() - began
    web.close()
    assert answer.status == 200, (page, answer.status, content[:500])
    began = time.perf_counter()
    for statement in queries:
        connection.execute(statement, {"who": PAYEE}).fetchall()
    return served * 1000, (time.perf_counter() - began) * 1000


def _connect(stack: Stack) -> psycopg.Connection:
    return stack.postgres.connect(database=stack.postgres.database)


if __name__ == "__main__":
    main()
