"""Bank accounts: which ones a payment reaches, how they are kept, and how much of them is ever shown.

An IBAN is money's address and a person's secret. In the database it lies sealed with a key that lies beside the signing
key and never in a dump; the seal is bound to its owner, so that a row copied to somebody else opens nothing. Pages show
the country and the last four digits.
"""

import base64
import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from members import seals
from members.problems import Invalid

NONCE_BYTES, KEY_BYTES, NAME_DIGITS = 12, 32, 8
VERSION = "v1"
# What looks like an account in a text: in one piece, or in groups of four as people and banks write it.
LIKE_AN_IBAN = re.compile(
    r"\b(?:[A-Za-z]{2}\d{2}[A-Za-z0-9]{11,30}|[A-Z]{2}\d{2}(?: [A-Z0-9]{4}){2,7}(?: (?=[A-Z]*\d)[A-Z0-9]{1,4})?)\b"
)
_DOTS = "\N{BULLET}" * 4


class CannotOpen(ValueError):
    """There is no key for sealed accounts, or none of them opens this one for this owner."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account that was checked: `iban` without spaces; `bic` where the bank's register names one."""

    iban: str
    bic: str

    @property
    def mask(self) -> str:
        """Return what may be shown: `DE •••• 3000`."""
        return f"{self.iban[:2]} {_DOTS} {self.iban[-4:]}"


def check(text: str) -> Account:
    """Return the account that `text` names.

    Raises Invalid for what is no IBAN (length, characters, check digits, also those of its country), and for one that a
    SEPA transfer does not reach. The refusal never says the number again.
    """
    try:
        found = IBAN(text, validate_bban=True)
    except (SchwiftyException, ValueError):
        raise Invalid("This is no IBAN: its length or its check digits are wrong.") from None
    if not found.in_sepa_zone:
        raise Invalid("This account is outside the SEPA area, where the co-op's bank does not pay.")
    return Account(iban=str(found), bic=str(found.bic or ""))


def of_the_coop() -> Account:
    """Return the account that payouts leave from. Raises Invalid where none is set up."""
    if not settings.COOP_IBAN:
        raise Invalid(
            "The co-op's own account is not set up here (REFRAIN_COOP_IBAN), so no file for the bank is made."
        )
    return check(settings.COOP_IBAN)


def seal(iban: str, *, owner_id: UUID) -> str:
    """Return the account sealed for its owner. Raises CannotOpen without a key."""
    name, key = next(iter(_keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    hidden = nonce + AESGCM(key).encrypt(nonce, iban.encode(), owner_id.bytes)
    return f"{VERSION}.{name}.{base64.urlsafe_b64encode(hidden).decode()}"


def unseal(sealed: str, *, owner_id: UUID) -> str:
    """Return the account that was sealed for this owner. Raises CannotOpen."""
    version, _, rest = sealed.partition(".")
    name, _, hidden = rest.partition(".")
    key = _keys().get(name)
    if version != VERSION or key is None:
        raise CannotOpen(f"there is no key {name} in {settings.IBAN_KEY_FILE or 'REFRAIN_IBAN_KEY_FILE'}")
    content = base64.urlsafe_b64decode(hidden)
    try:
        return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], owner_id.bytes).decode()
    except InvalidTag:
        raise CannotOpen("the account was not sealed for this owner, or was changed") from None


def blot(text: str) -> str:
    """Return a text in which everything that looks like an account is blotted out but its last four characters."""
    return LIKE_AN_IBAN.sub(lambda found: f"{found[0][:2]} {_DOTS} {found[0][-4:]}", text)


def _keys() -> dict[str, bytes]:
    return _keys_in(settings.IBAN_KEY_FILE)


@functools.cache
def _keys_in(path: str) -> dict[str, bytes]:
    """Return the keys in a file of 64 hexadecimal digits a line, by their names; the first one seals."""
    file = Path(path)
    if not path or not file.is_file():
        raise CannotOpen("REFRAIN_IBAN_KEY_FILE names no file: no account can be kept without the key")
    if file.stat().st_mode & 0o077:
        raise CannotOpen(f"{path} can be read by others; its mode must be 0600")
    try:
        keys = [bytes.fromhex(line) for line in file.read_text().split()]
    except ValueError as error:
        raise CannotOpen(f"{path} does not hold hexadecimal digits") from error
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise CannotOpen(f"{path} must hold keys of {KEY_BYTES} bytes, one a line")
    return {seals.sha256(key)[:NAME_DIGITS]: key for key in keys}
