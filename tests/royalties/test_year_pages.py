"""Financial years over HTTP: the treasurers' room, the public page, a member's own part, and what strangers see."""

import pytest
from django.test import Client

from members.voting.proposal_models import Proposal
from royalties.year import parts
from royalties.year.models import FinancialYear
from tests import cast
from tests.callers import Caller
from tests.royalties import years
from tests.royalties.test_treasury_pages import browser, post, text
from tests.royalties.years import YEAR

pytestmark = pytest.mark.django_db


@pytest.fixture
def made():
    """Give a small year whose months are sealed and locked."""
    return years.small_year()


def test_a_year_goes_from_the_treasurer_s_button_to_the_members_accounts(made):
    tess, tom = browser(made.tess), browser(made.tom)
    assert f"Close {YEAR}" in text(tess.get("/treasury/years"))
    text(Client().get(f"/books/years/{YEAR}"), 404)
    text(Client().get(f"/api/v1/surplus/{YEAR}"), 404)
    text(tess.post(f"/treasury/years/{YEAR + 1}/close"), 409)
    post(tess, f"/treasury/years/{YEAR}/close")
    text(tess.post(f"/treasury/years/{YEAR}/motion"), 409)
    year = years.finish()
    assert "Put the motion" in text(tess.get("/treasury/years"))
    post(tess, f"/treasury/years/{YEAR}/motion")
    assert "Put the motion" not in text(tess.get("/treasury/years"))
    text(tom.post(f"/treasury/years/{YEAR}/motion"), 409)
    proposal = Proposal.objects.get()
    asked = text(Client().get(f"/proposals/{proposal.id}"))
    assert "What the motion divides" in asked
    assert f"/books/years/{YEAR}" in asked
    years.decide(proposal, made.voters, "yyyyy")
    years.finish()
    # Its capital is paid by two.
    post(tess, f"/treasury/years/{YEAR}/redeem")
    text(tess.post(f"/treasury/years/{YEAR}/redeem", {"confirm": "1"}), 403)
    assert "Another treasurer confirms it" in text(tess.get("/treasury/years"))
    ana = made.people["ana"]
    assert parts.capital(ana.id) > 0
    post(tom, f"/treasury/years/{YEAR}/redeem", confirm="1")
    assert years.finish().state == FinancialYear.State.REDEEMED
    assert parts.capital(ana.id) == 0
    assert year.manifest_sha256 == proposal.motion_sha256


def test_everybody_reads_where_it_goes_and_a_member_what_is_theirs(made, django_assert_num_queries):
    year = years.close(made.tess)
    lin = made.people["lin"]
    said = Client().get(f"/api/v1/surplus/{YEAR}").json()
    # Beside the figures that were sealed stands where their versions are read.
    assert said["figures"].pop("surplus_href") == "/policies/surplus#v1"
    assert said["figures"]["guard"].pop("revenue_href") == "/policies/revenue#v1"
    assert (said["figures"], said["manifest_sha256"]) == (year.figures, year.manifest_sha256)
    assert said["signed"] == year.document
    assert Client().get(f"/api/v1/surplus/{YEAR}/bundle.zip").status_code == 302
    shown = text(Client().get(f"/books/years/{YEAR}"))
    assert shown.count("<h1") == 1
    assert "Your part" not in shown
    assert f'<a href="/books/years/{YEAR}">' in text(Client().get(f"/books?year={YEAR}"))
    mine = Caller(lin, "listen")("GET", f"surplus/{YEAR}/mine").json()
    (part,) = mine["parts"]
    assert (part["member_class"], part["patronage"]) == ("listeners", 6_000_006 - 60_000)
    assert mine["capital_micros"] == 0
    assert "Your part" in text(browser(lin).get(f"/books/years/{YEAR}"))
    assert "if members accept the motion" in text(browser(lin).get("/membership"))
    # Whoever has no part sees none, and nobody sees another's.
    assert Caller(cast.person("mallory"), "listen")("GET", f"surplus/{YEAR}/mine").json()["parts"] == []
    assert part["published_as"] not in text(browser(made.people["lars"]).get("/membership"))
    assert "Capital account" not in text(browser(cast.person("mallory")).get("/membership"))
    with django_assert_num_queries(2):
        parts.of_person(lin.id)
