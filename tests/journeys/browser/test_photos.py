"""A photo in a browser: looked at for nothing, opened in full for its price, and owned after nine views or at once."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.test_interruptions import move_the_clock
from tests.journeys.browser.visitor import Visitor

FULL_WIDTH = 1_900
STEPS = [2_000 * 2**n for n in range(9)]


def look(visitor: Visitor, photo: str) -> None:
    """Go to the photo's page."""
    visitor.page.goto(f"{visitor.base_url}/works/{photo}")
    expect(visitor.page.get_by_role("heading", level=1, name="Fig, halved")).to_be_visible()


def width_seen(page: Page) -> int:
    """Return how wide the picture is that the page shows, in its own pixels, once it is there."""
    page.wait_for_function(
        "() => { const img = document.querySelector('.plate img'); return img.complete && img.naturalWidth; }"
    )
    return int(page.evaluate("document.querySelector('.plate img').naturalWidth"))


def wait_for_all_of_it(page: Page) -> None:
    """Wait until the page shows the picture in full. Moving the clock before that would close it on its way."""
    page.wait_for_function(
        "([at, wide]) => { const img = document.querySelector(at); return img.complete && img.naturalWidth === wide; }",
        arg=[".plate img", FULL_WIDTH],
    )


def test_looking_costs_nothing_and_the_picture_is_whole(shop: Shop, stranger: Visitor) -> None:
    look(stranger, shop.photo)
    page = stranger.page
    assert width_seen(page) < FULL_WIDTH
    drawn, own = page.evaluate(
        "() => { const img = document.querySelector('.plate img'); const box = img.getBoundingClientRect();"
        " return [box.width / box.height, img.naturalWidth / img.naturalHeight]; }"
    )
    assert abs(drawn - own) < 0.02  # never cropped, never stretched
    expect(page.get_by_role("img", name="Half a fig in a red bowl")).to_be_visible()
    expect(page.locator(".strip")).to_contain_text("Preview with a watermark. Looking costs nothing.")
    expect(page.locator(".strip")).to_contain_text("The first view costs €0.002.")
    expect(page.locator(".strip").get_by_role("link", name="Sign in")).to_be_visible()
    assert stranger.answers("/sessions") == []


def test_a_view_opens_for_its_price_for_ten_minutes(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    page.clock.install()
    look(lena, shop.photo)
    expect(page.locator(".strip + .field__error + .meta")).to_contain_text("You are asked this once.")
    page.get_by_role("button", name="Open full size €0.002").press("Enter")
    expect(page.locator(".strip")).to_contain_text("Open in full until ")
    assert width_seen(page) == FULL_WIDTH
    assert lena.charges == [("play", 1, 2_000)]
    assert lena.credit_shown == 4_198_000
    assert lena.ring() == "1 of 9 views paid"
    assert page.evaluate("document.activeElement.id") == "size"  # the focus is not lost
    page.get_by_role("button", name="Actual size").click()
    assert page.evaluate("document.querySelector('.plate img').getBoundingClientRect().width") == FULL_WIDTH
    page.reload()
    expect(page.locator(".strip")).to_contain_text("looking again before then costs nothing")
    assert width_seen(page) == FULL_WIDTH
    try:
        move_the_clock(shop, minutes=10)
        page.clock.fast_forward("10:05")
        expect(page.locator(".strip")).to_contain_text("The ten minutes are over.")
        assert width_seen(page) < FULL_WIDTH
        expect(page.get_by_role("button", name="Open full size €0.004")).to_be_visible()
        assert lena.charges == [("play", 1, 2_000)]
    finally:
        move_the_clock(shop, minutes=0)


def test_the_ninth_view_makes_it_ones_own(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    try:
        for number, price in enumerate(STEPS, start=1):
            move_the_clock(shop, minutes=11 * number)
            look(lena, shop.photo)
            page.get_by_role("button", name=f"Open full size €{price / 1_000_000:.3f}").click()
            if number < len(STEPS):
                expect(page.locator(".ring__text")).to_have_text(f"{number} of 9 views paid")
            wait_for_all_of_it(page)
        expect(page.locator(".strip")).to_contain_text("Yours since")
        assert lena.charges == [("play", n, price) for n, price in reversed(list(enumerate(STEPS, start=1)))]
        assert sum(price for _, _, price in lena.charges) == 1_022_000
        move_the_clock(shop, minutes=200)
        look(lena, shop.photo)
        assert width_seen(page) == FULL_WIDTH
        expect(
            page.locator("#main .price, #main .is-next, #main .seg-next, #main .button--price:visible")
        ).to_have_count(0)
        assert lena.wallet["balance_micros"] == 4_200_000 - 1_022_000
    finally:
        move_the_clock(shop, minutes=0)


def test_a_photo_is_bought_at_once_and_without_credit_it_says_so(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lars = arrive()
    lars.sign_up("lars")
    look(lars, shop.photo)
    expect(lars.page.locator(".strip")).to_contain_text("To open it costs €0.002; your credit is €0.00.")
    expect(lars.page.locator(".strip").get_by_role("link", name="Add credit")).to_be_visible()
    lars.add_credit(500)
    look(lars, shop.photo)
    lars.page.locator("#own-now").click()
    lars.page.get_by_role("dialog").get_by_role("button", name="Own it now €1.022").click()
    expect(lars.page.locator(".strip")).to_contain_text("Yours since")
    assert width_seen(lars.page) == FULL_WIDTH
    assert lars.charges == [("purchase", None, 1_022_000)]


def test_a_price_that_moved_is_shown_and_nothing_was_charged(shop: Shop, lena: Visitor) -> None:
    look(lena, shop.photo)
    session = lena.ask("POST", "sessions", {"work": shop.photo})  # meanwhile, on another device, ten minutes ago
    lena.ask("POST", f"sessions/{session['id']}/charge", {"price_micros": 2_000})
    try:
        move_the_clock(shop, minutes=11)
        lena.page.get_by_role("button", name="Open full size €0.002").click()
        expect(lena.page.get_by_role("alert").first).to_contain_text(
            "this view now costs €0.004, not €0.002. Nothing was charged."
        )
        assert len(lena.charges) == 1
        lena.page.get_by_role("button", name="Open full size €0.004").click()
        expect(lena.page.locator(".strip")).to_contain_text("Open in full until ")
        assert lena.charges == [("play", 2, 4_000), ("play", 1, 2_000)]
    finally:
        move_the_clock(shop, minutes=0)
