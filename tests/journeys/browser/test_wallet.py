"""A wallet from the first top-up to the last cent back; a work that is reported, suspended, appealed for, lifted."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import CREATOR, Shop
from tests.journeys.browser.post import send_letters
from tests.journeys.browser.reach import NARROW, faults_of_access, sideways
from tests.journeys.browser.visitor import PASSWORD, Visitor


def look(visitor: Visitor) -> None:
    """Check that the page can be used by everybody, on a phone's width too."""
    assert faults_of_access(visitor.page) == []
    wide = visitor.page.viewport_size
    visitor.page.set_viewport_size(NARROW)
    assert sideways(visitor.page) == 0
    visitor.page.set_viewport_size(wide)


def employ(shop: Shop, email: str, role: str) -> None:
    """Give somebody a role of the staff."""
    with shop.stack.postgres.connect(user=shop.stack.postgres.owner, database=shop.stack.postgres.database) as database:
        database.execute(
            "INSERT INTO members_staffrole (person_id, role) SELECT id, %s FROM members_person WHERE email = %s",
            [role, email],
        )


@pytest.mark.parametrize("scheme", ["dark"])
def test_credit_comes_in_is_spent_and_goes_back(shop: Shop, arrive: Callable[..., Visitor], scheme: str) -> None:
    lena = arrive(color_scheme=scheme)
    email = lena.sign_up()
    page = lena.page
    page.goto(f"{shop.url}/wallet/cash-out")
    expect(page.get_by_text("There is nothing to cash out")).to_be_visible()
    look(lena)
    assert lena.add_credit(500) == 4_200_000
    session = lena.ask("POST", "sessions", {"work": shop.nebula})
    lena.ask("POST", f"sessions/{session['id']}/charge", {"price_micros": session["price_micros"]})
    page.goto(f"{shop.url}/wallet")
    expect(page.get_by_text("its price when you pressed play")).to_be_visible()
    look(lena)
    page.get_by_role("link", name="Cash out").click()
    expect(page.get_by_label("How much")).to_have_value("4.19")
    look(lena)
    page.get_by_label("How much").fill("3.00")
    page.get_by_role("button", name="See what goes where").click()
    expect(page.get_by_text("Step 2 of 2")).to_be_visible()
    expect(page.locator("tr.sum")).to_contain_text("€3.57")
    assert lena.wallet["balance_micros"] == 4_198_000
    look(lena)
    page.get_by_role("button", name="Cash out €3.00").click()
    expect(page.get_by_role("heading", name="Cashed out")).to_be_visible()
    expect(page.get_by_text("refunded on")).to_be_visible(timeout=60_000)
    assert lena.wallet["balance_micros"] == 1_198_000
    look(lena)
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("€3.57")
    look(lena)
    send_letters(shop)
    page.goto(f"{shop.url}/outbox")
    mail = page.locator(".mails li", has_text="You cashed out €3.00").filter(has_text=email)
    expect(mail).to_contain_text("€3.57 (credit €3.00, VAT €0.57)")


def test_a_work_is_reported_suspended_appealed_for_and_lifted(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    stranger, wen, wim, ana = (arrive() for _ in range(4))
    employ(shop, wen.sign_up("wen"), "catalogue")
    employ(shop, wim.sign_up("wim"), "catalogue")
    stranger.page.goto(f"{shop.url}/works/{shop.free}/report")
    look(stranger)
    stranger.page.get_by_label("It is somebody else's work").check()
    stranger.page.get_by_label("What is wrong, and how do you know?").fill("This is my recording.")
    stranger.page.get_by_role("button", name="Send this report").click()
    expect(stranger.page.get_by_role("heading", name="Your report is in")).to_be_visible()
    look(stranger)

    page = wen.page
    page.goto(f"{shop.url}/staff/reports")
    expect(page.get_by_text("This is my recording.")).to_be_visible()
    page.get_by_text("Suspend the work").click()
    look(wen)
    page.get_by_label("What was found").fill("It is a recording of somebody else's.")
    page.get_by_label("The rule or law that it breaks").fill("Section 97 of the copyright act.")
    page.get_by_label("What the decision covers").fill("The work, everywhere.")
    page.get_by_role("button", name="Suspend this work").click()
    expect(page.get_by_text("Suspended. Its people have the statement of reasons.")).to_be_visible()
    stranger.open_work(shop.free)
    expect(stranger.page.get_by_text("This work is suspended after a report.")).to_be_visible()

    page = ana.page
    page.goto(f"{shop.url}/accounts/login/?next=/works/{shop.free}/appeal")
    page.get_by_label("Email").fill(CREATOR)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form").get_by_role("button", name="Sign in").click()
    expect(page.locator(".credit")).to_be_visible()
    page.goto(f"{shop.url}/works/{shop.free}/appeal")
    expect(page.get_by_text("Section 97 of the copyright act.")).to_be_visible()
    look(ana)
    page.get_by_label("Why should it not be suspended?").fill("It is licensed; here is the contract.")
    page.get_by_role("button", name="File this appeal").click()
    expect(page.get_by_text("Your appeal is filed.")).to_be_visible()

    wen.page.goto(f"{shop.url}/staff/reports")
    expect(wen.page.get_by_text("You suspended it, so somebody else decides this.")).to_be_visible()
    page = wim.page
    page.goto(f"{shop.url}/staff/reports")
    page.get_by_text("Decide it").click()
    look(wim)
    page.get_by_label("Lift the suspension").check()
    page.get_by_label("The reasons").fill("The contract is in order.")
    page.get_by_role("button", name="Decide this appeal").click()
    expect(page.get_by_text("Decided. The people of the work are told why.")).to_be_visible()
    stranger.open_work(shop.free)
    expect(stranger.page.get_by_text("This work is suspended after a report.")).to_have_count(0)
    stranger.page.goto(f"{shop.url}/reports")
    expect(stranger.page.get_by_text("Appeals in which it was lifted")).to_be_visible()
    look(stranger)
