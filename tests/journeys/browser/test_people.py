"""Two people run a profile: an invitation by mail, a photo that the second one sends and publishes, and the way out."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect

from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.post import confirm_by_the_mail, link_in, mail_to, send_letters
from tests.journeys.browser.reach import NARROW, is_sound
from tests.journeys.browser.visitor import Visitor

INGESTED_WITHIN_MS = 120_000


def invite(mia: Visitor, shop: Shop, other: str) -> None:
    """Found a profile and invite somebody into it by keyboard."""
    page = mia.page
    page.goto(f"{shop.url}/studio")
    page.get_by_label("Name of the profile").fill("Two Windows")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Two Windows", level=1)).to_be_visible()
    page.get_by_text("Invite somebody").focus()
    page.keyboard.press("Enter")
    page.get_by_label("E-mail").fill(other)
    page.get_by_label("Role", exact=True).select_option("editor")
    is_sound(page, "inviting")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("invited as editor")).to_be_visible()


def accept(noa: Visitor, shop: Shop, email: str) -> None:
    """Open the mail on a phone; whose address is not confirmed sees no invitation."""
    page = noa.page
    send_letters(shop)
    link = link_in(mail_to(page, shop, email, "Two Windows"), r"/studio/invitations/[0-9a-f-]{36}")
    page.goto(f"{shop.url}{link}")
    expect(page.get_by_role("button", name="Accept the role")).to_have_count(0)
    confirm_by_the_mail(page, shop, email)
    page.goto(f"{shop.url}/studio")
    page.get_by_role("link", name="Answer Two Windows").click()
    expect(page.get_by_role("heading", name="Two Windows", level=1)).to_be_visible()
    is_sound(page, "an invitation")
    page.get_by_role("button", name="Accept the role").click()
    expect(page.get_by_role("heading", name="Two Windows", level=1)).to_be_visible()
    expect(page.get_by_text("As its editor you may")).to_be_visible()


def send_a_photo(noa: Visitor, shop: Shop, path: Path) -> None:
    """Send a photo, say what is on it, and publish it."""
    page = noa.page
    Image.linear_gradient("L").resize((2000, 1500)).convert("RGB").save(path, quality=85)
    page.goto(f"{shop.url}/upload")
    page.get_by_label("Choose files").set_input_files(path)
    expect(page.get_by_text("It is a draft now.")).to_be_visible(timeout=INGESTED_WITHIN_MS)
    page.get_by_role("link", name="Look at the draft").click()
    expect(page.get_by_role("heading", name="window", level=1)).to_be_visible()
    page.get_by_label("I attest that it was made as said above").check()
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_text("This work cannot be published: A photo says in words")).to_be_visible()
    page.get_by_label("What it shows").fill("A grey window, dark above")
    page.get_by_role("button", name="Keep this").click()
    expect(page.get_by_text("It is kept.")).to_be_visible()
    page.get_by_label("I attest that it was made as said above").check()
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_text("“window” is published.")).to_be_visible()
    is_sound(page, "a published photo")


def test_two_people_run_a_profile(shop: Shop, arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    mia, noa, stranger = arrive(), arrive(viewport=NARROW, color_scheme="dark"), arrive()
    mia.sign_up_by_the_page("mia")
    other = noa.sign_up_by_the_page("noa")
    invite(mia, shop, other)
    accept(noa, shop, other)
    send_a_photo(noa, shop, tmp_path / "window.jpg")

    stranger.page.goto(f"{shop.url}/creators/two-windows")
    expect(stranger.page.get_by_role("img", name="A grey window, dark above")).to_be_visible()

    page = mia.page
    page.goto(f"{shop.url}/studio/creators/two-windows")
    page.get_by_label("Role of Noa", exact=True).select_option("viewer")
    page.get_by_role("button", name="Change the role of Noa").click()
    expect(page.get_by_label("Role of Noa", exact=True)).to_have_value("viewer")
    page = noa.page
    page.goto(f"{shop.url}/studio/creators/two-windows")
    expect(page.get_by_text("As its viewer you may")).to_be_visible()
    expect(page.get_by_role("button", name="Keep this")).to_have_count(0)
    is_sound(page, "a viewer's profile")
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="Studio", level=1)).to_be_visible()
    page.goto(f"{shop.url}/studio/creators/two-windows")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Two Windows")
    noa.expected += ["404 (Not Found)", "409 (Conflict)"]
