"""Shares of a split sheet as people write them: per cent with up to four decimals, kept as whole ppm."""

from members import money

PPM_PER_PERCENT = money.PPM // 100
DECIMALS_MOST = 4


class NotAShare(ValueError):
    """What was typed is no share; the message says what one looks like."""


def show(ppm: int) -> str:
    """Return a share as a sheet shows it: `60.0000`."""
    whole, part = divmod(ppm, PPM_PER_PERCENT)
    return f"{whole}.{part:0{DECIMALS_MOST}d}"


def read(text: str) -> int:
    """Return the ppm of a share typed in per cent (`60`, `33.3333`, `33,3333`). Raises NotAShare."""
    said = text.strip().removesuffix("%").strip().replace(",", ".")
    whole, _, part = said.partition(".")
    figures = whole + part
    if not (figures.isascii() and figures.isdigit()) or len(whole) > 3 or len(part) > DECIMALS_MOST:
        raise NotAShare("Write a share in per cent, like 60 or 33.3333.")
    ppm = int(whole or "0") * PPM_PER_PERCENT + int(part.ljust(DECIMALS_MOST, "0"))
    if not 1 <= ppm <= money.PPM:
        raise NotAShare("A share is more than nothing and at most 100 per cent.")
    return ppm


def missing(sum_ppm: int) -> str:
    """Say how far shares are from the whole; nothing when they are the whole."""
    left = money.PPM - sum_ppm
    if left > 0:
        return f"{show(left)} % is still to be given."
    return f"{show(-left)} % is too much." if left else ""
