"""Everybody can see by which version: each place that names one leads to it, and there it stands with its vote."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from pypdf import PdfReader

from catalog.models import Work
from members import clock, policies, seals
from members.models import Person
from members.voting import contests, proposals
from tests import callers, cast
from tests.callers import Caller
from tests.members import assembly
from tests.playback.kept_files import own
from tests.playback.story import Story, said
from tests.royalties import years
from tests.royalties.earning import Summer

LEADS = re.compile(r"/policies/([a-z]+)#v([0-9]+)")
NAMED = re.compile(r"\b(pricing|revenue|opening|content|payouts|surplus|governance|policy|made|base)_(version|seq)\b")
# What a program is told of a version by its number, and where the place beside it stands instead of in a `_href`.
ELSEWHERE = {"StatementLine.revenue_version": "the statement's `policies`: its own bytes were sealed before"}


@pytest.fixture(autouse=True)
def _fresh(db: None) -> Iterator[None]:
    policies.forget()
    cache.clear()
    callers.forget_counts()
    yield
    policies.forget()
    cache.clear()


def leads(text: str) -> set[tuple[str, int]]:
    """Return the versions that a text leads to, having gone to each: its place is on the policy's page."""
    found = {(key, int(seq)) for key, seq in LEADS.findall(text)}
    for key, seq in found:
        page = Client().get(f"/policies/{key}").content.decode()
        assert f'id="v{seq}"' in page, f"{key} has no version {seq}"
    return found


def read(who: Person | None, path: str, *, status: int = 200) -> str:
    """Return what somebody is told at an address."""
    browser = Client()
    if who is not None:
        browser.force_login(who)
    answer = browser.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return b"".join(answer).decode()


def main_of(page: str) -> str:
    """Return what a page says itself, without head and foot."""
    return page.partition("<main")[2].partition("</main>")[0]


def test_a_quote_a_charge_and_a_price_lead_to_the_vote_on_prices() -> None:
    story = Story()
    lena, work = story.lena, story.work
    begun = story.begin()
    story.charge(begun)
    cast.set_clock(
        cast.vote("pricing", price_default_micros=2_044_000, price_max_micros=5_000_000) + timedelta(hours=1)
    )
    policies.forget()
    fresh = cast.track(story.profile)
    quote = story.begin(fresh)
    story.charge(quote)
    own(lena, cast.track(story.profile))
    old, new, opening = ("pricing", 1), ("pricing", 2), ("opening", 1)
    revenue = ("revenue", 1)
    ladder = f"/studio/works/{work.id}/ladder?pricing=own&price="
    entries = csv.DictReader(io.StringIO(read(lena, "/wallet/entries.csv")))
    dear = Caller(story.ana)("PATCH", f"works/{work.id}", {"price_micros": 9_000_000})
    told = {
        "a session begun before": (json.dumps(begun), {old, opening}),
        "a session": (json.dumps(quote), {new, opening}),
        "a ladder": (story.ask.get(f"works/{fresh.id}/ladder").content.decode(), {new}),
        "entries": (story.ask.get("wallet/entries").content.decode(), {old, new}),
        "their table": (" ".join(row["pricing_address"] for row in entries), {old, new}),
        "the wallet": (main_of(read(lena, "/wallet")), {old, new}),
        "a work's page": (main_of(read(lena, f"/works/{fresh.id}")), {new, revenue}),
        "one that was begun": (main_of(read(lena, f"/works/{work.id}")), {old, revenue}),
        "the ladder in the studio": (read(story.ana, f"{ladder}2"), {new, revenue}),
        "a price out of bounds": (read(story.ana, f"{ladder}9"), {new}),
        "the same of a program": (dear.content.decode(), {new}),
        "the front page": (main_of(read(None, "/")), {revenue}),
    }
    assert {name: leads(text) for name, (text, _) in told.items()} == {
        name: wanted for name, (_, wanted) in told.items()
    }


def test_a_certificate_leads_to_the_terms_it_was_bought_on() -> None:
    lena, work = cast.person("lena"), cast.track(cast.creator(cast.person("ana")))
    cast.top_up(lena, 2_000)
    own(lena, work)
    assert leads(main_of(read(lena, f"/library/works/{work.id}/certificate"))) == {("pricing", 1)}


def test_what_is_not_admitted_leads_to_the_vote_on_the_catalogue() -> None:
    ana = cast.person("ana")
    profile = cast.creator(ana)
    album = cast.release(profile)
    work = cast.track(profile, state="draft", release=album, position=1)
    Work.objects.filter(id=work.id).update(origin=Work.Origin.AI_GENERATED)
    cast.set_clock(cast.vote("content", ai_generated="forbidden") + timedelta(hours=1))
    policies.forget()
    forbidden = ("content", 2)
    browser = Client()
    browser.force_login(ana)
    sent = {"attested": "1"}
    refused = Caller(ana).post(f"works/{work.id}/publish", {"attested": True}).content.decode()
    assert leads(refused) == {forbidden}
    assert json.loads(refused)["policy"] == {"key": "content", "seq": 2, "href": "/policies/content#v2"}
    one = main_of(browser.post(f"/studio/works/{work.id}/publish", sent).content.decode())
    assert one.index('<a href="/policies/content#v2">') < one.index("Mend what it names")
    together = browser.post(f"/studio/releases/{album.id}/publish", sent).content.decode()
    assert leads(main_of(together)) == {forbidden}


def test_a_statement_and_what_is_earned_so_far_lead_to_the_split() -> None:
    summer = Summer()
    ana, divided = summer.ana, {("revenue", 1)}
    all_of_hers = said(Caller(ana).get("statements"))["results"]
    september = next(one for one in all_of_hers if one["month"] == "2026-09")
    august = next(one for one in all_of_hers if one["month"] == "2026-08")
    told = said(Caller(ana).get(f"statements/{september['id']}"))
    paper = b"".join(_answer(ana, "/statements/2026-09.pdf"))
    on_paper = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper)).pages)
    table = list(csv.DictReader(io.StringIO(read(ana, "/statements/2026-09.csv"))))
    so_far = list(csv.DictReader(io.StringIO(read(ana, "/earnings/so-far.csv"))))
    assert {row["revenue_address"] for row in (*table, *so_far)} == {f"{settings.BASE_URL}/policies/revenue#v1"}
    payouts = {("payouts", 1)}
    found = {
        "a statement": (json.dumps(told), divided | payouts),
        "one without lines": (Caller(ana).get(f"statements/{august['id']}").content.decode(), payouts),
        "its page": (main_of(read(ana, "/statements/2026-09")), divided | payouts),
        "on paper": (on_paper, divided | payouts),
        "so far": (Caller(ana).get("earnings").content.decode(), divided),
        "its page so far": (main_of(read(ana, "/earnings")), divided),
        "what waits": (main_of(read(summer.ben, "/earnings/payouts")), payouts),
        "a month": (main_of(read(None, "/periods/2026-09")), divided),
    }
    assert {name: leads(text) & wanted for name, (text, wanted) in found.items()} == {
        name: wanted for name, (_, wanted) in found.items()
    }
    # What was sealed is what it was, word by word: the program's answer without what stands beside it.
    sealed = {name: value for name, value in told.items() if name not in {"id", "sha256", "policies"}}
    assert seals.sha256_of(sealed) == told["sha256"]
    assert leads(read(ana, "/statements/2026-09.json")) == set()
    assert told["lines"][0]["revenue_version"] == 1


def test_a_years_surplus_leads_to_its_rates_and_a_proposal_to_its_rules() -> None:
    made = years.small_year()
    years.close(made.tess)
    rates = {("surplus", 1), ("revenue", 1)}
    assert leads(Caller(None).get(f"surplus/{years.YEAR}").content.decode()) == rates
    assert leads(main_of(read(None, f"/books/years/{years.YEAR}"))) == rates


def test_a_proposal_leads_to_what_it_follows_what_it_made_and_its_rules() -> None:
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    stale = assembly.drafted(people[1], seconds=40)
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyy", people)
    ends_at = assembly.go_on(proposal).ends_at
    cast.set_clock(ends_at)
    with pytest.raises(proposals.NotNow) as late:
        contests.file(proposal_id=proposal.id, person_id=people[5].id, grounds="Too late.", now=clock.now())
    assert late.value.extra["policy"]["href"] == "/policies/governance#v1"
    begins = assembly.go_on(proposal).effective_from
    cast.set_clock(begins - timedelta(hours=20))
    assembly.beat()
    cast.set_clock(begins + assembly.MINUTE)
    assembly.beat()
    everything = {("opening", 1), ("opening", 2), ("governance", 1)}
    assert leads(main_of(read(None, f"/proposals/{proposal.id}"))) == everything
    assert leads(Caller(None).get(f"proposals/{proposal.id}").content.decode()) == everything
    assert leads(Caller(None).get("proposals").content.decode()) == everything
    assert leads(main_of(read(None, "/policies"))) >= {("opening", 2), ("governance", 1)}
    with pytest.raises(policies.StaleBase) as refused:
        proposals.submit(proposal_id=stale.id, author_id=people[1].id, now=clock.now())
    assert refused.value.extra["policy"]["href"] == "/policies/opening#v2"


def test_whatever_the_api_numbers_it_leads_to() -> None:
    document = SchemaGenerator().get_schema(request=None, public=True)
    numbered = {}
    for name, schema in document["components"]["schemas"].items():
        fields = schema.get("properties", {})
        for field in fields:
            if NAMED.fullmatch(field):
                numbered[f"{name}.{field}"] = f"{field.rpartition('_')[0]}_href" in fields
    assert len(numbered) > 8
    assert {field for field, leads_on in numbered.items() if not leads_on} == set(ELSEWHERE)


def test_whatever_a_page_numbers_it_leads_to() -> None:
    root = Path(settings.BASE_DIR)
    printed = re.compile(
        r"{{[^}]*\b(?:pricing|revenue|opening|content|payouts|surplus|policy)_(?:version|seq)\b[^}]*}}"
    )
    found = {}
    for app in ("members", "catalog", "playback", "royalties", "infra"):
        for path in sorted((root / app / "templates").rglob("*.html")):
            text = path.read_text()
            if bare := printed.findall(text):
                found[path.name] = (len(bare), "policy_link" in text)
    # The front page says the number in words beside the link.
    assert found == {"front.html": (1, True)}


def _answer(who: Person, path: str) -> Any:
    browser = Client()
    browser.force_login(who)
    return browser.get(path)
