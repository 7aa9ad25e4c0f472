"""Directed scenes: one for each guard, so that its removal is noticed by design and not by luck."""

from datetime import timedelta
from typing import Any

from catalog.models import Work
from members.models import Person
from tests.simulation.acts import Acts
from tests.simulation.auditor import Charge, Session

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PRICE = 1_022_000


class Scene:
    """Lena and Lars listen, Ana makes music, Tess and Tom keep the treasury; Lena has 100.00 of credit."""

    def __init__(self, stage: Acts) -> None:
        self.stage = stage
        self.lena, self.lars, self.ana = (stage.person(name) for name in ("lena", "lars", "ana"))
        self.tess, self.tom = (stage.person(name, staff=("treasurer",)) for name in ("tess", "tom"))
        self.song = stage.track(self.ana)
        self.keys = 0
        self.top_up(self.lena, 10_000)
        stage.fund(10_000_000)

    def key(self) -> str:
        """Return a key that was never used."""
        self.keys += 1
        return f"key-{self.keys}"

    def top_up(self, person: Person, cents: int) -> None:
        """Give bought credit."""
        top_up = self.stage.start_top_up(person, cents, self.key())
        self.stage.deliver(self.stage.gateway.tell(top_up.id, "checkout.paid", cents))

    def play(self, work: Work | None = None, *, by: Person | None = None) -> Session:
        """Play a work through."""
        person, work = by or self.lena, work or self.song
        session = self.stage.begin(person, work)
        self.stage.charge(person, session)
        self.stage.progress(person, session, work.duration_ms or 0, completed=True)
        return session

    def buy(self, work: Work | None = None, *, price: int = 50_000_000) -> Any:
        """Buy the rest."""
        return self.stage.purchase(self.lena, work or self.song, price, self.key())

    def last(self) -> Charge:
        """Return the charge that was written last."""
        return self.stage.auditor.charges[-1]

    def wait(self, how_long: timedelta) -> None:
        """Let time go by."""
        self.stage.go_to(self.stage.now + how_long)

    def begin(self, work: Work | None = None) -> Session:
        """Let Lena begin."""
        return self.stage.begin(self.lena, work or self.song)

    def charge(self, session: Session, price: int | None = None) -> None:
        """Let Lena pay."""
        self.stage.charge(self.lena, session, price)


# Of the charge functions in SQL, by the guard's name.


def charged_once(scene: Scene) -> None:
    session = scene.begin()
    scene.charge(session)
    scene.charge(session)


def expired(scene: Scene) -> None:
    session = scene.begin()
    scene.wait(15 * MINUTE)
    scene.charge(session)


def owned(scene: Scene) -> None:
    session = scene.begin()
    scene.buy()
    scene.charge(session)


def revision(scene: Scene) -> None:
    scene.play()
    scene.play()
    first = scene.stage.auditor.charges[0]
    session = scene.begin()
    scene.stage.reverse(first, scene.lena, scene.tess)
    scene.charge(session)


def price(scene: Scene) -> None:
    scene.charge(scene.begin(), 1_999)


def suspended(scene: Scene) -> None:
    session = scene.begin()
    scene.stage.set_state(scene.song, "suspended")
    scene.charge(session)


def frozen(scene: Scene) -> None:
    session = scene.begin()
    scene.stage.freeze(scene.lena, frozen=True)
    scene.charge(session)


def day_limit(scene: Scene) -> None:
    scene.stage.set_limits(scene.lena, 5_999, None)
    scene.play()
    scene.charge(scene.begin())


def month_limit(scene: Scene) -> None:
    scene.stage.set_limits(scene.lena, None, 5_999)
    scene.play()
    scene.wait(DAY)
    scene.charge(scene.begin())


def funds(scene: Scene) -> None:
    scene.top_up(scene.lars, 100)
    scene.stage.charge(scene.lars, scene.stage.begin(scene.lars, scene.stage.track(scene.ana, price_micros=50_000_000)))
    for _ in range(9):
        scene.play(by=scene.lars)


# Of the rest of the core.


def promo_first(scene: Scene) -> None:
    scene.stage.grant(scene.lena, scene.tess, 1_500, scene.key())
    scene.play()


def closed_month(scene: Scene) -> None:
    zone, here = scene.stage.auditor.zone, scene.stage.now
    first = (here.astimezone(zone).date().replace(day=1) + 32 * DAY).replace(day=1)
    midnight = here.astimezone(zone).replace(year=first.year, month=first.month, day=1, hour=0, minute=0)
    scene.stage.go_to(midnight + 5 * MINUTE)
    scene.stage.close_month()
    scene.stage.go_to(midnight - 5 * MINUTE)
    scene.play()
    scene.stage.audit()


def same_key(scene: Scene) -> None:
    for _ in range(2):
        scene.stage.purchase(scene.lena, scene.song, PRICE, "the-key")


def other_body(scene: Scene) -> None:
    same_key(scene)
    scene.stage.purchase(scene.lena, scene.stage.track(scene.ana), PRICE, "the-key")


def bought_and_taken_off(scene: Scene) -> None:
    scene.buy()
    scene.stage.set_state(scene.song, "suspended")
    scene.buy()


def bought_by_its_maker(scene: Scene) -> None:
    scene.top_up(scene.ana, 1_000)
    scene.stage.purchase(scene.ana, scene.song, PRICE, scene.key())


def bought_after_it_was_taken_off(scene: Scene) -> None:
    scene.stage.set_state(scene.song, "off")
    scene.buy()


def bought_for_less(scene: Scene) -> None:
    scene.buy(price=PRICE - 1)


def bought_after_a_play_was_given_back(scene: Scene) -> None:
    scene.play()
    scene.buy()
    scene.stage.reverse(scene.stage.auditor.charges[0], scene.lena, scene.tess)
    scene.buy()


def fallen_then_bought_in_vain(scene: Scene) -> None:
    scene.play()
    scene.stage.price(scene.song, 400_000)
    scene.stage.set_limits(scene.lena, 0, None)
    scene.buy()
    scene.stage.price(scene.song, 900_000)
    scene.stage.read_page(scene.lena, scene.song)


def fallen_then_risen(scene: Scene) -> None:
    scene.play()
    scene.stage.price(scene.song, 400_000)
    scene.begin()
    scene.stage.price(scene.song, 900_000)
    scene.play()


def fallen_below_what_is_paid(scene: Scene) -> None:
    for _ in range(8):
        scene.play()
    scene.stage.price(scene.song, 300_000)
    scene.begin()
    scene.stage.price(scene.song, 900_000)
    scene.play()


def voted(scene: Scene) -> None:
    scene.play()
    scene.stage.vote("pricing", HOUR, plays=3, growth_num=1, growth_den=1)
    scene.wait(HOUR)
    scene.play()


def reloaded(scene: Scene) -> None:
    scene.charge(scene.begin())
    scene.charge(scene.begin())


def heard_twice(scene: Scene) -> None:
    scene.play()
    scene.play()


def playlist_ended(scene: Scene) -> None:
    scene.charge(scene.begin())
    scene.wait(2 * HOUR)
    scene.charge(scene.begin())


def begun_yesterday(scene: Scene) -> None:
    scene.begin()
    scene.wait(5 * HOUR)
    scene.begin()


def given_back_while_heard(scene: Scene) -> None:
    scene.charge(scene.begin())
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)
    scene.charge(scene.begin())


def own_work(scene: Scene) -> None:
    scene.top_up(scene.ana, 1_000)
    scene.play(by=scene.ana)


def shared_work(scene: Scene) -> None:
    scene.stage.share(scene.song, scene.lena)
    scene.play()


def begun_after_it_was_taken_off(scene: Scene) -> None:
    scene.stage.set_state(scene.song, "off")
    scene.begin()


def played_on_after_ninety_days(scene: Scene) -> None:
    scene.play()
    scene.stage.set_state(scene.song, "off")
    scene.wait(90 * DAY - MINUTE)
    scene.play()
    scene.wait(MINUTE)
    scene.begin()


def requoted_after_its_charge(scene: Scene) -> None:
    session = scene.begin()
    scene.charge(session)
    scene.stage.requote(scene.lena, session)


def requoted_after_its_end(scene: Scene) -> None:
    session = scene.begin()
    scene.wait(5 * HOUR)
    scene.begin()
    scene.stage.requote(scene.lena, session)


def heard_free(scene: Scene) -> None:
    work = scene.stage.track(scene.ana, price_micros=0)
    session = scene.begin(work)
    for position in (0, 44_999, 45_000, 180_000):
        scene.stage.progress(scene.lena, session, position, completed=False)
        scene.stage.audit()


def heard_paid(scene: Scene) -> None:
    session = scene.begin()
    scene.stage.progress(scene.lena, session, 180_000, completed=True)
    scene.stage.audit()


def heard_what_was_bought_meanwhile(scene: Scene) -> None:
    session = scene.begin()
    scene.buy()
    scene.stage.progress(scene.lena, session, 180_000, completed=True)
    scene.stage.audit()
