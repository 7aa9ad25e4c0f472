"""The ledger: what it keeps, what it refuses whoever asks, and that nobody's books are ever a micro off."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from infra import grants
from members.problems import Invalid, NotFound
from royalties import accounts, ledger
from royalties.accounts import GROWS_BY_DEBIT, LedgerRefused
from royalties.ledger import Entry
from royalties.ledger_models import Account, LockedMonth, Transfer

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
ANA, BEN = UUID("a0000000-0000-4000-8000-000000000001"), UUID("b0000000-0000-4000-8000-000000000002")
EURO = 1_000_000


def entry(
    debit: str, credit: str, micros: int, key: str = "", *, month: date = NOVEMBER, kind: str = "test", group: str = ""
) -> Entry:
    return Entry(
        debit=debit,
        credit=credit,
        amount_micros=micros,
        kind=kind,
        key=key or f"test:{uuid4()}",
        happened_at=NOW,
        month=month,
        group=group,
    )


def book(*entries: Entry) -> int:
    return ledger.book(entries, now=NOW)


def topped_up(micros: int = 10 * EURO, key: str = "top-up") -> Entry:
    return entry(accounts.PROVIDER, accounts.WALLETS, micros, key)


def balances() -> dict[str, int]:
    return {code: ledger.balance(code) for code in Account.objects.values_list("code", flat=True)}


# Stories.


def test_a_month_of_a_small_co_op_told_by_its_books() -> None:
    """Lena tops up 12.10 with VAT, plays for 3.00, and Ana is paid the whole cents of what her plays earned."""
    ana = accounts.payable(ANA)
    written = book(
        entry(accounts.PROVIDER, accounts.WALLETS, 10_000_000),
        entry(accounts.PROVIDER, accounts.VAT, 2_100_000),
        entry(accounts.WALLETS, accounts.PLAYS, 3_000_000),
        entry(accounts.ROYALTIES, ana, 2_105_678),
        entry(ana, accounts.PAYOUTS, 2_100_000),
        entry(accounts.BANK, accounts.PROVIDER, 12_000_000),
        entry(accounts.PROVIDER_FEES, accounts.PROVIDER, 100_000),
        entry(accounts.PAYOUTS, accounts.BANK, 2_100_000),
    )
    assert written == 8
    assert balances() == {
        accounts.BANK: 9_900_000,
        accounts.PROVIDER: 0,
        accounts.WALLETS: 7_000_000,
        accounts.VAT: 2_100_000,
        accounts.PLAYS: 3_000_000,
        accounts.ROYALTIES: 2_105_678,
        ana: 5_678,
        accounts.PAYOUTS: 0,
        accounts.PROVIDER_FEES: 100_000,
    }
    assert ledger.payable([ANA, BEN]) == {ANA: 5_678, BEN: 0}


def test_a_wrong_entry_is_reversed_with_a_reason_and_booked_anew() -> None:
    book(topped_up(), entry(accounts.COSTS, accounts.BANK, 5_400_000, "hosting", group="journal:7"))
    assert ledger.reverse(key="hosting", reason="  Typed\nthe wrong\tsum. ", now=NOW + timedelta(days=1)) == 1
    book(entry(accounts.COSTS, accounts.BANK, 4_500_000, "hosting, right", group="journal:8"))
    assert ledger.balance(accounts.COSTS) == 4_500_000
    wrong, inverse = Transfer.objects.get(key="hosting"), Transfer.objects.get(key="reversal:hosting")
    assert (inverse.reverses, inverse.reason, inverse.group) == (wrong, "Typed the wrong sum.", "journal:7")
    assert (inverse.debit_id, inverse.credit_id) == (accounts.BANK, accounts.COSTS)
    assert (inverse.amount_micros, inverse.kind, inverse.month) == (5_400_000, wrong.kind, NOVEMBER)
    assert (inverse.happened_at, inverse.recorded_at) == (NOW + timedelta(days=1),) * 2


def test_a_reversal_happens_once_and_is_not_reversed_itself() -> None:
    book(topped_up())
    assert ledger.reverse(key="top-up", reason="Twice.", now=NOW) == 1
    assert ledger.reverse(key="top-up", reason="Twice, again.", now=NOW) == 0
    with pytest.raises(LedgerRefused, match="not reversed"):
        ledger.reverse(key="reversal:top-up", reason="No, it was right.", now=NOW)
    with pytest.raises(Invalid, match="reason"):
        ledger.reverse(key="top-up", reason=" \n", now=NOW)
    with pytest.raises(NotFound):
        ledger.reverse(key="nothing", reason="Why not.", now=NOW)
    assert balances() == {accounts.PROVIDER: 0, accounts.WALLETS: 0}


def test_a_locked_month_takes_nothing_and_what_was_wrong_in_it_is_put_right_in_the_open_one() -> None:
    book(entry(accounts.COSTS, accounts.BANK, EURO, "rent", month=OCTOBER))
    ledger.lock_month(OCTOBER, now=NOW)
    ledger.lock_month(OCTOBER, now=NOW + timedelta(days=1))
    assert (ledger.is_locked(OCTOBER), ledger.is_locked(NOVEMBER)) == (True, False)
    assert LockedMonth.objects.get().locked_at == NOW
    with pytest.raises(LedgerRefused, match=r"^The books of 2026-10 are locked\. Nothing was booked\.$"):
        book(entry(accounts.COSTS, accounts.BANK, EURO, "late"), entry(accounts.COSTS, accounts.BANK, 1, month=OCTOBER))
    assert not Transfer.objects.filter(key="late").exists()
    # What was booked before may be booked again: it changes nothing.
    assert book(entry(accounts.COSTS, accounts.BANK, EURO, "rent", month=OCTOBER)) == 0
    assert ledger.reverse(key="rent", reason="It was September's.", now=NOW) == 1
    assert Transfer.objects.get(key="reversal:rent").month == NOVEMBER


# Once.


def test_the_same_key_does_nothing_again() -> None:
    assert book(topped_up()) == 1
    assert book(topped_up()) == 0
    assert ledger.book([topped_up()], now=NOW + timedelta(days=3)) == 0
    assert book(topped_up(), topped_up(EURO, "another"), topped_up()) == 1
    assert ledger.balance(accounts.WALLETS) == 11 * EURO


@pytest.mark.parametrize(
    "other",
    [
        entry(accounts.PROVIDER, accounts.WALLETS, 10 * EURO + 1, "top-up"),
        entry(accounts.BANK, accounts.WALLETS, 10 * EURO, "top-up"),
        entry(accounts.PROVIDER, accounts.VAT, 10 * EURO, "top-up"),
        entry(accounts.PROVIDER, accounts.WALLETS, 10 * EURO, "top-up", month=OCTOBER),
        entry(accounts.PROVIDER, accounts.WALLETS, 10 * EURO, "top-up", kind="gift"),
    ],
    ids=["amount", "debit", "credit", "month", "kind"],
)
def test_the_same_key_for_something_else_is_refused_with_all_that_came_with_it(other: Entry) -> None:
    book(topped_up())
    with pytest.raises(LedgerRefused, match="top-up was booked before, and as something else"):
        book(entry(accounts.BANK, accounts.PROVIDER, EURO), other)
    assert balances()[accounts.PROVIDER] == 10 * EURO
    with pytest.raises(LedgerRefused, match="fresh was booked before"):
        book(topped_up(1, "fresh"), topped_up(2, "fresh"))
    assert Transfer.objects.count() == 1


# Refused by the core.


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (entry(accounts.PROVIDER, accounts.WALLETS, 0), "more than nothing"),
        (entry(accounts.PROVIDER, accounts.WALLETS, -1), "more than nothing"),
        (entry(accounts.WALLETS, accounts.WALLETS, 1), "between two accounts"),
        (entry("assets.mattress", accounts.WALLETS, 1), "no account assets.mattress in the chart"),
        (entry(accounts.PROVIDER, "liabilities.payable.ana", 1), "no account liabilities.payable.ana"),
        (entry(accounts.PROVIDER, f"liabilities.payable.{ANA.hex}", 1), "no account liabilities.payable"),
        (entry(accounts.PROVIDER, f"liabilities.wallets.{ANA}", 1), "no account liabilities.wallets"),
        (entry(accounts.WALLETS, accounts.PLAYS, 10 * EURO + 1), "would fall below its floor"),
        (entry(accounts.payable(ANA), accounts.PAYOUTS, 1), "would fall below its floor"),
    ],
)
def test_what_is_no_entry_is_refused_with_all_that_came_with_it(wrong: Entry, words: str) -> None:
    book(topped_up())
    with pytest.raises(LedgerRefused, match=words):
        book(entry(accounts.BANK, accounts.PROVIDER, EURO), wrong)
    # The transaction goes on.
    assert Transfer.objects.count() == 1
    assert balances()[accounts.PROVIDER] == 10 * EURO


def test_a_floor_is_asked_of_what_stands_after_all_of_it() -> None:
    """A listener's play may stand before their top-up in one posting, never without it."""
    assert book(entry(accounts.WALLETS, accounts.PLAYS, 3 * EURO), topped_up(3 * EURO)) == 2
    assert ledger.balance(accounts.WALLETS) == 0


def test_the_chart_says_what_each_account_is() -> None:
    assert {one.code for one in accounts.CHART if one.floor} == {
        accounts.PROMO_COMMITTED, accounts.WALLETS, accounts.PROMO_WALLETS, accounts.PROMO_BUDGET, accounts.CASH_OUTS,
        accounts.ROYALTIES_HELD, accounts.PAYOUTS, accounts.MEMBER_SHARES, accounts.PATRONAGE,
    }  # fmt: skip
    assert Counter(one.kind.value for one in accounts.CHART) == {
        "asset": 4, "liability": 9, "equity": 3, "income": 3, "expense": 7,
    }  # fmt: skip
    mine = accounts.charted(accounts.payable(ANA))
    assert (mine.kind.value, mine.floor, mine.person_id) == ("liability", True, ANA)
    assert accounts.charted(accounts.capital(BEN)).person_id == BEN
    with pytest.raises(LedgerRefused):
        ledger.balance("assets.mattress")
    assert ledger.balance(accounts.RESERVE) == 0


# Refused by the database, whoever asks.


def refuses(do: Callable[[], object], *, by: str, error: type[DatabaseError] = IntegrityError) -> None:
    with pytest.raises(error, match=by), transaction.atomic():
        do()


def told(statement: str) -> Callable[[], None]:
    def tell() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return tell


INSERT = (
    "INSERT INTO royalties_transfer"
    " (debit, credit, amount_micros, kind, key, together, happened_at, recorded_at, month, reverses_id, reason)"
    " SELECT {debit}, {credit}, {micros}, {kind}, 'new', '', now(), now(), {month}, {reverses},"
    " {reason} FROM royalties_transfer WHERE key = 'top-up'"
)
AS_IT_SHOULD_BE = {
    "debit": "debit", "credit": "credit", "micros": "1", "kind": "'test'", "month": "month", "reverses": "NULL",
    "reason": "''",
}  # fmt: skip
MIRRORED = {"debit": "credit", "credit": "debit", "micros": "amount_micros", "reverses": "id", "reason": "'wrong'"}


def test_the_database_takes_an_entry_as_it_should_be() -> None:
    book(topped_up())
    told(INSERT.format(**AS_IT_SHOULD_BE))()
    assert ledger.balance(accounts.WALLETS) == 10 * EURO + 1


@pytest.mark.parametrize(
    ("wrong", "by"),
    [
        ({"micros": "0"}, "transfer_amount_is_positive"),
        ({"micros": "-1"}, "transfer_amount_is_positive"),
        ({"debit": "credit"}, "transfer_has_two_accounts"),
        ({"month": "month + 1"}, "transfer_month_is_its_first_day"),
        ({"kind": "''"}, "transfer_has_a_key_and_a_kind"),
        ({"debit": "'assets.mattress'"}, "there is no account assets.mattress"),
        ({"debit": "credit", "credit": "debit", "micros": "amount_micros + 1"}, "account_never_goes_below_its_floor"),
        ({"month": "date '2026-09-01'"}, "the books of 2026-09 are locked"),
        ({**MIRRORED, "reason": "''"}, "transfer_that_reverses_has_a_reason"),
        ({**MIRRORED, "micros": "amount_micros - 1"}, "a reversal is the inverse"),
        ({**MIRRORED, "debit": "debit", "credit": "credit"}, "a reversal is the inverse"),
        ({**MIRRORED, "debit": "'assets.bank'"}, "a reversal is the inverse"),
    ],
    ids=lambda wrong: " ".join(wrong) if isinstance(wrong, dict) else wrong.replace(" ", "-"),
)
def test_the_database_refuses_a_wrong_entry(wrong: dict[str, str], by: str) -> None:
    book(topped_up())
    ledger.open_accounts([accounts.BANK])
    ledger.lock_month(date(2026, 9, 1), now=NOW)
    refuses(told(INSERT.format(**AS_IT_SHOULD_BE | wrong)), by=by)
    assert balances() == {accounts.PROVIDER: 10 * EURO, accounts.WALLETS: 10 * EURO, accounts.BANK: 0}


def test_the_database_reverses_a_transfer_once_and_no_reversal() -> None:
    book(topped_up(), topped_up(3, "other"))
    ledger.reverse(key="top-up", reason="Twice.", now=NOW)
    refuses(told(INSERT.format(**AS_IT_SHOULD_BE | MIRRORED)), by="reverses_id")
    back = INSERT.format(**AS_IT_SHOULD_BE | MIRRORED).replace("key = 'top-up'", "key = 'reversal:top-up'")
    refuses(told(back), by="a reversal is the inverse")


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        ("UPDATE royalties_transfer SET amount_micros = amount_micros + 1", "append-only: UPDATE refused"),
        ("UPDATE royalties_transfer SET reason = 'nicer'", "append-only: UPDATE refused"),
        ("DELETE FROM royalties_transfer", "append-only: DELETE refused"),
        ("TRUNCATE royalties_transfer", "append-only: TRUNCATE refused"),
        ("UPDATE royalties_account SET balance_micros = balance_micros + 1", "changes by transfers alone"),
        ("UPDATE royalties_account SET floor = false", "keeps its nature"),
        ("UPDATE royalties_account SET kind = 'asset'", "keeps its nature"),
        ("UPDATE royalties_account SET person_id = gen_random_uuid()", "keeps its nature"),
        ("UPDATE royalties_account SET code = code || '.old'", "keeps its nature"),
        ("DELETE FROM royalties_account", "append-only: DELETE refused"),
        ("TRUNCATE royalties_account CASCADE", "TRUNCATE refused"),
        ("INSERT INTO royalties_account VALUES ('assets.x', 'X', 'asset', false, NULL, 5)", "opens empty"),
        ("INSERT INTO royalties_account VALUES ('assets.x', 'X', 'sock', false, NULL, 0)", "account_kind_is_known"),
        ("UPDATE royalties_lockedmonth SET month = '2026-08-01'", "append-only: UPDATE refused"),
        ("DELETE FROM royalties_lockedmonth", "append-only: DELETE refused"),
        ("TRUNCATE royalties_lockedmonth", "append-only: TRUNCATE refused"),
    ],
)
def test_the_database_refuses_to_change_the_books(statement: str, by: str) -> None:
    book(topped_up())
    ledger.lock_month(OCTOBER, now=NOW)
    told("SET CONSTRAINTS ALL IMMEDIATE")()
    refuses(told(statement), by=by)


def test_an_account_may_get_a_better_name() -> None:
    book(topped_up())
    told("UPDATE royalties_account SET name = 'Credit of listeners' WHERE code = 'liabilities.wallets'")()
    assert balances() == {accounts.PROVIDER: 10 * EURO, accounts.WALLETS: 10 * EURO}


@pytest.fixture
def as_web_role() -> Iterator[None]:
    """Speak to the database as the role that serves pages, with the rights that a migration gives it."""
    grants.grant(settings.DB_WEB_ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {connection.ops.quote_name(settings.DB_WEB_ROLE)}")
        yield
        cursor.execute("RESET ROLE")


@pytest.mark.usefixtures("as_web_role")
def test_the_role_that_serves_pages_books_and_changes_nothing() -> None:
    assert book(topped_up()) == 1
    assert ledger.reverse(key="top-up", reason="Twice.", now=NOW) == 1
    for statement in (
        "UPDATE royalties_account SET balance_micros = 5",
        "UPDATE royalties_account SET name = 'X'",
        "UPDATE royalties_transfer SET reason = 'X'",
        "DELETE FROM royalties_transfer",
        "UPDATE royalties_lockedmonth SET locked_at = now()",
        "UPDATE royalties_postingmark SET posting_id = 1",
        "DELETE FROM royalties_postingmark",
        "ALTER TABLE royalties_account DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
    ):
        refuses(told(statement), by="permission denied|must be owner", error=ProgrammingError)


# Whatever is booked and reversed: balances are sums, no floor is broken, a key is booked once.

CODES = (accounts.BANK, accounts.WALLETS, accounts.PLAYS, accounts.ROYALTIES, accounts.payable(ANA), accounts.RESERVE)
SMALL = st.integers(min_value=1, max_value=6)
ENTRIES = st.builds(
    lambda debit, credit, micros, number: entry(debit, credit, micros, f"random:{number}"),
    st.sampled_from(CODES), st.sampled_from(CODES), SMALL, st.integers(min_value=1, max_value=30),
)  # fmt: skip
ACTS = st.lists(
    st.one_of(
        st.lists(ENTRIES, min_size=1, max_size=4),
        st.integers(min_value=1, max_value=30).map(lambda number: f"random:{number}"),
    ),
    max_size=25,
)


class Books:
    """The same books, kept by somebody else: a dictionary and plain additions."""

    def __init__(self) -> None:
        self.booked: dict[str, Entry] = {}
        self.reversed: set[str] = set()

    def balances(self, more: dict[str, Entry]) -> Counter[str]:
        sums: Counter[str] = Counter()
        for key, one in {**self.booked, **more}.items():
            if key not in self.reversed:
                sums[one.debit] += one.amount_micros
                sums[one.credit] -= one.amount_micros
        return sums

    def holds(self, sums: Counter[str]) -> bool:
        """Return whether no account is below its floor."""
        charted = [accounts.charted(code) for code in sums]
        return all(sums[one.code] * (1 if one.kind in GROWS_BY_DEBIT else -1) >= 0 for one in charted if one.floor)

    def book(self, entries: list[Entry]) -> int | None:
        """Return how many are new, or None where they must be refused."""
        fresh: dict[str, Entry] = {}
        for one in entries:
            before = fresh.get(one.key) or self.booked.get(one.key)
            if one.debit == one.credit or (before is not None and before != one):
                return None
            if before is None:
                fresh[one.key] = one
        if not self.holds(self.balances(fresh)):
            return None
        self.booked |= fresh
        return len(fresh)

    def reverse(self, key: str) -> int | None:
        if key not in self.booked:
            return None
        if key in self.reversed:
            return 0
        self.reversed.add(key)
        if not self.holds(self.balances({})):
            self.reversed.remove(key)
            return None
        return 1


@effort(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_is_booked_and_reversed_two_bookkeepers_agree(acts: list[list[Entry] | str]) -> None:
    mine = Books()
    begun = transaction.savepoint()
    for act in acts:
        try:
            done = ledger.reverse(key=act, reason="Random.", now=NOW) if isinstance(act, str) else book(*act)
        except (LedgerRefused, NotFound):
            done = None
        assert done == (mine.reverse(act) if isinstance(act, str) else mine.book(act))
    told_by_rows: Counter[str] = Counter()
    for debit, credit, micros in Transfer.objects.values_list("debit_id", "credit_id", "amount_micros"):
        told_by_rows[debit] += micros
        told_by_rows[credit] -= micros
    kept = dict(Account.objects.exclude(balance_micros=0).values_list("code", "balance_micros"))
    assert kept == {code: micros for code, micros in told_by_rows.items() if micros}
    assert kept == {code: micros for code, micros in mine.balances({}).items() if micros}
    assert sum(kept.values()) == 0
    transaction.savepoint_rollback(begun)
