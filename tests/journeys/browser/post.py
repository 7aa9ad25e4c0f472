"""The post of the shop: what was mailed to somebody, and the links in it."""

import re

from playwright.sync_api import Page

from infra import throwaway
from tests.journeys.browser.conftest import Shop


def send_letters(shop: Shop) -> None:
    """Let the worker's sweep send what waits to be sent."""
    sweep = "from members.tasks import sweep_notices; sweep_notices()"
    throwaway.manage(shop.stack, "shell", "-c", sweep, as_owner=True)


def mail_to(page: Page, shop: Shop, email: str, subject: str) -> str:
    """Return the mail of the outbox that was sent to an address, as text."""
    page.goto(f"{shop.url}/outbox")
    return page.locator(".mails li", has_text=subject).filter(has_text=email).first.inner_text()


def link_in(mail: str, pattern: str) -> str:
    """Return the first address in a mail that fits."""
    found = re.search(pattern, mail)
    assert found is not None, mail
    return found.group(0)


def confirm_by_the_mail(page: Page, shop: Shop, email: str) -> None:
    """Follow the link of the mail that came when the account was made."""
    link = link_in(mail_to(page, shop, email, "Confirm your e-mail"), r"/accounts/confirm-email/\S+")
    page.goto(f"{shop.url}{link}")
    page.locator("main form").get_by_role("button").first.click()
    page.wait_for_load_state()
