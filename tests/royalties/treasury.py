"""What tests of payouts and of the journal share: payees who are owed something, sealed months, a bank's files."""

from datetime import date, datetime, timedelta
from itertools import count
from uuid import uuid4

from members import clock, money, months
from royalties import accounts, journal, ledger, payout_accounts, payouts
from royalties.ledger import Entry
from tests import cast

_numbers = count(1)
IBANS = (
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
    "AT611904300234573201",
    "BE68539007547034",
    "ES9121000418450200051332",
)
SEPTEMBER = date(2026, 9, 1)
OCTOBER = date(2026, 10, 1)


def seal(month: date) -> None:
    """Close and seal a month, and stand on the fourth of the next."""
    cast.set_clock(clock.start_of(months.after(month).replace(day=4)) + timedelta(hours=9))
    months.close(month=month)
    months.seal(month=month, now=clock.now())


def owe(person, micros: int, *, month: date = SEPTEMBER) -> None:
    """Let a payee have earned something in a month."""
    ledger.book([earned(person, micros, month)], now=clock.now())


def earned(person, micros: int, month: date) -> Entry:
    """Return the entry of what somebody earned."""
    return Entry(
        debit=accounts.ROYALTIES,
        credit=accounts.payable(person.id),
        amount_micros=micros,
        kind="royalties",
        key=f"earned-{next(_numbers)}",
        happened_at=clock.start_of(month),
        month=month,
    )


def payee(name: str = "ana", micros: int = 0, *, iban: str | None = None, month: date = SEPTEMBER):
    """Make a payee with an account, who is owed something."""
    person = cast.person(name)
    number = next(_numbers)
    payout_accounts.enter(
        person_id=person.id, holder=person.name, iban=iban or IBANS[number % len(IBANS)], now=clock.now()
    )
    if micros:
        owe(person, micros, month=month)
    return person


def owed(person) -> int:
    """Return what a payee is owed, in micros."""
    return ledger.payable([person.id])[person.id]


def agree(month: date, tess, tom) -> None:
    """Let the bank say what the books say, and lock them."""
    cents, rest = divmod(journal.balance_in_the_books(month), money.MICROS_PER_CENT)
    assert not rest
    said = journal.enter_balance(staff_id=tess.id, month=month, cents=cents, now=clock.now())
    journal.lock(balance_id=said.id, staff_id=tom.id, now=clock.now())


def pay(month: date, tess, tom):
    """Prepare and release a month's payouts."""
    batch = payouts.prepare(month=month, staff_id=tess.id, now=clock.now())
    return payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=tom.id, now=clock.now())


# The bank.

CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.{}.001.08"


def statement(*entries: str, kind: str = "053", balance: str = "") -> bytes:
    """Return a camt.053, or a camt.054, with some entries."""
    root, account = ("BkToCstmrStmt", "Stmt") if kind == "053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{CAMT.format(kind)}"><{root}>'
        f"<GrpHdr><MsgId>{uuid4().hex}</MsgId><CreDtTm>2026-10-06T05:00:00</CreDtTm></GrpHdr><{account}><Id>1</Id>"
        f"<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>{balance}{''.join(entries)}</{account}></{root}></Document>"
    ).encode()


def entry(cents: int, *, day: str = "2026-10-05", reference: str = "", words: str = "", details: str = "") -> str:
    """Return an entry of a statement; out when negative."""
    return (
        f'<Ntry><Amt Ccy="EUR">{abs(cents) // 100}.{abs(cents) % 100:02d}</Amt>'
        f"<CdtDbtInd>{'CRDT' if cents > 0 else 'DBIT'}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{reference or f'BANK-{next(_numbers)}'}</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls><AddtlNtryInf>{words}</AddtlNtryInf></Ntry>"
    )


def one(payout, *, back: str = "", cents: int | None = None) -> str:
    """Return the details of one payout; with a reason, of one that comes back."""
    size = payout.cents if cents is None else cents
    returned = f"<RtrInf><Rsn><Cd>{back}</Cd></Rsn></RtrInf>" if back else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{payout.end_to_end}</EndToEndId></Refs>"
        f'<Amt Ccy="EUR">{size // 100}.{size % 100:02d}</Amt>{returned}</TxDtls>'
    )


def booked(*found, day: str = "2026-10-05", reference: str = "") -> bytes:
    """Return a statement in which the bank books some payouts as one sum."""
    total = -sum(payout.cents for payout in found)
    return statement(entry(total, day=day, reference=reference, details="".join(one(payout) for payout in found)))


def returned(payout, *, reason: str = "AC04", day: str = "2026-10-08", reference: str = "") -> bytes:
    """Return a notification that a payout came back."""
    line = entry(payout.cents, day=day, reference=reference, details=one(payout, back=reason))
    return statement(line, kind="054")


def status(batch, *, group: str = "PART", refused: tuple = (), reason: str = "AC01") -> bytes:
    """Return a status report about a batch's file."""
    parts = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{payout.end_to_end}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for payout in refused
    )
    info = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{batch.message_id}</OrgnlPmtInfId>{parts}</OrgnlPmtInfAndSts>"
    return (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>{uuid4().hex}</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{batch.message_id}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>{group}</GrpSts>"
        f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>{info if parts else ''}"
        "</CstmrPmtStsRpt></Document>"
    ).encode()


def at(text: str) -> datetime:
    """Return a moment of the co-op's time: `2026-10-04 09:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=clock.zone())
