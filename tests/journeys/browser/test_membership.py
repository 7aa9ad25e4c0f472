"""From a stranger to a member in browsers: she applies, the secretary approves, her wallet pays, all look at it.

And what becomes of a member whom the board expelled, on the page of the panel that was drawn for her appeal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from members import clock
from members.belonging import expulsions
from members.belonging.models import Membership
from members.models import Person
from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.members import belonging
from tests.site import Site, committing

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


def appealed() -> dict[str, Person]:
    """Let the board expel Mona, who appeals to the only three who can be drawn; return them by name."""
    now = clock.now()
    names = ("mona", "pia", "paul", "petra")
    people = {name: belonging.member(name, now=now - timedelta(days=60)) for name in names}
    board = cast.person("dora", staff=("director",))
    asked = expulsions.open_question(
        membership_id=Membership.objects.get(person=people["mona"]).id,
        staff_id=board.id,
        reasons="She sold the register.",
        now=now - timedelta(days=40),
    )
    expulsions.say(expulsion_id=asked.id, staff_id=board.id, yes=True, now=now - timedelta(days=20))
    expulsions.appeal(person_id=people["mona"].id, words="I never had the register.", now=now)
    return people


@pytest.fixture(scope="module")
def told(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Serve a site with a listener who has credit, a secretary, a member who was expelled and appeals, and her panel.

    All is written before a browser starts.
    """
    people = {"lena": cast.person("lena"), "sam": belonging.secretary(), "tess": cast.treasurer("tess"), **appealed()}
    cast.top_up(people["lena"], 2_000)
    cookies = {}
    for name, who in people.items():
        client = Client()
        client.force_login(who)
        cookies[name] = client.cookies["sessionid"].value
    site = Site(tmp_path_factory.mktemp("membership"))
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


def test_she_applies_is_approved_pays_and_is_a_member(sit: Sit) -> None:
    hers, his, treasury = sit("lena"), sit("sam", color_scheme="dark"), sit("tess")
    hers.goto("/membership")
    is_sound(hers, "the door")
    hers.get_by_label("Full name").fill("Lena Example")
    hers.get_by_label("Postal address").fill("Ring 1\n10115 Berlin")
    hers.get_by_label("Listener", exact=True).check()
    hers.get_by_role("button", name="Apply").click()
    expect(hers.get_by_text("Your application is with the secretary.", exact=True)).to_be_visible()
    his.goto("/secretary")
    is_sound(his, "applications")
    his.get_by_role("button", name="Approve Lena Example").click()
    expect(his.get_by_text("Nobody waits.").first).to_be_visible()
    hers.reload()
    is_sound(hers, "approved")
    hers.get_by_role("button", name="Pay a year from the wallet").click()
    expect(hers.get_by_text("You are member number 5")).to_be_visible()
    expect(hers.locator(".credit .money")).to_have_text("€10.00")
    is_sound(hers, "a member")
    # A place among the workers, and hours that wait for somebody else.
    hers.get_by_text("Ask for another class").click()
    hers.get_by_label("Class", exact=True).select_option("worker")
    hers.get_by_role("button", name="Ask for it").click()
    expect(hers.get_by_text("waits for the secretary")).to_be_visible()
    hers.get_by_role("link", name="Hours").click()
    expect(hers.get_by_role("heading", name="Hours", level=1)).to_be_visible()
    is_sound(hers, "hours")
    his.get_by_role("link", name="Register", exact=True).click()
    expect(his.get_by_role("heading", name="Register", level=1)).to_be_visible()
    expect(his.get_by_role("row", name="Lena Example")).to_contain_text("joined")
    is_sound(his, "the register")
    treasury.goto("/secretary/dues-and-shares")
    is_sound(treasury, "dues and shares")
    his.goto("/secretary/expulsions")
    is_sound(his, "expulsions")


def test_one_of_the_three_finds_the_appeal_and_rules_and_she_reads_why(sit: Sit) -> None:
    pias, monas = sit("pia"), sit("mona", color_scheme="dark")
    pias.goto("/membership")
    pias.get_by_role("link", name="Decide about the expulsion of Mona Example").click()
    expect(pias.get_by_role("heading", name="You sit on the panel", level=1)).to_be_visible()
    expect(pias.get_by_text("I never had the register.")).to_be_visible()
    is_sound(pias, "the panel's page")
    pias.get_by_label("Lift it").check()
    pias.get_by_label("Your reasons").fill("Nobody could show it to us.")
    pias.get_by_role("button", name="Give this ruling").click()
    expect(pias.get_by_text("Your ruling is kept.")).to_be_visible()
    expect(pias.get_by_text("You have said: Lift it.")).to_be_visible()
    is_sound(pias, "after one ruling")
    monas.goto("/membership")
    monas.get_by_role("link", name="Your appeal, and what its panel says").click()
    expect(monas.get_by_role("heading", name="Your appeal", level=1)).to_be_visible()
    expect(monas.get_by_text("Nobody could show it to us.")).to_be_visible()
    expect(monas.get_by_role("main")).not_to_contain_text("Pia")
    expect(monas.get_by_role("button", name="Give this ruling")).to_have_count(0)
    is_sound(monas, "her appeal")
