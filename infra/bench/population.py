"""People, works and sessions by the hundred thousand: made with a few set-based statements, outside any clock.

Whose session number `n` is, and every id, can be computed from the number: so pgbench and a list of HTTP requests name
the same rows without looking them up. Credit comes in as credit does, by a settled top-up, so that every balance is
the sum of its rows.
"""

import itertools
import random
from collections.abc import Iterable, Iterator
from hashlib import md5, sha256
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

CREDIT_CENTS = 100_000
# What the first play of a work costs under the founding policies.
PRICE_MICROS = 2_000
SECONDS = 180

PEOPLE = """
    INSERT INTO members_person (id, email, name, password, country, is_active, is_staff, is_superuser)
    SELECT md5('listener ' || n)::uuid, 'listener-' || n || '@bench.example', 'Listener ' || n, '!', 'DE',
           true, false, false
      FROM generate_series(0, %(listeners)s::int - 1) n
"""
TOP_UPS = """
    INSERT INTO playback_topup (id, listener_id, state, asked_cents, country, country_evidence, regime, vat_ppm,
        checkout_id, checkout_url, created_at, gross_cents, net_cents, vat_cents, settled_at,
        balance_after_micros, promo_after_micros)
    SELECT md5('top-up ' || n)::uuid, md5('listener ' || n)::uuid, 'settled', %(cents)s, 'DE', '[]', 'none', 0,
           'bench-' || n, '', coop_now(), %(cents)s, %(cents)s, 0, coop_now(), %(cents)s::bigint * 10000, 0
      FROM generate_series(0, %(listeners)s::int - 1) n
"""
WALLETS = """
    INSERT INTO playback_wallet
        (listener_id, balance_micros, promo_micros, spent_day_micros, spent_month_micros, goes_on)
    SELECT listener_id, net_cents * 10000, 0, 0, 0, false FROM playback_topup
"""
CREATOR = "INSERT INTO catalog_creator (id, slug, name, about) VALUES (md5('creator')::uuid, 'bench', 'Bench', '')"
RUNS_IT = """
    INSERT INTO catalog_creatorrole (creator_id, person_id, role)
    SELECT id, md5('listener 0')::uuid, 'owner' FROM catalog_creator WHERE slug = 'bench'
"""
WORKS = """
    INSERT INTO catalog_work (id, creator_id, kind, title, state, state_reason, licence, origin, explicit, historic,
        credits, isrc, language, alternative_text, tags, duration_ms, lossless, created_at, published_at)
    SELECT md5('work ' || n)::uuid, md5('creator')::uuid, 'track', 'Work ' || n, 'published', '', 'all-rights-reserved',
           'human', false, false, '[]', '', '', '', '{}', %(length)s, true, coop_now(), coop_now()
      FROM generate_series(%(first)s::int, %(works)s::int - 1) n
"""
SOUND = """
    INSERT INTO catalog_rendition (id, work_id, kind, prefix, layout, size_bytes, created_at)
    SELECT gen_random_uuid(), id, 'hls-128', 'renditions/' || id || '/sound/', %(layout)s, 2880000, coop_now()
      FROM catalog_work
"""
SESSIONS = """
    INSERT INTO playback_session (listener_id, id, work_id, basis, began_at, quoted_at, expires_at, play_number,
        price_micros, cap_micros, holding_revision, terms_price_micros, terms_plays, terms_growth_num, terms_growth_den,
        pricing_version, opening_version, free_ms, open_ms, playlist_until, position_ms)
    SELECT md5('listener ' || listener)::uuid, md5('session ' || n)::uuid, md5('work ' || work)::uuid, 'paid',
           moment, moment, moment + interval '12 hours', 1, %(price)s, 1022000, 0, 1022000, 9, 2, 1, 1, 1, 45000, 50000,
           moment + interval '12 hours', 0
      FROM drawn, coop_now() moment
"""


def listener_id(number: int) -> UUID:
    """Return the id of a listener."""
    return _id("listener", number)


def work_id(number: int) -> UUID:
    """Return the id of a work."""
    return _id("work", number)


def session_id(number: int) -> UUID:
    """Return the id of a prepared session."""
    return _id("session", number)


def token_of(number: int) -> str:
    """Return the plain text of a listener's token. It is no secret: it opens a throw-away database."""
    return "refrain_" + sha256(f"token {number}".encode()).hexdigest()[:43]


def listener_of_session(number: int, *, listeners: int) -> int:
    """Return the number of the listener whose session it is: a uniform draw that charge.pgbench computes as well."""
    drawn = number * 2654435761 & 0xFFFFFFFF
    drawn = (drawn ^ (drawn >> 16)) * 2146121005 & 0xFFFFFFFF
    return (drawn ^ (drawn >> 15)) % listeners


def make_people(connection: psycopg.Connection, *, listeners: int) -> None:
    """Make listeners with a funded wallet and a token each that may listen, spend and publish."""
    with connection.transaction():
        connection.execute(PEOPLE, {"listeners": listeners})
        connection.execute(TOP_UPS, {"listeners": listeners, "cents": CREDIT_CENTS})
        connection.execute(WALLETS)
        connection.execute("CREATE TEMP TABLE minted (n int, digest bytea) ON COMMIT DROP")
        with connection.cursor().copy("COPY minted FROM STDIN WITH (FORMAT binary)") as copy:
            copy.set_types(["int4", "bytea"])
            for number in range(listeners):
                copy.write_row((number, sha256(token_of(number).encode()).digest()))
        connection.execute(
            "INSERT INTO members_token (id, person_id, digest, name, scopes, created_at, expires_at)"
            " SELECT gen_random_uuid(), md5('listener ' || n)::uuid, digest, 'bench', '{listen,spend,publish}', moment,"
            " moment + interval '90 days' FROM minted, coop_now() moment"
        )


def make_works(connection: psycopg.Connection, *, works: int) -> None:
    """Make published tracks of one profile, which listener 0 runs."""
    with connection.transaction():
        connection.execute(CREATOR)
        connection.execute(RUNS_IT)
        make_more_works(connection, first=0, works=works)


def make_more_works(connection: psycopg.Connection, *, first: int, works: int) -> None:
    """Make further works of that profile, from number `first` to below `works`."""
    connection.execute(WORKS, {"first": first, "works": works, "length": SECONDS * 1000})


def make_sound(connection: psycopg.Connection) -> None:
    """Give every work the layout of its sound, without which no session begins. No bytes lie in the store."""
    pieces = [{"file": f"{n:05d}.m4s", "offset": 0, "bytes": 80_000, "micros": 5_000_000} for n in range(SECONDS // 5)]
    layout = {"init": {"file": "init.mp4", "bytes": 700}, "segments": pieces, "target_seconds": 5}
    connection.execute(SOUND, {"layout": Jsonb(layout)})


def sittings(*, listeners: int, works: int) -> Iterator[tuple[int, int, int]]:
    """Yield (number, listener, work) without end: both drawn uniformly, each pair of them once."""
    draw, seen = random.Random(1), set()  # noqa: S311 - the same population each time
    for number in itertools.count():
        listener = listener_of_session(number, listeners=listeners)
        work = draw.randrange(works)
        while (listener, work) in seen:
            work = draw.randrange(works)
        seen.add((listener, work))
        yield number, listener, work


def make_sessions(connection: psycopg.Connection, drawn: Iterable[tuple[int, int, int]]) -> None:
    """Make quoted sessions for what was drawn, each for the first play of a work by a listener."""
    with connection.transaction():
        connection.execute("CREATE TEMP TABLE drawn (n int, listener int, work int) ON COMMIT DROP")
        with connection.cursor().copy("COPY drawn FROM STDIN WITH (FORMAT binary)") as copy:
            copy.set_types(["int4", "int4", "int4"])
            for row in drawn:
                copy.write_row(row)
        connection.execute(SESSIONS, {"price": PRICE_MICROS})


def _id(what: str, number: int) -> UUID:
    return UUID(md5(f"{what} {number}".encode(), usedforsecurity=False).hexdigest())
