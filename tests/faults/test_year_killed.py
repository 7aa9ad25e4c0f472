"""Whoever draws or divides a year is killed in the middle: the next one does it whole, once, and to the same bytes."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog import store
from members import clock
from royalties import accounts, ledger
from royalties.ledger_models import Transfer
from royalties.year import closing, publication
from royalties.year.models import Eligible, FinancialYear, Patronage
from tests.faults.test_ballot_killed import held, kill_at
from tests.royalties import years
from tests.royalties.years import YEAR
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]
WORK = (
    "import django; django.setup(); from members import clock; from royalties.year import work\n"
    f"while work.advance(year={YEAR}, now=clock.now()): pass"
)
State = FinancialYear.State


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Give processes that share this test's database and store."""
    site = Site(tmp_path)
    settings.BASE_URL = site.base_url
    site.env["REFRAIN_STORE_DIR"] = str(settings.STORE_DIR)
    yield site
    site.stop()


def test_a_year_whose_workers_are_killed_is_drawn_published_and_divided_once(site: Site) -> None:
    made = years.small_year()
    closing.close(year=YEAR, staff_id=made.tess.id, now=clock.now())
    words = [sys.executable, "-c", WORK]

    # In the middle of the drawing: nothing of it is there.
    with held("royalties_patronage"):
        kill_at("royalties_patronage", site.run("Drawing", words))
    assert (FinancialYear.objects.get().state, Eligible.objects.count()) == (State.DRAWING, 0)
    year = years.finish()
    assert (year.state, Patronage.objects.count()) == (State.READY, year.lines)

    # A lost bundle is made again, and is the one that members vote on.
    store.remove(year.key)
    publication.publish(year)
    assert store.is_there(year.key)

    # In the middle of the money: nothing of it has moved.
    reserve, booked = ledger.balance(accounts.RESERVE), Transfer.objects.count()
    FinancialYear.objects.update(state=State.BOOKING, accepted_at=clock.now())
    with held("royalties_transfer"):
        kill_at("royalties_transfer", site.run("Booking", words))
    assert (ledger.balance(accounts.RESERVE), Transfer.objects.count()) == (reserve, booked)
    assert years.finish().state == State.DONE
    parts = sum(Patronage.objects.values_list("cents", flat=True))
    assert year.figures is not None
    assert parts == sum(one["members_cents"] for one in year.figures["classes"].values()) > 0
    left = reserve - (parts + year.figures["common_good_cents"]) * 10_000
    assert ledger.balance(accounts.RESERVE) == left
    # Whoever comes after finds nothing to do.
    booked = Transfer.objects.count()
    assert years.finish().state == State.DONE
    assert Transfer.objects.count() == booked
