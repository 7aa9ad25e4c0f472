"""Nothing reads a clock but `members/clock.py` and the SQL function that it stands on.

Ruff's banned names catch Python's clocks. These catch PostgreSQL's, which hide in SQL and in model fields.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("members", "catalog", "playback", "royalties")
SQL_CLOCKS = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday)\s*\("
    r"|\b(current_timestamp|current_date|current_time|localtimestamp|localtime)\b",
    re.IGNORECASE,
)
SQL_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
FIELD_CLOCKS = re.compile(r"\bauto_now(_add)?\s*=\s*True")


def _clocks_in_sql(text: str) -> list[str]:
    return [found.group(0) for found in SQL_CLOCKS.finditer(SQL_COMMENTS.sub("", text))]


@pytest.mark.parametrize(
    ("text", "clocks"),
    [
        ("SELECT coop_now(), members_known()", []),
        ("SELECT now()", ["now("]),
        ("x := clock_timestamp ();", ["clock_timestamp ("]),
        ("DEFAULT CURRENT_TIMESTAMP", ["CURRENT_TIMESTAMP"]),
        ("-- now() would be wrong here\nSELECT 1", []),
        ("/* now()\n */ SELECT current_date", ["current_date"]),
    ],
)
def test_the_search_finds_what_it_should(text: str, clocks: list[str]) -> None:
    assert _clocks_in_sql(text) == clocks


def test_sql_of_the_apps_asks_coop_now() -> None:
    files = [file for app in APPS for file in (ROOT / app).rglob("*.sql")]
    assert files, "no SQL was found; was it moved?"
    reading = {str(file.relative_to(ROOT)): clocks for file in files if (clocks := _clocks_in_sql(file.read_text()))}
    # coop_now() itself is the one place that reads PostgreSQL's clock.
    assert {file for file in reading if not file.startswith("members/sql/")} == set()
    assert reading.get("members/sql/clock.sql") == ["clock_timestamp("]


def test_no_model_field_stamps_itself_with_pythons_clock() -> None:
    files = [file for app in APPS for file in (ROOT / app).rglob("*.py") if "migrations" not in file.parts]
    assert [str(file) for file in files if FIELD_CLOCKS.search(file.read_text())] == []


def test_django_s_now_only_stamps_rows_in_models() -> None:
    files = [file for app in APPS for file in (ROOT / app).rglob("*.py") if "migrations" not in file.parts]
    importing = re.compile(r"from django\.db\.models\.functions import [^\n]*\bNow\b")
    assert {file.name for file in files if importing.search(file.read_text())} <= {"models.py"}
