"""The form in which a statement is sealed: written the quick way, it is the canonical JSON of RFC 8785."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from members import seals
from members.seals import CannotSeal
from royalties import statements

micros = st.integers(-(10**15), 10**15)
texts = st.text(st.characters(exclude_categories=["Cs"]))
lines = st.fixed_dictionaries(
    {
        "work": st.uuids().map(str),
        "title": texts,
        "plays_by_number": st.lists(micros, max_size=9),
        "listeners": st.none() | st.integers(5, 10**6),
        "net_micros": micros,
        "published_as": st.text("0123456789abcdef", min_size=32, max_size=32),
    }
)
contents = st.fixed_dictionaries(
    {
        "month": st.just("2026-10"),
        "payout": st.fixed_dictionaries({"cents": micros, "why_not": texts}),
        "lines": st.lists(lines),
    }
)


@given(contents)
@example({"title": '\x00\x1f\x7f"\\/\b\f\n\r\t\u2028\u00e9\ue000\U0001f3b5', "digits": "1234567890123456", "is": True})
def test_a_statement_is_written_as_the_canonical_json_of_its_content(content: dict[str, object]) -> None:
    assert statements.canonical(content) == seals.canonical(content)


def test_a_number_that_not_every_reader_keeps_is_refused() -> None:
    for beyond in (2**53, -(2**53), 10**18):
        with pytest.raises(CannotSeal):
            statements.canonical({"closing_micros": beyond})
    assert statements.canonical({"closing_micros": 2**53 - 1}) == b'{"closing_micros":9007199254740991}'
