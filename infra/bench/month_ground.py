"""A month of charges to close, made for benches, and the workers that take turns at closing it.

Charges go in by COPY, drawn log-uniformly over the works, as listening is; a work has one to five payees, and one in a
hundred changes its split sheet within the month. One payee in twenty is new, all others were paid before. Charges are
posted every six days (the beat does it daily), but for the last day's, which are left to the close.
"""

import multiprocessing
import os
import time
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from infra.bench import population
from infra.stack import Stack

LISTENERS, PAYEES = 100_000, 20_000
MONTH = date(2026, 10, 1)
PLAYED_FROM, SHEETS_FROM = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
CLOSES_AT = datetime(2026, 11, 3, 4, tzinfo=UTC)
DAYS, DAYS_A_POSTING, POSTS_AT_HOUR = 31, 6, 2
PAUSE_SECONDS = 0.005
STEPS = ["posting", "gathering", "lining", "counting", "checking", "booking", "stating", "publishing", "sealing"]
# All in memory and durable, as in the measurements that this one is compared with.
DATABASE = {
    "shared_buffers": "4GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "jit": "off",
    "max_parallel_workers_per_gather": "2",
}

PEOPLE_WHO_ARE_PAID = """
INSERT INTO members_person (id, email, name, password, country, is_active, is_staff, is_superuser)
SELECT md5('payee ' || n)::uuid, 'payee-' || n || '@bench.example', 'Payee ' || n, '!', 'DE', true, false, false
  FROM generate_series(0, %(payees)s::int - 1) n
"""
# The second version is of one work in a hundred, from the middle of the month on.
SHEETS = """
INSERT INTO catalog_splitsheet (id, work_id, version, created_at, in_force_from, ending)
SELECT md5('sheet ' || n || ' ' || version)::uuid, md5('work ' || n)::uuid, version, %(since)s,
       %(since)s + (version - 1) * interval '45 days', ''
  FROM generate_series(0, %(works)s::int - 1) n, generate_series(1, CASE WHEN n %% 100 = 0 THEN 2 ELSE 1 END) version
"""
SHARES = """
INSERT INTO catalog_splitline (sheet_id, line_number, email, person_id, part, share_ppm, accepted_at)
SELECT md5('sheet ' || n || ' ' || version)::uuid, place, 'payee-' || payee || '@bench.example',
       md5('payee ' || payee)::uuid, '',
       CASE WHEN place < many THEN 1000000 / many + place ELSE
            1000000 - (many - 1) * (1000000 / many) - many * (many - 1) / 2 END, %(since)s
  FROM generate_series(0, %(works)s::int - 1) n, generate_series(1, CASE WHEN n %% 100 = 0 THEN 2 ELSE 1 END) version,
       LATERAL (SELECT 1 + n %% 5 AS many) m, generate_series(1, many) place,
       LATERAL (SELECT (n * 7 + place * 131 + version) %% %(payees)s AS payee) p
"""
# All payees but one in twenty had royalties in August: only newcomers' first days are looked at charge by charge.
EARLIER_LINES = """
INSERT INTO royalties_line (month, work_id, of_month, sheet_id, revenue_seq, line_number, payee_id, share_ppm,
                            net_micros)
SELECT '2026-08-01', md5('work 0')::uuid, '2026-08-01', md5('sheet 0 1')::uuid, 1, n, md5('payee ' || n)::uuid, 50, 1
  FROM generate_series(0, %(payees)s::int - 1) n WHERE n %% 20 > 0
"""
# In the order of time, as they were charged: each listener plays a work up to four times.
CHARGES = """
COPY (SELECT md5('listener ' || l)::uuid, gen_random_uuid(), md5('work ' || w)::uuid, gen_random_uuid(), 'play',
             (1 + n %% 4)::smallint, 2000::bigint << (n %% 4)::int, 0::bigint,
             timestamptz '2026-10-01 02:00+00' + n * (interval '30 days 20 hours' / {charges}), 1, 0::bigint, 0::bigint,
             0::bigint, 0::bigint
        FROM (SELECT n, (random() * ({listeners} - 1))::int AS l,
                     least({works} - 1, exp(random() * ln({works}))::int - 1) AS w
                FROM generate_series({first}::bigint, {last}::bigint) n) AS drawn) TO STDOUT (FORMAT binary)
"""
INTO = """
COPY playback_charge (listener_id, id, work_id, session_id, kind, play_number, amount_micros, promo_micros, charged_at,
    pricing_version, paid_after_micros, cap_after_micros, balance_after_micros, promo_after_micros)
FROM STDIN (FORMAT binary)
"""
AT_ONCE = 500_000


def fill(stack: Stack, *, charges: int, works: int) -> None:
    """Make people, works, sheets and a month of charges, and post all but the last day's."""
    print(f"Making {LISTENERS:,} listeners, {works:,} works and {charges:,} charges ...", flush=True)
    began = time.monotonic()
    given = {"works": works, "payees": PAYEES, "since": SHEETS_FROM}
    with connect(stack) as connection:
        connection.execute("SET session_replication_role = replica")
        set_clock(connection, SHEETS_FROM)
        population.make_people(connection, listeners=LISTENERS)
        population.make_works(connection, works=works)
        for statement in (PEOPLE_WHO_ARE_PAID, SHEETS, SHARES):
            connection.execute(statement, given)
        # Pairs are drawn at random, so play numbers repeat; the sum reads the rows alone, whatever stands beside them.
        connection.execute("DROP INDEX charge_one_live_per_play_number, charge_one_live_purchase")
        connection.execute("VACUUM ANALYZE")
    posted = _charge(stack, charges=charges, works=works)
    with connect(stack) as connection:
        set_clock(connection, CLOSES_AT)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    print(f"  in {time.monotonic() - began:.0f} s", flush=True)
    print("posting before the close: " + " ".join(f"{seconds:.1f}" for seconds in posted) + " s", flush=True)


def _charge(stack: Stack, *, charges: int, works: int) -> list[float]:
    """Write the charges of one day after the other; return how many seconds each posting took."""
    poster, posted = Worker(stack), []
    with connect(stack) as reader, connect(stack) as writer:
        writer.execute("SET session_replication_role = replica")
        for day in range(DAYS):
            begins, ends = (charges * one // DAYS for one in (day, day + 1))
            for first in range(begins, ends, AT_ONCE):
                last = min(first + AT_ONCE, ends) - 1
                text = CHARGES.replace("%%", "%").format(
                    charges=charges, listeners=LISTENERS, works=works, first=first, last=last
                )
                with reader.cursor().copy(text) as source, writer.cursor().copy(INTO) as target:
                    for block in source:
                        target.write(block)
            if (day + 1) % DAYS_A_POSTING == 0:
                set_clock(writer, PLAYED_FROM + timedelta(days=day + 1, hours=POSTS_AT_HOUR))
                began = time.monotonic()
                poster.ask("post")
                posted.append(time.monotonic() - began)
    poster.stop()
    return posted


class Worker:
    """A process that takes turns at the run as a Celery worker does, with nothing of the queue in between."""

    def __init__(self, stack: Stack) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, other = context.Pipe()
        self.process = context.Process(target=_work, args=(other, stack.env()), daemon=True)
        self.process.start()

    def ask(self, words: str) -> Any:
        """Send words and wait for the answer."""
        self.line.send(words)
        return self.line.recv()

    def megabytes(self) -> int:
        """Return how much memory the process has for itself alone."""
        rollup = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        own = (line.split()[1] for line in rollup.splitlines() if line.startswith(("Private_Clean", "Private_Dirty")))
        return sum(map(int, own)) // 1024

    def stop(self) -> None:
        """End the process."""
        self.line.send("stop")
        self.process.join()


def _work(line: Connection, env: dict[str, str]) -> None:
    """Take turns until the step that was named is reached. Runs in a process of its own, as the workers' role."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="infra.settings")
    import django  # noqa: PLC0415  (settings read the environment)

    django.setup()
    from members import clock  # noqa: PLC0415
    from royalties import posting, runs  # noqa: PLC0415
    from royalties.run_models import Run  # noqa: PLC0415

    while (words := line.recv()) != "stop":
        if words == "begin":
            runs.begin(month=MONTH, now=clock.now())
        elif words == "post":
            posting.post(now=clock.now())
        else:
            while True:
                run = Run.objects.get(month=MONTH)
                assert run.state != Run.State.STUCK, run.words
                if words == "sealed" and run.state == Run.State.SEALED:
                    break
                if words != "sealed" and STEPS.index(run.step) >= STEPS.index(words):
                    break
                if not runs.advance(month=MONTH, now=clock.now()).took:
                    time.sleep(PAUSE_SECONDS)
        line.send("done")


def set_clock(connection: psycopg.Connection, moment: datetime) -> None:
    """Let it be that moment for everybody."""
    connection.execute("UPDATE members_coop SET clock_offset = %s - clock_timestamp()", [moment])


def connect(stack: Stack) -> psycopg.Connection:
    """Return a connection of a superuser to the ground's database."""
    return stack.postgres.connect(database=stack.postgres.database)
