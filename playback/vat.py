"""VAT on bought credit: the standard rate of the listener's country, on the day the credit is bought.

Credit is bought before anybody knows whether it will be a play of music or a view of a photo, all at the same rate, so
it is a single-purpose voucher and taxed when sold (Directive 2006/112/EC, articles 30a and 30b). Outside the EU no EU
VAT is due: the rate is nothing, and what the country itself asks is for the co-op to settle there.
"""

from datetime import date

from django.conf import settings

NONE, SPV = "none", "spv"
# Where the rates below were read, and when they were last compared.
SOURCE = "European Commission, Taxes in Europe Database; the member states' own notices for those changed since 2024"
COMPARED_ON = date(2026, 1, 1)

# Standard rates in ppm, each from its day on. Rates that ended before 2024 are left out: nothing was sold then.
RATES: dict[str, tuple[tuple[date, int], ...]] = {
    "AT": ((date(2016, 1, 1), 200_000),),
    "BE": ((date(1996, 1, 1), 210_000),),
    "BG": ((date(1999, 1, 1), 200_000),),
    "CY": ((date(2014, 1, 13), 190_000),),
    "CZ": ((date(2013, 1, 1), 210_000),),
    "DE": ((date(2021, 1, 1), 190_000),),
    "DK": ((date(1992, 1, 1), 250_000),),
    "EE": ((date(2024, 1, 1), 220_000), (date(2025, 7, 1), 240_000)),
    "ES": ((date(2012, 9, 1), 210_000),),
    "FI": ((date(2013, 1, 1), 240_000), (date(2024, 9, 1), 255_000)),
    "FR": ((date(2014, 1, 1), 200_000),),
    "GR": ((date(2016, 6, 1), 240_000),),
    "HR": ((date(2012, 3, 1), 250_000),),
    "HU": ((date(2012, 1, 1), 270_000),),
    "IE": ((date(2021, 3, 1), 230_000),),
    "IT": ((date(2013, 10, 1), 220_000),),
    "LT": ((date(2009, 9, 1), 210_000),),
    "LU": ((date(2024, 1, 1), 170_000),),
    "LV": ((date(2012, 7, 1), 210_000),),
    "MT": ((date(2004, 1, 1), 180_000),),
    "NL": ((date(2012, 10, 1), 210_000),),
    "PL": ((date(2011, 1, 1), 230_000),),
    "PT": ((date(2011, 1, 1), 230_000),),
    "RO": ((date(2017, 1, 1), 190_000), (date(2025, 8, 1), 210_000)),
    "SE": ((date(1990, 7, 1), 250_000),),
    "SI": ((date(2013, 7, 1), 220_000),),
    "SK": ((date(2011, 1, 1), 200_000), (date(2025, 1, 1), 230_000)),
}


def rate(country: str, *, on: date) -> int:
    """Return the rate in ppm for a listener in `country` (two letters) on a day; one rate for all where it is set."""
    if settings.VAT_PPM is not None:
        return settings.VAT_PPM
    known = RATES.get(country, ())
    in_force = [ppm for since, ppm in known if since <= on]
    return in_force[-1] if in_force else known[0][1] if known else 0


def regime(country: str) -> str:
    """Return how credit sold to `country` is taxed: as a single-purpose voucher, or not at all."""
    return SPV if settings.VAT_PPM or (settings.VAT_PPM is None and country in RATES) else NONE
