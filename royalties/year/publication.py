"""What of a year is public: its figures, what counts of each group, and each member's line under a name nobody knows.

It is published with the motion, before anybody votes: the manifest's hash is what is voted on. It names the year's
months, in whose bundles its groups are, and the year before. Who has it recomputes both pools and every line with
`verify_year.py`. Of a class in which fewer than five have a part only their sum is told.
"""

import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, cast
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.template.loader import render_to_string

from catalog import delivery, store
from catalog.copies import parcels
from members import seals
from members.problems import NotFound
from royalties import bundles, signing
from royalties.bundles import Writer
from royalties.publication_models import Publication
from royalties.surplus import CLASSES
from royalties.year import closing
from royalties.year.models import Eligible, FinancialYear, Patronage

FORMAT = "refrain-year/1"
FOLDER = "publications"
VERIFIERS = ("verify_year.py", "verify_bundle.py")
# Of fewer members than this no line is public.
MEMBERS_LEAST = 5
ELIGIBLE_HEAD = "month,work,sheet,revenue,eligible_micros,creators_micros"
MEMBERS_HEAD = "class,member,patronage,cents,cash_cents"


class BundleDiffers(Exception):
    """A published year's bundle was lost, and what its rows make now is not what was published."""


def publish(year: FinancialYear) -> None:
    """Write a drawn year's bundle into the store and its seal into its row. Safe to run again: the same bytes come.

    Of a published year nothing changes; should the store have lost its bundle it is made again, and BundleDiffers is
    raised unless it is what was published. Raises NoSealingKey.
    """
    is_published = bool(year.manifest_sha256)
    if is_published and store.is_there(year.key):
        return
    key = signing.key_named(year.document["key"]) if is_published and year.document else signing.present_key()
    before = FinancialYear.objects.filter(year__lt=year.year).exclude(manifest_sha256="").order_by("-year").first()
    made_key = f"{FOLDER}/{file_name(year.year)}"
    secret = signing.secret_of_year(year.year, key=key)
    with (
        parcels.sending(key=made_key, content_type="application/zip") as parcel,
        zipfile.ZipFile(cast("IO[bytes]", parcel), "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        writer = Writer(archive)
        _write(writer, year, secret)
        said = {
            "format": FORMAT,
            "year": year.year,
            "issuer": settings.BASE_URL,
            "currency": settings.CURRENCY,
            "files": sorted(writer.files, key=lambda file: file["name"]),
            "months": _months(year.year),
            "previous": {"year": before.year, "manifest_sha256": before.manifest_sha256} if before else None,
        }
        document = {"manifest": said, "sha256": seals.sha256_of(said), **seals.sign(said, key=key)}
        archive.writestr(bundles.zip_entry(bundles.MANIFEST), seals.canonical(document))
    if is_published:
        if parcel.sha256 != year.zip_sha256:
            raise BundleDiffers(f"{year.year} makes {parcel.sha256}; published was {year.zip_sha256}")
        return
    year.key, year.size_bytes, year.zip_sha256 = made_key, parcel.size_bytes, parcel.sha256
    year.document, year.manifest_sha256 = document, str(document["sha256"])
    year.previous_manifest_sha256 = before.manifest_sha256 if before else ""
    year.save(
        update_fields=[
            *("key", "size_bytes", "zip_sha256", "document", "manifest_sha256", "previous_manifest_sha256"),
        ]
    )


def published(year: int) -> FinancialYear:
    """Return a year whose figures are public. One query. Raises NotFound."""
    found = FinancialYear.objects.filter(year=year).exclude(manifest_sha256="").first()
    if found is None:
        raise NotFound("of that year nothing is published")
    return found


def is_published(year: int) -> bool:
    """Return whether a year's figures are public. One query."""
    return FinancialYear.objects.filter(year=year).exclude(manifest_sha256="").exists()


def file_name(year: int) -> str:
    """Return the name under which a year's bundle is saved."""
    return f"refrain-year-{year}.zip"


def bundle_url(year: FinancialYear, now: datetime) -> str:
    """Return an address of the bundle, for about an hour. No query."""
    return delivery.keep_url(year.key, now=now, filename=file_name(year.year))


def name_of(year: FinancialYear, member_class: str, person_id: UUID) -> str:
    """Return under which name a member's line is public. Raises NoSealingKey."""
    assert year.document is not None
    secret = signing.secret_of_year(year.year, key=signing.key_named(year.document["key"]))
    return secret.member(member_class, person_id)


def told(figures: dict[str, Any]) -> list[str]:
    """Return the classes whose lines are public."""
    return [name for name in CLASSES if figures["classes"][name]["members"] >= MEMBERS_LEAST]


def _write(writer: Writer, year: FinancialYear, secret: signing.MonthSecret) -> None:
    figures = year.figures or {}
    begins, ends = closing.bounds(year.year)
    writer.write("figures.json", [seals.canonical(figures)])
    writer.write("eligible.csv", bundles.csv_blocks(ELIGIBLE_HEAD, _eligible(year.year)))
    writer.write("members.csv", bundles.csv_blocks(MEMBERS_HEAD, _members(year.year, told(figures), secret)))
    versions = bundles.policies_between(begins, ends, keys=("revenue", "surplus"), now=year.closed_at)
    writer.write("policies.json", [seals.canonical(versions)])
    words = {"year": year.year, "issuer": settings.BASE_URL, "currency": settings.CURRENCY}
    writer.write("README.txt", [render_to_string("royalties/year_bundle.txt", words).encode()])
    for name in VERIFIERS:
        writer.write(name, [bundles.program(f"royalties/{name}")])


def _eligible(year: int) -> Iterator[tuple[Any, ...]]:
    # What no sheet reached comes first, as in the months' bundles.
    sheet_first = F("sheet_version").asc(nulls_first=True)
    rows = Eligible.objects.filter(year=year).order_by("month", "work_id", sheet_first, "revenue_seq")
    for month, work, sheet, *sums in rows.values_list(
        "month", "work_id", "sheet_version", "revenue_seq", "eligible_micros", "creators_micros"
    ).iterator(chunk_size=bundles.ROWS_AT_ONCE):
        yield f"{month:%Y-%m}", work, sheet or "", *sums


def _members(year: int, classes: list[str], secret: signing.MonthSecret) -> Iterator[tuple[Any, ...]]:
    """Yield the lines, those with more first: their order in the register is nobody's business."""
    for name in classes:
        rows = Patronage.objects.filter(year=year, member_class=name)
        lines = [
            (-patronage, -cents, secret.member(name, person_id), cash)
            for person_id, patronage, cents, cash in rows.values_list(
                "person_id", "patronage", "cents", "cash_cents"
            ).iterator(chunk_size=bundles.ROWS_AT_ONCE)
        ]
        for patronage, cents, member, cash in sorted(lines):
            yield name, member, -patronage, -cents, cash


def _months(year: int) -> list[dict[str, str]]:
    first, last = closing.months_of(year)
    found = Publication.objects.filter(month__gte=first, month__lte=last).order_by("month")
    return [
        {"month": f"{month:%Y-%m}", "manifest_sha256": sha256}
        for month, sha256 in found.values_list("month", "manifest_sha256")
    ]
