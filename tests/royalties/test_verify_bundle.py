"""The program that recomputes a month: it runs alone, agrees with what is true, and names whatever was changed."""

import hashlib
import importlib.util
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.storage import default_storage
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from catalog import store
from members import money, seals, wellknown
from royalties import signing, transparency
from royalties.publication_models import Publication
from tests import cast
from tests.royalties import counting
from tests.royalties.counting import noon

PROGRAM = Path(transparency.__file__).parent / "static" / "royalties" / "verify_bundle.py"
AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)

# RFC 8032, section 7.1: secret key, public key, message, signature of tests 1, 2, 3 and of SHA(abc).
SIGNED = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").hexdigest(),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
            "3dca179c138ac17ad9bef1177331a704"
        ),
    ),
)


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_bundle", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The program's functions, in this process.
VERIFIER = _module()


def public_key() -> str:
    keys = wellknown.keys()
    return str(keys["keys"][keys["present"]])


def alone(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program as anybody would: a plain Python that has nothing but its standard library."""
    command = [sys.executable, "-I", "-S", str(PROGRAM), *map(str, arguments)]
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def save(published: Publication, folder: Path) -> Path:
    """Save a bundle as somebody would who downloads it."""
    path = folder / f"refrain-{published.month:%Y-%m}.zip"
    path.write_bytes(b"".join(store.pieces(published.key)))
    return path


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Give the program's `main`, which answers with its status and what it printed."""

    def asking(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        status = VERIFIER.main([*map(str, arguments), "--key", public_key()])
        return status, capsys.readouterr().out

    return asking


@pytest.mark.parametrize(("public", "message", "signature"), SIGNED)
def test_it_knows_the_signatures_of_the_standard(public: str, message: str, signature: str) -> None:
    key, said, signed = (bytes.fromhex(word) for word in (public, message, signature))
    assert VERIFIER.is_signed(key, said, signed)
    assert not VERIFIER.is_signed(key, said + b"!", signed)
    for place in (0, 31, 32, 63):
        wrong = bytearray(signed)
        wrong[place] ^= 1
        assert not VERIFIER.is_signed(key, said, bytes(wrong))


@effort(max_examples=20)
@given(st.binary(max_size=200))
def test_it_takes_the_signature_of_a_key_in_one_form_alone(message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(message).digest())
    public, signature = seals.public_bytes(key), key.sign(message)
    assert VERIFIER.is_signed(public, message, signature)
    # The same with the group's order added to s: RFC 8032 refuses it, a careless program would not.
    s = int.from_bytes(signature[32:], "little") + VERIFIER.L
    assert not VERIFIER.is_signed(public, message, signature[:32] + s.to_bytes(32, "little"))


@given(st.integers(0, 10**15), st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any))
def test_it_divides_as_the_house_divides(total: int, weights: list[int]) -> None:
    assert VERIFIER.allocate(total, weights) == money.allocate(total, weights)


def test_its_trees_are_the_houses_for_all_sizes_to_257() -> None:
    contents = [str(number).encode() for number in range(257)]
    tree = VERIFIER.Tree()
    assert tree.root() == seals.root([])
    for count in range(1, 258):
        tree.add(seals.leaf_hash(contents[count - 1]))
        root = seals.root(contents[:count])
        assert tree.root() == root
        for index in {0, count // 3, count - 1}:
            path, leaf = seals.proof(contents[:count], index), seals.leaf_hash(contents[index])
            assert VERIFIER.root_from(leaf, index, count, path) == root
            assert VERIFIER.root_from(leaf, index, count, [*path, leaf]) is None
            assert VERIFIER.root_from(leaf, (index + 1) % count, count, path) != root or count == 1


class Told:
    """Three months with all that can be in one: shares, held and released money, a reversal before and one after."""

    def __init__(self) -> None:
        lena, lars = (cast.person(name) for name in ("lena", "lars"))
        ana, ben, cleo = (cast.person(name) for name in ("ana", "ben", "cleo"))
        shared = counting.work([(ana, 333_334), (ben, 333_333), (cleo, 333_333)], since=noon(1, 7))
        solo = counting.work([(cleo, 1_000_000)], since=noon(1, 7))
        held = counting.work([], since=noon(1, 7))
        self.lena, self.ana, self.shared = lena, ana, shared
        for month in (8, 9, 10):
            for day in range(1, 5):
                counting.charge(lena, shared, 2_001 << day, at=noon(day, month), number=day + 4 * (month - 8))
            counting.charge(lars, solo, 77_777 + month, at=noon(9, month), number=month)
        counting.charge(lars, held, 10_007, at=noon(10, 8), number=1)
        counting.charge(lena, held, 10_009, at=noon(10, 9), number=1)
        early = counting.charge(lars, shared, 5_000, at=noon(20, 8), number=1, promo=3_000)
        counting.give_back(early, at=noon(21, 8))
        late = counting.charge(lars, shared, 6_000, at=noon(22, 8))
        self.august = counting.seal(AUGUST)
        counting.give_back(late, at=noon(15, 9))
        counting.put_in_force(held, [(ana, 500_000), (ben, 500_000)], since=noon(20, 9))
        counting.charge(lars, held, 12_345, at=noon(25, 9), number=2)
        self.september = counting.seal(SEPTEMBER)
        self.october = counting.seal(OCTOBER)


@pytest.fixture
def told(db: None) -> Told:
    return Told()


@pytest.fixture
def months(told: Told, tmp_path: Path) -> list[Path]:
    return [save(published, tmp_path) for published in (told.august, told.september, told.october)]


def test_it_recomputes_months_alone(told: Told, months: list[Path], tmp_path: Path) -> None:
    answer = alone(tmp_path, *reversed(months), "--key", public_key())
    assert answer.stderr == ""
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.splitlines() == [
        f"{months[0]}  SHA-256 {told.august.zip_sha256}",
        "lines recomputed                 4",
        "groups in balance                3",
        "listeners’ root             agrees",
        "2026-08: every line agrees",
        f"{months[1]}  SHA-256 {told.september.zip_sha256}",
        "lines recomputed                 8",
        "groups in balance                5",
        "listeners’ root             agrees",
        "names period 2026-08     agrees",
        "2026-09: every line agrees",
        f"{months[2]}  SHA-256 {told.october.zip_sha256}",
        "lines recomputed                 6",
        "groups in balance                3",
        "listeners’ root             agrees",
        "names period 2026-09     agrees",
        "2026-10: every line agrees",
    ]
    assert [
        [published.totals[name] for name in ("held_micros", "released_micros", "given_back_micros", "late_micros")]
        for published in (told.august, told.september, told.october)
    ] == [[7_005, 0, 5_000, 0], [7_006, 7_005, 0, 6_000], [0, 7_006, 0, 0]]


def test_the_program_in_the_bundle_is_the_one_that_is_served(months: list[Path]) -> None:
    assert zipfile.ZipFile(months[0]).read("verify_bundle.py") == PROGRAM.read_bytes()


def test_without_the_month_before_it_says_what_it_did_not_compare(told: Told, months: list[Path], ask: Ask) -> None:
    status, said = ask(months[2])
    assert status == 0
    assert f"names period 2026-09    not compared: {told.september.manifest_sha256}" in said


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], *, to: Path | None = None) -> Path:
    """Write a zip anew, with what `change` makes of each file; one of which it makes nothing is left out."""
    target = to or path.parent / "changed" / path.name
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.infolist():
            content = change(entry.filename, source.read(entry.filename))
            if content is not None:
                copy.writestr(entry, content)
    return target


def flipped(path: Path, name: str, place: int, mask: int) -> Path:
    """Write a zip anew in which one byte of one file is another."""

    def flip(file: str, content: bytes) -> bytes:
        changed = bytearray(content)
        if file == name:
            changed[place] ^= mask
        return bytes(changed)

    return rewritten(path, flip)


FILES, SLICES = 10, 12
EVERY_BYTE = [(number, first) for number in range(FILES) for first in range(SLICES)]


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize(("number", "begin"), EVERY_BYTE if os.environ.get("REFRAIN_LONG") else [(None, 0)])
def test_any_changed_byte_of_any_file_is_found_and_named(
    months: list[Path], ask: Ask, number: int | None, begin: int
) -> None:
    """Some bytes of each file, its first and its last; with `REFRAIN_LONG=1` all, each twelfth of a file in a test."""
    chance = random.Random(7)
    with zipfile.ZipFile(months[1]) as bundle:
        sizes = {entry.filename: entry.file_size for entry in bundle.infolist()}
    assert len(sizes) == FILES
    for name, size in sizes.items() if number is None else [sorted(sizes.items())[number]]:
        some = {0, size - 1, *(chance.randrange(size) for _ in range(12))}
        for place in sorted(some) if number is None else range(begin, size, SLICES):
            status, said = ask(flipped(months[1], name, place, 1 << chance.randrange(8)))
            assert status == 1, (name, place)
            assert f"{name} was changed" in said or f"{name} is none" in said, (name, place, said)


def test_a_damaged_zip_is_never_taken_for_another(months: list[Path], ask: Ask, tmp_path: Path) -> None:
    chance, whole = random.Random(11), months[1].read_bytes()
    truth = {name: zipfile.ZipFile(months[1]).read(name) for name in zipfile.ZipFile(months[1]).namelist()}
    target = tmp_path / "damaged" / months[1].name
    target.parent.mkdir()
    for _ in range(120):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        target.write_bytes(bytes(damaged))
        status, said = ask(target)
        if status == 0:
            # Dates and the like say nothing; the files must be what they were.
            with zipfile.ZipFile(target) as bundle:
                assert {name: bundle.read(name) for name in bundle.namelist()} == truth
        else:
            assert status == 1, said


def column(path: Path, name: str, row: int, field: int, change: Callable[[int], int]) -> Path:
    """Write a zip anew in which one figure of one table is another; its manifest still names the old."""

    def alter(file: str, content: bytes) -> bytes:
        if file != name:
            return content
        lines = content.decode().split("\n")
        cells = lines[row - 1].split(",")
        cells[field] = str(change(int(cells[field])))
        lines[row - 1] = ",".join(cells)
        return "\n".join(lines).encode()

    return rewritten(path, alter)


def test_the_first_line_that_does_not_follow_is_named(months: list[Path], ask: Ask) -> None:
    _, said = ask(column(months[1], "lines.csv", 3, 6, lambda net: net + 1))
    assert "DIFFERS: lines.csv, line 3: " in said
    _, said = ask(column(months[1], "works.csv", 2, 4, lambda creators: creators - 1))
    assert "DIFFERS: works.csv, line 2: of " in said
    _, said = ask(column(months[1], "works.csv", 4, 3, lambda gross: gross + 10))
    assert "DIFFERS: works.csv, line 4: of " in said
    _, said = ask(column(months[1], "lines.csv", 2, 5, lambda share: share - 1))
    assert " ppm, not to 1000000" in said
    _, said = ask(column(months[1], "released-lines.csv", 2, 7, lambda net: net + 1))
    assert "DIFFERS: released-lines.csv, line 2: 500000 ppm of 7005 micros are 3503, not 3504" in said


def signed_anew(path: Path, change: Callable[[str, bytes], bytes | None], key: Ed25519PrivateKey) -> Path:
    """Write a zip anew as a co-op would that lies: with other files, and a manifest that names and signs them."""
    files: dict[str, bytes] = {}

    def collect(name: str, content: bytes) -> bytes | None:
        changed = change(name, content)
        if changed is not None and name != "manifest.json":
            files[name] = changed
        return changed

    half = rewritten(path, collect)
    said = json.loads(zipfile.ZipFile(path).read("manifest.json"))["manifest"]
    said["files"] = [
        {"name": name, "size_bytes": len(content), "sha256": seals.sha256(content)}
        for name, content in sorted(files.items())
    ]
    document = {"manifest": said, "sha256": seals.sha256_of(said), **seals.sign(said, key=key)}

    def seal(name: str, content: bytes) -> bytes:
        return seals.canonical(document) if name == "manifest.json" else content

    return rewritten(half, seal, to=path.parent / "signed" / path.name)


def test_a_lie_that_is_signed_is_found_by_its_sums(months: list[Path], ask: Ask) -> None:
    """The co-op itself moves a micro from one payee to another, or adds a play to a total, and signs it."""

    def move(name: str, content: bytes) -> bytes:
        if name != "lines.csv":
            return content
        lines = content.decode().split("\n")
        first, second = lines[1].split(","), lines[2].split(",")
        first[6], second[6] = str(int(first[6]) + 1), str(int(second[6]) - 1)
        return "\n".join([lines[0], ",".join(first), ",".join(second), *lines[3:]]).encode()

    status, said = ask(signed_anew(months[1], move, signing.present_key()))
    assert status == 1
    assert "was changed" not in said
    assert "DIFFERS: lines.csv, line 2: " in said

    def add(name: str, content: bytes) -> bytes:
        if name != "totals.json":
            return content
        totals = json.loads(content)
        return seals.canonical({**totals, "plays_counted": totals["plays_counted"] + 1})

    status, said = ask(signed_anew(months[1], add, signing.present_key()))
    assert status == 1
    assert "DIFFERS: totals.json: plays_counted is 8, and the lines sum to 7." in said


def test_a_month_put_for_another_breaks_the_chain(told: Told, months: list[Path], ask: Ask, tmp_path: Path) -> None:
    # September with other figures, genuinely signed: October names the one that was published.
    def forget(name: str, content: bytes) -> bytes:
        return content + b"\n" if name == "README.txt" else content

    other = signed_anew(months[1], forget, signing.present_key())
    assert ask(other, months[0])[0] == 0
    status, said = ask(months[0], other, months[2])
    assert status == 1
    assert f"DIFFERS: it names another 2026-09 than the one in {other}." in said
    # August under October's name.
    swapped = tmp_path / "swapped" / months[2].name
    swapped.parent.mkdir()
    swapped.write_bytes(months[0].read_bytes())
    status, said = ask(swapped)
    assert status == 1
    assert "refrain-2026-10.zip holds the month 2026-08: one was put for another" in said


def test_what_is_released_was_held_and_is_released_once(months: list[Path], ask: Ask) -> None:
    def more(name: str, content: bytes) -> bytes:
        if name == "released.csv":
            return content.replace(b",7005", b",7007")
        if name == "released-lines.csv":
            return content.replace(b",3503\n", b",3504\n").replace(b",3502\n", b",3503\n")
        if name == "totals.json":
            return content.replace(b'"released_micros":7005', b'"released_micros":7007')
        return content

    lying = signed_anew(months[1], more, signing.present_key())
    assert ask(lying)[0] == 0
    status, said = ask(months[0], lying)
    assert status == 1
    assert f" was not held in {months[0]} with 7007." in said


def test_files_that_nobody_signed_and_files_that_are_missing_are_named(months: list[Path], ask: Ask) -> None:
    path = rewritten(months[0], lambda name, content: None if name == "lines.csv" else content)
    status, said = ask(path)
    assert status == 1
    assert "DIFFERS: lines.csv is missing." in said
    with zipfile.ZipFile(months[1], "a") as bundle:
        bundle.writestr("extra.txt", "?")
    status, said = ask(months[1])
    assert status == 1
    assert "DIFFERS: extra.txt is in the zip and not in the manifest." in said


def test_without_the_right_key_it_cannot_tell(months: list[Path], tmp_path: Path) -> None:
    for given_key in ("00" * 32, "nonsense", "ab"):
        answer = alone(tmp_path, months[0], "--key", given_key)
        assert answer.returncode == 2
        assert answer.stdout.startswith("CANNOT TELL: ")
    assert alone(tmp_path, "missing.zip", "--key", public_key()).returncode == 2
    (tmp_path / "refrain-keys.json").write_text(json.dumps(wellknown.keys()))
    assert alone(tmp_path, months[0], "--keys", "refrain-keys.json").returncode == 0


def test_a_listener_finds_their_month_in_it(told: Told, months: list[Path], ask: Ask, tmp_path: Path) -> None:
    proof = transparency.my_proof(person_id=told.lena.id, month=OCTOBER)
    file = tmp_path / "my-proof.json"
    file.write_text(json.dumps(proof))
    status, said = ask(months[2], "--proof", file)
    assert status == 0
    assert f"2026-10: counted in, as listener {proof['index'] + 1} of 2:" in said
    assert "  plays_micros         60030" in said
    for wrong in (
        {**proof, "leaf": {**proof["leaf"], "plays_micros": 60_031}},
        {**proof, "index": 1 - proof["index"]},
        {**proof, "path": []},
        {**proof, "count": 3},
    ):
        file.write_text(json.dumps(wrong))
        status, said = ask(months[2], "--proof", file)
        assert status == 1, wrong
        assert "this listener’s month is not in the tree of 2026-10" in said
    file.write_text("[]")
    assert ask(months[2], "--proof", file)[0] == 1
    file.write_text(json.dumps(proof))
    assert ask(months[0], "--proof", file)[0] == 2


CHARGES = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 3),
        st.integers(1, 10**7),
        st.booleans(),
        st.integers(0, 100),
        st.sampled_from(["", "", "", "open", "late"]),
    ),
    max_size=40,
)
SHARES = st.lists(st.lists(st.integers(1, 50), max_size=5), min_size=4, max_size=4)


@pytest.mark.django_db
@effort(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(charges=CHARGES, shares=SHARES)
def test_random_months_verify(charges: list[tuple[int, int, int, bool, int, str]], shares: list[list[int]]) -> None:
    with transaction.atomic():
        listeners = [cast.person(f"listener{n}") for n in range(5)]
        payees = [cast.person(f"payee{n}") for n in range(5)]
        works = [
            counting.work(
                list(zip(payees, money.allocate(1_000_000, weights), strict=False)) if weights else [], since=noon(1, 9)
            )
            for weights in shares
        ]
        bought: set[tuple[int, int]] = set()
        late = []
        for number, (who, what, micros, wants_all, promo, back) in enumerate(charges, start=1):
            is_purchase = wants_all and (who, what) not in bought
            bought |= {(who, what)} if is_purchase else set()
            charged = counting.charge(
                listeners[who],
                works[what],
                micros,
                at=noon(1 + number % 28),
                number=None if is_purchase else number,
                promo=micros * promo // 100,
            )
            if back == "open":
                counting.give_back(charged, at=noon(1, 11))
            elif back == "late":
                late.append(charged)
        published = [counting.seal(OCTOBER)]
        for charged in late:
            counting.give_back(charged, at=noon(10, 11))
        for work, weights in zip(works, shares, strict=True):
            if not weights:
                counting.put_in_force(work, [(payees[0], 1_000_000)], since=noon(11, 11))
        published.append(counting.seal(date(2026, 11, 1)))
        bundles = []
        for one in published:
            keys = {wellknown.keys()["present"]: bytes.fromhex(public_key())}
            bundle = VERIFIER.Bundle(default_storage.path(one.key), keys)
            bundle.check()
            bundles.append(bundle)
        VERIFIER.check_chain(bundles)
        assert [bundle.faults for bundle in bundles] == [[], []]
        kept = [row for row in charges if row[5] != "open"]
        totals = published[0].totals
        assert totals["gross_micros"] == sum(row[2] for row in kept)
        assert totals["listeners"] == len({row[0] for row in charges})
        assert published[1].totals["late_micros"] == sum(row[2] for row in charges if row[5] == "late")
        assert published[1].totals["released_micros"] == totals["held_micros"]
        transaction.set_rollback(True)
