"""A new creator in the studio: from sign-up to a work that is priced with its ladder drawn, shared, and published."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser.conftest import Program, Shop, cut
from tests.journeys.browser.post import confirm_by_the_mail, link_in, mail_to, send_letters
from tests.journeys.browser.reach import NARROW, is_sound
from tests.journeys.browser.visitor import Visitor


def make_a_profile(page: Page, shop: Shop) -> None:
    page.goto(f"{shop.url}/studio")
    page.get_by_label("Name of the profile").fill("Mia & Noa")
    page.get_by_role("button", name="Make the profile").click()
    expect(page.get_by_role("heading", name="Mia & Noa", level=1)).to_be_visible()
    page.get_by_label("About").fill("Two voices and a tape machine.")
    page.get_by_label("Links").fill("https://mia.example/")
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_text("The profile says so now.")).to_be_visible()
    is_sound(page, "profile")


def price_it(page: Page, program: Program, work: str) -> None:
    """Type prices: the ladder is drawn as they stand there, and nothing is kept by it."""
    drawn = page.locator("[data-place=ladder]")
    page.get_by_label("A price of its own").focus()
    page.keyboard.press("Space")
    page.get_by_label("Price of the work").fill("2.044")
    expect(drawn).to_contain_text("1.024")
    expect(drawn).to_contain_text("€1.4308")
    page.get_by_label("Price of the work").fill("0.1")
    expect(drawn).to_contain_text("A price is €0.20 to €50.00")
    page.get_by_role("button", name="€0.511").click()
    expect(drawn).to_contain_text("0.256")
    page.get_by_label("Nothing: free to keep").check()
    expect(drawn).to_contain_text("owns it for ever")
    page.get_by_label("A price of its own").check()
    expect(drawn).to_contain_text("0.256")
    assert program.ask("GET", f"works/{work}")["price_micros"] is None


def describe_it(page: Page, program: Program, work: str) -> None:
    """Make a mistake, which is said beside its field, and mend it."""
    page.get_by_label("ISRC").fill("QZ-ES7-12-0074")
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_text("it has 11 characters after the hyphens are taken out")).to_be_visible()
    is_sound(page, "mistake")
    page.get_by_label("ISRC").fill("QZ-ES7-12-00074")
    page.get_by_label("Tags").fill("tape, ambient")
    page.get_by_role("button", name="Another line").click()
    page.get_by_label("Role, line 1").fill("tape")
    page.get_by_label("Name, line 1").fill("Noa")
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_text("It is kept.")).to_be_visible()
    kept = program.ask("GET", f"works/{work}")
    assert (kept["price_micros"], kept["isrc"], kept["tags"]) == (511_000, "QZES71200074", ["tape", "ambient"])


def share_it(page: Page, other: str) -> None:
    """Write a split sheet, which says what is missing as it is typed."""
    sums = page.locator("[data-place=sum]")
    page.get_by_label("Share of payee 1 in per cent").fill("60")
    expect(sums).to_have_text("60.0000 %. Still to be given: 40.0000 %.")
    page.get_by_label("E-mail of payee 2").fill(other)
    page.get_by_label("What payee 2 is paid for").fill("voice")
    page.get_by_label("Share of payee 2 in per cent").fill("40")
    expect(sums).to_have_text("100.0000 %: the whole.")
    is_sound(page, "work")
    page.get_by_role("button", name="Propose this sheet").click()
    expect(page.get_by_text("The sheet is written, and a mail goes out.")).to_be_visible()


def accept_it(phone: Page, shop: Shop, email: str) -> None:
    """Answer on a phone: the mail, a sign-in whose address is not confirmed yet, the button."""
    send_letters(shop)
    link = link_in(mail_to(phone, shop, email, "do you accept?"), r"/splits/[0-9a-f-]{36}")
    phone.goto(f"{shop.url}{link}")
    expect(phone.get_by_text(f"There is no invitation here for {email}.")).to_be_visible()
    confirm_by_the_mail(phone, shop, email)
    phone.goto(f"{shop.url}{link}")
    expect(phone.get_by_role("heading", level=1)).to_contain_text("40.0000 %")
    is_sound(phone, "split")
    phone.get_by_role("button", name="Accept 40.0000 %").click()
    expect(phone.get_by_text("Every payee accepted it.")).to_be_visible()


def arrange_a_release(page: Page, shop: Shop, second: str) -> None:
    """Put works in their order by keyboard, and publish them together."""
    page.goto(f"{shop.url}/studio/creators/mia-noa")
    page.get_by_text("Make a release").click()
    page.get_by_label("Title").fill("Loops")
    page.get_by_role("button", name="Make the release").click()
    for title in ("Tape Hiss", "Second Side"):
        page.get_by_label("Add a work").select_option(label=title)
        page.get_by_role("button", name="Add it at the end").click()
        expect(page.locator("[data-work]", has_text=title)).to_be_visible()
    page.get_by_role("button", name="Move Second Side up").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-place=said]")).to_have_text("Second Side is number 1 now.")
    expect(page.get_by_role("button", name="Move Second Side down")).to_be_focused()
    page.reload()
    assert page.locator("[data-work]").first.get_attribute("data-work") == second
    is_sound(page, "release")
    page.get_by_label("I attest how each was made").check()
    page.get_by_role("button", name="Publish the drafts").click()
    expect(page.locator(".answers")).to_contain_text("Published: Second Side.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_s_studio_and_what_is_not_for_one(shop: Shop, arrive: Callable[..., Visitor], scheme: str) -> None:
    dora = arrive(viewport=NARROW, color_scheme=scheme)
    dora.sign_up("dora")
    for path in ("/studio", "/splits/00000000-0000-4000-8000-000000000000"):
        dora.page.goto(f"{shop.url}{path}")
        is_sound(dora.page, path)
    dora.expected.append("404 (Not Found)")


def test_a_new_creator_prices_shares_and_publishes(shop: Shop, arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    mia, noa = arrive(), arrive(viewport=NARROW, color_scheme="dark")
    email, other, page = mia.sign_up_by_the_page("mia"), noa.sign_up("noa"), mia.page
    confirm_by_the_mail(page, shop, email)
    make_a_profile(page, shop)
    program = Program(shop.stack, mia.token("publish"))
    uploads = [
        program.upload(cut(tmp_path, name, start=start, seconds=21))
        for name, start in (("Tape Hiss", 20), ("Second Side", 44))
    ]
    work, second = (program.work_of(upload) for upload in uploads)

    page.goto(f"{shop.url}/studio")
    is_sound(page, "studio")
    page.get_by_role("link", name="Tape Hiss").last.click()
    expect(page.get_by_role("heading", name="Tape Hiss", level=1)).to_be_visible()
    price_it(page, program, work)
    describe_it(page, program, work)
    share_it(page, other)
    accept_it(noa.page, shop, other)

    page.reload()
    page.get_by_label("I attest that it was made as said above").check()
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_text("“Tape Hiss” is published.")).to_be_visible()
    is_sound(page, "published")
    noa.page.goto(f"{shop.url}/works/{work}")
    expect(noa.page.get_by_role("heading", name="Tape Hiss", level=1)).to_be_visible()
    arrange_a_release(page, shop, second)

    page.set_viewport_size(NARROW)
    for path in ("/studio", "/studio?state=published", f"/studio/works/{work}", "/studio/creators/mia-noa"):
        page.goto(f"{shop.url}{path}")
        is_sound(page, path)
    mia.expected.append("400 (Bad Request)")
    noa.expected.append("404 (Not Found)")
