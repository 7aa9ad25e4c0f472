"""A year's surplus drawn for a million members, against an `INSERT .. SELECT` of as many rows into the same table.

    infra/bench/surplus [--members 1000000] [--works 10000] [--rounds 3] [--booked 100000]

Everybody is a member, has bought one play of somebody else's work in December, and one in a hundred is paid for a work.
A round draws the year as its worker does, from the charges to the last line (what counts of each group, who brought
what, each one's part), and then copies the same lines into the same table under another year. At the end some of the
lines are booked into the ledger, and as many transfers are copied into it. Only the ratios mean anything elsewhere.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import psycopg

from infra.bench import ground, population
from infra.bench.month_ground import DATABASE
from infra.stack import Stack

RATIO_MOST = 3
YEAR = 2026
FILLING = (
    # Who belongs: all as listeners, and who is paid for a work as a creator too.
    """
    INSERT INTO members_membership (id, person_id, state, number, legal_name, postal_address, applied_at, decided_at,
        decided_by_id, words, joined_at, ended_at)
    SELECT md5('membership ' || n)::uuid, md5('listener ' || n)::uuid, 'joined', n + 1, 'Member', 'Street 1',
           '2026-01-01', '2026-01-02', md5('listener ' || (n + 1) %% %(members)s::int)::uuid, '', '2026-01-03', NULL
      FROM generate_series(0, %(members)s::int - 1) n
    """,
    """
    INSERT INTO members_classplace (id, membership_id, member_class, asked_at, approved_at, approved_by_id, since,
        met_by)
    SELECT gen_random_uuid(), md5('membership ' || n)::uuid, name, '2026-01-01', '2026-01-02',
           md5('listener ' || (n + 1) %% %(members)s::int)::uuid, '2026-01-03', 'The bench says so.'
      FROM generate_series(0, %(members)s::int - 1) n,
           unnest(CASE WHEN n < %(works)s THEN ARRAY['listener', 'creator'] ELSE ARRAY['listener'] END) name
    """,
    """
    INSERT INTO catalog_splitsheet (id, work_id, version, created_at, in_force_from, ending)
    SELECT md5('sheet ' || n)::uuid, md5('work ' || n)::uuid, 1, '2026-01-01', '2026-01-01', ''
      FROM generate_series(0, %(works)s::int - 1) n
    """,
    """
    INSERT INTO catalog_splitline (sheet_id, line_number, email, person_id, part, share_ppm, accepted_at)
    SELECT md5('sheet ' || n)::uuid, 1, 'listener-' || n || '@bench.example', md5('listener ' || n)::uuid, '', 1000000,
           '2026-01-01'
      FROM generate_series(0, %(works)s::int - 1) n
    """,
    """
    INSERT INTO playback_charge (listener_id, id, work_id, session_id, kind, play_number, amount_micros, promo_micros,
        charged_at, pricing_version, paid_after_micros, cap_after_micros, balance_after_micros, promo_after_micros)
    SELECT md5('listener ' || n)::uuid, gen_random_uuid(), md5('work ' || (n + 1) %% %(works)s)::uuid,
           gen_random_uuid(), 'play', 1, 1000000 + n * 7919 %% 900000, 0, '2026-12-10', 1, 0, 0, 0, 0
      FROM generate_series(0, %(members)s::bigint - 1) n
    """,
    """
    INSERT INTO royalties_group (month, work_id, sheet_id, sheet_version, revenue_seq, since, gross_micros,
        promo_micros, creators_micros, coop_micros)
    SELECT '2026-12-01', work_id, s.id, 1, 1, '2026-11-30 23:00+00', gross, 0, gross * 7 / 10, gross - gross * 7 / 10
      FROM (SELECT work_id, sum(amount_micros)::bigint AS gross FROM playback_charge GROUP BY 1) c
      JOIN catalog_splitsheet s USING (work_id)
    """,
    """
    INSERT INTO royalties_line (month, work_id, of_month, sheet_id, revenue_seq, line_number, payee_id, share_ppm,
        net_micros)
    SELECT month, work_id, month, sheet_id, 1, 1, l.person_id, 1000000, creators_micros
      FROM royalties_group g JOIN catalog_splitline l USING (sheet_id)
    """,
    """
    INSERT INTO members_month (starts_on, state, closed_at, sealed_at)
    VALUES ('2026-12-01', 'sealed', '2027-01-03', '2027-01-04')
    """,
    """
    INSERT INTO royalties_financialyear (year, state, percent, words, through, closed_at, closed_by_id, result_micros,
        shortfall_micros, lines, key, size_bytes, zip_sha256, manifest_sha256, previous_manifest_sha256)
    SELECT year, 'drawing', 0, '', 0, '2027-01-05', md5('listener 0')::uuid, 200000000000, 0, 0, '', 0, '', '', ''
      FROM generate_series(2026, 2100) year
    """,
)
COPIED = """
INSERT INTO royalties_patronage (year, line, member_class, number, person_id, patronage, cents, cash_cents)
SELECT %(year)s, line, member_class, number, person_id, patronage, cents, cash_cents FROM kept ORDER BY line
"""
TRANSFERS = """
INSERT INTO royalties_transfer (debit, credit, amount_micros, kind, key, together, happened_at, recorded_at, month,
    reason)
SELECT debit, credit, amount_micros, kind, 'copy:' || key, together, happened_at, recorded_at, month, reason
  FROM booked ORDER BY id
"""


def main() -> None:
    """Run the bench and print its figures; exit with 1 when the ratio is too high."""
    arguments = argparse.ArgumentParser(prog="infra/bench/surplus", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--members", type=int, default=1_000_000)
    arguments.add_argument("--works", type=int, default=10_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--booked", type=int, default=100_000, help="lines that are booked into the ledger")
    asked = arguments.parse_args()
    with ground.laid(database=DATABASE) as stack:
        began = time.monotonic()
        with _connect(stack) as connection:
            _fill(connection, members=asked.members, works=asked.works)
        print(f"{asked.members:,} members and charges made in {time.monotonic() - began:.0f} s", flush=True)
        line, other = multiprocessing.get_context("spawn").Pipe()
        worker = multiprocessing.get_context("spawn").Process(target=_serve, args=(other, stack.env()), daemon=True)
        worker.start()
        ratios = []
        print("round   lines      draw s   insert s   ratio", flush=True)
        for turn in range(asked.rounds):
            line.send(("draw", YEAR))
            lines, drawn = line.recv()
            bare = _copy(stack, year=YEAR + 1 + turn)
            ratios.append(drawn / bare)
            print(f"{turn + 1:5} {lines:9,} {drawn:9.2f} {bare:10.2f} {ratios[-1]:7.2f}", flush=True)
        _book(stack, line, lines=asked.booked)
        worker.kill()
    print(f"surplus ratio {statistics.median(ratios):.2f}")
    sys.exit(statistics.median(ratios) > RATIO_MOST)


def _fill(connection: psycopg.Connection, *, members: int, works: int) -> None:
    connection.execute("SET session_replication_role = replica")
    connection.execute(population.PEOPLE, {"listeners": members})
    population.make_works(connection, works=works)
    for statement in FILLING:
        connection.execute(statement, {"members": members, "works": works})
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _copy(stack: Stack, *, year: int) -> float:
    """Keep the drawn lines beside the table, empty it, and return what putting as many in takes, in seconds."""
    with _connect(stack) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT * FROM royalties_patronage WHERE year = %s", [YEAR])
        connection.execute("ANALYZE kept")
        _empty(connection)
        connection.execute("CHECKPOINT")
        began = time.monotonic()
        connection.execute(COPIED, {"year": year})
        seconds = time.monotonic() - began
        _empty(connection)
        connection.execute("CHECKPOINT")
    return seconds


def _empty(connection: psycopg.Connection) -> None:
    connection.execute("SET session_replication_role = replica")
    connection.execute("TRUNCATE royalties_patronage, royalties_eligible")
    connection.execute("SET session_replication_role = origin")


def _book(stack: Stack, line: Connection, *, lines: int) -> None:
    """Book some lines, then copy the same transfers; print both."""
    with _connect(stack) as connection:
        connection.execute(COPIED, {"year": YEAR})
    line.send(("book", lines))
    booked, seconds = line.recv()
    with _connect(stack) as connection:
        connection.execute("CREATE TABLE booked AS SELECT * FROM royalties_transfer WHERE kind LIKE 'patronage%'")
        began = time.monotonic()
        connection.execute(TRANSFERS)
        bare = time.monotonic() - began
    print(f"booking {booked:,} transfers: {seconds:.2f} s, {seconds / bare:.2f} times copying as many ({bare:.2f} s)")


def _serve(line: Connection, env: dict[str, str]) -> None:
    """Draw and book. Runs in a process of its own, as the workers' role."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="infra.settings")
    import django  # noqa: PLC0415  (settings read the environment)

    django.setup()
    from django.db import transaction  # noqa: PLC0415

    from members import patience  # noqa: PLC0415
    from royalties import accounts, ledger  # noqa: PLC0415
    from royalties.year import booking, drawing  # noqa: PLC0415
    from royalties.year.models import FinancialYear  # noqa: PLC0415

    while True:
        act, what = line.recv()
        year = FinancialYear.objects.get(year=YEAR)
        began = time.monotonic()
        with transaction.atomic():
            patience.take_time(minutes=120, megabytes=128)
            if act == "draw":
                drawn = drawing.draw(year)
                assert drawn is not None
                said: Any = drawn.lines
            else:
                ledger.open_accounts([accounts.PATRONAGE, accounts.RESERVE])
                year.lines = what
                year.figures = {"common_good_cents": 1, "cash_cents": 10**11}
                began = time.monotonic()
                booking.divide(year, now=year.closed_at)
                while year.through < year.lines:
                    year.through = min(year.lines, year.through + booking.LINES_AT_ONCE)
                    if year.through < year.lines:
                        booking.divide(year, now=year.closed_at)
                from royalties.ledger_models import Transfer  # noqa: PLC0415

                said = Transfer.objects.filter(kind__startswith="patronage").count()
        line.send((said, time.monotonic() - began))


def _connect(stack: Stack) -> psycopg.Connection:
    return stack.postgres.connect(database=stack.postgres.database)


if __name__ == "__main__":
    main()
