"""Publication: what of a month is public, that the same month makes the same bytes, and what stays private."""

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from catalog import store
from members import clock, seals, wellknown
from members.models import Person
from royalties import listener_months, runs, signing, transparency
from royalties.publication_models import Publication
from royalties.run_models import Run
from tests import cast
from tests.royalties import counting
from tests.royalties.counting import noon

pytestmark = pytest.mark.django_db
SEPTEMBER, OCTOBER, NOVEMBER = date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)
SEPTEMBER_BEGAN = noon(1, 9)


def bundle_of(published: Publication) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(store.pieces(published.key))))


def table(bundle: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bundle.read(name).decode())))


@pytest.fixture
def people() -> dict[str, Person]:
    return {name: cast.person(name) for name in ("lena", "lars", "ana", "ben", "cleo")}


def listen(people: dict[str, Person]) -> None:
    """Play and buy as in the worked example of the issue."""
    lena, lars, ana, ben, cleo = people.values()
    first = counting.work([(ana, 600_000), (ben, 400_000)], since=SEPTEMBER_BEGAN)
    second = counting.work([(cleo, 1_000_000)], since=SEPTEMBER_BEGAN)
    third = counting.work([(ana, 333_334), (ben, 333_333), (cleo, 333_333)], since=SEPTEMBER_BEGAN)
    for number in range(1, 10):
        counting.charge(lena, first, 2_000 << (number - 1), at=noon(number), number=number)
    for number in range(1, 4):
        counting.charge(lena, second, 2_000 << (number - 1), at=noon(number), number=number)
    counting.charge(lena, second, 1_022_000 - 14_000, at=noon(4))
    lars_plays = [
        counting.charge(lars, first, 2_000 << (number - 1), at=noon(number), number=number) for number in range(1, 6)
    ]
    for number in range(1, 5):
        counting.charge(lars, third, 2_000 << (number - 1), at=noon(number), number=number)
    counting.give_back(lars_plays[4], at=noon(20))


@pytest.fixture
def october(people: dict[str, Person]) -> Publication:
    """Give the worked example, counted by hand and sealed."""
    listen(people)
    return counting.seal(OCTOBER)


def test_the_run_publishes_byte_for_byte_what_a_bookkeeper_counts(people: dict[str, Person]) -> None:
    for name in ("lena", "lars"):
        cast.top_up(people[name], 1_000)
    listen(people)
    with transaction.atomic():
        by_hand = counting.seal(OCTOBER).zip_sha256
        transaction.set_rollback(True)
    assert not Publication.objects.exists()
    runs.begin(month=OCTOBER, now=clock.now())
    while runs.advance(month=OCTOBER, now=clock.now()).took:
        pass
    run = Run.objects.get(month=OCTOBER)
    assert (run.state, run.words) == (Run.State.SEALED, "Sealed")
    assert transparency.period(OCTOBER).zip_sha256 == by_hand


def test_the_worked_example_stands_in_the_bundle(october: Publication) -> None:
    bundle = bundle_of(october)
    works = sorted((int(row["gross_micros"]), int(row["creators_micros"])) for row in table(bundle, "works.csv"))
    assert works == [(30_000, 21_000), (1_022_000, 715_400), (1_052_000, 736_400)]
    nets = sorted(int(row["net_micros"]) for row in table(bundle, "lines.csv"))
    assert nets == sorted([441_840, 294_560, 715_400, 7_000, 7_000, 7_000])
    totals = json.loads(bundle.read("totals.json"))
    assert totals == {
        "works": 3,
        "groups": 3,
        "groups_held": 0,
        "gross_micros": 2_104_000,
        "creators_micros": 1_472_800,
        "coop_micros": 631_200,
        "held_micros": 0,
        "lines": 6,
        "lines_micros": 1_472_800,
        "payees": 3,
        "released_groups": 0,
        "released_lines": 0,
        "released_micros": 0,
        "plays_counted": 20,
        "purchases_counted": 1,
        "plays": 21,
        "plays_micros": 1_128_000,
        "purchases": 1,
        "purchases_micros": 1_008_000,
        "promo_micros": 0,
        "given_back": 1,
        "given_back_micros": 32_000,
        "late": 0,
        "late_micros": 0,
        "listeners": 2,
    }
    by_gross = {row["gross_micros"]: (row["plays"], row["purchases"]) for row in table(bundle, "works.csv")}
    assert by_gross == {
        "1052000": ("2 2 2 2 1 1 1 1 1", "0"),
        "1022000": ("1 1 1", "1"),
        "30000": ("1 1 1 1", "0"),
    }


def test_the_manifest_names_every_file_and_is_signed(october: Publication) -> None:
    bundle = bundle_of(october)
    document = json.loads(bundle.read("manifest.json"))
    assert document == october.document
    said = document["manifest"]
    assert {file["name"] for file in said["files"]} == set(bundle.namelist()) - {"manifest.json"}
    for file in said["files"]:
        content = bundle.read(file["name"])
        assert (file["sha256"], file["size_bytes"]) == (seals.sha256(content), len(content))
    keys = wellknown.keys()
    assert document["key"] == keys["present"]
    assert said["previous"] is None
    assert said["listeners"] == {"count": 2, "root": october.root}
    assert october.zip_sha256 == seals.sha256(b"".join(store.pieces(october.key)))
    assert {entry.date_time for entry in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_same_month_makes_the_same_bytes(people: dict[str, Person]) -> None:
    played = counting.work([(people["ana"], 500_000), (people["ben"], 500_000)], since=SEPTEMBER_BEGAN)
    counting.charge(people["lena"], played, 2_000, at=noon(3), number=1)
    counting.run(OCTOBER)
    first = transparency.publish(OCTOBER, noon(3, 11))
    again = transparency.publish(OCTOBER, noon(9, 11))
    assert (first.zip_sha256, first.signature) == (again.zip_sha256, again.signature)
    assert Publication.objects.get().zip_sha256 == first.zip_sha256


def test_a_sealed_months_bundle_is_made_again_where_the_store_lost_it_and_is_the_same(october: Publication) -> None:
    before = b"".join(store.pieces(october.key))
    folder = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    (folder / october.key).unlink()
    assert transparency.publish(OCTOBER, noon(9, 12)).zip_sha256 == october.zip_sha256
    assert b"".join(store.pieces(october.key)) == before


def test_nobody_is_named(october: Publication, people: dict[str, Person]) -> None:
    bundle = bundle_of(october)
    everything = b"".join(bundle.read(name) for name in bundle.namelist()).decode()
    for person in people.values():
        assert str(person.id) not in everything
        assert person.id.hex not in everything
        assert person.email not in everything


def test_a_payee_has_another_name_on_every_work(october: Publication, people: dict[str, Person]) -> None:
    rows = table(bundle_of(october), "lines.csv")
    names = [row["payee"] for row in rows]
    assert len(set(names)) == len(names) == 6
    secret = signing.secret_of(OCTOBER, key=signing.present_key())
    ana = {UUID(row["work"]): secret.payee(UUID(row["work"]), people["ana"].id) for row in rows}
    hers = {row["work"]: int(row["net_micros"]) for row in rows if row["payee"] == ana[UUID(row["work"])]}
    assert sum(hers.values()) == 448_840
    assert len(hers) == 2
    other = signing.secret_of(SEPTEMBER, key=signing.present_key())
    assert other.payee(UUID(rows[0]["work"]), people["ana"].id) not in names


@pytest.mark.parametrize("count", [0, 1, 2, 1023, 1024, 1025, 2048, 5000])
def test_a_kept_tree_gives_the_path_of_every_leaf(count: int) -> None:
    leaves = sorted(seals.leaf_hash(str(number).encode()) for number in range(count))
    assert listener_months.keep_tree("publications/tried.tree", leaves) == seals.hashes_root(leaves)
    places = {0, 1, count // 2, count - 2, count - 1, 1023, 1024, 1025} & set(range(count))
    for place in places:
        found = listener_months.proof("publications/tried.tree", count=count, leaf=leaves[place])
        assert found == (place, seals.hashes_proof(leaves, place))
    for absent in (bytes(32), b"\xff" * 32, seals.leaf_hash(b"nobody")):
        assert listener_months.proof("publications/tried.tree", count=count, leaf=absent) is None


@given(st.lists(st.integers(0, 10**12), min_size=9, max_size=9))
def test_a_leaf_written_by_hand_is_its_canonical_json(figures: list[int]) -> None:
    said = dict(zip(listener_months.FIGURES, figures, strict=True))
    one = listener_months.ListenerMonth(listener_id=UUID(int=figures[0] + 1), **said)
    salt = "0f" * 32
    assert one.hash(OCTOBER, salt) == seals.leaf_hash(seals.canonical(one.leaf(OCTOBER, salt)))


def test_a_key_that_was_changed_still_proves_what_it_sealed(october: Publication, people, tmp_path, settings) -> None:
    before = transparency.my_proof(person_id=people["lena"].id, month=OCTOBER)
    old = Path(settings.SIGNING_KEY_FILE).read_text()
    for name, seed in (("signing_key", "11" * 32), ("first.seed", old)):
        (tmp_path / name).write_text(seed)
        (tmp_path / name).chmod(0o600)
    settings.SIGNING_KEY_FILE = str(tmp_path / "signing_key")
    assert transparency.my_proof(person_id=people["lena"].id, month=OCTOBER) == before
    (tmp_path / "first.seed").unlink()
    with pytest.raises(signing.NoSealingKey):
        transparency.my_proof(person_id=people["lena"].id, month=OCTOBER)


def test_what_is_sealed_stays(october: Publication) -> None:
    for statement in (
        "UPDATE royalties_publication SET root = ''",
        "DELETE FROM royalties_publication",
        "TRUNCATE royalties_publication",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
