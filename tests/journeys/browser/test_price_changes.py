"""A vote changes a price: from a draft to the first play at the new price, in weeks of the co-op's own clock.

Who is in the middle of a ladder keeps the terms they began under; who begins after the vote's moment has the new ones.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from catalog.models import Work
from members.voting.proposal_models import Proposal
from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.journeys.browser.test_voting import Told, aside, until_the_vote
from tests.members import assembly
from tests.site import Site, committing

Sit = Callable[..., Page]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def song(transactional_db: None) -> str:
    """Give a track too short for an opening, so that its button asks for the price."""
    return str(cast.track(cast.creator(cast.person("ana")), seconds=8).id)


@pytest.fixture(scope="module")
def told(song: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Serve a site with six members, Lena in the middle of a ladder, and Lars, who begins after the vote."""
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    lena, lars = cast.person("lena"), cast.person("lars")
    cookies = {}
    for who in (*people, lena, lars):
        client = Client()
        client.force_login(who)
        cookies[who.name.lower()] = client.cookies["sessionid"].value
    for listener in (lena, lars):
        cast.top_up(listener, 1_000)
    cast.play(lena, Work.objects.get(id=song))
    site = Site(tmp_path_factory.mktemp("price"))
    try:
        site.serve()
        yield Told(url=site.base_url, people=people, cookies=cookies)
    finally:
        site.stop()


@pytest.fixture
def sit(told: Told, browser: Browser) -> Iterator[Sit]:
    """Give a function that seats somebody before a browser, signed in."""
    contexts = []

    def seated(name: str, **options: Any) -> Page:
        context = browser.new_context(base_url=told.url, **options)
        context.add_cookies([{"name": "sessionid", "value": told.cookies[name], "url": told.url}])
        contexts.append(context)
        return context.new_page()

    yield seated
    for context in contexts:
        context.close()


def write(page: Page) -> None:
    """Ask for a price three times as high, and put it before the members."""
    page.goto("/proposals/new")
    page.get_by_role("link", name="What a play costs").click()
    expect(page.get_by_role("heading", name="What a play costs: what should hold?")).to_be_visible()
    page.get_by_label("Title").fill("A fairer price")
    page.get_by_label("Why").fill("Three times what it was.")
    page.get_by_label("Price of a work whose creator names none").fill("3.066")
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_role("button", name="Put it before the members").click()
    expect(page.get_by_text("0 of 3 stand behind it")).to_be_visible()


def until_it_is_queued(proposal: Proposal, people: list[Any]) -> datetime:
    """Let all vote for it, and nobody contest it; return from when on it holds."""
    assembly.vote(proposal, "yyyyy.", people)
    assembly.go_on(proposal)
    begins = assembly.go_on(proposal).effective_from
    assert begins is not None
    return begins


def at(moment: datetime) -> None:
    """Come to a moment, with beat."""
    cast.set_clock(moment)
    assembly.beat()


def test_from_a_draft_to_the_first_play_at_the_new_price(told: Told, song: str, sit: Sit) -> None:
    ada, lars, lena = sit("ada"), sit("lars"), sit("lena", color_scheme="dark")
    write(ada)
    proposal = aside(Proposal.objects.get)
    aside(until_the_vote, proposal, told.people[2:5])
    begins = aside(until_it_is_queued, proposal, told.people)
    lars.goto("/policies/pricing")
    expect(lars.get_by_role("heading", name="Voted")).to_be_visible()
    expect(lars.get_by_role("link", name="proposal 1, “A fairer price”")).to_be_visible()
    # A day before, the version is written down; it is read, and holds for nobody yet.
    aside(at, begins - timedelta(hours=23))
    lars.goto("/policies/pricing")
    expect(lars.locator("#v2").get_by_text("to come")).to_be_visible()
    expect(lars.locator("#v1").get_by_text("holds now")).to_be_visible()
    expect(lars.locator("#v2").get_by_text("3.066")).not_to_have_count(0)
    lars.locator("#v2 summary").click()
    expect(lars.locator("#v2 .diff").get_by_text("€1.022 before")).to_be_visible()
    is_sound(lars, "a version to come")
    lars.goto(f"/works/{song}")
    expect(lars.get_by_role("button", name="Play €0.002")).to_be_visible()
    # From its moment on Lars begins at the new price, and Lena goes on at hers.
    aside(at, begins + timedelta(minutes=1))
    lars.goto(f"/works/{song}")
    lars.get_by_role("button", name="Play €0.006").click()
    expect(lars.locator(".ring__text")).to_contain_text("1 of 9")
    lars.goto("/wallet")
    expect(lars.locator(".entries")).to_contain_text("0.006")
    lars.get_by_role("link", name="pricing 2").click()
    expect(lars.get_by_role("heading", name="What a play costs")).to_be_visible()
    expect(lars.locator("#v2").get_by_text("holds now")).to_be_visible()
    lars.locator("#v2").get_by_role("link", name="proposal 1, “A fairer price”").click()
    expect(lars.get_by_role("heading", name="A fairer price")).to_be_visible()
    expect(lars.get_by_text("It holds as version 2.").first).to_be_visible()
    lena.goto(f"/works/{song}")
    lena.get_by_role("button", name="Play €0.004").click()
    expect(lena.locator(".ring__text")).to_contain_text("2 of 9")
    expect(lena.locator(".holding-place").get_by_role("link", name="pricing 1")).to_be_visible()
    lena.goto("/wallet")
    expect(lena.get_by_role("link", name="pricing 1")).to_have_count(2)
    is_sound(lena, "the wallet with its versions")
