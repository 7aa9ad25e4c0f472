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
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.test import override_settings
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from infra.parts.child import SCRIPTS
from tests.journeys import hostile_world
from tests.journeys.hostile_world import World
from tests.journeys.routes.table import ROUTES
from tests.site import ROOT, Site, committing, on_disk

pytestmark = pytest.mark.xdist_group("hostile-requests")
SEED = 20261122
# What a vote or a cursor decides, no schema can say: some requests that it allows are rightly refused. In a form
# anything is a file, so what was made to be none is taken for one.
CHOSEN = """
[checks]
positive_data_acceptance.enabled = false
# Who shows no token, or a wrong one, is refused everywhere: test_strangers.py.
ignored_auth.enabled = false

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
NOT_DOCUMENTED = ("api/v1/", "api/v1/schema", "api/v1/docs")
# What Lena cannot do (a member does not become one again), what waits for a lot that falls on her, and a part of an
# upload, of a type that schemathesis does not write. Each has tests of its own.
NOT_MET = {
    "POST /api/v1/memberships",
    "POST /api/v1/objections/{objection_id}/appeal",
    "GET /api/v1/panels/{appeal_id}",
    "POST /api/v1/panels/{appeal_id}/rule",
    "POST /api/v1/proposals/{proposal_id}/contest",
    "PATCH /api/v1/transfers/{transfer_id}",
}
EXAMPLES = 500 if os.environ.get("REFRAIN_LONG") else 8


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, transactional_db: None) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("hostile"), env={"REFRAIN_THROTTLE_PER_MINUTE": "10000000"})
    try:
        site.serve(processes=1)
        site.open_till()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="module")
def world(site: Site) -> World:
    """Give the co-op that is asked; its files lie where the site looks for them."""
    with override_settings(**on_disk(site.folder / "store")):
        return hostile_world.make()


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


def astray() -> dict[UUID, int]:
    """Return by how much wallets differ from their rows: by what the past's charges, written as rows alone, cost."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT w.listener_id, w.balance_micros - coalesce(sum(e.balance_micros), 0)::bigint FROM playback_wallet w"
            " LEFT JOIN playback_wallet_entry e USING (listener_id) GROUP BY w.listener_id, w.balance_micros"
        )
        return {listener: micros for listener, micros in cursor.fetchall() if micros}


def test_whatever_the_document_allows_and_forbids(site: Site, world: World, tmp_path: Path) -> None:
    address, har, before = f"{site.base_url}/api/v1/schema", tmp_path / "all.har", astray()
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
            f"Authorization: Bearer {world.token}",
        ),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED, "--workers", 1),
        *("--continue-on-failure", "--no-shrink"),
        *("--request-timeout", 30, "--report-har-path", har),
    ]
    env = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.journeys.hostile",
        "HOSTILE_KNOWN": json.dumps(world.known),
        "HOSTILE_RIGHT": json.dumps(world.right),
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
    never = {way for way in ways if not any(200 <= status < 400 for status in answered[way])} - NOT_MET
    # A few are met by chance alone, and one or two of them may not be.
    assert len(never) <= len(ways) // 50, never
    # Whatever was sent, money adds up as it did.
    assert astray() == before


def test_the_document_names_every_route_and_its_scope(site: Site) -> None:
    with GENERATOR_STATS.silence():
        SchemaGenerator().get_schema(request=None, public=True)
    document = site.ask("GET", "/api/v1/schema", headers={"Accept": "application/json"}).json()
    ways = [way for methods in document["paths"].values() for way in methods.values()]
    # Two shapes under one name are described as one of them.
    alike = [one for one in GENERATOR_STATS._warn_cache if "identical names" in one]
    assert alike == []
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
