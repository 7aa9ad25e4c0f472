"""What a bank's files say, read as a stranger's: pain.002, camt.053, camt.054, and statements as CSV.

Any version of the ISO messages is read, for each bank has its own: elements are known by their names, whatever their
namespace. Entities and document types are refused, sums are digits and never floats, and account numbers are blotted
out of words before anything keeps them.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.conf import settings

from members import ibans, seals
from members.problems import Problem

BYTES_MOST, LINES_MOST, DEPTH_MOST = 900_000, 20_000, 40
WORDS_MOST, NAME_MOST = 300, 35
FIRST_YEAR, LAST_YEAR = 2000, 2199
SUM = re.compile(r"[0-9]{1,13}(?:\.[0-9]{1,5})?")
SIGNED_SUM = re.compile(r"([+-]?)([0-9]{1,13})(?:[.,]([0-9]{1,2}))?")
REFUSED = frozenset({"RJCT"})
# Names of columns that statements as CSV have, in lower case.
DAYS, SUMS, TEXTS, NAMES = (
    ("booked_on", "date", "day", "buchungstag", "datum"),
    ("amount", "betrag", "sum"),
    ("words", "description", "purpose", "verwendungszweck", "text"),
    ("reference", "id", "referenz"),
)


class FileNotRead(Problem):
    """The file is none that a bank sends, or is broken; nothing of it was taken in."""

    slug, status, title = "bank-file-not-read", 400, "This file cannot be read"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One payment of a line: its end-to-end id, its cents, and whether it is one that came back, and why."""

    end_to_end: str
    cents: int
    came_back: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a statement: `cents` in (positive) or out. `reference` names it once for all; `parts` may be none."""

    reference: str
    booked_on: date
    cents: int
    words: str
    file_name: str = ""
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A payment that the bank will not make."""

    end_to_end: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a file says. A status report has refusals, perhaps of a whole file (`refused_file`); the others have lines.

    `balance_cents` is the closing balance of a statement at the end of `balance_on`.
    """

    kind: str
    lines: list[Line] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    refused_file: str = ""
    reason: str = ""
    balance_cents: int | None = None
    balance_on: date | None = None


def read(content: bytes) -> Read:
    """Return what the bank's file says. Raises FileNotRead; never anything else, whatever the bytes are."""
    if len(content) > BYTES_MOST:
        raise FileNotRead(f"It has {len(content):,} bytes; at most {BYTES_MOST:,} are taken. Send a shorter span.")
    written = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if written[:1] != b"<":
        return _read_csv(content)
    try:
        document = fromstring(written, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FileNotRead("It is no XML that a bank sends: it is broken, or declares entities.") from error
    if _depth(document) > DEPTH_MOST:
        raise FileNotRead("It is nested deeper than any bank's file.")
    root = next(iter(document), None)
    kinds = {
        "CstmrPmtStsRpt": lambda: _read_status(_only(document, "CstmrPmtStsRpt")),
        "BkToCstmrStmt": lambda: _read_account("camt.053", document, "Stmt"),
        "BkToCstmrDbtCdtNtfctn": lambda: _read_account("camt.054", document, "Ntfctn"),
    }
    if root is None or _name(root) not in kinds:
        raise FileNotRead("It is none of pain.002, camt.053, camt.054 and CSV.")
    return kinds[_name(root)]()


# ISO 20022.


def _read_status(report: Element) -> Read:
    group = _find(report, "OrgnlGrpInfAndSts")
    refusals = []
    for info in _all(report, "OrgnlPmtInfAndSts"):
        refused = _text(info, "PmtInfSts") in REFUSED
        refusals += [
            Refusal(end_to_end=_id(_text(one, "OrgnlEndToEndId")), reason=_reason(one, info))
            for one in _all(info, "TxInfAndSts")
            if refused or _text(one, "TxSts") in REFUSED
        ]
    whole = group is not None and _text(group, "GrpSts") in REFUSED
    unnamed = any(
        _text(info, "PmtInfSts") in REFUSED and not _all(info, "TxInfAndSts")
        for info in _all(report, "OrgnlPmtInfAndSts")
    )
    return Read(
        kind="pain.002",
        refusals=refusals,
        refused_file=_id(_text(group, "OrgnlMsgId")) if group is not None and (whole or unnamed) else "",
        reason=_reason(group, report) if group is not None else "",
    )


def _read_account(kind: str, document: Element, name: str) -> Read:
    lines: list[Line] = []
    balance: tuple[date, int] | None = None
    for account in (found for found in document.iter() if _name(found) == name):
        for entry in _all(account, "Ntry"):
            if _text(entry, "Sts", "Cd") not in ("", "BOOK") or _text(entry, "Sts") in ("PDNG", "INFO"):
                continue
            lines.append(_line(account, entry))
            if len(lines) > LINES_MOST:
                raise FileNotRead(f"It has more than {LINES_MOST:,} lines. Send a shorter span.")
        for one in _all(account, "Bal"):
            if _text(one, "Tp", "CdOrPrtry", "Cd") == "CLBD":
                balance = (_day(one), _signed(one))
    return Read(
        kind=kind,
        lines=lines,
        balance_on=balance[0] if balance else None,
        balance_cents=balance[1] if balance else None,
    )


def _line(account: Element, entry: Element) -> Line:
    cents, day = _signed(entry), _day(entry, "BookgDt")
    details = [one for group in _all(entry, "NtryDtls") for one in _all(group, "TxDtls")]
    batch = next((_find(group, "Btch") for group in _all(entry, "NtryDtls") if _find(group, "Btch") is not None), None)
    came_back = _text(entry, "RvslInd") == "true"
    parts = [_part(one, cents, alone=len(details) == 1, came_back=came_back) for one in details]
    words = [_text(entry, "AddtlNtryInf")]
    for one in details[:20]:
        words += [_text(one, "RltdPties", "Cdtr", "Nm"), _text(one, "RltdPties", "Dbtr", "Nm")]
        words += [_text(one, "RltdPties", side, "Pty", "Nm") for side in ("Cdtr", "Dbtr")]
        words += [_text(one, "RmtInf", "Ustrd")]
    said = " ".join(dict.fromkeys(word for word in words if word))
    # The bank's own name for the line; where it gives none, what the line says and where it stands.
    name = _text(entry, "AcctSvcrRef") or _text(entry, "NtryRef")
    if not name or name == "NONREF":
        name = seals.sha256_of([_text(account, "Id"), str(day), cents, said, [one.end_to_end for one in parts]])[:32]
    return Line(
        reference=ibans.blot(f"{day}:{cents}:{name}")[:200],
        booked_on=day,
        cents=cents,
        words=_words(said),
        file_name=_id(_text(batch, "PmtInfId") or _text(batch, "MsgId")) if batch is not None else "",
        parts=[one for one in parts if one.end_to_end],
    )


def _part(details: Element, cents: int, *, alone: bool, came_back: bool) -> Part:
    found = _find(details, "Amt")
    found = found if found is not None else _find(_find(details, "AmtDtls", "TxAmt"), "Amt")
    size = abs(cents) if found is None and alone else _cents(found)
    returned = _find(details, "RtrInf")
    end_to_end = _text(details, "Refs", "EndToEndId")
    return Part(
        end_to_end="" if end_to_end == "NOTPROVIDED" else _id(end_to_end),
        cents=size if cents > 0 else -size,
        came_back=came_back or returned is not None,
        reason=_words(
            " ".join(filter(None, (_text(returned, "Rsn", "Cd"), _text(returned, "AddtlInf"))))
            if returned is not None
            else ""
        ),
    )


def _reason(*places: Element) -> str:
    for place in places:
        info = _find(place, "StsRsnInf")
        if info is not None:
            found = _text(info, "Rsn", "Cd") or _text(info, "Rsn", "Prtry")
            return _words(" ".join(filter(None, (found, _text(info, "AddtlInf")))))
    return ""


def _signed(entry: Element) -> int:
    side, cents = _text(entry, "CdtDbtInd"), _cents(_find(entry, "Amt"))
    if side not in ("CRDT", "DBIT"):
        raise FileNotRead("A line does not say whether it is in or out.")
    return cents if side == "CRDT" else -cents


def _cents(amount: Element | None) -> int:
    text = ((amount.text if amount is not None else "") or "").strip()
    if amount is None or not SUM.fullmatch(text):
        raise FileNotRead("A line has no sum that can be read.")
    if amount.get("Ccy", settings.CURRENCY) != settings.CURRENCY:
        raise FileNotRead(f"A line is in another currency than {settings.CURRENCY}.")
    whole, _, part = text.partition(".")
    if part.rstrip("0")[2:]:
        raise FileNotRead("A line has a sum with a part of a cent.")
    return int(whole) * 100 + int(part[:2].ljust(2, "0") or 0)


def _day(entry: Element, name: str = "Dt") -> date:
    found = _find(entry, name)
    if found is None:
        raise FileNotRead("A line has no day.")
    text = _text(found, "Dt") or _text(found, "DtTm") or (found.text or "")
    return _date(text.strip()[:10])


def _only(document: Element, name: str) -> Element:
    return next(found for found in document if _name(found) == name)


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, name: str) -> list[Element]:
    return [found for found in element if _name(found) == name]


def _find(element: Element | None, *path: str) -> Element | None:
    for name in path:
        element = next((found for found in element if _name(found) == name), None) if element is not None else None
    return element


def _text(element: Element | None, *path: str) -> str:
    found = _find(element, *path)
    return ((found.text if found is not None else "") or "").strip()


def _depth(document: Element) -> int:
    deepest, left = 0, [(document, 1)]
    while left:
        element, depth = left.pop()
        deepest = max(deepest, depth)
        if deepest <= DEPTH_MOST:
            left += [(inside, depth + 1) for inside in element]
    return deepest


# CSV.


def _read_csv(content: bytes) -> Read:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if "\0" in text:
        raise FileNotRead("It is none of pain.002, camt.053, camt.054 and CSV.")
    return Read(kind="csv", lines=list(_csv_lines(text)))


def _csv_lines(text: str) -> Iterator[Line]:
    head = text.split("\n", 1)[0]
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ","))
    except csv.Error as error:
        raise FileNotRead("It is no table: a cell is too long or a quote is open.") from error
    columns = {str(name).strip().lower(): name for name in (rows[0] if rows else {}) if name is not None}
    day, amount, words, name = (next((columns[one] for one in names if one in columns), None) for names in _COLUMNS)
    if day is None or amount is None:
        raise FileNotRead("A table needs a line of headings with booked_on and amount; words and reference help.")
    if len(rows) > LINES_MOST:
        raise FileNotRead(f"It has more than {LINES_MOST:,} lines. Send a shorter span.")
    seen: dict[str, int] = {}
    for row in rows:
        booked_on, cents = _date((row[day] or "").strip()), _csv_cents((row[amount] or "").strip())
        said = _words((row.get(words) if words else "") or "")
        given = (row.get(name) if name else "") or ""
        # Without a name of its own a line is known by what it says, and by how many of the same stand before it.
        made = given.strip() or seals.sha256_of([str(booked_on), cents, said])[:32]
        seen[made] = seen.get(made, 0) + 1
        ending = "" if given.strip() else f":{seen[made]}"
        yield Line(
            reference=ibans.blot(f"{booked_on}:{cents}:{made}{ending}")[:200],
            booked_on=booked_on,
            cents=cents,
            words=said,
        )


_COLUMNS = (DAYS, SUMS, TEXTS, NAMES)


def _csv_cents(text: str) -> int:
    found = SIGNED_SUM.fullmatch(text.replace("\N{MINUS SIGN}", "-"))
    if found is None:
        raise FileNotRead("A sum is not written as 1234.56, with a minus for money that left.")
    sign, whole, part = found.groups()
    cents = int(whole) * 100 + int((part or "").ljust(2, "0"))
    if not cents:
        raise FileNotRead("A line moves nothing.")
    return -cents if sign == "-" else cents


# Words.


def _date(text: str) -> date:
    german = re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{4})", text, re.ASCII)
    try:
        found = date.fromisoformat("-".join(reversed(german.groups())) if german else text)
    except ValueError:
        raise FileNotRead("A line has no day that can be read: 2026-12-31 or 31.12.2026.") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise FileNotRead(f"A line is of the year {found.year}.")
    return found


def _words(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return ibans.blot(" ".join(plain.split()))[:WORDS_MOST]


def _id(text: str) -> str:
    return text[:NAME_MOST]
