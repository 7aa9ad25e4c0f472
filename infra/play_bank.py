"""The demo's bank: what an account of this co-op would show, if its money were money.

It books what was ordered from it, as a bank does: payouts on the next bank day, and sends back those to an account that
is closed; to one that was never opened it does not even try. It gets the payment provider's settlements, a grant and
what members pay in, and pays rent, machines, VAT and its own fee. All of it follows from rows that are there, so the
same day always shows the same lines under the same names.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import takewhile
from xml.etree.ElementTree import Element, SubElement, tostring

from django.conf import settings
from django.db import connection

from members import clock, money, months
from members.belonging import dues
from members.belonging.models import DuesPayment, ShareHolding
from royalties.payout_models import Payout, PayoutBatch

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:{}.001.08"
# Payouts to accounts that end so come back: there has to be one to look at.
CLOSED_ENDS_WITH = "3000"
# And one at least that the bank refuses when it is ordered.
UNKNOWN_ENDS_WITH = "4300"
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

    `of` tells lines of one kind and day apart. `fee_cents` is what the provider kept back of a settlement, of payments
    up to `fee_on`.
    """

    day: date
    cents: int
    kind: str
    words: str
    payouts: list[Payout] = field(default_factory=list)
    returned: bool = False
    of: str = ""
    fee_cents: int = 0
    fee_on: date | None = None

    @property
    def reference(self) -> str:
        """Return the bank's name of the line, the same for ever."""
        if not self.payouts:
            return f"{self.kind}.{self.day}{self.of}"
        return f"{'returned' if self.returned else 'payouts'}.{self.payouts[0].end_to_end}"


def lines(*, until: date) -> list[Line]:
    """Return all lines of the account to the end of a day, oldest first. Five queries and two for each batch."""
    taken = _taken(until)
    if not taken:
        return []
    began = taken[0].day
    found = [
        *_settlements(taken, until),
        *_standing(taken, until),
        *_members(began),
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


def status(batch: PayoutBatch) -> bytes:
    """Return what the bank says when it has read a batch's file (pain.002): which orders it takes, which it refuses."""
    assert batch.released_at is not None
    document = Element("Document", xmlns=NAMESPACE.format("pain.002"))
    report = SubElement(document, "CstmrPmtStsRpt")
    read_at = f"{batch.released_at:%Y-%m-%dT%H:%M:%S}"
    _put(SubElement(report, "GrpHdr"), MsgId=f"PLAY-{batch.message_id}", CreDtTm=read_at)
    ordered = list(batch.payouts.filter(bank_has_it=False).select_related("account").order_by("end_to_end"))
    refused = [one for one in ordered if _is_refused(one)]
    group = SubElement(report, "OrgnlGrpInfAndSts")
    _put(group, OrgnlMsgId=batch.message_id, OrgnlMsgNmId="pain.001.001.09", GrpSts="PART" if refused else "ACCP")
    payments = SubElement(report, "OrgnlPmtInfAndSts")
    _put(payments, OrgnlPmtInfId=batch.message_id)
    for one in ordered:
        told = SubElement(payments, "TxInfAndSts")
        _put(told, OrgnlEndToEndId=one.end_to_end, TxSts="RJCT" if one in refused else "ACCP")
        if one in refused:
            _put(SubElement(SubElement(told, "StsRsnInf"), "Rsn"), Cd="AC01")
    return tostring(document, encoding="utf-8", xml_declaration=True)


def _is_refused(one: Payout) -> bool:
    return one.account is not None and one.account.mask.endswith(UNKNOWN_ENDS_WITH)


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


def _members(began: date) -> list[Line]:
    """Return dues and shares that came by bank or went back; on the account's first day what came before it."""
    found = [
        _of_a_member("dues", one, one.paid_at, began, words="dues")
        for one in DuesPayment.objects.filter(way="bank").select_related("membership")
    ]
    for one in ShareHolding.objects.exclude(paid_at=None).select_related("membership"):
        words = f"{one.count} share{'' if one.count == 1 else 's'}"
        found += [
            _of_a_member(kind, one, moment, began, words=words)
            for kind, moment in (("shares", one.paid_at), ("shares-back", one.repaid_at))
            if moment is not None
        ]
    return found


def _of_a_member(kind: str, paid: DuesPayment | ShareHolding, moment: datetime, began: date, *, words: str) -> Line:
    cents = paid.amount_micros // money.MICROS_PER_CENT
    return Line(
        day=max(clock.day(moment), began),
        cents=-cents if kind == "shares-back" else cents,
        kind=kind,
        words=f"{dues.reference(paid.membership)}, {words}",
        of=f".{str(paid.id)[:8]}",
    )


def _payouts() -> list[Line]:
    found = []
    for batch in PayoutBatch.objects.filter(state=PayoutBatch.State.RELEASED).order_by("released_at"):
        assert batch.released_at is not None
        ordered = batch.payouts.filter(bank_has_it=False).exclude(state=Payout.State.REJECTED)
        paid = [one for one in ordered.select_related("account").order_by("end_to_end") if not _is_refused(one)]
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
