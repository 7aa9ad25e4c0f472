"""The one cast of all tests: people, profiles, works with the rows of their sound, credit that came in as credit does.

Everything here is made of rows, without media or HTTP: a track has a rendition's layout, but no bytes lie in the store.
Names tell who is who in a story (`lena` listens, `ana` makes music, `tess` and `tom` keep the treasury).
"""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import connection, transaction

from catalog import splits
from catalog.models import Creator, CreatorRole, Release, Rendition, Upload, Work
from members import clock, policies
from members.models import Person, StaffRole
from playback import charging, reversals, sessions, topups
from playback.charging import Charged
from playback.models import Charge, TopUp, Wallet
from playback.reversals import GivenBack

_numbers = count(1)
VOTES = ["members_roll", "members_urn"]

# What a migration wrote stays through every test, and so does what Django made of the models.
FOUNDING_TABLES = frozenset(
    {"members_coop", "members_policyversion", "playback_promobudget", "django_migrations", "django_content_type"}
    | {"auth_permission"}
)


def person(name: str = "lena", *, staff: tuple[str, ...] = (), country: str = "DE") -> Person:
    """Make a person; `staff` are the roles they have (treasurer, director, secretary, catalogue)."""
    made = Person.objects.create(
        email=f"{name}-{next(_numbers)}@cast.example", name=name.capitalize(), country=country, password="!"
    )
    StaffRole.objects.bulk_create(StaffRole(person=made, role=role) for role in staff)
    return made


def confirm(of: Person, email: str = "") -> str:
    """Let somebody prove that an address is theirs, their own unless another is named; return it."""
    address = email or of.email
    EmailAddress.objects.create(user=of, email=address, verified=True, primary=not email)
    return address


def treasurer(name: str = "tess") -> Person:
    """Make a person who may give money back and grant promo."""
    return person(name, staff=("treasurer",))


def creator(owner: Person, *, editors: tuple[Person, ...] = (), viewers: tuple[Person, ...] = ()) -> Creator:
    """Make a profile run by `owner`."""
    profile = Creator.objects.create(slug=f"profile-{next(_numbers)}", name=owner.name)
    CreatorRole.objects.bulk_create(
        CreatorRole(creator=profile, person=who, role=role)
        for role, people in (("owner", (owner,)), ("editor", editors), ("viewer", viewers))
        for who in people
    )
    return profile


@transaction.atomic
def track(
    by: Creator,
    *,
    seconds: float = 180,
    price_micros: int | None = None,
    state: str = "published",
    release: Release | None = None,
    position: int | None = None,
    now: datetime | None = None,
) -> Work:
    """Make a track with a split sheet for its profile's owner and the layout of its sound, as ingest leaves them."""
    now = now or clock.now()
    number = next(_numbers)
    made = Work.objects.create(
        creator=by,
        kind=Work.Kind.TRACK,
        title=f"Track {number}",
        state=state,
        release=release,
        position=position,
        price_micros=price_micros,
        duration_ms=round(seconds * 1000),
        lossless=True,
        created_at=now,
        published_at=None if state == Work.State.DRAFT else now,
        off_at=now if state == Work.State.OFF else None,
    )
    owner = by.roles.select_related("person").get(role=CreatorRole.Role.OWNER).person
    if state != Work.State.DRAFT:
        splits.found_own_sheet(work_id=made.id, person_id=owner.id, email=owner.email, now=now)
    Upload.objects.create(
        person=owner,
        creator=by,
        work=made,
        state=Upload.State.READY,
        percent=100,
        filename=f"track-{number}.flac",
        size_bytes=1_000_000,
        sha256=f"{number:064x}",
        kind="flac",
        found={"sample_rate": 44_100},
        original_key=f"originals/{uuid4()}",
        created_at=now,
        finished_at=now,
    )
    for kind in (Rendition.Kind.HLS_128, Rendition.Kind.HLS_256):
        Rendition.objects.create(
            work=made,
            kind=kind,
            prefix=f"renditions/{made.id}/{uuid4()}/",
            layout=layout(round(seconds * 1_000_000)),
            size_bytes=round(seconds * 16_000),
            created_at=now,
        )
    return made


@transaction.atomic
def photo(
    by: Creator,
    *,
    price_micros: int | None = None,
    state: str = "published",
    release: Release | None = None,
    position: int | None = None,
    now: datetime | None = None,
) -> Work:
    """Make a photo with the rows of its preview in two sizes, its full-size view and its cover, as ingest leaves it."""
    made = track(by, price_micros=price_micros, state=state, release=release, position=position, now=now)
    made.kind, made.duration_ms, made.width, made.height = Work.Kind.PHOTO, None, 1_600, 1_200
    made.title, made.lossless = made.title.replace("Track", "Photo"), None
    made.alternative_text = "A hill in the evening."
    made.save()
    made.renditions.all().delete()
    made.uploads.update(filename=f"{made.title}.jpg", kind="jpeg", found={"width": 1_600, "height": 1_200})
    for kind, found in (
        (
            Rendition.Kind.PREVIEW,
            {
                "sizes": [
                    {"file": f"{width}.jpg", "width": width, "height": width * 3 // 4, "bytes": width * 100}
                    for width in (400, 1_200)
                ],
                "content_type": "image/jpeg",
            },
        ),
        (Rendition.Kind.VIEW, {"file": "view.jpg", "width": 1_600, "height": 1_200, "content_type": "image/jpeg"}),
        (Rendition.Kind.COVER, {"file": "cover.jpg", "width": 400, "height": 300, "content_type": "image/jpeg"}),
    ):
        Rendition.objects.create(
            work=made,
            kind=kind,
            prefix=f"renditions/{made.id}/{uuid4()}/",
            layout=found,
            size_bytes=160_000,
            created_at=made.created_at,
        )
    return made


def release(by: Creator, *, title: str = "An album", kind: str = "album") -> Release:
    """Make a release without works."""
    return Release.objects.create(creator=by, title=title, kind=kind)


def layout(micros: int) -> dict[str, object]:
    """Return the layout of a rendition: pieces of 5 s, of 2 s under a minute, a short tail joined to its neighbour."""
    piece = 2_000_000 if micros < 60_000_000 else 5_000_000
    lengths = [piece] * (micros // piece)
    tail = micros % piece
    if lengths and tail < piece // 2:
        lengths[-1] += tail
    elif tail:
        lengths.append(tail)
    return {
        "init": {"file": "init.mp4", "bytes": 700},
        "segments": [
            {"file": f"{n:05d}.m4s", "offset": 0, "bytes": length // 62, "micros": length}
            for n, length in enumerate(lengths)
        ],
        "target_seconds": -(-max(lengths) // 1_000_000),
    }


def top_up(to: Person, cents: int, *, vat_ppm: int = 0) -> TopUp:
    """Give bought credit: a top-up of `cents`, gross, that the gateway says was paid. Without VAT unless told."""
    now = clock.now()
    asked = TopUp.objects.create(
        listener=to,
        asked_cents=cents,
        country=to.country,
        vat_ppm=vat_ppm,
        regime="spv" if vat_ppm else "none",
        checkout_id=f"checkout-{next(_numbers)}",
        created_at=now,
    )
    topups.take_in(event=event(asked, cents=cents), now=now)
    asked.refresh_from_db()
    return asked


def event(of: TopUp, *, cents: int | None = None, kind: str = topups.SETTLED_TYPE, name: str = "") -> dict[str, object]:
    """Return what the gateway tells about a top-up: paid in full unless told otherwise."""
    return {
        "id": name or f"event-{next(_numbers)}",
        "type": kind,
        "checkout": {
            "id": of.checkout_id,
            "reference": str(of.id),
            "amount_cents": of.asked_cents if cents is None else cents,
            "currency": settings.CURRENCY,
        },
    }


def promo(to: Person, micros: int) -> None:
    """Give promo credit, exact to the micro, from a budget that is filled for it."""
    reversals.fund_budget(amount_micros=micros)
    reversals.grant(
        listener_id=to.id,
        staff_id=treasurer().id,
        amount_micros=micros,
        reason="A gift for a test.",
        key=f"gift-{next(_numbers)}",
    )


def play(by: Person, of: Work) -> Charged:
    """Play a work through at the price of a fresh quote, and hear it to its end, so that the next play is another."""
    now = clock.now()
    sitting, _ = sessions.begin(person_id=by.id, work_id=of.id, now=now)
    charged, _ = charging.charge_session(person_id=by.id, session_id=sitting.id, price_micros=sitting.price_micros)
    sessions.report_progress(
        person_id=by.id,
        session_id=sitting.id,
        position_ms=of.duration_ms or 0,
        completed=True,
        now=now,
    )
    return charged


def buy(by: Person, of: Work, *, price_micros: int, key: str = "") -> Charged:
    """Pay the rest of a work, at most `price_micros`; under a key of its own unless one is given."""
    return charging.purchase(
        person_id=by.id,
        work_id=of.id,
        price_micros=price_micros,
        key=key or f"purchase-{next(_numbers)}",
        now=clock.now(),
    )


def last_charge(of: Person) -> Charge:
    """Return the charge that was written last."""
    return Charge.objects.filter(listener=of).latest("charged_at")


def give_back(charge: Charge, *, by: Person | None = None) -> GivenBack:
    """Give a charge back, by a treasurer unless somebody is named."""
    return reversals.reverse(
        listener_id=charge.listener_id,
        charge_id=charge.id,
        staff_id=(by or treasurer()).id,
        reason="A test gives it back.",
        now=clock.now(),
    )


def set_clock(moment: datetime) -> None:
    """Move the clock of the co-op to a moment; it goes on from there."""
    clock.set_offset(moment - datetime.now(UTC))


def vote(key: str, *, after: timedelta = policies.NOTICE_LEAST, **changed: object) -> datetime:
    """Record a version of a policy with some figures changed, and return when it takes effect."""
    now = clock.now()
    latest = policies.versions(key, now)[-1]
    effective = now + after
    policies.add_version(key=key, params={**latest.params, **changed}, effective_from=effective, now=now)
    return effective


def wallet(of: Person) -> Wallet:
    """Return the row of somebody's wallet as it stands, an empty one for who has none."""
    return Wallet.objects.filter(listener=of).first() or Wallet(listener=of)


def entries_sum(of: Person) -> tuple[int, int]:
    """Return what the rows of somebody's history sum to: bought credit and promo."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(balance_micros), 0)::bigint, coalesce(sum(promo_micros), 0)::bigint"
            " FROM playback_wallet_entry WHERE listener_id = %s",
            [of.id],
        )
        balance, given = cursor.fetchone()
    return balance, given


def forget_everything() -> None:
    """Empty the database down to what the migrations wrote, for tests that commit.

    A superuser of a throw-away database switches off the triggers that refuse exactly this. Only tables that hold rows
    are touched: truncating all of them writes each table and index anew, and takes a second where this takes moments.
    """
    assert connection.settings_dict["NAME"].startswith("test_"), "only a database made for tests is emptied"
    tables = [name for name in connection.introspection.table_names() if name not in FOUNDING_TABLES]
    asking = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in tables)  # noqa: S608
    with connection.cursor() as cursor:
        # Votes that nobody closed have tables of their own.
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])", [VOTES]
        )
        if left := [name for (name,) in cursor.fetchall()]:
            cursor.execute(f"DROP TABLE {', '.join(left)}")
        cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(asking)
            for (table,) in cursor.fetchall():
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")  # noqa: S608  (names from above)
            cursor.execute("DELETE FROM members_policyversion WHERE seq > 1")
            cursor.execute("UPDATE members_coop SET clock_offset = interval '0'")
            cursor.execute("UPDATE playback_promobudget SET left_micros = 0")
        finally:
            cursor.execute("SET session_replication_role = origin")
    policies.forget()
