"""Two treasurers and a payee in browsers: from a cost and the bank's lines to a released file, for everyone to use."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.playback.test_chargebacks import said as disputed
from tests.playback.till import tell
from tests.royalties import treasury
from tests.royalties.treasury import SEPTEMBER, payee, seal
from tests.site import Site, committing

BANK = b"date,amount,words\n2026-09-20,-50.00,Rent of the hall\n2026-09-21,70.00,Settlement\n"
Sit = Callable[..., Page]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Let Django work beside the browser's driver, which keeps a loop in this thread; else it refuses the database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def sit(django_db_setup: None, django_db_blocker, browser: Browser, tmp_path: Path) -> Iterator[Sit]:
    """Give a function that seats somebody before a browser, signed in; the site is the production server."""
    with committing(django_db_blocker):
        site, contexts = Site(tmp_path), []

        def seated(who, **options: str) -> Page:
            client = Client()
            client.force_login(who)
            context = browser.new_context(base_url=site.base_url, **options)
            cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site.base_url}
            context.add_cookies([cookie])
            contexts.append(context)
            return context.new_page()

        try:
            site.serve()
            yield seated
        finally:
            for context in contexts:
                context.close()
            site.stop()


def test_a_month_is_matched_locked_and_paid_by_two(sit: Sit) -> None:
    seal(SEPTEMBER)
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    ana, ben = payee("ana", 12_345_678), payee("ben", 3_000_000)
    hers, his = sit(tess), sit(tom, color_scheme="dark")
    hers.goto("/treasury/journal")
    is_sound(hers, "an empty journal")
    hers.get_by_label("File of the bank").set_input_files({"name": "lines.csv", "mimeType": "text/csv", "buffer": BANK})
    hers.get_by_role("button", name="Take it in").click()
    expect(hers.get_by_text("2 new lines of 2")).to_be_visible()
    is_sound(hers, "lines that nobody explained")
    for sum_of, words in (("−€50.00", "Hall rent"), ("€70.00", "Cards of September")):
        line = hers.get_by_role("listitem").filter(has=hers.get_by_role("heading", name=sum_of, exact=True))
        line.get_by_text("Say what it is").click()
        line.get_by_label("What for").fill(words)
        line.get_by_role("button", name="Enter it").click()
        expect(hers.get_by_role("heading", name=re.compile(words))).to_be_visible()
    his.goto("/treasury/journal")
    is_sound(his, "entries for a second treasurer")
    for left in (1, 0):
        his.get_by_role("button", name="Confirm and book").first.click()
        expect(his.get_by_role("button", name="Confirm and book")).to_have_count(left)
    hers.goto("/treasury/months")
    month = hers.get_by_role("listitem").filter(has=hers.get_by_role("heading", name="September 2026"))
    month.get_by_text("Enter the bank's balance").click()
    month.get_by_label("The bank's balance at its end").fill("20.00")
    month.get_by_role("button", name="Enter it").click()
    expect(hers.get_by_text("You entered the balance")).to_be_visible()
    his.goto("/treasury/months")
    is_sound(his, "months")
    his.get_by_role("button", name="Confirm €20.00 and lock the books").click()
    expect(his.get_by_text("sealed, books locked")).to_be_visible()
    hers.goto("/treasury/payouts")
    is_sound(hers, "what is due")
    hers.get_by_role("button", name="Prepare €12.34").click()
    expect(hers.get_by_text("You prepared it")).to_be_visible()
    his.goto("/treasury/payouts")
    is_sound(his, "payouts for release")
    his.get_by_role("button", name="Release €12.34").click()
    expect(his.get_by_role("heading", name="€12.34 for September 2026")).to_be_visible()
    is_sound(his, "a batch")
    with his.expect_download() as saved:
        his.get_by_role("link", name="File for the bank").click()
    assert saved.value.suggested_filename == "RFR-202609-01.xml"
    mine = sit(ana, color_scheme="dark")
    mine.goto("/earnings/payouts")
    expect(mine.get_by_text("on its way since")).to_be_visible()
    is_sound(mine, "payouts")
    assert (treasury.owed(ana), treasury.owed(ben)) == (5_678, 3_000_000)


def test_the_other_rooms_and_an_account_are_for_everyone(sit: Sit) -> None:
    seal(SEPTEMBER)
    tess, lena, cleo = cast.treasurer("tess"), cast.person("lena"), cast.person("cleo")
    tell(disputed(cast.top_up(lena, 1_000, vat_ppm=190_000)))
    hers = sit(tess)
    for path, heading in (("", "Treasury"), ("/disputes", "Disputes"), ("/reconciliation", "Reconciliation")):
        hers.goto(f"/treasury{path}")
        expect(hers.get_by_role("heading", name=heading, level=1)).to_be_visible()
        is_sound(hers, heading)
    hers.goto("/treasury/disputes")
    hers.get_by_label("Why it moves again").fill("The bank was mistaken.")
    hers.get_by_role("button", name="Let the wallet move again").click()
    expect(hers.get_by_role("heading", name="No wallet is frozen")).to_be_visible()
    mine = sit(cleo)
    mine.goto("/earnings/account")
    is_sound(mine, "no account")
    mine.get_by_label("Holder of the account").fill("Cleo")
    mine.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 01")
    mine.get_by_role("button", name="Use this account").click()
    expect(mine.get_by_text("check digits are wrong")).to_be_visible()
    mine.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    mine.get_by_role("button", name="Use this account").click()
    expect(mine.get_by_role("heading", name="DE •••• 3000")).to_be_visible()
    is_sound(mine, "an account")
