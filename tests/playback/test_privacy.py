"""The privacy floor: what is shown, and what follows from it by subtraction, is about nobody or at least five."""

from datetime import date, timedelta
from itertools import combinations, pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from playback import privacy
from playback.privacy import FLOOR, OTHER, Cell, Day, Span

FIRST = date(2026, 10, 1)
people = st.integers(min_value=1, max_value=14).map(lambda n: UUID(int=n))
crowd = st.frozensets(people, max_size=7)
months = st.lists(st.tuples(crowd, crowd), max_size=31)


def days_of(month: list[tuple[frozenset[UUID], frozenset[UUID]]]) -> list[Day]:
    """Return the days as they are kept: at most five ids on each side."""
    return [
        Day(
            day=FIRST + timedelta(days=n),
            sessions=len(payers) + len(unpaid),
            paid_micros=2_000 * len(payers),
            payers=frozenset(sorted(payers)[:FLOOR]),
            unpaid=frozenset(sorted(unpaid)[:FLOOR]),
        )
        for n, (payers, unpaid) in enumerate(month)
        if payers or unpaid
    ]


def crowds(month: list[tuple[frozenset[UUID], frozenset[UUID]]], span: Span) -> tuple[set[UUID], set[UUID]]:
    """Return who truly paid, and who listened without paying, in the days of a span."""
    within = month[(span.first - FIRST).days : (span.last - FIRST).days + 1]
    return set().union(*(payers for payers, _ in within)), set().union(*(unpaid for _, unpaid in within))


def is_safe(month: list[tuple[frozenset[UUID], frozenset[UUID]]], span: Span) -> bool:
    """Tell whether nothing about one to four people stands in the span."""
    return all(len(side) == 0 or len(side) >= FLOOR for side in crowds(month, span))


@given(months)
def test_every_span_is_about_nobody_or_at_least_five_on_each_side(
    month: list[tuple[frozenset[UUID], frozenset[UUID]]],
) -> None:
    for over in (False, True):
        for span in privacy.spans(days_of(month), over=over):
            assert is_safe(month, span)
            assert span.sessions > 0


@given(months)
def test_reading_the_page_every_day_and_subtracting_isolates_no_one(
    month: list[tuple[frozenset[UUID], frozenset[UUID]]],
) -> None:
    days = days_of(month)
    seen: list[list[Span]] = [
        privacy.spans([day for day in days if day.day < FIRST + timedelta(days=n)], over=False)
        for n in range(len(month) + 1)
    ]
    last = privacy.spans(days, over=True)
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier  # what was shown is never taken back
    shown_before = seen[-1]
    assert last[: len(shown_before)] == shown_before
    # Each span is disjoint from the others, so any difference of two sums of spans is itself whole spans.
    for one, other in combinations(last, 2):
        assert one.last < other.first
    # The statement tells the sum of the month: what the page did not show of it yet is nobody, or at least five.
    assert bool(shown_before) <= bool(last)
    if last:
        assert sum(span.paid_micros for span in last) == sum(day.paid_micros for day in days)
        assert sum(span.sessions for span in last) == sum(day.sessions for day in days)
    for earlier in seen:
        rest = last[len(earlier) :]
        if earlier and rest:
            assert is_safe(month, Span(first=rest[0].first, last=rest[-1].last, sessions=0, paid_micros=0))


def test_days_wait_for_five_and_the_last_ones_join_what_was_kept_back() -> None:
    five, others = [UUID(int=n) for n in range(1, 6)], [UUID(int=n) for n in range(6, 11)]
    everyone = (frozenset(five), frozenset(others))
    month = [
        (frozenset(five[:3]), everyone[1]),
        (frozenset(five[3:]), everyone[1]),
        everyone,
        (everyone[0], everyone[1]),
    ]
    few = (frozenset(five[:1]), frozenset(others[:1]))
    days = days_of([*month, few])

    def shown(number: int, *, over: bool = False) -> list[tuple[int, int, int, int]]:
        return [
            (span.first.day, span.last.day, span.sessions, span.paid_micros)
            for span in privacy.spans(days[:number], over=over)
        ]

    assert shown(2) == []  # the first two days are one span, which is kept back
    assert shown(3) == [(1, 2, 15, 10_000)]
    assert shown(4) == [(1, 2, 15, 10_000), (3, 3, 10, 10_000)]
    assert shown(5) == shown(4)
    assert shown(5, over=True) == [(1, 2, 15, 10_000), (3, 3, 10, 10_000), (4, 5, 12, 12_000)]


@given(months)
def test_what_was_paid_is_told_to_days_between_which_five_have_paid(
    month: list[tuple[frozenset[UUID], frozenset[UUID]]],
) -> None:
    days = days_of(month)
    ends = {0}
    shown_before: date | None = None
    for number in range(len(month) + 1):
        so_far = [day for day in days if day.day < FIRST + timedelta(days=number)]
        told = privacy.paid_until(so_far)
        assert told is None or shown_before is None or told >= shown_before, "what was told is never taken back"
        shown_before = told or shown_before
        if told is not None:
            ends.add((told - FIRST).days + 1)
        # The audience's page of the same morning ends with such days too.
        ends |= {(span.last - FIRST).days + 1 for span in privacy.spans(so_far, over=False)}
    ends |= {(span.last - FIRST).days + 1 for span in privacy.spans(days, over=True)[:-1]}
    # Every difference of two such sums, and the rest of the month after any of them, is of nobody or of five. The whole
    # month is the statement's, which says it however few paid.
    for first, last in combinations(sorted({*ends, len(month)}), 2):
        payers = set().union(*(payers for payers, _ in month[first:last]))
        assert privacy.is_shown(len(payers)) or (first, last) == (0, len(month)), (first, last)


def test_a_quiet_work_waits_for_five_and_then_for_five_more() -> None:
    five, others = [UUID(int=n) for n in range(1, 6)], [UUID(int=n) for n in range(6, 11)]
    nobody: frozenset[UUID] = frozenset()
    days = days_of(
        [
            (frozenset(five[:3]), nobody),
            (frozenset(five[3:]), nobody),
            (frozenset(others[:4]), nobody),
            (nobody, frozenset(five)),
            (frozenset(others[4:]), nobody),
            (frozenset(five[:1]), nobody),
        ]
    )
    told = [privacy.paid_until(days[:number]) for number in range(1, 7)]
    assert told == [None, None, None, None, date(2026, 10, 2), date(2026, 10, 2)]


cells = st.lists(
    st.tuples(st.integers(min_value=1, max_value=12), st.integers(min_value=0, max_value=30)), max_size=12
).map(
    lambda rows: [
        Cell(key=f"cell {n}", count=listeners + more, listeners=listeners) for n, (listeners, more) in enumerate(rows)
    ]
)


@given(cells)
def test_no_cell_is_about_fewer_than_five_and_never_is_exactly_one_hidden(table: list[Cell]) -> None:
    for apart in (False, True):
        shown = privacy.fold(table, apart=apart)
        assert sum(cell.count for cell in shown) == sum(cell.count for cell in table)
        by_key = {cell.key: cell for cell in table}
        named = [cell for cell in shown if cell.key != OTHER]
        hidden = [cell for cell in table if cell.key not in {one.key for one in named}]
        assert all(cell == by_key[cell.key] and cell.listeners >= FLOOR for cell in named)
        assert len(hidden) != 1 or not named
        if hidden and named:
            certain = [cell.listeners for cell in hidden]
            assert (sum(certain) if apart else max(certain)) >= FLOOR
        if all(cell.listeners >= FLOOR for cell in table):
            assert hidden == []


def test_one_small_cell_takes_the_next_smallest_with_it() -> None:
    table = [
        Cell(key="DE", count=20, listeners=20),
        Cell(key="PL", count=9, listeners=9),
        Cell(key="FR", count=6, listeners=6),
        Cell(key="ES", count=2, listeners=2),
    ]
    assert [(cell.key, cell.count) for cell in privacy.fold(table, apart=True)] == [("DE", 20), ("PL", 9), (OTHER, 8)]
    two = [*table[:3], Cell(key="ES", count=3, listeners=3), Cell(key="PT", count=3, listeners=3)]
    assert [(cell.key, cell.count) for cell in privacy.fold(two, apart=True)] == [
        ("DE", 20),
        ("PL", 9),
        ("FR", 6),
        (OTHER, 6),
    ]
    # Nobody knows whether the three of each are the same three, so another one is folded in.
    assert [cell.key for cell in privacy.fold(two)] == ["DE", "PL", OTHER]
