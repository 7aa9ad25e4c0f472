"""Fills the demo: people in every role, a small real catalogue through the real ingest, and some months of listening.

Everything goes through the same doors as anybody's: uploads wait for the worker, top-ups for the gateway's webhook,
plays are quoted and charged. Only the clock is moved, back to the summer and forward again. Safe to run twice.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import requests
from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils.text import slugify

from catalog import publishing, sharing, tasks
from catalog.intake import receiving
from catalog.intake.receiving import AlreadyUploaded
from catalog.models import Creator, CreatorRole, Upload, Work
from catalog.sharing import Payee
from infra import demo_treasury
from infra.demo_treasury import Office
from members import clock
from members.models import Person, StaffRole
from members.problems import Problem
from playback import audience_counting, chargebacks, charging, reversals, sessions, shelves, topups, wallets
from playback.models import Charge, PromoBudget, Session, TopUp
from royalties import posting, reconciliation, so_far, treasury

PASSWORD = "refrain-demo"  # noqa: S105  (the demo's, printed when it starts)
WORKS = Path(__file__).resolve().parent / "demo_works"
BEGINS_BEFORE = timedelta(days=96)
# Without another work taken in.
INGEST_SECONDS_MOST = 300
WEBHOOK_SECONDS_MOST = 20
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody of the demo."""

    name: str
    roles: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """The address they sign in with."""
        return f"{self.name.lower()}@demo.example"


PEOPLE = (
    Member(name="Lena"),
    Member(name="Lars"),
    Member(name="Ana"),
    Member(name="Ben"),
    Member(name="Cleo"),
    Member(name="Wen", roles=(StaffRole.Role.CATALOGUE,)),
    Member(name="Wim", roles=(StaffRole.Role.CATALOGUE,)),
    Member(name="Tess", roles=(StaffRole.Role.TREASURER, StaffRole.Role.DIRECTOR)),
    Member(name="Tom", roles=(StaffRole.Role.TREASURER,)),
    Member(name="Sam", roles=(StaffRole.Role.SECRETARY, StaffRole.Role.DIRECTOR)),
)
CREATORS = ("ana", "ben", "cleo")
# Whose profile an artist's works appear under; Cleo runs all others, as a label does.
RUN_BY = {"Maxstack": "ana", "Macroform": "ben", "Reno Project": "ben"}
LISTENERS = ("lena", "lars", "wim", "ben")
# Further listeners, nobody's sign-in: without them every work's audience would be too few to be shown. Name, country.
CROWD = (
    ("Ada", "DE"), ("Bo", "SE"), ("Cem", "DE"), ("Dora", "PL"), ("Emil", "DE"), ("Fay", "FR"), ("Gus", "DE"),
    ("Hana", "PL"), ("Ivo", "PL"), ("June", "FR"), ("Kai", "DE"), ("Lola", "PL"), ("Mika", "DE"), ("Noor", "PL"),
)  # fmt: skip
CROWD_LIKES = 2
# Each of them begins with this much credit, and makes works theirs of whichever creator, the small ones too.
CROWD_CENTS = 2_000
# On these evenings before the end each a half of them hear out the third track, so that the running month, too, has
# enough listeners for its creator to be told of it.
HEARD_LATE = (13, 5)
# Whose bank takes a payment back, and how long before the demo begins.
DISPUTED, DISPUTED_BEFORE = "Gus", timedelta(days=2)
SOURCES = (Session.Source.FRONT, Session.Source.WORK, Session.Source.CREATOR, Session.Source.SEARCH)


class DemoFailed(Problem):
    """The demo could not be filled; the message says what did not happen."""

    slug, status, title = "demo-failed", 500, "The demo could not be filled"


def build(*, say: Callable[[str], None]) -> None:
    """Fill the demo, or find that it is. `say` is told each step."""
    clock.set_offset(timedelta(0))
    people = {member.name.lower(): _person(member) for member in PEOPLE}
    _profile("Demo", people["cleo"])
    if Charge.objects.exists():
        say("  the demo is filled already")
        return
    began = clock.now() - BEGINS_BEFORE
    try:
        clock.set_offset(-BEGINS_BEFORE)
        works = _catalogue(people, say)
        _share(people, works)
        _budget()
        office = demo_treasury.open_office(people, until=began + BEGINS_BEFORE, now=clock.now())
        charged = _months_of_listening(people, works, began, office, say)
    finally:
        clock.set_offset(timedelta(0))
    now = clock.now()
    audience_counting.count_all(now=now)
    shelves.fill(now=now)
    demo_treasury.look_after(office, now=now)
    so_far.count(now=now)
    posting.post(now=now)
    reconciliation.raise_alarms(now=now)
    treasury.ring_for_disputes(now=now)
    say(f"  {len(works)} works, {charged} plays and purchases in {BEGINS_BEFORE.days} days")


def _person(member: Member) -> Person:
    person = Person.objects.filter(email=member.email).first()
    if person is None:
        person = Person.objects.create_user(member.email, PASSWORD, name=member.name, country="DE")
        EmailAddress.objects.create(user=person, email=member.email, verified=True, primary=True)
        for role in member.roles:
            StaffRole.objects.create(person=person, role=role)
    return person


def _listener(name: str, country: str) -> Person:
    return Person.objects.create_user(f"{name.lower()}@crowd.example", None, name=name, country=country)


def _profile(artist: str, person: Person) -> Creator:
    creator, _ = Creator.objects.get_or_create(slug=slugify(artist), defaults={"name": artist})
    CreatorRole.objects.get_or_create(creator=creator, person=person, defaults={"role": CreatorRole.Role.OWNER})
    return creator


def _catalogue(people: dict[str, Person], say: Callable[[str], None]) -> list[Work]:
    listed: list[dict[str, Any]] = json.loads((WORKS / "works.json").read_text())["works"]
    waiting = [(entry, _send(entry, people)) for entry in listed]
    deadline = clock.ticks() + INGEST_SECONDS_MOST
    said = -1
    while True:
        uploads = {
            upload.id: upload for upload in Upload.objects.filter(id__in=[upload_id for _, upload_id in waiting])
        }
        ready = sum(upload.state == Upload.State.READY for upload in uploads.values())
        rejected = [upload for upload in uploads.values() if upload.state == Upload.State.REJECTED]
        if ready != said:
            say(f"  the worker has taken in {ready} of {len(waiting)} works")
            said, deadline = ready, clock.ticks() + INGEST_SECONDS_MOST
        if rejected:
            raise DemoFailed(f"{rejected[0].filename}: {rejected[0].reason}")
        if ready == len(waiting):
            return [_publish(entry, uploads[upload_id]) for entry, upload_id in waiting]
        if clock.ticks() > deadline:
            raise DemoFailed("the worker did not take the works in; its log says why")
        time.sleep(2)


def _send(entry: dict[str, Any], people: dict[str, Person]) -> UUID:
    person = people[RUN_BY.get(entry["artist"], "cleo")]
    creator = _profile(entry["artist"], person)
    try:
        upload = receiving.receive(
            person_id=person.id,
            creator_id=creator.id,
            filename=entry["file"],
            chunks=_blocks(WORKS / entry["file"]),
            # Photos of one folder are a series.
            folder=entry.get("series", ""),
            now=clock.now(),
        )
    except AlreadyUploaded as known:
        return Upload.objects.filter(work_id=known.extra["work"]).values_list("id", flat=True)[0]
    tasks.wake(upload.id)
    return upload.id


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _publish(entry: dict[str, Any], upload: Upload) -> Work:
    assert upload.work_id is not None
    work = publishing.change(
        work_id=upload.work_id,
        person_id=upload.person_id,
        now=clock.now(),
        title=entry["title"],
        licence=entry["licence"],
        historic=entry["historic"],
        alternative_text=entry.get("alternative_text", ""),
        credits=[{"role": "attribution", "name": entry["attribution"]}],
    )
    return publishing.publish(work_id=work.id, person_id=upload.person_id, now=clock.now())


def _share(people: dict[str, Person], works: list[Work]) -> None:
    """Let Ana share the first of her works with Ben, who accepts."""
    ana, ben = people["ana"], people["ben"]
    work = next(work for work in works if work.creator.roles.filter(person=ana).exists())
    payees = [
        Payee(email=ana.email, share_ppm=600_000, part="music"),
        Payee(email=ben.email, share_ppm=400_000, part="mix"),
    ]
    sheet = sharing.propose(work_id=work.id, person_id=ana.id, payees=payees, now=clock.now())
    sharing.accept(sheet_id=sheet.id, person_id=ben.id)


def _budget() -> None:
    if not PromoBudget.objects.filter(left_micros__gt=0).exists():
        reversals.fund_budget(amount_micros=50_000_000)


def _months_of_listening(
    people: dict[str, Person], works: list[Work], began: datetime, office: Office, say: Callable[[str], None]
) -> int:
    """Let the listeners come back on most evenings, each with favourites; return how often something was charged."""
    fate = random.Random(1977)  # noqa: S311  (the same demo each time, nothing secret)
    favourites = {name: fate.sample(works, k=5) for name in LISTENERS}
    crowd = [_listener(name, country) for name, country in CROWD]
    *liked, late = [work for work in works if work.kind == Work.Kind.TRACK][: CROWD_LIKES + 1]
    # Who owns a work pays for it no more.
    others = [work for work in works if work != late]
    charged = 0
    for evening in range(1, BEGINS_BEFORE.days - 1):
        clock.set_offset(_evening(began, evening, fate) - (clock.now() - clock.offset()))
        for name in LISTENERS:
            if fate.random() < 0.55:
                continue
            if wallets.overview(person_id=people[name].id, now=clock.now()).balance_micros < 1_000_000:
                _top_up(people[name], cents=fate.choice([500, 1_000]))
            for work in fate.sample(favourites[name], k=fate.randrange(1, 3)):
                charged += _listen(people[name], work, fate)
        for person in fate.sample(crowd, k=4) if evening % 2 else []:
            charged += _come_by(person, fate.choice(liked), others, fate)
        charged += sum(_hear_out(person, late, fate) for person in _who_comes_late(crowd, evening))
        demo_treasury.look_after(office, now=clock.now())
        if evening % 16 == 0:
            say(f"  {clock.day(clock.now()).isoformat()}: {charged} plays and purchases so far")
    tess, lars = people["tess"], people["lars"]
    reversals.grant(
        listener_id=people["lena"].id,
        staff_id=tess.id,
        amount_micros=250_000,
        reason="Welcome to Refrain",
        key="welcome-lena",
    )
    last = Charge.objects.filter(listener=lars).order_by("-charged_at").first()
    if last is not None:
        reversals.reverse(
            listener_id=lars.id, charge_id=last.id, staff_id=tess.id, reason="The sound broke off", now=clock.now()
        )
    gus = next(person for person in crowd if person.name == DISPUTED)
    clock.set_offset(-DISPUTED_BEFORE)
    _take_back(gus)
    return charged


def _evening(began: datetime, number: int, fate: random.Random) -> datetime:
    return clock.start_of(clock.day(began + timedelta(days=number))) + timedelta(hours=18, minutes=fate.randrange(240))


def _who_comes_late(crowd: list[Person], evening: int) -> list[Person]:
    """Return which half of the crowd hears the late track on an evening: nobody but on two."""
    left = BEGINS_BEFORE.days - 1 - evening
    return crowd[HEARD_LATE.index(left) :: len(HEARD_LATE)] if left in HEARD_LATE else []


def _come_by(person: Person, liked: Work, works: list[Work], fate: random.Random) -> int:
    """Let one of the crowd hear what they like and make another work theirs; return how often was charged."""
    if wallets.overview(person_id=person.id, now=clock.now()).balance_micros < 1_500_000:
        _top_up(person, cents=CROWD_CENTS)
    return _listen(person, liked, fate) + _make_theirs(person, _any_of_any(works, fate), fate)


def _listen(person: Person, work: Work, fate: random.Random) -> int:
    """Hear a work once, or stop within its opening; return 1 if something was charged."""
    now = clock.now()
    sitting, _ = sessions.begin(person_id=person.id, work_id=work.id, source=fate.choice(SOURCES), now=now)
    if sitting.basis != sessions.PAID or sitting.charged:
        sessions.report_progress(
            person_id=person.id, session_id=sitting.id, position_ms=work.duration_ms or 0, completed=True, now=now
        )
        return 0
    if fate.random() < 0.2 or sitting.blocked:
        heard = round(1000 * sitting.open_seconds) if fate.random() < 0.7 else 2_000
        sessions.report_progress(
            person_id=person.id, session_id=sitting.id, position_ms=heard, completed=False, now=now
        )
        return 0
    if sitting.paid_micros > 100_000 and fate.random() < 0.1:
        left = sitting.cap_micros - sitting.paid_micros
        charging.purchase(person_id=person.id, work_id=work.id, price_micros=left, key=str(uuid4()), now=now)
        return 1
    return _hear_out(person, work, fate)


def _hear_out(person: Person, work: Work, fate: random.Random) -> int:
    """Hear a work to its end; return 1 if something was charged."""
    now = clock.now()
    sitting, _ = sessions.begin(person_id=person.id, work_id=work.id, source=fate.choice(SOURCES), now=now)
    is_paid = sitting.basis == sessions.PAID and not sitting.charged and not sitting.blocked
    if is_paid:
        charging.charge_session(person_id=person.id, session_id=sitting.id, price_micros=sitting.price_micros)
    sessions.report_progress(
        person_id=person.id, session_id=sitting.id, position_ms=work.duration_ms or 0, completed=True, now=now
    )
    return int(is_paid)


def _any_of_any(works: list[Work], fate: random.Random) -> Work:
    """Return a work of any owner's, whether they run many or few."""
    of_owner: dict[str, list[Work]] = {}
    for work in works:
        of_owner.setdefault(RUN_BY.get(work.creator.name, "cleo"), []).append(work)
    return fate.choice(of_owner[fate.choice(sorted(of_owner))])


def _make_theirs(person: Person, work: Work, fate: random.Random) -> int:
    """Buy the rest of a work, unless it is theirs; return 1 if something was charged."""
    now = clock.now()
    sitting, _ = sessions.begin(person_id=person.id, work_id=work.id, source=fate.choice(SOURCES), now=now)
    if sitting.basis != sessions.PAID or sitting.charged or sitting.blocked:
        return 0
    left = sitting.cap_micros - sitting.paid_micros
    charging.purchase(person_id=person.id, work_id=work.id, price_micros=left, key=str(uuid4()), now=now)
    return 1


def _take_back(person: Person) -> None:
    """Let somebody's bank take their last payment back, and wait until the gateway has told of it."""
    paid = TopUp.objects.filter(listener=person, state=TopUp.State.SETTLED).latest("settled_at")
    address = f"{settings.GATEWAY_URL}/checkouts/{paid.checkout_id}/chargeback-opened"
    requests.post(address, timeout=20, allow_redirects=False).raise_for_status()
    _wait_until(lambda: bool(chargebacks.undecided()))


def _wait_until(told: Callable[[], bool]) -> None:
    deadline = clock.ticks() + WEBHOOK_SECONDS_MOST
    while not told():
        if clock.ticks() > deadline:
            raise DemoFailed("the gateway's webhook did not arrive")
        time.sleep(0.02)


def _top_up(person: Person, *, cents: int) -> None:
    """Buy credit at the demo's gateway and wait for its webhook."""
    top_up = topups.start(
        person_id=person.id,
        amount_cents=cents,
        country="DE",
        evidence=["the demo"],
        idempotency_key=str(uuid4()),
        return_url=f"{settings.BASE_URL}/wallet",
        now=clock.now(),
    )
    topups.gateway().settle(checkout_id=top_up.checkout_id)
    _wait_until(lambda: TopUp.objects.get(id=top_up.id).state == TopUp.State.SETTLED)
