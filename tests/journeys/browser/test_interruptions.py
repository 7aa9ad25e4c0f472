"""What comes between a listener and a play: no credit, a limit, a lost answer, a reload, two tabs, a moved price."""

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from infra import throwaway
from tests.journeys.browser.conftest import Program, Shop
from tests.journeys.browser.visitor import OPEN_SECONDS, Visitor, lose_answers


def test_out_of_credit_is_told_before_the_play_and_a_top_up_leads_back(
    shop: Shop, arrive: Callable[..., Visitor]
) -> None:
    lars = arrive()
    lars.sign_up_by_the_page("lars")
    lars.open_work(shop.nebula)
    told = "At 0:12 it stops: this play costs €0.002 and your credit is €0.00."
    assert told in lars.says()
    lars.press_play()
    lars.expect_state("opening")
    assert told in lars.says()
    lars.hurry()
    lars.seek(6)
    lars.expect_state("refused")
    assert "This play cannot go on: it costs €0.002 and your credit is €0.00." in lars.says()
    assert not lars.is_sounding()
    lars.page.get_by_role("link", name="Add credit").click()

    expect(lars.page.get_by_role("heading", name="Wallet")).to_be_visible()
    lars.page.get_by_text("€5.00").click()
    lars.page.get_by_role("button", name="Go to checkout").click()
    lars.page.wait_for_url(re.compile(f"^{re.escape(shop.stack.gateway_url)}/checkouts/"))
    expect(lars.page.locator("body")).to_contain_text("5.00")
    lars.page.get_by_role("button", name=re.compile("pay", re.IGNORECASE)).first.click()
    expect(lars.page.get_by_role("heading", name="Credit added")).to_be_visible(timeout=15_000)
    assert "Credit €4.20" in " ".join(lars.page.locator(".receipt").inner_text().split())
    lars.page.get_by_role("link", name="Go on listening").click()

    lars.expect_state("stopped")
    assert "Stopped at 0:12. Nothing was charged." in lars.says()
    lars.page.get_by_role("button", name="Go on from here €0.002").click()
    lars.expect_state("playing")
    assert lars.is_sounding()
    assert 11.5 < lars.position() < 16
    assert lars.charges == [("play", 1, 2_000)]


def test_buying_without_the_credit_says_so_and_offers_a_top_up(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lars = arrive()
    lars.sign_up("lars")
    lars.open_work(shop.nebula)
    lars.page.locator("#own-now").click()
    dialog = lars.page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="Add credit")).to_be_hidden()
    dialog.get_by_role("button", name="Own it now €1.022").click()
    expect(dialog.get_by_role("alert")).to_contain_text("the wallet holds €0.00. Nothing was charged.")
    expect(dialog.get_by_role("link", name="Add credit")).to_be_visible()
    assert lars.charges == []
    lars.expected.append("402 (Payment Required)")


def test_a_price_that_lapsed_is_asked_anew_and_charged_if_it_is_the_same(shop: Shop, lena: Visitor) -> None:
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(14)
    lena.expect_state("stopped")
    try:
        move_the_clock(shop, minutes=16)
        lena.page.locator("#go-on").click()
        lena.expect_state("playing")
        assert lena.charges == [("play", 1, 2_000)]
        assert [answer["status"] for answer in lena.answers("/charge")] == [410, 200]
    finally:
        move_the_clock(shop, minutes=0)
    lena.expected.append("410 (Gone)")


def move_the_clock(shop: Shop, *, minutes: int) -> None:
    """Move the clock of the whole co-op, as the demo's builder may."""
    with shop.stack.postgres.connect(user=shop.stack.postgres.owner, database=shop.stack.postgres.database) as database:
        database.execute("UPDATE members_coop SET clock_offset = make_interval(mins => %s)", [minutes])


def test_a_limit_that_was_set_stops_a_play_and_says_which(shop: Shop, lena: Visitor) -> None:
    lena.page.goto(f"{shop.url}/wallet")
    lena.page.get_by_text("Set a limit").click()
    lena.page.get_by_label("A day").fill("nonsense")
    lena.page.get_by_role("button", name="Set these limits").click()
    expect(lena.page.get_by_text("Write an amount like 2.50")).to_be_visible()
    lena.page.get_by_label("A day").fill("0,001")
    lena.page.get_by_role("button", name="Set these limits").click()
    expect(lena.page.get_by_text("Your limits are set.")).to_be_visible()
    assert lena.wallet["day_limit_micros"] == 1_000
    lena.open_work(shop.nebula)
    assert "At 0:12 it stops:" in lena.says()
    assert "€0.001 a day that you set" in lena.says()
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(14)
    lena.expect_state("refused")
    assert "This play cannot go on: a limit you set is reached." in lena.says()
    assert lena.charges == []
    lena.expected.append("400 (Bad Request)")


def test_answers_lost_on_the_way_charge_once(shop: Shop, lena: Visitor) -> None:
    lost: list[int] = []
    lena.page.route("**/charge", lambda route: lose_answers(route, lost=lost, times=3))
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.hurry()
    lena.seek(6)
    lena.expect_state("asks")
    lena.page.locator("#go-on").click()
    lena.expect_state("playing", seconds=20)
    assert lost == [200, 200, 200]  # each was carried out, and the same answer came each time
    assert lena.charges == [("play", 1, 2_000)]
    lena.wait_until_heard(OPEN_SECONDS + 0.5)
    lena.expected.append("ERR_CONNECTION_RESET")


def test_a_charge_that_comes_late_goes_on_where_the_opening_ended(shop: Shop, lena: Visitor) -> None:
    def answer_late(route: Route) -> None:
        lena.page.wait_for_timeout(4_500)
        route.continue_()

    lena.page.route("**/charge", answer_late)
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.hurry()
    lena.seek(6)
    lena.expect_state("asks")
    lena.page.locator("#go-on").click()
    lena.expect_state("charging")
    lena.expect_state("playing", seconds=20)
    lena.wait_until_heard(OPEN_SECONDS + 0.5)
    assert lena.charges == [("play", 1, 2_000)]


def test_segments_whose_addresses_have_ended_are_fetched_anew(shop: Shop, lena: Visitor) -> None:
    refused: list[str] = []

    asked: list[str] = []

    def refuse_some(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) in (4, 7):
            refused.append(route.request.url)
            route.fulfill(status=403, body="ended")
        else:
            route.continue_()

    lena.page.route("**/*.m4s*", refuse_some)
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.hurry()
    lena.wait_until_heard(11)
    assert len(refused) == 2, asked
    assert lena.page.locator(".playbox").get_attribute("data-shows") == "opening"
    lena.expected.append("403 (Forbidden)")


def test_a_reload_and_another_tab_and_the_way_back_never_pay_twice(shop: Shop, lena: Visitor) -> None:
    lena.page.goto(f"{shop.url}/")
    lena.page.get_by_role("link", name="Nebula").click()
    lena.expect_state("idle")
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(14)
    lena.page.locator("#go-on").click()
    lena.expect_state("playing")
    lena.wait_until_heard(15)

    lena.page.reload()
    lena.expect_state("resume")
    assert "This play is paid. It goes on from 0:1" in lena.says()
    lena.press_play()
    lena.expect_state("playing")
    lena.wait_until_heard(1)
    assert 14 <= lena.position() < 18
    assert lena.charges == [("play", 1, 2_000)]

    second = lena.new_tab()
    lena.open_work(shop.nebula, second)
    lena.expect_state("resume", second)
    lena.press_play(second)
    lena.expect_state("playing", second)
    lena.seek(8, second)
    assert lena.is_sounding(second)
    assert not lena.is_sounding()  # one listener hears one thing
    assert lena.charges == [("play", 1, 2_000)]

    second.get_by_role("link", name="Listen").first.click()
    expect(second.get_by_role("heading", name="New on the shelf")).to_be_visible()
    assert lena.is_sounding(second)  # the sound goes on while one moves through the site
    expect(second.locator("#player .player__cost")).to_contain_text("Playing.")
    second.go_back()
    lena.expect_state("playing", second)
    assert lena.is_sounding(second)
    second.locator("#play").click()
    assert not lena.is_sounding(second)
    assert lena.charges == [("play", 1, 2_000)]
    assert lena.wallet["balance_micros"] == 4_198_000


def test_two_tabs_in_one_session_charge_it_once(shop: Shop, lena: Visitor) -> None:
    second = lena.new_tab()
    for page in (lena.page, second):
        lena.open_work(shop.nebula, page)
        lena.press_play(page)
        lena.expect_state("opening", page)
        lena.seek(14, page)
        lena.expect_state("stopped", page)
    lena.page.locator("#go-on").click()
    second.locator("#go-on").click()
    for page in (lena.page, second):
        lena.expect_state("playing", page)
        expect(page.locator(".ring__text")).to_have_text("1 of 9 plays paid")
    assert lena.charges == [("play", 1, 2_000)]


def test_a_price_that_moved_is_shown_and_nothing_was_charged(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lena = arrive()
    email = lena.sign_up()
    lena.add_credit(500)
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(21)
    lena.page.locator("#go-on").click()
    lena.expect_state("playing")
    lena.seek(24)
    lena.expect_state("ended")
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(14)
    expect(lena.page.locator("#go-on")).to_contain_text("€0.004")

    give_back_last_charge(shop, email)
    lena.page.locator("#go-on").click()
    lena.expect_state("refused")
    assert "The price has moved: this play now costs €0.002, not €0.004." in lena.says()
    expect(lena.page.locator("a[data-policy-href]")).to_have_attribute("href", "/policies/pricing#v1")
    expect(lena.page.locator("a[data-policy-href]")).to_have_text("pricing 1")
    assert [charge for charge in lena.charges if charge[2] == 4_000] == []
    lena.page.locator("#go-on").click()
    lena.expect_state("playing")
    assert "€0.002 paid." in lena.says()
    lena.expected.append("409 (Conflict)")


def give_back_last_charge(shop: Shop, email: str) -> None:
    """Let a treasurer give back what the listener paid last."""
    with shop.stack.postgres.connect(user=shop.stack.postgres.owner, database=shop.stack.postgres.database) as database:
        listener, charge = database.execute(
            "SELECT c.listener_id, c.id FROM playback_charge c JOIN members_person p ON p.id = c.listener_id"
            " WHERE p.email = %s ORDER BY c.charged_at DESC LIMIT 1",
            [email],
        ).fetchone()
        database.execute(
            "INSERT INTO members_person (id, email, name, country, password, is_superuser, is_active, is_staff)"
            " VALUES (gen_random_uuid(), 'tess@journey.example', 'Tess', 'DE', '!', false, true, false)"
            " ON CONFLICT DO NOTHING"
        )
        database.execute(
            "INSERT INTO members_staffrole (person_id, role)"
            " SELECT id, 'treasurer' FROM members_person WHERE email = 'tess@journey.example' ON CONFLICT DO NOTHING"
        )
    token = throwaway.manage(shop.stack, "token", "tess@journey.example", "--scope", "treasury", as_owner=True).strip()
    body = f'{{"listener": "{listener}", "charge": "{charge}", "reason": "It was silent for a minute."}}'
    Program(shop.stack, token).ask("POST", "staff/reversals", body.encode())


def test_by_keyboard_alone(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    lena.open_work(shop.nebula)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "play":
            break
    assert page.evaluate("document.activeElement.id") == "play"
    page.keyboard.press("Enter")
    lena.expect_state("opening")
    assert page.evaluate("document.activeElement.id") == "play"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    lena.expect_state("stopped")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "go-on"
    page.keyboard.press("Enter")
    lena.expect_state("playing")
    assert lena.charges == [("play", 1, 2_000)]
    assert page.evaluate("document.activeElement.closest('.playbox') !== null")  # the focus is not lost
