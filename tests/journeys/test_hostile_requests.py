"""Hostile requests: schemathesis sends what the OpenAPI document allows, and what it forbids, to the real server.

It sends as Lena, whose token has every scope, who is a treasurer and runs a profile: what is sent gets as far in as
anything may. No answer is a fault of the server, and each is one that the document names, in the shape it names.
"""

import json
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection

from catalog import reports, sharing
from catalog.intake import transfers as uploading
from catalog.models import Creator, Upload, Work
from catalog.report_models import Appeal, Report
from catalog.sharing import Payee
from infra.parts.child import SCRIPTS
from members import clock
from members.models import Person
from playback import cashouts, certificates, charging, refunds, reversals, sessions, transfers
from playback.cashout_models import RefundTransfer
from playback.models import Charge
from tests import callers, cast
from tests.journeys.routes.table import ROUTES
from tests.members import assembly, belonging
from tests.site import ROOT, Site, committing

pytestmark = pytest.mark.xdist_group("hostile-requests")
SEED = 20261122
# What a vote or a cursor decides, no schema can say: some requests that it allows are rightly refused. In a form
# anything is a file, so what was made to be none is taken for one.
CHOSEN = """
[checks]
positive_data_acceptance.enabled = false

[phases.coverage]
# Every other method of every address is tried by test_strangers.py.
unexpected-methods = ["TRACE"]

[[operations]]
include-name = "POST /api/v1/uploads"
checks = { positive_data_acceptance.enabled = false, negative_data_rejection.enabled = false }

[[operations]]
include-name-regex = "(POST|DELETE) /api/v1/transfers.*"
# The upload protocol says 412 where a header is missing or of another version.
checks = { negative_data_rejection.enabled = false, missing_required_header.enabled = false }

[[operations]]
# Its body is of a type that schemathesis does not write; tests/catalog/test_transfers.py does.
include-name = "PATCH /api/v1/transfers/{transfer_id}"
enabled = false
"""
# What Lena has put before the members.
ASKED: dict[str, dict[str, int]] = {"": {}, "opening": {"seconds": 30}}
NOT_DOCUMENTED = ("api/v1/", "api/v1/schema", "api/v1/docs")
EXAMPLES = 500 if os.environ.get("REFRAIN_LONG") else 12


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, transactional_db: None) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("hostile"), env={"REFRAIN_THROTTLE_PER_MINUTE": "10000000"})
    try:
        site.serve()
        site.open_till()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def known(site: Site) -> dict[str, list[Any]]:
    """Give what exists, by the names of parameters and fields: Lena's own, and Lars's, which is nothing to her."""
    now = clock.now()
    lena, lars, ana = cast.person("lena", staff=("treasurer", "catalogue")), cast.person("lars"), cast.person("ana")
    own, theirs = cast.creator(lena), cast.creator(ana)
    works = [cast.track(theirs), cast.track(theirs, price_micros=0), cast.track(theirs, state="off"), cast.track(own)]
    works += [cast.track(own, state="draft"), cast.track(theirs, state="draft"), cast.track(theirs, state="suspended")]
    reversals.fund_budget(amount_micros=10**12)
    sittings = []
    for person in (lena, lars):
        cast.top_up(person, 50_000)
        sittings += [sessions.begin(person_id=person.id, work_id=work.id, now=now)[0] for work in works[:2]]
        charging.charge_session(person_id=person.id, session_id=sittings[-2].id, price_micros=2_000)
    cast.confirm(lena)
    offered = [
        sharing.propose(
            work_id=cast.track(theirs, state="draft").id,
            person_id=ana.id,
            payees=[Payee(email=lena.email, share_ppm=500_000), Payee(email=email, share_ppm=500_000)],
            now=now,
        )
        for email in ("b@c.example", "d@e.example", "f@g.example", "h@i.example")
    ]
    cash_outs, entries = going_back(lena, lars)
    album = cast.release(theirs)
    works.append(cast.track(theirs, release=album, position=1))
    bought = cast.track(theirs)
    cast.buy(lena, bought, price_micros=1_022_000)
    certificate = certificates.issue(person_id=lena.id, work_id=bought.id, named=False, now=now)
    sending = uploading.begin(person_id=lena.id, creator_id=own.id, filename="x.flac", size_bytes=9, now=now)
    appeals = reported(ana, theirs)
    works += [work for appeal in appeals for work in Work.objects.filter(id=appeal.suspension.work_id)]
    works += [report.work for report in Report.objects.filter(decision=None).select_related("work")]
    belonging.pay(belonging.approved(lena, now=now), now=now)
    asked = [assembly.submitted(lena, key=key, **figures) for key, figures in ASKED.items()]
    found: dict[str, list[Any]] = {
        "proposal_id": [proposal.id for proposal in asked],
        "covers_from": [(clock.day(now) + timedelta(days=365)).isoformat()],
        "cash_out_id": cash_outs,
        "release_id": [album.id],
        "certificate_id": [certificate["certificate"]["id"]],
        "transfer_id": [sending.id],
        "refund_id": [entry.refund_id for entry in entries],
        "refund": [entry.refund_id for entry in entries],
        "entry_id": [entry.id for entry in entries],
        "iban": ["DE89370400440532013000"],
        "appeal_id": [appeal.id for appeal in appeals],
        "sheet_id": [sheet.id for sheet in offered],
        "token": [callers.token(lena)],
        "work_id": [*[bought.id] * 6, *(work.id for work in works)],
        "work": [work.id for work in works],
        "session_id": [sitting.id for sitting in sittings],
        "charge": [charge.id for charge in Charge.objects.filter(listener=lars)],
        "listener": [lars.id],
        "top_up_id": [top_up.id for person in (lena, lars) for top_up in person.top_ups.all()],
        "upload_id": [upload.id for upload in Upload.objects.all()],
        "slug": [own.slug, theirs.slug],
        "key": ["pricing", "opening", "content", "revenue"],
        "amount_micros": [1_000_000, 5_000_000],
        "price_micros": [2_000, 4_000, 1_022_000],
    }
    return {
        name: [value if isinstance(value, int) else str(value) for value in values] for name, values in found.items()
    }


def going_back(lena: Person, lars: Person) -> tuple[list[UUID], list[RefundTransfer]]:
    """Cash out for both; Lars's payment is too old, and another treasurer has entered where it is transferred."""
    tess, now, entries, own = cast.treasurer(), clock.now(), [], []
    for number in range(4):
        taken, _ = cashouts.take(person_id=lena.id, amount_micros=10_000, key=f"own-{number}")
        own.append(taken.id)
        taken, _ = cashouts.take(person_id=lars.id, amount_micros=10_000, key=f"old-{number}")
        refund = taken.refunds.get()
        refunds.record(refund_id=refund.id, outcome=refunds.TOO_OLD, gateway_id="", now=now)
        account = {"holder": "Lars", "iban": "DE89370400440532013000"}
        entries.append(transfers.enter(refund_id=refund.id, staff_id=tess.id, now=now, **account))
    return own, entries


def reported(ana: Person, theirs: Creator) -> list[Appeal]:
    """Let works be reported; some are suspended by another of the staff, and Ana appeals."""
    wim, now, found = cast.person("wim", staff=("catalogue",)), clock.now(), []
    said = {"facts": "It is a copy.", "rule": "The law.", "scope": "Everywhere."}
    for number in range(10):
        work = cast.track(theirs)
        reports.file(work_id=work.id, person_id=None, category="rights", text="It is mine.", now=now)
        if number < 5:
            reports.suspend(work_id=work.id, staff_id=wim.id, now=now, **said)
            found.append(reports.appeal(work_id=work.id, person_id=ana.id, text="It is not.", now=now))
    return found


def statuses(har: Path, document: dict[str, Any]) -> dict[str, set[int]]:
    """Return which statuses each operation of the document was answered with."""
    ways = {re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(path))): path for path in document["paths"]}
    found: dict[str, set[int]] = defaultdict(set)
    for entry in json.loads(har.read_text())["log"]["entries"]:
        asked = urlsplit(entry["request"]["url"]).path
        for way, path in ways.items():
            if way.fullmatch(asked):
                found[f"{entry['request']['method']} {path}"].add(entry["response"]["status"])
    return found


def test_whatever_the_document_allows_and_forbids(site: Site, known: dict[str, list[Any]], tmp_path: Path) -> None:
    address, har = f"{site.base_url}/api/v1/schema", tmp_path / "all.har"
    chosen = tmp_path / "schemathesis.toml"
    chosen.write_text(CHOSEN)
    # One worker: two threads that read Python's source at once are now and then too much for Python 3.11's parser.
    command = [
        *(
            SCRIPTS / "schemathesis",
            "--config-file",
            chosen,
            "run",
            address,
            "--header",
            f"Authorization: Bearer {known['token'][0]}",
        ),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED, "--workers", 1),
        *("--continue-on-failure", "--no-shrink"),
        *("--request-timeout", 30, "--report-har-path", har),
    ]
    env = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.journeys.hostile",
        "HOSTILE_KNOWN": json.dumps(known),
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }
    ran = subprocess.run(
        [str(word) for word in command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr
    assert "Traceback" not in site.log_of(site.children[0])
    # It got in nearly everywhere: else the run would prove little.
    document = site.ask("GET", address, headers={"Accept": "application/json"}).json()
    answered = statuses(har, document)
    ways = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    never = [way for way in ways if not any(200 <= status < 300 for status in answered[way])]
    # Not spoken by schemathesis: the upload protocol. Rarely met by chance: two ids that belong together. Not made:
    # a month that is sealed, a year that is divided, a roll that is drawn, hours that wait for somebody else's word.
    assert len(never) <= len(ways) // 4, never
    with connection.cursor() as cursor:
        # Whatever was sent, money still adds up.
        cursor.execute(
            "SELECT count(*) FROM playback_wallet w WHERE w.balance_micros <> ("
            "SELECT coalesce(sum(balance_micros), 0) FROM playback_wallet_entry e WHERE e.listener_id = w.listener_id)"
        )
        assert cursor.fetchone() == (0,)


def test_the_document_names_every_route_and_its_scope(site: Site) -> None:
    document = site.ask("GET", "/api/v1/schema", headers={"Accept": "application/json"}).json()
    ways = [way for methods in document["paths"].values() for way in methods.values()]
    named = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    ours = {
        (way.method, "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", address))
        for address, tried in ROUTES.items()
        if address.startswith("api/v1/") and address not in NOT_DOCUMENTED
        for way in tried
    }
    assert named == ours
    for way in ways:
        assert way["description"]
        assert {"400", "401", "406", "429"} <= set(way["responses"])
        is_open = {} in way["security"]
        assert ("Scope: `" in way["description"]) is not is_open
        assert ("403" in way["responses"]) or is_open
        for status, response in way["responses"].items():
            types = set(response.get("content", {}))
            assert types == ({"application/problem+json"} if status >= "400" else types)
            # Of an upload's beginning all is said in headers, as its protocol asks; and of where a file lies.
            assert status in ("201", "204", "302") or types
