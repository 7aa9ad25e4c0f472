"""Directed scenes about what comes into a wallet, is given back, limited or voted."""

from tests.simulation.scenes import DAY, HOUR, MINUTE, Scene


def given_back_by_nobody(scene: Scene) -> None:
    scene.play()
    scene.stage.reverse(scene.last(), scene.lena, scene.lars)


def given_back_to_oneself(scene: Scene) -> None:
    scene.top_up(scene.tess, 1_000)
    scene.play(by=scene.tess)
    scene.stage.reverse(scene.last(), scene.tess, scene.tess)


def given_back_for_ones_own_work(scene: Scene) -> None:
    work = scene.stage.track(scene.ana, editor=scene.tess)
    scene.play(work)
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)


def given_back_twice(scene: Scene) -> None:
    scene.play()
    for staff in (scene.tess, scene.tess, scene.tom):
        scene.stage.reverse(scene.last(), scene.lena, staff)


def given_back_without_a_word(scene: Scene) -> None:
    scene.play()
    scene.stage.reverse(scene.last(), scene.lena, scene.tess, " ")


def much_given_back(scene: Scene) -> None:
    scene.buy(scene.stage.track(scene.ana, price_micros=20_000_001))
    for staff in (scene.tess, scene.tess, scene.tom):
        scene.stage.reverse(scene.last(), scene.lena, staff)


def given_back_and_played_again(scene: Scene) -> None:
    scene.play()
    scene.play()
    scene.stage.reverse(scene.stage.auditor.charges[0], scene.lena, scene.tess)
    scene.play()


def all_given_back_at_another_price(scene: Scene) -> None:
    scene.play()
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)
    scene.stage.price(scene.song, 2_044_000)
    scene.play()


def bought_and_given_back(scene: Scene) -> None:
    scene.buy()
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)
    scene.play()


def given_back_within_the_limit(scene: Scene) -> None:
    scene.stage.set_limits(scene.lena, 4_000, 4_000)
    scene.play()
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)
    scene.play()


def given_back_the_day_after(scene: Scene) -> None:
    scene.play()
    charge = scene.last()
    scene.wait(DAY)
    scene.play()
    scene.stage.reverse(charge, scene.lena, scene.tess)


def all_numbers_paid_and_the_purchase_given_back(scene: Scene) -> None:
    scene.stage.vote("pricing", HOUR, plays=3, growth_num=1, growth_den=1)
    scene.wait(HOUR)
    work = scene.stage.track(scene.ana, price_micros=300_000)
    scene.play(work)
    scene.play(work)
    scene.stage.price(work, 210_000)
    scene.buy(work)
    first, second, purchase = scene.stage.auditor.charges
    for charge in (first, second):
        scene.stage.reverse(charge, scene.lena, scene.tess)
    for _ in range(3):
        scene.play(work)
    scene.stage.reverse(purchase, scene.lena, scene.tess)
    scene.play(work)


def granted_twice(scene: Scene) -> None:
    for _ in range(2):
        scene.stage.grant(scene.lena, scene.tess, 5_000, "the-gift")


def granted_played_and_given_back(scene: Scene) -> None:
    scene.stage.grant(scene.lena, scene.tess, 1_500, scene.key())
    scene.play()
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)


def granted_beyond_the_budget(scene: Scene) -> None:
    scene.stage.grant(scene.lena, scene.tess, 10_000_001, scene.key())


def granted_to_oneself(scene: Scene) -> None:
    scene.stage.grant(scene.tess, scene.tess, 5_000, scene.key())


def webhook_twice(scene: Scene) -> None:
    top_up = scene.stage.start_top_up(scene.lena, 1_000, scene.key())
    event = scene.stage.gateway.tell(top_up.id, "checkout.paid", 1_000)
    scene.stage.deliver(event)
    scene.stage.deliver(event)


def paid_twice(scene: Scene) -> None:
    top_up = scene.stage.start_top_up(scene.lena, 1_000, scene.key())
    for _ in range(2):
        scene.stage.deliver(scene.stage.gateway.tell(top_up.id, "checkout.paid", 1_000))


def canceled_then_paid(scene: Scene) -> None:
    top_up = scene.stage.start_top_up(scene.lena, 1_000, scene.key())
    for kind in ("checkout.canceled", "checkout.paid", "checkout.canceled"):
        scene.stage.deliver(scene.stage.gateway.tell(top_up.id, kind, 1_000))
        scene.stage.audit()


def paid_otherwise(scene: Scene) -> None:
    top_up = scene.stage.start_top_up(scene.lena, 1_000, scene.key())
    scene.stage.deliver(scene.stage.gateway.tell(top_up.id, "checkout.paid", 0))
    scene.stage.deliver(scene.stage.gateway.tell(top_up.id, "checkout.paid", 1_000, currency="USD"))
    scene.stage.deliver(scene.stage.gateway.tell(top_up.id, "checkout.paid", 999))


def asked_for_credit_twice(scene: Scene) -> None:
    for cents in (1_000, 1_000, 2_000):
        scene.stage.start_top_up(scene.lena, cents, "the-top-up")
    scene.stage.audit()


def asked_for_credit_while_frozen(scene: Scene) -> None:
    scene.stage.freeze(scene.lena, frozen=True)
    scene.stage.start_top_up(scene.lena, 1_000, scene.key())


def limit_raised(scene: Scene) -> None:
    scene.stage.set_limits(scene.lena, 3_000, None)
    scene.play()
    scene.stage.set_limits(scene.lena, 9_000, None)
    scene.charge(scene.begin())
    scene.wait(DAY)
    scene.charge(scene.begin())


def raise_dropped(scene: Scene) -> None:
    scene.stage.set_limits(scene.lena, 3_000, 3_000)
    scene.stage.set_limits(scene.lena, None, None)
    scene.stage.set_limits(scene.lena, 2_000, None)
    scene.wait(DAY)
    scene.play()
    scene.charge(scene.begin())


def voted_for_now(scene: Scene) -> None:
    scene.stage.vote("pricing", 59 * MINUTE, plays=5)


def voted_between(scene: Scene) -> None:
    scene.stage.vote("pricing", 3 * HOUR, plays=5)
    scene.stage.vote("pricing", 2 * HOUR, plays=6)
