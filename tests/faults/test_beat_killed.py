"""Beat dies while it moves a proposal on: what it had begun is not done, and everybody is told once by the next."""

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from members.models import Notice
from members.voting.proposal_models import Proposal
from tests import callers, cast
from tests.faults.test_ballot_killed import BEGIN, WAIT_SECONDS, held, kill_at
from tests.members import assembly
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]
BEAT = f"{BEGIN} from members.voting import proposal_life; proposal_life.advance(now=clock.now())"


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Give processes that share this test's database and store."""
    site = Site(tmp_path)
    settings.BASE_URL = site.base_url
    site.env["REFRAIN_STORE_DIR"] = str(settings.STORE_DIR)
    yield site
    site.stop()


def test_a_step_whose_beat_is_killed_tells_nobody_and_the_next_ones_tell_each_once(site: Site) -> None:
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    ends_at = assembly.seen(proposal).ends_at
    assert ends_at is not None
    cast.set_clock(ends_at + timedelta(minutes=1))
    before = callers.digest()
    words = [sys.executable, "-c", BEAT]
    # The text is frozen, the roll is drawn, the vote is called: only the letters are missing.
    with held("members_notice"):
        kill_at("members_notice", site.run("Beat", words))
    assert {name for name, now in callers.digest().items() if now != before[name]} <= {"members_coop"}
    assert assembly.seen(proposal).state == Proposal.State.DELIBERATION
    # Two beats at once, for whoever started another did not know whether the first was dead.
    beats = [site.run(f"Beat {number}", words) for number in (1, 2)]
    give_up_at = time.monotonic() + WAIT_SECONDS
    while any(one.is_running() for one in beats):
        assert time.monotonic() < give_up_at
        time.sleep(0.05)
    assert all("Traceback" not in site.log_of(one) for one in beats)
    assert assembly.seen(proposal).state == Proposal.State.NOTICE
    told = Notice.objects.filter(subject__startswith="A vote begins on").values_list("person_id", flat=True)
    assert sorted(told, key=str) == sorted((one.id for one in people), key=str)
    assert proposal.parts.filter(state="notice").count() == 1
