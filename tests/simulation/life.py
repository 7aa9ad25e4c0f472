"""A life: listeners and creators who do what people do, a gateway and a clock that do what those do. From one seed."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from catalog.models import Work
from members.models import Person
from tests.simulation.acts import Acts
from tests.simulation.auditor import Charge, Session
from tests.simulation.rulings import Refused

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIGURES = (None, None, None, None, 0, 200_000, 300_000, 1_000_000, 7_777_777, 50_000_000)
LENGTHS = (12, 19.999, 30, 47, 180, 241.3, 5 * 3600)
SHAPES = ((9, 2, 1), (9, 2, 1), (3, 1, 1), (3, 3, 1), (30, 1, 1), (12, 13, 10), (5, 299, 100))
AUDIT_EVERY = 25
NOTHING_SHOWN: tuple[Any, str] = ((frozenset(), frozenset({"nothing of the kind"})), "0" * 64)
CRASHES = ("before commit", "after commit")


class Life:
    """One seed's life. `live` plays it step by step; each step is one act or more, and each act is audited."""

    staging: type[Acts] = Acts
    acts: ClassVar[Mapping[Callable[..., None], float]]

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.stage = self.staging(
            begins=self.begins(), vat_ppm=self.dice.choice((0, 70_000, 190_000, 210_000, 255_000))
        )
        self.keys = 0
        self.undelivered: list[dict[str, Any]] = []
        self.works: list[Work] = []
        self.releases: list[tuple[Any, list[Work]]] = []

    def begins(self) -> datetime:
        """Return when it begins: some time within three years."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self.dice.randrange(3 * 365 * 24 * 60))

    def move_in(self) -> None:
        """Let the first people come, with works and credit."""
        self.fund()
        self.staff = [
            self.stage.person("tess", staff=("treasurer",)),
            self.stage.person("tom", staff=("treasurer", "secretary")),
            self.stage.person("dora", staff=("director",)),
            self.stage.person("sam", staff=("secretary",)),
        ]
        self.creators = [self.stage.person("ana"), self.stage.person("ben"), self.staff[1]]
        self.listeners = [self.stage.person(name) for name in ("lena", "lars")] + [self.creators[0], self.staff[0]]
        for _ in range(3):
            self.publish()
        self.publish_release()
        for listener in self.listeners:
            self.top_up(listener, cents=self.dice.choice((100, 300, 2_000, 20_000)), at_once=True)

    def live(self, steps: int) -> None:
        """Live until so many acts are played; audit everything now and then, and at the end."""
        self.move_in()
        acts, weights = zip(*self.acts.items(), strict=True)
        played, audited = self.stage.journal, 0
        while len(played) < steps + self.stage.not_counted:
            if self.dice.random() < 0.03:
                self.stage.crash = self.dice.choice(CRASHES)
            self.dice.choices(acts, weights)[0](self)
            self.stage.crash = None
            # Less often in a long life, whose books are thick.
            if len(played) >= audited + max(AUDIT_EVERY, len(played) // 40):
                self.stage.audit()
                audited = len(played)
        self.stage.audit()

    # Whom and what an act is about.

    def listener(self) -> Person:
        """Pick somebody who listens; those who came last most."""
        return self.dice.choice(self.listeners[-6:])

    def work(self) -> Work:
        """Pick a work; few are popular, so that some are played to ownership."""
        return self.works[-1 - min(len(self.works) - 1, int(self.dice.expovariate(0.45)))]

    def session(self) -> Session | None:
        """Pick a session, most often a recent one."""
        sessions = self.stage.auditor.sessions
        return self.dice.choice(sessions[-6:] if self.dice.random() < 0.85 else sessions[-60:]) if sessions else None

    def key(self) -> str:
        """Return a new key, or now and then one that was used."""
        self.keys += self.dice.random() < 0.85
        return f"key-{self.keys}"

    def person_of(self, session: Session) -> Person:
        """Return whose session it is, rarely somebody else."""
        if self.dice.random() < 0.03:
            return self.listener()
        return next(person for person in self.stage.people if person.id == session.listener)

    def work_of(self, session: Session) -> Work:
        """Return the work of a session."""
        return next(work for work in self.stage.works if work.id == session.work)

    # Listeners.

    def play(self) -> None:
        """Begin, go on after the opening or not, hear it to the end or not. Things may happen in between."""
        person, work = self.listener(), self.work()
        session = self.stage.begin(person, work)
        if isinstance(session, Refused):
            return
        if self.dice.random() < 0.15:
            self.dice.choice(MEANWHILE)(self, person, work)
        if self.dice.random() < 0.1:
            self.stage.crash = self.dice.choice(CRASHES)
        self.stage.charge(person, session)
        if self.dice.random() < 0.9:
            completed = self.dice.random() < 0.9
            self.stage.progress(person, session, self.dice.randrange((work.duration_ms or 0) + 1), completed=completed)

    def meanwhile_wait(self, _person: Person, _work: Work) -> None:
        """Forget the page for about as long as a quote lives."""
        self.stage.go_to(self.stage.now + self.dice.choice((14, 15, 16)) * MINUTE)

    def meanwhile_reverse(self, person: Person, work: Work) -> None:
        """Get back a charge of the same work."""
        held = self.stage.auditor.holding(person.id, work.id)
        if held.live:
            self.stage.reverse(self.dice.choice(held.live), person, self.staff[2])

    def meanwhile_buy(self, person: Person, work: Work) -> None:
        """Buy it in another tab."""
        left = self.stage.auditor.asks(person.id, work.id, self.stage.now).left
        self.stage.purchase(person, work, left, self.key())

    def meanwhile_price(self, person: Person, work: Work) -> None:
        """See its price change, and its page in another tab."""
        self.stage.price(work, self.dice.choice((0, 200_000, 400_000, 3_000_000)))
        self.stage.begin(person, work)

    def meanwhile_suspend(self, _person: Person, work: Work) -> None:
        """See it go."""
        self.stage.set_state(work, self.dice.choice(("off", "suspended")))

    def meanwhile_spend(self, person: Person, _work: Work) -> None:
        """Spend elsewhere what it would have cost, by a limit."""
        spent = self.stage.auditor.wallet(person.id).counted["day"][1]
        self.stage.set_limits(person, spent, None)

    def meanwhile_freeze(self, person: Person, _work: Work) -> None:
        """Have the wallet frozen."""
        self.stage.freeze(person, frozen=True)

    def begin(self) -> None:
        """Begin, and see later."""
        self.stage.begin(self.listener(), self.work())

    def charge(self) -> None:
        """Charge some session: late, again, for another price, by another person."""
        if (session := self.session()) is not None:
            price = session.price + self.dice.choice((0, 0, 0, 0, -1, 1, 10**9, -session.price))
            self.stage.charge(self.person_of(session), session, price)

    def requote(self) -> None:
        """Ask for a fresh quote."""
        if (session := self.session()) is not None:
            self.stage.requote(self.person_of(session), session)

    def look(self) -> None:
        """Look at a session, a work's page, or the wallet."""
        session = self.session()
        if session is not None and self.dice.random() < 0.4:
            self.stage.look(self.person_of(session), session)
        elif self.dice.random() < 0.4:
            self.stage.read_wallet(self.listener())
        else:
            self.stage.read_page(self.listener(), self.work())

    def progress(self) -> None:
        """Say how far it was heard."""
        if (session := self.session()) is not None:
            gate = self.dice.choice((0, session.free_ms - 1, session.free_ms, session.free_ms + 1, 10**7))
            self.stage.progress(self.person_of(session), session, max(0, gate), completed=self.dice.random() < 0.4)

    def purchase(self) -> None:
        """Buy: for what it costs, for less, for more; a free one; under an old key."""
        person, work = self.listener(), self.work()
        left = self.stage.auditor.asks(person.id, work.id, self.stage.now).left
        price = max(0, left + self.dice.choice((0, 0, 0, -1, 1, 10**7)))
        key = self.key()
        self.stage.purchase(person, work, price, key)
        if self.dice.random() < 0.2:
            self.stage.purchase(person, self.dice.choice((work, self.work())), price, key)

    def purchase_release(self) -> None:
        """Buy all of a release: for what it costs, for less, for more; under an old key; after things happened."""
        person, (release, works) = self.listener(), self.dice.choice(self.releases[-2:])
        shown = self.stage.offer(person, release)
        price = max(0, self.stage.auditor.offer(person.id, release, self.stage.now).total)
        price = max(0, price + self.dice.choice((0, 0, 0, 0, -1, 1, 10**7)))
        if self.dice.random() < 0.3:
            self.dice.choice(MEANWHILE)(self, person, self.dice.choice(works))
        key = self.key()
        self.stage.purchase_release(person, release, price, shown, key)
        if self.dice.random() < 0.2:
            self.stage.purchase_release(person, release, price, self.dice.choice((shown, NOTHING_SHOWN)), key)

    def set_limits(self) -> None:
        """Set limits, near what was spent or far away."""
        person = self.listener()
        spent = self.stage.auditor.wallet(person.id).counted["day"][1]
        choices = (None, None, None, 0, spent, spent + 5_000, spent + 2_000_000, 10**9, 10**12 + 1, -1)
        self.stage.set_limits(person, self.dice.choice(choices), self.dice.choice(choices))

    def lift_limits(self) -> None:
        """Remove the limits; it takes a night."""
        self.stage.set_limits(self.listener(), None, None)

    # Credit.

    def top_up(self, person: Person | None = None, *, cents: int | None = None, at_once: bool = False) -> None:
        """Ask for credit, and pay it now, later, twice, otherwise, or not."""
        self.stage.gateway.silent = not at_once and self.dice.random() < 0.1
        person = person or self.listener()
        cents = cents or self.dice.choice((99, 100, 333, 500, 1_000, 5_000, 50_000, 50_001))
        country = "DE" if self.dice.random() < 0.95 else "D1"
        top_up = self.stage.start_top_up(person, cents, self.key(), "DE" if at_once else country)
        self.stage.gateway.silent = False
        if isinstance(top_up, Refused):
            return
        paid = self.stage.gateway.tell(top_up.id, "checkout.paid", cents)
        if at_once:
            self.stage.deliver(paid)
            return
        self.undelivered.append(paid)
        for kind, amount, currency, chance in (
            ("checkout.canceled", cents, "EUR", 0.2),
            ("checkout.paid", cents + 7, "EUR", 0.1),
            ("checkout.paid", 0, "EUR", 0.05),
            ("checkout.paid", cents, "USD", 0.05),
            ("checkout.expired", cents, "EUR", 0.05),
        ):
            if self.dice.random() < chance:
                self.undelivered.append(self.stage.gateway.tell(top_up.id, kind, amount, currency=currency))
        if self.dice.random() < 0.1:
            self.undelivered.remove(paid)

    def webhook(self) -> None:
        """Deliver some event: in any order, late, again."""
        if self.undelivered and self.dice.random() < 0.8:
            event = self.undelivered.pop(self.dice.randrange(len(self.undelivered)))
        elif self.stage.gateway.told:
            event = self.dice.choice(self.stage.gateway.told)
        else:
            return
        if self.dice.random() < 0.02:
            event = {**event, "id": f"{event['id']}-stranger", "checkout": {**event["checkout"], "reference": "nobody"}}
        self.stage.deliver(event)

    def pull(self) -> None:
        """Ask the gateway for what no webhook told."""
        self.stage.gateway.silent = self.dice.random() < 0.2
        self.stage.pull()
        self.stage.gateway.silent = False

    def sweep(self) -> None:
        """Sweep what nobody paid for."""
        self.stage.sweep()

    def fund(self) -> None:
        """Let the board fill the promo budget."""
        self.stage.fund(self.dice.choice((1_000, 500_000, 30_000_000)))

    # Staff.

    def grant(self) -> None:
        """Give promo: by who may and who may not, twice, more than there is."""
        amount = self.dice.choice((1, 1_999, 2_000, 100_000, 1_000_000, self.stage.auditor.budget or 1, 0, 10**9))
        self.stage.grant(
            self.listener(),
            self.dice.choice(self.staff),
            amount,
            self.key(),
            self.dice.choice(("Hello.",) * 9 + (" ",)),
        )

    def reverse(self) -> None:
        """Give something back: by who may and who may not, again, and above 20.00 by two."""
        charges = self.stage.auditor.charges
        if not charges:
            return
        charge: Charge = self.dice.choice(charges[-12:] if self.dice.random() < 0.7 else charges[-100:])
        listener = next(person for person in self.stage.people if person.id == charge.listener)
        if self.dice.random() < 0.03:
            listener = self.listener()
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            self.stage.reverse(
                charge, listener, self.dice.choice(self.staff), self.dice.choice(("Broken.",) * 9 + ("",))
            )

    def freeze(self) -> None:
        """Freeze a wallet, and thaw every other."""
        person = self.listener()
        for one in self.listeners:
            if self.stage.auditor.wallet(one.id).frozen:
                self.stage.freeze(one, frozen=False)
        if self.dice.random() < 0.4:
            self.stage.freeze(person, frozen=True)

    # Creators, members, newcomers.

    def publish(self) -> None:
        """Publish a new track, or a photo."""
        if self.dice.random() < 0.25:
            made = self.stage.photo(self.dice.choice(self.creators), price_micros=self.dice.choice(FIGURES))
        else:
            made = self.stage.track(
                self.dice.choice(self.creators),
                seconds=self.dice.choice(LENGTHS),
                price_micros=self.dice.choice(FIGURES),
                editor=self.dice.choice((None, None, None, self.staff[0])),
            )
        self.works.append(made)

    def publish_release(self) -> None:
        """Publish a release of two to four works."""
        works = [
            (self.dice.choice(("track", "track", "photo")), self.dice.choice((0, *FIGURES[:-1])))
            for _ in range(self.dice.choice((2, 2, 3, 4)))
        ]
        release, made = self.stage.release(self.dice.choice(self.creators), *works)
        self.releases.append((release, made))
        self.works += made

    def arrive(self) -> None:
        """Let a new listener come, with a little credit."""
        newcomer = self.stage.person("nora")
        self.listeners.append(newcomer)
        self.top_up(newcomer, cents=self.dice.choice((100, 100, 200, 1_000, 30_000)), at_once=True)

    def price(self) -> None:
        """Set a price, also one the policy does not admit."""
        self.stage.price(self.work(), self.dice.choice((*FIGURES, 199_999, 400_000, 3_000_000)))

    def take_off(self) -> None:
        """Take a work off, suspend it, or bring it back."""
        work = self.work()
        if self.stage.auditor.works[work.id].state == "published":
            self.stage.set_state(work, self.dice.choice(("off", "off", "suspended")))
        else:
            self.stage.set_state(work, "published")

    def restore(self) -> None:
        """Bring every work back."""
        for work in self.works:
            if self.stage.auditor.works[work.id].state != "published":
                self.stage.set_state(work, "published")

    def share(self) -> None:
        """Pay somebody else from a work, too."""
        self.stage.share(self.work(), self.listener())

    def vote(self) -> None:
        """Vote on prices or the opening."""
        after = self.dice.choice((30 * MINUTE, HOUR, HOUR, 2 * HOUR, 2 * DAY))
        if self.dice.random() < 0.3:
            self.stage.vote("opening", after, seconds=self.dice.choice((20, 30, 45, 60)))
            return
        plays, num, den = self.dice.choice(SHAPES)
        least = self.dice.choice((200_000, 300_000))
        if (plays, num) == (5, 299):
            least = 300_000
        self.stage.vote(
            "pricing",
            after,
            plays=plays,
            growth_num=num,
            growth_den=den,
            price_default_micros=self.dice.choice((300_000, 400_000, 1_022_000, 3_000_001)),
            price_min_micros=least,
            price_max_micros=self.dice.choice((5_000_000, 50_000_000)),
        )

    # Time.

    def wait(self) -> None:
        """Let minutes or hours go by."""
        choices = (
            MINUTE,
            3 * MINUTE,
            7 * MINUTE,
            10 * MINUTE,
            14 * MINUTE,
            15 * MINUTE,
            16 * MINUTE,
            61 * MINUTE,
            4 * HOUR,
            5 * HOUR,
            DAY,
        )
        self.stage.go_to(self.stage.now + self.dice.choice(choices))

    def go_to_midnight(self) -> None:
        """Go to the end of a day or of a month: a minute before, the moment itself, or just after."""
        zone, here = self.stage.auditor.zone, self.stage.now.astimezone(self.stage.auditor.zone)
        first = here.date() + DAY
        if self.dice.random() < 0.4:
            first = (here.date().replace(day=1) + 32 * DAY).replace(day=1)
        midnight = datetime(first.year, first.month, first.day, tzinfo=zone).astimezone(UTC)
        self.stage.go_to(max(self.stage.now, midnight + self.dice.choice((-2, -1, -1, 0, 0, 1)) * MINUTE))

    def step_back(self) -> None:
        """Let the clock step back, as clocks that are set right do."""
        self.stage.go_to(self.stage.now - self.dice.choice((MINUTE, 2 * MINUTE, 20 * MINUTE, 90 * MINUTE)))

    def close_month(self) -> None:
        """Close the last month, if it is over and open."""
        self.stage.close_month()


MEANWHILE = (
    Life.meanwhile_wait,
    Life.meanwhile_wait,
    Life.meanwhile_reverse,
    Life.meanwhile_reverse,
    Life.meanwhile_buy,
    Life.meanwhile_price,
    Life.meanwhile_suspend,
    Life.meanwhile_spend,
    Life.meanwhile_freeze,
)

ACTS: dict[Callable[..., None], float] = {
    Life.play: 34,
    Life.begin: 8,
    Life.charge: 10,
    Life.requote: 2,
    Life.look: 4,
    Life.progress: 5,
    Life.purchase: 6,
    Life.purchase_release: 3,
    Life.set_limits: 2,
    Life.lift_limits: 4,
    Life.top_up: 4,
    Life.webhook: 7,
    Life.pull: 0.5,
    Life.sweep: 1,
    Life.fund: 1,
    Life.grant: 3,
    Life.reverse: 5,
    Life.freeze: 3,
    Life.publish: 1.5,
    Life.publish_release: 0.4,
    Life.arrive: 2,
    Life.price: 3,
    Life.take_off: 2,
    Life.restore: 3,
    Life.share: 0.3,
    Life.vote: 2,
    Life.wait: 10,
    Life.go_to_midnight: 3,
    Life.step_back: 1,
    Life.close_month: 1,
}
Life.acts = ACTS
