"""Two treasurers and a payee in browsers: from a cost and the bank's lines to a released file, for everyone to use."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.playback.test_chargebacks import said as disputed
from tests.playback.till import tell
from tests.royalties.treasury import SEPTEMBER, payee, seal
from tests.site import Site, committing

BANK = b"date,amount,words\n2026-09-20,-50.00,Rent of the hall\n2026-09-21,70.00,Settlement\n"
Sit = Callable[..., Page]


@dataclass(frozen=True, kw_only=True)
class Told:
    """Where the site is, and who is signed in by which cookie."""

    url: str
    cookies: dict[str, str]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def told(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Serve a site with a sealed month, people to pay and a dispute. All is written before a browser starts."""
    seal(SEPTEMBER)
    people = {"tess": cast.treasurer("tess"), "tom": cast.treasurer("tom"), "cleo": cast.person("cleo")}
    people["ana"], _ = payee("ana", 12_345_678), payee("ben", 3_000_000)
    tell(disputed(cast.top_up(cast.person("lena"), 1_000, vat_ppm=190_000)))
    cookies = {}
    for name, who in people.items():
        client = Client()
        client.force_login(who)
        cookies[name] = client.cookies["sessionid"].value
    site = Site(tmp_path_factory.mktemp("treasury"))
    try:
        site.serve()
        yield Told(url=site.base_url, cookies=cookies)
    finally:
        site.stop()


@pytest.fixture
def sit(told: Told, browser: Browser) -> Iterator[Sit]:
    """Give a function that seats somebody before a browser, signed in."""
    contexts = []

    def seated(name: str, **options: str) -> Page:
        context = browser.new_context(base_url=told.url, **options)
        context.add_cookies([{"name": "sessionid", "value": told.cookies[name], "url": told.url}])
        contexts.append(context)
        return context.new_page()

    yield seated
    for context in contexts:
        context.close()


def test_a_month_is_matched_locked_and_paid_by_two(sit: Sit) -> None:
    hers, his = sit("tess"), sit("tom", color_scheme="dark")
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
    mine = sit("ana", color_scheme="dark")
    mine.goto("/earnings/payouts")
    expect(mine.get_by_text("on its way since")).to_be_visible()
    expect(mine.get_by_text("€0.005678")).to_be_visible()
    is_sound(mine, "payouts")


def test_the_other_rooms_and_an_account_are_for_everyone(sit: Sit) -> None:
    hers = sit("tess")
    for path, heading in (("", "Treasury"), ("/disputes", "Disputes"), ("/reconciliation", "Reconciliation")):
        hers.goto(f"/treasury{path}")
        expect(hers.get_by_role("heading", name=heading, level=1)).to_be_visible()
        is_sound(hers, heading)
    hers.goto("/treasury/disputes")
    hers.get_by_label("Why it moves again").fill("The bank was mistaken.")
    hers.get_by_role("button", name="Let the wallet move again").click()
    expect(hers.get_by_role("heading", name="No wallet is frozen")).to_be_visible()
    mine = sit("cleo")
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
