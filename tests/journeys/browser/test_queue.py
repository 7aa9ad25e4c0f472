"""Playing an album through: the next price before it begins, going on by itself, the system's buttons, a reload."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.visitor import TRACK_SECONDS, Visitor


def test_an_album_plays_through_with_each_price_in_sight(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    page.goto(f"{shop.url}/releases/{shop.album}")
    expect(page.get_by_text("this album next: €0.006")).to_be_visible()
    page.get_by_role("button", name="Play the album").click()
    lena.expect_heard("Hall")
    lena.bar_says("Opening, free. At 0:12: €0.002.")
    lena.expect_next("Next: Stairs €0.002 Queue, 2 to come")
    lena.hurry(times=4)
    lena.bar_says("The opening is over. Go on for €0.002? By pressing you ask for the rest at once")
    lena.hurry(times=1)
    assert lena.charges == []
    page.locator("#player").get_by_role("button", name="Go on €0.002").click()
    lena.bar_says("Playing. €0.002 paid. Next time €0.004.")
    page.locator("#player").get_by_role("button", name="Go on at the price shown").click()
    expect(page.locator("#player .player__chooses")).to_have_count(0)
    expect(page.get_by_role("row", name="Hall")).to_contain_text("1 of 9 plays paid")
    expect(page.get_by_text("this album next: €0.004")).to_be_visible()  # Hall is paid and not heard out
    page.get_by_role("link", name="Maxstack").first.click()
    expect(page.get_by_role("heading", name="Maxstack")).to_be_visible()
    lena.press_on_system("seekto", seekTime=TRACK_SECONDS)

    lena.expect_heard("Stairs")
    lena.bar_says("Opening, free. At 0:12: €0.002.")
    lena.expect_next("Next: Attic €0.002 Queue, 1 to come")
    lena.hurry(times=4)
    lena.bar_says("It goes on by itself for €0.002.")
    lena.hurry(times=1)
    lena.bar_says("Playing. €0.002 paid.")
    assert lena.charges == [("play", 1, 2_000)] * 2
    page.locator("#player").get_by_role("button", name="Next in the queue").click()
    lena.expect_heard("Attic")
    lena.expect_next("The last of the queue")
    lena.hurry(times=4)
    lena.bar_says("It goes on by itself for €0.002.")
    lena.hurry(times=1)
    lena.bar_says("Playing. €0.002 paid.")
    lena.press_on_system("seekto", seekTime=TRACK_SECONDS)
    lena.bar_says("Played to its end. So has the queue.")
    assert lena.charges == [("play", 1, 2_000)] * 3

    # After the end of a queue it asks again, though plays go on by themselves.
    page.locator("#player").get_by_role("button", name="Play Attic").click()
    lena.bar_says("Opening, free. At 0:12: €0.004.")
    lena.hurry(times=4)
    lena.bar_says("Go on for €0.004? The queue has come to its end, so you are asked again.")
    lena.hurry(times=1)
    page.locator("#player").get_by_role("button", name="Stop here").click()
    lena.bar_says("Nothing was charged.")
    assert lena.charges == [("play", 1, 2_000)] * 3


def test_the_systems_buttons_move_through_the_queue(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    page.goto(f"{shop.url}/releases/{shop.album}")
    page.get_by_role("button", name="Play from Stairs on").click()
    lena.expect_heard("Stairs")
    lena.bar_says("Opening, free.")
    told = page.evaluate(
        "{ const { title, artist, artwork } = navigator.mediaSession.metadata; [title, artist, artwork.length] }"
    )
    assert told == ["Stairs", "Maxstack", 1]
    lena.wait_until_heard(0.3)
    lena.press_on_system("pause")
    assert not lena.is_sounding()
    assert page.evaluate("navigator.mediaSession.playbackState") == "paused"
    lena.press_on_system("play")
    assert lena.is_sounding()
    lena.press_on_system("nexttrack")
    lena.expect_heard("Attic")
    lena.bar_says("Opening, free.")
    assert page.evaluate("window.watched.system.nexttrack") is None
    lena.press_on_system("previoustrack")
    lena.expect_heard("Stairs")
    page.locator("main").focus()
    lena.bar_says("Opening, free.")
    page.keyboard.press("Shift+ArrowUp")
    lena.expect_heard("Hall")
    lena.bar_says("Opening, free.")
    lena.wait_until_heard(0.2)
    page.keyboard.press("Shift+Space")
    assert not lena.is_sounding()
    page.keyboard.press("Shift+ArrowRight")
    lena.bar_says("Stopped at 0:10. Nothing was charged.")  # too near to the gate to be played without its price
    page.keyboard.press("Shift+ArrowDown")
    lena.expect_heard("Stairs")
    page.goto(f"{shop.url}/wallet")
    page.get_by_text("Set a limit").click()
    page.get_by_label("A day").press("Shift+ArrowDown")
    lena.expect_heard("Stairs")  # keys in a field are the field's
    assert lena.charges == []


def test_a_reload_keeps_the_queue_and_lines_can_go(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    page.goto(f"{shop.url}/releases/{shop.album}")
    page.get_by_role("button", name="Play the album").click()
    lena.expect_heard("Hall")
    page.locator("#player").get_by_role("button", name="Next in the queue").click()
    lena.expect_heard("Stairs")
    lena.bar_says("Opening, free.")
    page.goto(f"{shop.url}/")
    lena.expect_heard("Stairs")
    lena.bar_says("Your queue goes on here. This play: €0.002.")
    opener = page.locator("#player .player__next")
    expect(opener).to_have_attribute("aria-expanded", "false")
    opener.click()
    panel = page.locator("#queue")
    expect(panel).to_contain_text("Queue Three Rooms")
    expect(panel).to_contain_text("Playing on to its end costs €0.002 now.")
    expect(panel.locator("li")).to_have_count(3)
    expect(panel.locator("li[aria-current]")).to_contain_text("Stairs")
    panel.get_by_role("button", name="Remove Hall from the queue").press("Enter")
    expect(panel.locator("li")).to_have_count(2)
    assert page.evaluate("document.activeElement.closest('#queue') !== null")  # the focus is not lost
    panel.get_by_role("button", name=re.compile("^Attic")).click()
    lena.expect_heard("Attic")
    lena.bar_says("Opening, free.")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert page.evaluate("document.activeElement.dataset.act") == "queue"
    page.keyboard.press("Enter")
    panel.get_by_role("button", name=re.compile("^Stairs")).click()
    lena.expect_heard("Stairs")
    panel.get_by_role("button", name="Clear the queue").click()
    expect(opener).to_be_hidden()
    assert lena.is_sounding()  # what is heard is heard on
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("#player")).to_be_hidden()


def test_after_three_hours_without_a_touch_it_asks_again(shop: Shop, lena: Visitor) -> None:
    lena.set_going_on()
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    assert "It then goes on by itself" in lena.says()
    lena.page.evaluate("{ const real = Date.now; Date.now = () => real() + 3 * 3600 * 1000 + 60_000; }")
    lena.hurry(times=4)
    lena.expect_state("asks")
    assert "Nothing was touched for three hours, so you are asked again." in lena.says()
    lena.expect_state("stopped")
    assert lena.charges == []
    lena.page.get_by_role("button", name="Opening again, free").click()  # a touch
    lena.expect_state("opening")
    lena.hurry(times=4)
    lena.expect_state("going")
    lena.expect_state("playing")
    assert lena.charges == [("play", 1, 2_000)]


def test_out_of_credit_stops_and_keeps_the_queue(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lars = arrive()
    lars.sign_up("lars")
    lars.set_going_on()
    page = lars.page
    page.goto(f"{shop.url}/releases/{shop.album}")
    page.get_by_role("button", name="Play the album").click()
    lars.bar_says("Opening, free.")
    lars.hurry(times=4)
    lars.bar_says("This play costs €0.002 and your credit is €0.00. Nothing was charged.")
    assert not lars.is_sounding()
    lars.expect_next("Next: Stairs €0.002 Queue, 2 to come")
    expect(page.locator("#player").get_by_role("link", name="Add credit")).to_have_attribute(
        "href", f"/wallet?back=%2Fworks%2F{shop.rooms[0]}#add-credit"
    )
    page.locator("#player").get_by_role("button", name="Next in the queue").click()
    lars.expect_heard("Stairs")
    lars.bar_says("Opening, free.")
    assert lars.charges == []


def test_what_is_owned_and_free_plays_on_without_a_price(shop: Shop, lena: Visitor) -> None:
    hall, stairs, _ = shop.rooms
    for work in (hall, stairs):
        own(lena, work)
    lena.page.goto(f"{shop.url}/releases/{shop.album}")
    expect(lena.page.get_by_role("row", name="Hall")).to_contain_text("yours")
    lena.page.get_by_role("button", name="Play the album").click()
    lena.bar_says("Playing.")
    lena.expect_next("Next: Stairs yours")
    lena.press_on_system("seekto", seekTime=TRACK_SECONDS)
    lena.expect_heard("Stairs")
    lena.bar_says("Playing.")
    lena.expect_next("Next: Attic €0.002")


def test_a_release_is_bought_for_the_list_and_sum_shown_or_not_at_all(shop: Shop, lena: Visitor) -> None:
    hall, stairs, _ = shop.rooms
    own(lena, hall)
    page = lena.page
    page.goto(f"{shop.url}/releases/{shop.album}")
    page.get_by_role("button", name="Own the two left €2.044").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("€2.044 is taken from your credit for all of it together")
    expect(dialog.get_by_role("region")).to_contain_text(
        re.compile(r"In it\s*Stairs\s*€1.022\s*Attic\s*€1.022\s*Yours already\s*Hall")
    )
    dialog.get_by_role("button", name="Not now").click()

    page.get_by_role("button", name="Own the two left").click()
    own(lena, stairs)  # meanwhile, on another device
    dialog.get_by_role("button", name="Own it now €2.044").click()
    expect(dialog).to_contain_text("this is what holds now. Nothing was charged.")
    expect(dialog).to_contain_text("€1.022 is taken from your credit")
    assert len(lena.charges) == 2
    dialog.get_by_role("button", name="Own it now €1.022").click()
    expect(page.get_by_text("€1.022 paid. All of it is yours.")).to_be_visible()
    assert lena.charges == [("purchase", None, 1_022_000)] * 3
    assert lena.credit_shown == 4_200_000 - 3 * 1_022_000
    expect(page.locator("#main .price")).to_have_count(0)
    expect(page.locator("#main .is-next")).to_have_count(0)
    lena.expected.append("409 (Conflict)")


def own(visitor: Visitor, work: str) -> None:
    """Buy a work that was not begun, away from the page."""
    visitor.ask("POST", f"works/{work}/purchase", {"price_micros": 1_022_000}, **{"Idempotency-Key": f"own-{work}"})
