"""Hearing a track and paying for it, in a browser: the opening, the gate, one charge, and the sound that goes on."""

from playwright.sync_api import expect

from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.visitor import FREE_SECONDS, OPEN_SECONDS, TRACK_SECONDS, Visitor


def test_a_stranger_hears_the_opening_and_is_then_asked_to_sign_in(shop: Shop, stranger: Visitor) -> None:
    stranger.open_work(shop.nebula)
    assert "The first 0:12 are free." in stranger.says()
    assert "the first play costs €0.002, a fifth of a cent" in stranger.says()
    stranger.press_play()
    stranger.expect_state("opening")
    stranger.wait_until_heard(1)
    stranger.seek(6)
    stranger.hurry_until(FREE_SECONDS - 1)
    stranger.wait_until_heard(FREE_SECONDS)
    stranger.expect_state("signin")
    assert stranger.is_sounding()  # to the end of what it was given
    stranger.hurry()
    stranger.wait_until_heard(OPEN_SECONDS - 0.5)
    stranger.page.wait_for_timeout(1500)
    assert not stranger.is_sounding()
    assert stranger.position() < OPEN_SECONDS + 0.1
    expect(stranger.page.locator(".playbox").get_by_role("link", name="Sign in")).to_have_attribute(
        "href", f"/accounts/login/?next=/works/{shop.nebula}"
    )
    assert stranger.answers("/charge") == []


def test_a_skip_before_the_end_of_the_opening_costs_nothing(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.nebula)
    assert "At 0:12 this play costs €0.002" in lena.says()
    lena.press_play()
    lena.expect_state("opening")
    lena.wait_until_heard(1)
    for place in (5, 2, 6):
        lena.seek(place)
        lena.page.wait_for_timeout(200)
    lena.hurry_until(11)
    lena.wait_until_heard(11)  # a second before the opening's end
    lena.page.goto(f"{shop.url}/")
    lena.page.wait_for_timeout(2500)
    assert lena.answers("/charge") == []
    assert lena.charges == []
    assert lena.wallet["balance_micros"] == 4_200_000
    assert lena.credit_shown == 4_200_000


def test_the_first_play_asks_and_is_charged_once_and_the_sound_goes_on(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(6)
    lena.hurry_until(FREE_SECONDS - 1)
    lena.expect_state("asks")
    heard_at = lena.position()
    assert FREE_SECONDS <= heard_at < OPEN_SECONDS  # it asks while what is open goes on, however slow we are
    assert "Go on €0.002" in lena.says()
    assert "cannot be withdrawn from" in lena.says()  # the consent, asked this once
    assert lena.charges == []
    lena.page.wait_for_timeout(1000)
    lena.page.get_by_role("button", name="Go on €0.002").first.click()
    lena.expect_state("playing")
    [answer] = lena.answers("/charge")
    assert answer["status"] == 200
    assert answer["ahead"] >= 1
    assert "€0.002 paid." in lena.says()
    assert lena.charges == [("play", 1, 2_000)]
    assert lena.credit_shown == 4_198_000
    expect(lena.page.locator(".ring__text")).to_have_text("1 of 9 plays paid")
    expect(lena.page.locator(".ring .seg-paid[data-number='1'].just-paid")).to_have_count(1)
    lena.wait_until_heard(OPEN_SECONDS + 1)
    assert lena.stops_at_the_gate() == []
    assert lena.charges == [("play", 1, 2_000)]
    # What is heard is ink, what is open is not, and the gate is gone.
    fills = lena.page.locator(".wave rect").evaluate_all("bars => bars.map((bar) => getComputedStyle(bar).fill)")
    assert fills[0] == "rgb(28, 23, 20)"
    assert fills[-1] == "rgb(133, 121, 106)"
    expect(lena.page.locator(".w-gate")).to_be_hidden()


def test_after_the_first_play_one_chooses_and_the_next_goes_on_by_itself(shop: Shop, lena: Visitor) -> None:
    begin_at_the_price(lena, shop.nebula)
    lena.page.get_by_role("button", name="Go on at the price shown").click()
    expect(lena.page.get_by_role("button", name="Go on at the price shown")).to_have_count(0)
    hear_out(lena)
    assert "The next time costs €0.004" in lena.says()

    lena.press_play()
    lena.expect_state("opening")
    assert "It then goes on by itself" in lena.says()
    lena.seek(6)
    lena.hurry_until(FREE_SECONDS - 1)
    lena.expect_state("going")
    lena.page.get_by_role("button", name="Stop here, pay nothing").click()
    lena.expect_state("stopped")
    lena.page.wait_for_timeout(3000)
    assert lena.charges == [("play", 1, 2_000)]
    assert not lena.is_sounding()

    lena.page.get_by_role("button", name="Opening again, free").click()
    lena.expect_state("opening")
    lena.seek(6)
    lena.hurry_until(FREE_SECONDS - 1)
    lena.expect_state("going")
    lena.expect_state("playing")
    assert lena.position() < OPEN_SECONDS
    assert lena.answers("/charge")[-1]["ahead"] >= 1
    lena.wait_until_heard(OPEN_SECONDS + 1)
    assert lena.stops_at_the_gate() == []
    assert lena.charges == [("play", 2, 4_000), ("play", 1, 2_000)]


def test_an_ask_without_an_answer_ends_and_costs_nothing(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.hurry()
    lena.seek(6)
    lena.expect_state("asks")
    lena.expect_state("stopped")
    assert "Stopped at 0:17. Nothing was charged." in lena.says()
    assert lena.position() < OPEN_SECONDS
    assert lena.charges == []


def test_a_seek_near_the_gate_or_beyond_stops_and_only_a_press_charges(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    for place, said in ((8, "0:08"), (20, "0:20")):
        lena.seek(place)
        lena.expect_state("stopped")
        assert f"Stopped at {said}. Nothing was charged." in lena.says()
        assert not lena.is_sounding()
        lena.seek(2)
        lena.expect_state("opening")
    lena.seek(20)
    lena.page.wait_for_timeout(1500)
    assert lena.charges == []
    lena.page.get_by_role("button", name="Go on from here €0.002").click()
    lena.expect_state("playing")
    lena.wait_until_heard(20.5)
    assert lena.charges == [("play", 1, 2_000)]
    assert min(event["at"] for event in lena.events("playing")[-1:]) >= 20


def test_nine_plays_make_it_ones_own_and_the_tenth_is_free(shop: Shop, lena: Visitor) -> None:
    steps = [2_000 * 2**n for n in range(9)]
    lena.open_work(shop.nebula)
    assert lena.ring() == "0 of 9 plays paid"
    for number, price in enumerate(steps, start=1):
        lena.press_play()
        lena.expect_state("opening")
        lena.seek(22)
        shown = f"€{price / 1_000_000:.3f}"
        lena.page.get_by_role("button", name=f"Go on from here {shown}").click()
        lena.expect_state("playing")
        expect(lena.page.locator(".ring__text")).to_have_text(
            f"{number} of 9 plays paid" if number < len(steps) else "Yours 9 of 9"
        )
        hear_out(lena)
    assert lena.charges == [("play", number, price) for number, price in reversed(list(enumerate(steps, start=1)))]
    assert sum(price for _, _, price in lena.charges) == 1_022_000
    assert lena.credit_shown == 4_200_000 - 1_022_000

    lena.open_work(shop.nebula)
    assert "Yours since" in lena.says()
    assert red_marks(lena) == 0
    lena.press_play()
    lena.expect_state("playing")
    lena.seek(21)
    lena.wait_until_heard(21.5)
    hear_out(lena)
    assert "It plays free, as often as you like." in lena.says()
    assert lena.wallet["balance_micros"] == 4_200_000 - 1_022_000


def test_the_rest_can_be_bought_at_once_and_it_asks_once_more(shop: Shop, lena: Visitor) -> None:
    begin_at_the_price(lena, shop.nebula)
    lena.page.locator("#own-now").click()
    dialog = lena.page.get_by_role("dialog")
    expect(dialog).to_contain_text("€1.02 is taken from your credit")
    dialog.get_by_role("button", name="Not now").click()
    assert lena.charges == [("play", 1, 2_000)]
    lena.page.locator("#own-now").click()
    dialog.get_by_role("button", name="Own it now €1.02").click()
    expect(lena.page.locator(".ring--owned")).to_be_visible()
    assert lena.charges == [("purchase", None, 1_020_000), ("play", 1, 2_000)]
    assert red_marks(lena) == 0
    assert lena.credit_shown == 4_200_000 - 1_022_000


def test_a_track_without_an_opening_shows_its_price_on_the_button(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.short)
    assert "No opening." in lena.says()
    expect(lena.page.locator("#play")).to_be_hidden()
    lena.page.get_by_role("button", name="Play €0.002").click()
    lena.expect_state("playing")
    lena.wait_until_heard(1)
    assert lena.charges == [("play", 1, 2_000)]


def test_a_free_track_plays_whole_and_can_be_kept(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.free)
    assert red_marks(lena) == 0
    lena.press_play()
    lena.expect_state("playing")
    lena.seek(20)
    lena.wait_until_heard(20.5)
    lena.page.get_by_role("button", name="Keep it").click()
    expect(lena.page.locator("#own")).to_have_text("It is yours")
    assert lena.charges == []


def begin_at_the_price(visitor: Visitor, work: str) -> None:
    """Play the work for the first time by its button, from a place near its end."""
    visitor.open_work(work)
    visitor.press_play()
    visitor.expect_state("opening")
    visitor.seek(21)
    visitor.page.get_by_role("button", name="Go on from here €0.002").click()
    visitor.expect_state("playing")


def hear_out(visitor: Visitor) -> None:
    """Hear the end of the track."""
    visitor.seek(TRACK_SECONDS)
    visitor.expect_state("ended")


def red_marks(visitor: Visitor) -> int:
    """Return how many things on the page are red: prices still to be paid, and nothing else."""
    return visitor.page.locator(
        ".price:visible, .is-next, .seg-next, #main .button--price:visible, .w-gate:visible"
    ).count()
