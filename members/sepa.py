"""The file that tells the co-op's bank to pay: pain.001.001.09, as the European Payments Council's rules have it.

Payees are named by name and account; no address is sent, for unstructured ones are refused. The same payments under the
same name give the same bytes, so a bank that is sent the file twice knows it by its message id, and so do we.
"""

import functools
import importlib.resources
import re
import xml.etree.ElementTree as ET  # what sepaxml writes is ours to name; nothing foreign is read here
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sepaxml import SepaTransfer
from text_unidecode import unidecode

from members.ibans import Account

if TYPE_CHECKING:
    from xmlschema import XMLSchema

SCHEMA = "pain.001.001.09"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
# The Latin set of the council's implementation guidelines, section 1.4.
NOT_TAKEN = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")
NAME_MOST, WORDS_MOST, ID_MOST = 70, 140, 35


class CannotWrite(ValueError):
    """The file would not be one that the schema allows; the message says where, and never names an account."""


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One transfer: whole cents to an account, known by its end-to-end id of at most 35 characters."""

    end_to_end: str
    name: str
    iban: str
    cents: int
    words: str


def write(
    payments: Sequence[Payment], *, message_id: str, payer: str, account: Account, made_at: datetime, pay_on: date
) -> bytes:
    """Return the file for some payments, all on one day, booked as one sum. Raises CannotWrite.

    `message_id` names the file for ever; `made_at` is said in it. The bytes are a function of the arguments.
    """
    config = {"name": _plain(payer)[:NAME_MOST], "IBAN": account.iban, "batch": True, "currency": "EUR"}
    if account.bic:
        config["BIC"] = account.bic
    paper = SepaTransfer(config, schema=SCHEMA, clean=False)
    for one in payments:
        if not one.cents > 0 or len(one.end_to_end) > ID_MOST:
            raise CannotWrite(f"{one.end_to_end}: a payment has some cents and an id of at most {ID_MOST} characters")
        paper.add_payment(
            {
                "name": _plain(one.name)[:NAME_MOST] or "Payee",
                "IBAN": one.iban,
                "amount": one.cents,
                "execution_date": pay_on,
                "description": _plain(one.words)[:WORDS_MOST],
                "endtoend_id": one.end_to_end,
            }
        )
    content = _named(paper.export(validate=False), message_id=message_id, made_at=made_at, knows_bic=bool(account.bic))
    check(content)
    return content


def check(content: bytes) -> None:
    """Raise CannotWrite unless the file is as its schema says."""
    broken = next(schema().iter_errors(content.decode()), None)
    if broken is not None:
        raise CannotWrite(f"the file breaks its schema at {broken.path}")


@functools.cache
def schema() -> "XMLSchema":
    """Return the schema, as the library that writes the file ships it."""
    import xmlschema  # noqa: PLC0415  (a second's work, and only whoever writes such a file needs it)

    with importlib.resources.as_file(importlib.resources.files("sepaxml") / "schemas" / f"{SCHEMA}.xsd") as file:
        return xmlschema.XMLSchema(str(file))


def _plain(text: str) -> str:
    """Return a text in the letters that every bank of the area takes; others become their nearest, or a space."""
    return " ".join(NOT_TAKEN.sub(" ", unidecode(text)).split())


def _named(content: bytes, *, message_id: str, made_at: datetime, knows_bic: bool) -> bytes:
    """Put our names and our moment where the library puts chance and the machine's clock."""
    ET.register_namespace("", NAMESPACE)
    document = ET.fromstring(content)  # noqa: S314  (written above)
    at = {"": NAMESPACE}
    for path, text in (
        (".//GrpHdr/MsgId", message_id),
        (".//GrpHdr/CreDtTm", made_at.isoformat(timespec="seconds")),
        (".//PmtInf/PmtInfId", message_id),
    ):
        found = document.findall(path, at)
        assert len(found) == 1, path
        found[0].text = text
    if not knows_bic:
        # A bank that no register names is named by the account alone.
        bank = document.find(".//PmtInf/DbtrAgt/FinInstnId", at)
        assert bank is not None
        other = ET.SubElement(bank, f"{{{NAMESPACE}}}Othr")
        ET.SubElement(other, f"{{{NAMESPACE}}}Id").text = "NOTPROVIDED"
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, encoding="utf-8")
