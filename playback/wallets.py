"""Wallets: bought credit and promo credit, what may be spent a day and a month, and the history of every micro.

Whatever moves a listener's money locks their wallet first. Limits are compared at the charge (sql/charging.sql);
lowering one holds at once, raising or removing it after a night's sleep.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from members import clock, money
from members.problems import Invalid, Problem
from playback.models import Wallet

RAISE_AFTER = timedelta(hours=24)
LIMIT_MOST_MICROS = 1_000_000 * money.MICROS


class InsufficientFunds(Problem):
    """The wallet holds less than the charge."""

    slug, status, title = "insufficient-funds", 402, "There is not enough credit"


class LimitReached(Problem):
    """The charge would pass a limit that the listener set."""

    slug, status, title = "spending-limit-reached", 402, "Your limit is reached"


class WalletFrozen(Problem):
    """A payment is disputed; a treasurer has to decide before money moves."""

    slug, status, title = "wallet-frozen", 403, "This wallet is frozen"


@dataclass(frozen=True, kw_only=True)
class WalletOverview:
    """A wallet at a moment: pockets, limits in force and those that wait, spent so far; all in micros."""

    balance_micros: int
    promo_micros: int
    currency: str
    day_limit_micros: int | None
    month_limit_micros: int | None
    next_day_limit_micros: int | None
    next_day_limit_at: datetime | None
    next_month_limit_micros: int | None
    next_month_limit_at: datetime | None
    spent_today_micros: int
    spent_this_month_micros: int
    frozen: bool
    goes_on: bool
    consented: bool

    def refusal(self, amount: int) -> Problem | None:
        """Return the problem that charging `amount` would meet now, or None. The charge itself asks again."""
        if self.frozen:
            return frozen()
        for name, limit, spent in (
            ("day", self.day_limit_micros, self.spent_today_micros),
            ("month", self.month_limit_micros, self.spent_this_month_micros),
        ):
            if limit is not None and spent + amount > limit:
                return limit_reached(name=name, limit=limit, needed=amount)
        if self.balance_micros + self.promo_micros < amount:
            return insufficient_funds(needed=amount, available=self.balance_micros + self.promo_micros)
        return None


@dataclass(frozen=True)
class Entry:
    """One line of the history; `amount_micros` is signed and both pockets together.

    `pricing_version` is the one a play or purchase was priced by: for a ladder begun before a vote, the older one.
    """

    at: datetime
    kind: str
    row_id: UUID
    amount_micros: int
    promo_part_micros: int
    work_id: UUID | None
    work_title: str | None
    play_number: int | None
    reason: str | None
    balance_after_micros: int
    promo_after_micros: int
    pricing_version: int | None


def limit_reached(*, name: str, limit: int, needed: int) -> LimitReached:
    """Return the refusal of a charge of `needed` that a limit does not allow."""
    return LimitReached(
        f"This would cost {money.show(needed)} and pass the {money.show(limit)} a {name} that you set.",
        limit=name,
        limit_micros=limit,
        needed_micros=needed,
    )


def frozen() -> WalletFrozen:
    """Return the refusal of a frozen wallet."""
    return WalletFrozen("A payment into this wallet is disputed. What you own still plays.")


def insufficient_funds(*, needed: int, available: int) -> InsufficientFunds:
    """Return the refusal of a charge of `needed` that the wallet cannot pay."""
    return InsufficientFunds(
        f"This costs {money.show(needed)}; the wallet holds {money.show(available)}.",
        needed_micros=needed,
        available_micros=available,
    )


def lock(listener_id: UUID) -> Wallet:
    """Lock and return the listener's wallet, made if they have none yet. Inside a transaction; one or two queries."""
    found = _locked(listener_id)
    if found is None:
        Wallet.objects.bulk_create([Wallet(listener_id=listener_id)], ignore_conflicts=True)
        found = _locked(listener_id)
    assert found is not None
    return found


def _locked(listener_id: UUID) -> Wallet | None:
    return Wallet.objects.select_for_update(no_key=True).filter(listener_id=listener_id).first()


def overview(*, person_id: UUID, now: datetime) -> WalletOverview:
    """Return the wallet as it stands now; an empty one for who has none. One query."""
    return overview_of(Wallet.objects.filter(listener_id=person_id).first() or Wallet(listener_id=person_id), now=now)


def overview_of(wallet: Wallet, *, now: datetime) -> WalletOverview:
    """Return what a wallet's row says at a moment: raises that have come into force, counters of days gone by."""
    day_in_force = wallet.next_day_limit_at is not None and wallet.next_day_limit_at <= now
    month_in_force = wallet.next_month_limit_at is not None and wallet.next_month_limit_at <= now
    return WalletOverview(
        balance_micros=wallet.balance_micros,
        promo_micros=wallet.promo_micros,
        currency=settings.CURRENCY,
        day_limit_micros=wallet.next_day_limit_micros if day_in_force else wallet.day_limit_micros,
        month_limit_micros=wallet.next_month_limit_micros if month_in_force else wallet.month_limit_micros,
        next_day_limit_micros=None if day_in_force else wallet.next_day_limit_micros,
        next_day_limit_at=None if day_in_force else wallet.next_day_limit_at,
        next_month_limit_micros=None if month_in_force else wallet.next_month_limit_micros,
        next_month_limit_at=None if month_in_force else wallet.next_month_limit_at,
        spent_today_micros=wallet.spent_day_micros if wallet.spent_day == clock.day(now) else 0,
        spent_this_month_micros=wallet.spent_month_micros if wallet.spent_month == clock.month(now) else 0,
        frozen=wallet.frozen_at is not None,
        goes_on=wallet.goes_on,
        consented=wallet.consented_at is not None,
    )


@dataclass(frozen=True, kw_only=True)
class _Limit:
    """A limit in force, and the raise that waits until a moment; None is no limit."""

    in_force: int | None
    waits: int | None
    waits_until: datetime | None

    def asked(self, wanted: int | None, now: datetime) -> "_Limit":
        """Return the limit after somebody asked for another: lower at once, higher after a night's sleep."""
        raises = self.in_force is not None and (wanted is None or wanted > self.in_force)
        if not raises:
            return _Limit(in_force=wanted, waits=None, waits_until=None)
        if self.waits_until is not None and self.waits == wanted:
            return self
        return _Limit(in_force=self.in_force, waits=wanted, waits_until=now + RAISE_AFTER)


def set_limits(
    *, person_id: UUID, day_limit_micros: int | None, month_limit_micros: int | None, now: datetime
) -> WalletOverview:
    """Set both limits (None: no limit).

    A lower one holds at once and drops a raise that waits; a higher one holds after 24 hours. Raises Invalid for a
    negative or senselessly large limit.
    """
    for limit in (day_limit_micros, month_limit_micros):
        if limit is not None and not 0 <= limit <= LIMIT_MOST_MICROS:
            raise Invalid(f"A limit is between {money.show(0)} and {money.show(LIMIT_MOST_MICROS)}, or none.")
    with transaction.atomic():
        wallet = lock(person_id)
        stands = overview_of(wallet, now=now)
        day = _Limit(
            in_force=stands.day_limit_micros, waits=stands.next_day_limit_micros, waits_until=stands.next_day_limit_at
        ).asked(day_limit_micros, now)
        month = _Limit(
            in_force=stands.month_limit_micros,
            waits=stands.next_month_limit_micros,
            waits_until=stands.next_month_limit_at,
        ).asked(month_limit_micros, now)
        wallet.day_limit_micros, wallet.month_limit_micros = day.in_force, month.in_force
        wallet.next_day_limit_micros, wallet.next_day_limit_at = day.waits, day.waits_until
        wallet.next_month_limit_micros, wallet.next_month_limit_at = month.waits, month.waits_until
        wallet.save()
        return overview_of(wallet, now=now)


def set_goes_on(*, person_id: UUID, goes_on: bool) -> None:
    """Let plays go on by themselves at the price shown, or ask each time."""
    with transaction.atomic():
        lock(person_id)
        Wallet.objects.filter(listener_id=person_id).update(goes_on=goes_on)


def record_consent(*, person_id: UUID, version: int, now: datetime) -> None:
    """Record that the listener asked for supply at once, knowing which text they agreed to. The first one stays."""
    with transaction.atomic():
        lock(person_id)
        Wallet.objects.filter(listener_id=person_id, consented_at=None).update(
            consented_at=now, consent_version=version
        )


def balance_of(person_id: UUID) -> int:
    """Return somebody's bought credit in micros, none for who has no wallet. One query."""
    return Wallet.objects.filter(listener_id=person_id).values_list("balance_micros", flat=True).first() or 0


def entries(
    *, person_id: UUID, before: datetime | None = None, before_id: UUID | None = None, limit: int = 50
) -> list[Entry]:
    """Return the history of the wallet, newest first: `limit` lines before a moment. One query.

    Lines of one moment have an order too, by their row's id: with `before_id`, the id of the line at `before` where the
    last page ended, those of its moment that come after it are returned as well.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.at, e.kind, e.row_id, e.balance_micros + e.promo_micros, e.promo_micros, e.work_id, w.title,"
            "       e.play_number, e.reason, e.balance_after_micros, e.promo_after_micros, c.pricing_version"
            "  FROM playback_wallet_entry e LEFT JOIN catalog_work_standing w USING (work_id)"
            "  LEFT JOIN playback_charge c ON c.listener_id = e.listener_id AND c.id = e.row_id"
            " WHERE e.listener_id = %(person)s AND (%(before)s::timestamptz IS NULL OR e.at < %(before)s"
            "       OR (e.at = %(before)s AND e.row_id < %(before_id)s::uuid))"
            " ORDER BY e.at DESC, e.row_id DESC LIMIT %(limit)s",
            {"person": person_id, "before": before, "before_id": before_id, "limit": limit},
        )
        return [Entry(*row) for row in cursor.fetchall()]
