"""The year's bundle and the program that recomputes it: both pools and every line, and the first that differs."""

import json
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from catalog import store
from members import seals, wellknown
from royalties import signing, transparency
from royalties.publication_models import Publication
from royalties.year import parts
from royalties.year.models import FinancialYear, Patronage
from tests.royalties import counting, years
from tests.royalties.years import YEAR

pytestmark = pytest.mark.django_db
PROGRAM = Path(transparency.__file__).parent / "static" / "royalties" / "verify_year.py"


@pytest.fixture
def bundle(tmp_path):
    """Give the bundle of a small year as a file, and the key that signed it."""
    year = years.close(years.small_year().tess)
    path = tmp_path / f"refrain-year-{YEAR}.zip"
    path.write_bytes(content(year.key))
    return path


def content(key):
    return b"".join(store.pieces(key))


def verify(path, *more):
    """Run the program as anybody does who downloads it."""
    (key,) = wellknown.keys()["keys"].values()
    words = [sys.executable, str(PROGRAM), str(path), "--key", key, *map(str, more)]
    found = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return found.returncode, found.stdout + found.stderr


def forged(path, name, old, new):
    """Change a file of the bundle, and sign it all anew: what a co-op could do that lies about its own lines."""
    with zipfile.ZipFile(path) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    assert old in files[name], (old, files[name])
    files[name] = files[name].replace(old, new, 1)
    manifest = json.loads(files.pop("manifest.json"))["manifest"]
    for file in manifest["files"]:
        file["sha256"], file["size_bytes"] = seals.sha256(files[file["name"]]), len(files[file["name"]])
    key = signing.present_key()
    document = {"manifest": manifest, "sha256": seals.sha256_of(manifest), **seals.sign(manifest, key=key)}
    made = path.with_name(f"forged-{path.name}")
    with zipfile.ZipFile(made, "w") as archive:
        for entry, bytes_of_it in files.items():
            archive.writestr(entry, bytes_of_it)
        archive.writestr("manifest.json", seals.canonical(document))
    return made


def test_it_recomputes_both_pools_and_every_line(bundle, tmp_path):
    months = []
    for month in Publication.objects.order_by("month"):
        months.append(tmp_path / transparency.file_name(month.month))
        months[-1].write_bytes(content(month.key))
    status, said = verify(bundle, "--months", *months)
    assert (status, said.splitlines()[-1]) == (0, f"{YEAR}: every line agrees"), said
    assert "listeners recomputed             6" in said
    # The bundle brings the program along.
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "out")
    shutil.copy(bundle, tmp_path / "out")
    assert (tmp_path / "out" / "verify_year.py").read_bytes() == PROGRAM.read_bytes()


def test_what_was_charged_before_a_works_first_sheet_stands_before_what_came_after_it(tmp_path):
    def shared_late(people, _):
        late = counting.work([(people["ana"], 1_000_000)], since=years.at(11, 15))
        for name, day in (("lena", 10), ("lars", 20)):
            counting.charge(people[name], late, years.EURO, at=years.at(11, day))

    year = years.close(years.small_year(extra=shared_late).tess)
    path = tmp_path / f"refrain-year-{YEAR}.zip"
    path.write_bytes(content(year.key))
    assert verify(path)[0] == 0, verify(path)[1]
    with zipfile.ZipFile(path) as archive:
        lines = [line.split(",") for line in archive.read("eligible.csv").decode().splitlines()[1:]]
    assert sorted((work, int(sheet or 0)) for _, work, sheet, *_ in lines) == [
        (work, int(sheet or 0)) for _, work, sheet, *_ in lines
    ]
    assert sorted(sheet for _, _, sheet, *_ in lines) == ["", "1", "1"]


def test_of_a_class_of_fewer_than_five_no_line_is_public_and_members_know_their_own(bundle):
    with zipfile.ZipFile(bundle) as archive:
        lines = [line.split(",") for line in archive.read("members.csv").decode().splitlines()[1:]]
        everything = b"".join(archive.read(name) for name in archive.namelist() if not name.endswith(".py"))
    assert [line[0] for line in lines] == ["listeners"] * 6
    # Those with more come first: in the register they stand the other way round.
    assert [int(line[2]) for line in lines] == sorted((int(line[2]) for line in lines), reverse=True)
    year = FinancialYear.objects.get()
    assert year.figures["classes"]["creators"]["members"] == 1
    for row in Patronage.objects.select_related("person"):
        (mine,) = parts.of_person(row.person_id)
        published = [mine.published_as, str(mine.patronage), str(mine.cents), str(mine.cash_cents)]
        assert (published in [line[1:] for line in lines]) == (row.member_class == "listeners")
        assert bool(mine.published_as) == (row.member_class == "listeners")
        assert str(row.person_id).encode() not in everything
        assert row.person.email.encode() not in everything
    # More first: the order of the register is in no file.
    assert [int(line[2]) for line in lines] == sorted((int(line[2]) for line in lines), reverse=True)


def test_pools_larger_than_the_guard_allows_are_cut_and_the_program_finds_the_same(tmp_path):
    # A grant of a thousand euros in a year of twenty: who bought their own record would get more than the co-op kept.
    made = years.small_year(extra=lambda *_: years.earn(date(YEAR, 11, 1), 1_000 * years.EURO))
    year = years.close(made.tess)
    figures, guard = year.figures, year.figures["guard"]
    back = Fraction(guard["comes_back"])
    assert back > Fraction(3, 10) > back * Fraction(guard["scale_ppm"], 1_000_000)
    assert back * Fraction(guard["scale_ppm"] + 1, 1_000_000) >= Fraction(3, 10)
    pool = figures["result_cents"] - figures["reserve_cents"] - figures["common_good_cents"]
    kept = sum(one["pool_cents"] for one in figures["classes"].values())
    assert figures["guard_reserve_cents"] == pool - kept > 0
    path = tmp_path / f"refrain-year-{YEAR}.zip"
    path.write_bytes(content(year.key))
    status, said = verify(path)
    assert status == 0, said


def test_it_names_the_first_that_differs(bundle):
    with zipfile.ZipFile(bundle) as archive:
        first = archive.read("members.csv").decode().splitlines()[1].split(",")
        eligible = archive.read("eligible.csv").decode().splitlines()[1].split(",")
        figures = json.loads(archive.read("figures.json"))
    more = ",".join([*first[:3], str(int(first[3]) + 1), first[4]])
    stays, scale = figures["stays_cents"], figures["guard"]["scale_ppm"]
    for name, old, new, words in (
        ("members.csv", ",".join(first), more, f"members.csv, line 2: cents: it says {int(first[3]) + 1}"),
        ("members.csv", first[2], str(int(first[2]) + 1), "members.csv: the patronage of the listeners sums to"),
        ("eligible.csv", eligible[5], str(int(eligible[5]) + 1), "eligible.csv, line 2: the creators’ part"),
        ("eligible.csv", eligible[1], eligible[1][::-1], "eligible.csv, line 2"),
        ("figures.json", f'"stays_cents":{stays}', f'"stays_cents":{stays - 1}', "figures.json: stays_cents"),
        ("figures.json", f'"scale_ppm":{scale}', f'"scale_ppm":{scale + 1}', "figures.json: guard"),
        ("policies.json", '"reserve_ppm":300000', '"reserve_ppm":300001', "policies.json: version 1 of surplus"),
    ):
        status, said = verify(forged(bundle, name, old.encode(), new.encode()))
        assert (status, words in said) == (1, True), said
    plain = bundle.with_name("plain.zip")
    plain.write_bytes(bundle.read_bytes().replace(b"figures.json", b"figurez.json"))
    assert verify(plain)[0] == 1
    assert verify(bundle, "--key", "0" * 64)[0] == 0
