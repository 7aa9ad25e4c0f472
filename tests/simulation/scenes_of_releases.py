"""Directed scenes about releases, photos, and works that are free, taken off or suspended."""

from typing import Any

from tests.simulation.scenes import DAY, HOUR, MINUTE, PRICE, Scene

ALBUM = (("track", None), ("track", 300_000))


def buy_all(scene: Scene, release: Any, *, less: int = 0, key: str = "", shown: Any = None) -> None:
    """Let Lena look at a release and buy it, or not quite for what it costs."""
    shown = shown or scene.stage.offer(scene.lena, release)
    total = scene.stage.auditor.offer(scene.lena.id, release, scene.stage.now).total
    scene.stage.purchase_release(scene.lena, release, total - less, shown, key or scene.key())


def release_bought(scene: Scene) -> None:
    release, works = scene.stage.release(scene.ana, *ALBUM)
    scene.play(works[0])
    buy_all(scene, release)
    buy_all(scene, release)


def release_bought_for_less(scene: Scene) -> None:
    buy_all(scene, scene.stage.release(scene.ana, *ALBUM)[0], less=1)


def release_beyond_the_limit(scene: Scene) -> None:
    """Each of its works is within the limit, all of them together are not."""
    scene.stage.set_limits(scene.lena, PRICE + 299_999, None)
    buy_all(scene, scene.stage.release(scene.ana, *ALBUM)[0])


def release_paid_by_promo_first(scene: Scene) -> None:
    scene.stage.grant(scene.lena, scene.tess, PRICE + 1, scene.key())
    buy_all(scene, scene.stage.release(scene.ana, ("track", None), ("photo", None))[0])


def release_bought_under_one_key(scene: Scene) -> None:
    release, _ = scene.stage.release(scene.ana, *ALBUM)
    shown = scene.stage.offer(scene.lena, release)
    for most in (PRICE + 300_000, PRICE + 300_000, PRICE):
        scene.stage.purchase_release(scene.lena, release, most, shown, "the-album")


def release_of_another_list(scene: Scene) -> None:
    # A work becomes free after the list was shown: the sum is smaller, and yet it is another list.
    release, works = scene.stage.release(scene.ana, *ALBUM)
    shown = scene.stage.offer(scene.lena, release)
    scene.stage.price(works[1], 0)
    scene.stage.purchase_release(scene.lena, release, 2 * PRICE, shown, scene.key())


def release_with_one_owned_and_suspended(scene: Scene) -> None:
    release, works = scene.stage.release(scene.ana, *ALBUM)
    scene.buy(works[0])
    scene.stage.set_state(works[0], "suspended")
    buy_all(scene, release)


def release_with_one_of_ones_own(scene: Scene) -> None:
    release, works = scene.stage.release(scene.ana, *ALBUM)
    scene.stage.share(works[0], scene.lena)
    buy_all(scene, release)


def release_with_one_taken_off(scene: Scene) -> None:
    release, works = scene.stage.release(scene.ana, *ALBUM)
    scene.stage.set_state(works[0], "off")
    buy_all(scene, release)


def release_with_one_bought_before(scene: Scene) -> None:
    release, works = scene.stage.release(scene.ana, *ALBUM)
    scene.play(works[0])
    played = scene.last()
    scene.buy(works[0])
    scene.stage.reverse(played, scene.lena, scene.tess)
    buy_all(scene, release)


def release_fallen_then_bought_in_vain(scene: Scene) -> None:
    release, works = scene.stage.release(scene.ana, *ALBUM)
    scene.play(works[0])
    scene.stage.price(works[0], 400_000)
    buy_all(scene, release, less=1)
    scene.stage.price(works[0], 900_000)
    buy_all(scene, release)


def release_with_a_free_work(scene: Scene) -> None:
    # It is kept, and stays kept when it gets a price.
    release, works = scene.stage.release(scene.ana, ("track", 0), ("track", 300_000))
    buy_all(scene, release)
    scene.stage.price(works[0], 400_000)
    scene.play(works[0])
    scene.stage.audit()


def free_kept_then_priced(scene: Scene) -> None:
    work = scene.stage.track(scene.ana, price_micros=0)
    scene.buy(work, price=0)
    scene.stage.price(work, 400_000)
    scene.play(work)
    scene.stage.audit()


def suspended_while_heard(scene: Scene) -> None:
    """Who has paid a play gets no new address of it, until the report was wrong."""
    session = scene.begin()
    scene.charge(session)
    scene.stage.set_state(scene.song, "suspended")
    scene.begin()
    scene.stage.set_state(scene.song, "published")
    scene.begin()


def photo_charged_late(scene: Scene) -> None:
    """Its ten minutes begin with the charge, not with the quote."""
    photo = scene.stage.photo(scene.ana)
    session = scene.begin(photo)
    scene.wait(9 * MINUTE)
    scene.charge(session)
    scene.wait(9 * MINUTE)
    scene.begin(photo)
    scene.wait(2 * MINUTE)
    scene.begin(photo)


def photo_looked_at_again(scene: Scene) -> None:
    photo = scene.stage.photo(scene.ana)
    session = scene.begin(photo)
    scene.charge(session)
    scene.stage.progress(scene.lena, session, 0, completed=True)
    scene.begin(photo)
    scene.wait(11 * MINUTE)
    scene.stage.look(scene.lena, session)
    scene.begin(photo)


def photo_suspended(scene: Scene) -> None:
    photo = scene.stage.photo(scene.ana)
    session = scene.begin(photo)
    scene.charge(session)
    scene.stage.set_state(photo, "suspended")
    scene.stage.look(scene.lena, session)


def photo_given_back(scene: Scene) -> None:
    photo = scene.stage.photo(scene.ana)
    session = scene.begin(photo)
    scene.charge(session)
    scene.stage.reverse(scene.last(), scene.lena, scene.tess)
    scene.stage.look(scene.lena, session)


def photo_taken_off(scene: Scene) -> None:
    # A quote holds though it is taken off; then who has begun looks on for ninety days.
    photo = scene.stage.photo(scene.ana)
    session = scene.begin(photo)
    scene.stage.set_state(photo, "off")
    scene.charge(session)
    scene.wait(90 * DAY - HOUR)
    scene.play(photo)
    scene.wait(2 * HOUR)
    scene.begin(photo)
