"""The demo's listeners: they come back on most evenings, top up, hear works out or stop, and make works theirs."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import requests
from django.conf import settings

from catalog.models import Work
from infra.demonstration.people import CROWD
from members import clock
from members.models import Person
from members.problems import Problem
from playback import chargebacks, charging, reversals, sessions, topups, wallets
from playback.models import Charge, Session, TopUp

LISTENERS = ("Lena", "Lars", "Wim", "Ben")
# Whose profile an artist's works appear under; Cleo runs all others, as a label does.
RUN_BY = {"Maxstack": "Ana", "Macroform": "Ben", "Reno Project": "Ben"}
CROWD_LIKES, CROWD_EARLY = 2, 10
# Each of the crowd begins with this much credit, and makes works theirs of whichever creator, the small ones too.
CROWD_CENTS = 2_000
# On these evenings before the end each a half of them hear out the third track, so that the running month, too, has
# enough listeners for its creator to be told of it.
HEARD_LATE = (14, 6)
# Whose bank takes a payment back, and how long before the demo begins.
DISPUTED, DISPUTED_BEFORE = "Gus", timedelta(days=2)
SOURCES = (Session.Source.FRONT, Session.Source.WORK, Session.Source.CREATOR, Session.Source.SEARCH)
WEBHOOK_SECONDS_MOST = 20


class DemoFailed(Problem):
    """The demo could not be filled; the message says what did not happen."""

    slug, status, title = "demo-failed", 500, "The demo could not be filled"


def buy_some(people: dict[str, Person], works: list[Work]) -> None:
    """Let all who listen, and most of the crowd, make one or two of a few works theirs on an evening."""
    fate = random.Random(clock.day(clock.now()).day)  # noqa: S311  (as below)
    for name in (*LISTENERS, *(who.name for who in CROWD[:CROWD_EARLY])):
        if wallets.overview(person_id=people[name].id, now=clock.now()).balance_micros < 2_500_000:
            _top_up(people[name], cents=1_000)
        for work in fate.sample(works, k=fate.randrange(1, 3)):
            _make_theirs(people[name], work, fate)


class Listening:
    """The listeners with their favourites. `charged` is how often something was charged; each run has the same fate."""

    def __init__(self, people: dict[str, Person], works: list[Work]) -> None:
        self.fate = random.Random(1977)  # noqa: S311  (the same demo each time, nothing secret)
        self.people = people
        self.favourites = {name: self.fate.sample(works, k=5) for name in LISTENERS}
        self.crowd = [people[who.name] for who in CROWD]
        *self.liked, self.late = [work for work in works if work.kind == Work.Kind.TRACK][: CROWD_LIKES + 1]
        # Who owns a work pays for it no more.
        self.others = [work for work in works if work != self.late]
        self.charged = 0

    def evening(self, *, left: int) -> None:
        """Let the listeners come by on the evening that is so many days before the end."""
        for name in LISTENERS:
            if self.fate.random() < 0.55:
                continue
            if wallets.overview(person_id=self.people[name].id, now=clock.now()).balance_micros < 1_000_000:
                _top_up(self.people[name], cents=self.fate.choice([500, 1_000]))
            for work in self.fate.sample(self.favourites[name], k=self.fate.randrange(1, 3)):
                self.charged += _listen(self.people[name], work, self.fate)
        for person in self.fate.sample(self.crowd, k=4) if left % 2 else []:
            self.charged += _come_by(person, self.fate.choice(self.liked), self.others, self.fate)
        self.charged += sum(_hear_out(person, self.late, self.fate) for person in _who_comes_late(self.crowd, left))

    def give_back(self) -> None:
        """Let Lena get promo credit, Lars his last charge back, and Gus's bank take a payment back."""
        tess, lars = self.people["Tess"], self.people["Lars"]
        reversals.grant(
            listener_id=self.people["Lena"].id,
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
        clock.set_offset(-DISPUTED_BEFORE)
        _take_back(self.people[DISPUTED])


def _who_comes_late(crowd: list[Person], left: int) -> list[Person]:
    """Return which half of the crowd hears the late track on an evening: nobody but on two."""
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
        of_owner.setdefault(RUN_BY.get(work.creator.name, "Cleo"), []).append(work)
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
