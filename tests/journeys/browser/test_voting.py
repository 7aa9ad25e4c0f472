"""A vote in browsers: a proposal is written, sponsored and voted on, and a ballot is found again when it is counted."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from members.voting.proposal_models import Proposal
from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.members import assembly
from tests.site import Site, committing

Sit = Callable[..., Page]
Done = TypeVar("Done")


@dataclass(frozen=True, kw_only=True)
class Told:
    """Where the site is, its members, and who is signed in by which cookie."""

    url: str
    people: list[Any]
    cookies: dict[str, str]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def told(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Serve a site with six members who may vote, and somebody who is none. All is written before a browser starts."""
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    cookies = {}
    for who in (*people, cast.person("lars")):
        client = Client()
        client.force_login(who)
        cookies[who.name.lower()] = client.cookies["sessionid"].value
    site = Site(tmp_path_factory.mktemp("voting"))
    try:
        site.serve()
        yield Told(url=site.base_url, people=people, cookies=cookies)
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


def aside(act: Callable[..., Done], *given: Any) -> Done:
    """Do something in the database while a browser is open, beside the loop that drives it."""

    def done() -> Done:
        try:
            return act(*given)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other:
        return other.submit(done).result()


def until_the_vote(proposal: Proposal, sponsors: list[Any]) -> None:
    """Bring a proposal from its sponsors to its vote."""
    assembly.sponsor(proposal, *sponsors)
    assembly.beat()
    assembly.go_on(proposal)
    assembly.go_on(proposal)


def write(page: Page) -> None:
    """Write a proposal from the front room on, and put it before the members."""
    page.goto("/coop")
    is_sound(page, "the front room, empty")
    page.get_by_role("link", name="Write a proposal").click()
    expect(page.get_by_role("heading", name="What should be different?")).to_be_visible()
    page.get_by_role("link", name="What is heard free").click()
    expect(page.get_by_role("heading", name="What is heard free: what should hold?")).to_be_visible()
    page.get_by_label("Title").fill("A shorter opening")
    page.get_by_label("Why").fill("Half a minute is a chorus.")
    page.get_by_label("Seconds of the opening").fill("19")
    expect(page.locator(".trial__refused")).to_contain_text("From 20 to 60.")
    page.get_by_label("Seconds of the opening").fill("30")
    expect(page.get_by_text("An ordinary vote decides it.")).to_be_visible()
    is_sound(page, "writing it")
    page.get_by_role("button", name="Keep as a draft").click()
    page.get_by_role("button", name="Put it before the members").click()
    expect(page.get_by_text("0 of 3 stand behind it")).to_be_visible()


def learn_why_not(page: Page, proposal: Proposal) -> None:
    """Read as somebody who is no member why one cannot vote."""
    page.goto(f"/proposals/{proposal.id}")
    expect(page.get_by_role("heading", name="You are not on this roll")).to_be_visible()
    page.get_by_role("link", name="Why you are not on it").click()
    expect(page.get_by_role("heading", name="You are not on it.")).to_be_visible()
    expect(page.get_by_text("You had not applied to join by then.")).to_be_visible()


def test_a_member_asks_all_vote_and_each_finds_their_ballot(told: Told, sit: Sit, tmp_path: Path) -> None:
    ada, bo, lars = sit("ada"), sit("bo", color_scheme="dark"), sit("lars")
    write(ada)
    proposal = aside(Proposal.objects.get)
    bo.goto(f"/proposals/{proposal.id}")
    bo.get_by_role("button", name="Stand behind it").click()
    expect(bo.get_by_text("1 of 3 stand behind it")).to_be_visible()
    is_sound(bo, "seeking sponsors")
    aside(until_the_vote, proposal, told.people[2:4])
    # The vote is open. One ballot from a browser, whose number is drawn there, the others over the core.
    learn_why_not(lars, proposal)
    ada.goto(f"/proposals/{proposal.id}")
    ada.get_by_role("link", name="Am I on the roll?").click()
    expect(ada.get_by_role("heading", name="You are on it, as a listener.")).to_be_visible()
    is_sound(ada, "the roll")
    ada.get_by_role("button", name="Check the proof here").click()
    expect(ada.get_by_text("Your leaf, one of 6, leads to the root on this page.")).to_be_visible()
    expect(ada.get_by_text("It is the root that was announced.")).to_be_visible()
    expect(ada.get_by_text("The notice is signed with the key")).to_be_visible()
    expect(ada.locator(".check__found .is-wrong")).to_have_count(0)
    ada.goto(f"/proposals/{proposal.id}")
    expect(ada.get_by_role("heading", name="A shorter opening")).to_be_visible()
    is_sound(ada, "the ballot")
    ada.get_by_label("Yes").check()
    ada.get_by_role("button", name="Cast this ballot").click()
    expect(ada.get_by_role("heading", name="Your ballot is in the urn")).to_be_visible()
    with ada.expect_download() as kept:
        ada.get_by_role("link", name="Keep the receipt and the secret number").click()
    kept.value.save_as(tmp_path / "ballot.json")
    receipt = json.loads((tmp_path / "ballot.json").read_text())
    tracker = receipt["receipt"]["tracker"]
    expect(ada.locator("[data-place=tracker]")).to_have_text(tracker)
    assert (receipt["choice"], len(receipt["nonce"])) == ("yes", 32)
    is_sound(ada, "the receipt")
    aside(assembly.vote, proposal, ".yyyn.", told.people)
    ada.reload()
    expect(ada.get_by_text("5 of 6 on the roll have voted.")).to_be_visible()
    aside(assembly.go_on, proposal)
    bo.goto(f"/proposals/{proposal.id}")
    expect(bo.get_by_role("heading", name="It passed")).to_be_visible()
    is_sound(bo, "the result")
    bo.get_by_label("Your tracker").fill(tracker)
    bo.get_by_role("button", name="Look in the urn").click()
    expect(bo.get_by_text("listener, yes")).to_be_visible()
    aside(assembly.go_on, proposal)
    bo.goto("/coop")
    expect(bo.get_by_role("article").get_by_role("link", name="A shorter opening")).to_be_visible()
    is_sound(bo, "the front room")
    bo.goto("/proposals")
    is_sound(bo, "all proposals")


# What somebody types first, into which fields, beneath which of them they are told what, and what mends it.
MISTAKES = [
    ("opening", {"Seconds of the opening": "half a minute"}, None, "Write a whole number, like 20.", "30"),
    ("opening", {"Seconds of the opening": "61"}, None, "From 20 to 60.", "30"),
    ("opening", {"Seconds of the opening": ""}, None, "This field is required.", "30"),
    ("pricing", {"Price of a work whose creator names none": "1 euro"}, None, "Write an amount like 2.50", "1,5"),
    ("pricing", {"Lowest price of a work": "2"}, "Highest price of a work", "The default price €1.50 is not", "0.5"),
    ("content", {"Fewest pixels along a photo’s longer edge": "1,6"}, None, "Write a whole number", "2,000"),
    ("payouts", {"Paid every month from": "2.505"}, None, "in whole cents", "2,50"),
    ("payouts", {"Paid every month from": "26"}, None, "From €1.00 to €25.00.", "20"),
    ("revenue", {"To the creators": "72,5"}, "To the co-op", "these come to 102.5 %", "70"),
    ("surplus", {"Of the rest, to workers": "19.5"}, "Of the rest, to workers", "these come to 99.5 %", "20"),
    ("governance", {"Weight of the workers": "25"}, "Weight of the workers", "these come to 105 %", "20"),
    ("governance", {"Ordinary: above so many parts of the classes’ weight": "2"}, "of so many (ordinary, weight)",
     "would be 1; it is from 1/2 to 3/5", "1"),
]  # fmt: skip


def test_each_form_says_beside_the_field_what_cannot_be_while_one_types(sit: Sit) -> None:
    ada = sit("ada")
    open_form = ""
    for key, typed, told_at, words, mended in MISTAKES:
        if key != open_form:
            ada.goto(f"/proposals/new?policy={key}")
            open_form = key
        for label, text in typed.items():
            ada.get_by_label(label, exact=True).fill(text)
        (label,) = typed
        wrong, told = (ada.get_by_label(name, exact=True) for name in (label, told_at or label))
        field = ada.locator(".field").filter(has=told)
        expect(field.locator(".field__error")).to_contain_text(words)
        expect(wrong).to_have_attribute("aria-invalid", "true")
        # Whoever hears the page hears why with the field it stands beneath.
        expect(told).to_have_accessible_description(re.compile(re.escape(words)))
        wrong.fill(mended)
        expect(ada.locator(".field__error")).to_have_count(0)
        expect(ada.locator("[aria-invalid]")).to_have_count(0)
    is_sound(ada, "the form of the rules")
