"""Two treasurers and a payee in browsers: from a cost and the bank's lines to a released file, for everyone to use."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from defusedxml.ElementTree import fromstring
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from members import sepa
from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.playback.test_chargebacks import said as disputed
from tests.playback.till import tell
from tests.royalties import treasury
from tests.royalties.treasury import SEPTEMBER, payee, seal
from tests.site import ROOT, Site, committing

BANK = b"date,amount,words\n2026-09-20,-50.00,Rent of the hall\n2026-09-21,70.00,Settlement\n"
Sit = Callable[..., Page]


@dataclass(frozen=True, kw_only=True)
class Told:
    """The site, and who is signed in by which cookie."""

    site: Site
    cookies: dict[str, str]

    @property
    def url(self) -> str:
        """Return where it is."""
        return self.site.base_url

    def turn_to(self, moment: str) -> None:
        """Let it be that moment of the co-op's time."""
        host, port, user, name = (self.site.env[f"REFRAIN_DB_{part}"] for part in ("HOST", "PORT", "OWNER", "NAME"))
        with psycopg.connect(host=host, port=port, user=user, dbname=name) as owner:
            owner.execute("UPDATE members_coop SET clock_offset = %s - clock_timestamp()", [treasury.at(moment)])

    def close_period(self, month: str) -> str:
        """Let workers take the turns of a run, as the command does."""
        command = [sys.executable, ROOT / "manage.py", "close_period", month]
        done = subprocess.run(command, env=self.site.env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


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
        yield Told(site=site, cookies=cookies)
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


def take_in(page: Page, content: bytes) -> None:
    """Take in a file of the bank on the journal's page."""
    page.get_by_label("File of the bank").set_input_files({"name": "bank", "mimeType": "text/plain", "buffer": content})
    page.get_by_role("button", name="Take it in").click()


def paid_by_the_bank(file: bytes, *, sums: list[str]) -> bytes:
    """Check a file of payouts against its schema and for these sums; return the statement of a bank that paid them."""
    sepa.check(file)
    payments = list(fromstring(file).iter(f"{{{sepa.NAMESPACE}}}CdtTrfTxInf"))
    found = [
        [next(payment.iter(f"{{{sepa.NAMESPACE}}}{name}")).text for name in ("EndToEndId", "InstdAmt")]
        for payment in payments
    ]
    assert [size for _, size in found] == sums
    details = "".join(
        f'<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs><Amt Ccy="EUR">{size}</Amt></TxDtls>'
        for name, size in found
    )
    return treasury.statement(treasury.entry(-sum(int(size.replace(".", "")) for size in sums), details=details))


def test_a_month_is_matched_locked_and_paid_by_two(sit: Sit) -> None:
    hers, his = sit("tess"), sit("tom", color_scheme="dark")
    hers.goto("/treasury/journal")
    is_sound(hers, "an empty journal")
    take_in(hers, BANK)
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
    statement = paid_by_the_bank(Path(saved.value.path()).read_bytes(), sums=["12.34"])
    mine = sit("ana", color_scheme="dark")
    mine.goto("/earnings/payouts")
    expect(mine.get_by_text("on its way since")).to_be_visible()
    hers.goto("/treasury/journal")
    take_in(hers, statement)
    expect(hers.get_by_text("1 payout booked")).to_be_visible()
    mine.reload()
    expect(mine.get_by_text("paid on 5 Oct 2026")).to_be_visible()
    expect(mine.get_by_text("€0.005678")).to_be_visible()
    is_sound(mine, "payouts")


def test_the_demo_s_bank_is_there_to_be_taken_in(sit: Sit) -> None:
    hers = sit("tess")
    hers.goto("/treasury/journal")
    with hers.expect_download() as saved:
        hers.get_by_role("link", name="September 2026", exact=True).click()
    assert saved.value.suggested_filename == "play-bank-2026-09.xml"
    assert b"BkToCstmrStmt" in Path(saved.value.path()).read_bytes()


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


def test_a_month_is_closed_with_a_bar_that_goes_on(sit: Sit, told: Told) -> None:
    """Last in this file: it is November then."""
    hers = sit("tess")
    hers.goto("/treasury/months")
    expect(hers.get_by_role("heading", name="October 2026")).to_be_visible()
    expect(hers.get_by_role("button", name="Close October 2026")).to_have_count(0)
    told.turn_to("2026-11-01 09:00")
    hers.reload()
    hers.get_by_role("button", name="Close October 2026").click()
    bar = hers.get_by_role("progressbar", name="Closing October 2026")
    expect(bar).to_be_visible()
    expect(hers.get_by_text("Posting what is not in the ledger yet")).to_be_visible()
    is_sound(hers, "a month that closes")
    hers.evaluate("window.stays = true")
    assert "[##############################] 100 %  Sealed" in told.close_period("2026-10")
    # The page goes on by itself, and nothing else on it moves.
    expect(hers.get_by_role("status").filter(has_text="Sealed")).to_be_visible()
    expect(bar).to_have_js_property("value", 100)
    october = hers.get_by_role("listitem").filter(has=hers.get_by_role("heading", name="October 2026"))
    expect(october.get_by_text("sealed, books open")).to_be_visible()
    assert hers.evaluate("window.stays")
    is_sound(hers, "a month that was closed")
    hers.get_by_role("main").get_by_role("link", name="Where every euro went").click()
    expect(hers.get_by_text("October 2026, sealed on 1 November 2026")).to_be_visible()
