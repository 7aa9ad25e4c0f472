"""Search among many works: no question reads more of a table than its answer is about."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from catalog.finding_models import Word
from catalog.models import Creator, Work
from infra.bench import catalogue
from tests import callers

WORKS, CREATORS = 4_000, 400
# Of the thousands that each table holds.
ROWS_READ_MOST = 600
TABLES = {
    "catalog_work",
    "catalog_finding",
    "catalog_word",
    "catalog_creator",
    "catalog_release",
    "catalog_rendition",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def many() -> None:
    callers.forget_counts()
    connection.ensure_connection()
    raw = connection.connection
    catalogue.write(raw, works=WORKS, creators=CREATORS)
    # Tables that are small here are large where it matters: the planner shall take an index wherever there is one.
    raw.execute("ANALYZE; SET LOCAL enable_seqscan = off")


@pytest.mark.usefixtures("many")
def test_works_made_past_the_triggers_are_found_by_the_words_the_triggers_write() -> None:
    catalogue.compare(connection.connection)
    assert Work.objects.count() == WORKS
    assert Word.objects.count() > 1_000


@pytest.mark.usefixtures("many")
def test_no_question_reads_more_of_a_table_than_its_answer_is_about() -> None:
    track, creator = Work.objects.filter(kind="track").order_by("id")[0], Creator.objects.order_by("id")[0]
    word = track.title.split()[0].lower()
    mistyped = word[:2] + word[3] + word[2] + word[4:]
    assert not Word.objects.filter(word=mistyped).exists()
    asked = [
        "/",
        "/browse",
        "/browse?tag=tag-999",
        f"/browse?q={track.title}",
        f"/browse?q={mistyped}",
        f"/browse?q={word} {mistyped}",
        f"/browse?q={word}&tag=tag-999",
        f"/browse?q={word}&free=1",
        f"/browse?q={word}&licence=cc0-1.0",
        f"/browse?q={word}&creator={creator.slug}",
        f"/creators?q={creator.name}",
        f"/creators?q={creator.name.split()[1]}",
        "/api/v1/releases",
        f"/api/v1/releases?q={track.release.title if track.release else ''}",
        f"/api/v1/releases?creator={creator.slug}",
    ]
    for path in asked:
        for sql, params in _asked_of_the_database(path):
            for table, rows in _read(sql, params):
                assert rows <= ROWS_READ_MOST, (path, table, rows, sql)


def _asked_of_the_database(path: str) -> list[tuple[str, Any]]:
    """Return the questions that a page asks of the catalogue."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001  (Django's)
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        assert Client().get(path).status_code == 200
    assert asked
    return [(sql, params) for sql, params in asked if "catalog_" in sql]


def _read(sql: str, params: Any) -> Iterator[tuple[str, int]]:
    """Yield each step of the plan that reads a table of the catalogue, with how many rows it looked at."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        (found,) = cursor.fetchone()
    steps = [(found if isinstance(found, list) else json.loads(found))[0]["Plan"]]
    while steps:
        step = steps.pop()
        steps += step.get("Plans", [])
        if step.get("Relation Name") in TABLES:
            looked_at = step["Actual Rows"] + step.get("Rows Removed by Filter", 0)
            yield step["Relation Name"], round(looked_at * step["Actual Loops"])
