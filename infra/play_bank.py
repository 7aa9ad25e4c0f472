"""The demo's bank: what an account of this co-op would show, if its money were money.

It books what was ordered from it, as a bank does: payouts on the next bank day, and sends back those to an account that
is closed. It gets the payment provider's settlements and a grant, and pays rent, machines, VAT and its own fee. All of
it follows from rows that are there, so the same day always shows the same lines under the same names.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import takewhile
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.db import connection

from members import clock, money, months
from royalties.payout_models import Payout, PayoutBatch

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:{}.001.08"
# Payouts to accounts that end so come back: there has to be one to look at.
CLOSED_ENDS_WITH = "3000"
# All of it as small as what so few listeners pay.
GRANT_CENTS, RENT_CENTS, HOSTING_CENTS, PRINTING_CENTS, BANK_FEE_CENTS = 1_000, 380, 214, 125, 29
RENT_DAY, GRANT_DAY, VAT_DAY, HOSTING_DAY, PRINTING_DAY = 1, 5, 10, 20, 28
# The provider settles on Wednesdays what was paid up to the Sunday before, and keeps this much of each payment.
WEDNESDAY, TO_SUNDAY, FEE_PER_MILLE = 2, timedelta(days=3), 10
ONE_DAY, RETURNED_AFTER = timedelta(days=1), timedelta(days=2)
SATURDAY = 5

MOVED = """
SELECT day, sum(CASE WHEN kind IN ('refund', 'chargeback') THEN -1 ELSE 1 END
                * (net_micros + vat_micros + bought_micros + borne_micros))::bigint,
       coalesce(sum(net_micros + vat_micros) FILTER (WHERE kind = 'top-up'), 0)::bigint,
       sum(CASE kind WHEN 'refund' THEN -vat_micros ELSE vat_micros END)::bigint
  FROM playback_money_facts
 WHERE kind IN ('top-up', 'refund', 'refund-came-back', 'chargeback', 'chargeback-won') AND day <= %s
 GROUP BY day ORDER BY day
"""


@dataclass(frozen=True, kw_only=True)
class Day:
    """What the payment provider took in on a day, in cents: all together, payments alone, and the VAT in it."""

    day: date
    cents: int
    paid_cents: int
    vat_cents: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the account: cents in (positive) or out. `kind` is what a treasurer would call it, empty for payouts.

    `fee_cents` is what the provider kept back of a settlement, of payments up to `fee_on`.
    """

    day: date
    cents: int
    kind: str
    words: str
    payouts: list[Payout] = field(default_factory=list)
    returned: bool = False
    fee_cents: int = 0
    fee_on: date | None = None

    @property
    def reference(self) -> str:
        """Return the bank's name of the line, the same for ever."""
        if not self.payouts:
            return f"{self.kind}.{self.day}"
        return f"{'returned' if self.returned else 'payouts'}.{self.payouts[0].end_to_end}"


def lines(*, until: date) -> list[Line]:
    """Return all lines of the account to the end of a day, oldest first. Three queries."""
    taken = _taken(until)
    if not taken:
        return []
    began = taken[0].day
    found = [
        *_settlements(taken, until),
        *_standing(taken, until),
        *_payouts(),
    ]
    return sorted((one for one in found if began <= one.day <= until), key=lambda one: (one.day, one.reference))


def balance_cents(*, on: date) -> int:
    """Return what is on the account at the end of a day."""
    return sum(line.cents for line in lines(until=on))


def statement(*, month: date, today: date) -> bytes:
    """Return the account's statement of a month, as far as it has come (camt.053)."""
    until = min(today, months.after(month) - ONE_DAY)
    found = lines(until=until)
    balance = sum(line.cents for line in found)
    return _document("camt.053", [line for line in found if line.day >= month], balance=balance, on=until)


def notice(*, since: date, today: date) -> bytes:
    """Return the notice of what the provider settled, which payouts were made and which came back (camt.054)."""
    told = [line for line in lines(until=today) if line.day >= since and (line.payouts or line.kind == "settlement")]
    return _document("camt.054", told, balance=None, on=today)


def _taken(until: date) -> list[Day]:
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [until])
        rows = cursor.fetchall()
    return [
        Day(day=day, **{name: micros // money.MICROS_PER_CENT for name, micros in zip(_SUMS, sums, strict=True)})
        for day, *sums in rows
    ]


_SUMS = ("cents", "paid_cents", "vat_cents")


def _settlements(taken: list[Day], until: date) -> list[Line]:
    found: list[Line] = []
    settled = fees = 0
    wednesday = taken[0].day + timedelta(days=(WEDNESDAY - taken[0].day.weekday()) % 7)
    while wednesday <= until:
        sunday = wednesday - TO_SUNDAY
        known = list(takewhile(lambda one: one.day <= sunday, taken))  # noqa: B023  (it is used at once)
        fee = sum(one.paid_cents for one in known) * FEE_PER_MILLE // 1000 - fees
        cents = sum(one.cents for one in known) - settled - fees - fee
        if cents > 0:
            words = f"Play Money, payments to {sunday:%-d %B}, less fees of {money.show_cents(fee)}"
            found.append(Line(day=wednesday, cents=cents, kind="settlement", words=words, fee_cents=fee, fee_on=sunday))
            settled, fees = settled + cents, fees + fee
        wednesday += timedelta(days=7)
    return found


def _standing(taken: list[Day], until: date) -> list[Line]:
    found, month = [], taken[0].day.replace(day=1)
    while month <= until:
        last, before = months.after(month) - ONE_DAY, months.before(month)
        vat = sum(one.vat_cents for one in taken if one.day.replace(day=1) == before)
        outs = [
            (month.replace(day=RENT_DAY), RENT_CENTS, "rent", f"A desk on Mondays, {month:%B}"),
            (month.replace(day=VAT_DAY), vat, "vat", f"Tax office, VAT of {before:%B}"),
            (month.replace(day=HOSTING_DAY), HOSTING_CENTS, "hosting", f"A share of a machine, {month:%B}"),
            (month.replace(day=PRINTING_DAY), PRINTING_CENTS, "cost", "Stickers"),
            (last, BANK_FEE_CENTS, "bank-fee", f"Keeping the account, {month:%B}"),
        ]
        words = f"City of Berlin, grant for {month:%B}"
        # The first one comes when there is an account to send it to.
        granted_on = max(month.replace(day=GRANT_DAY), taken[0].day)
        found.append(Line(day=granted_on, cents=GRANT_CENTS, kind="grant", words=words))
        found += [Line(day=day, cents=-cents, kind=kind, words=words) for day, cents, kind, words in outs if cents > 0]
        month = months.after(month)
    return found


def _payouts() -> list[Line]:
    found = []
    for batch in PayoutBatch.objects.filter(state=PayoutBatch.State.RELEASED).order_by("released_at"):
        assert batch.released_at is not None
        ordered = batch.payouts.filter(bank_has_it=False).exclude(state=Payout.State.REJECTED)
        paid = list(ordered.select_related("account").order_by("end_to_end"))
        day = _bank_day(clock.day(batch.released_at) + ONE_DAY)
        if paid:
            words = f"{settings.COOP_NAME}: royalties to {batch.month:%m/%Y}"
            found.append(Line(day=day, cents=-sum(one.cents for one in paid), kind="", words=words, payouts=paid))
        found += [
            Line(
                day=_bank_day(day + RETURNED_AFTER),
                cents=one.cents,
                kind="",
                words="Returned: the account is closed",
                payouts=[one],
                returned=True,
            )
            for one in paid
            if one.account is not None and one.account.mask.endswith(CLOSED_ENDS_WITH)
        ]
    return found


def _bank_day(day: date) -> date:
    while day.weekday() >= SATURDAY:
        day += ONE_DAY
    return day


def _document(kind: str, told: list[Line], *, balance: int | None, on: date) -> bytes:
    root, account = {
        "camt.053": ("BkToCstmrStmt", "Stmt"),
        "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    }[kind]
    document = Element("Document", xmlns=NAMESPACE.format(kind))
    message = SubElement(document, root)
    _put(SubElement(message, "GrpHdr"), MsgId=f"PLAY-{kind}-{on}", CreDtTm=f"{on}T23:59:59")
    shown = SubElement(message, account)
    _put(shown, Id=f"PLAY-{on}")
    _put(SubElement(SubElement(shown, "Acct"), "Id"), IBAN=settings.COOP_IBAN)
    if balance is not None:
        closing = SubElement(shown, "Bal")
        _put(SubElement(SubElement(closing, "Tp"), "CdOrPrtry"), Cd="CLBD")
        _put_sum(closing, balance)
        _put(SubElement(closing, "Dt"), Dt=str(on))
    for line in told:
        _put_line(shown, line)
    return tostring(document, encoding="utf-8", xml_declaration=True)


def _put_line(account: Element, line: Line) -> None:
    entry = SubElement(account, "Ntry")
    _put_sum(entry, line.cents)
    _put(SubElement(entry, "Sts"), Cd="BOOK")
    _put(SubElement(entry, "BookgDt"), Dt=str(line.day))
    _put(entry, AcctSvcrRef=line.reference)
    if line.payouts:
        details = SubElement(entry, "NtryDtls")
        for one in line.payouts:
            payment = SubElement(details, "TxDtls")
            _put(SubElement(payment, "Refs"), EndToEndId=one.end_to_end)
            SubElement(payment, "Amt", Ccy=settings.CURRENCY).text = _decimal(one.cents)
            if line.returned:
                _put(SubElement(SubElement(payment, "RtrInf"), "Rsn"), Cd="AC04")
    _put(entry, AddtlNtryInf=line.words)


def _put_sum(place: Element, cents: int) -> None:
    SubElement(place, "Amt", Ccy=settings.CURRENCY).text = _decimal(abs(cents))
    _put(place, CdtDbtInd="CRDT" if cents >= 0 else "DBIT")


def _put(place: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(place, name).text = text


def _decimal(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
