"""Certificates: what they say, who learns what of them, and a program without a library that checks them offline."""

import copy
import importlib.util
import json
import random
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from catalog.models import Upload, Work
from members import clock, seals, wellknown
from members.models import Person
from playback import certificates
from playback.library_models import Certificate
from playback.models import Holding
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.kept_files import keep, own
from tests.playback.story import WHOLE, said

PROGRAM = Path(certificates.__file__).parent / "static" / "playback" / "verify_certificate.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_certificate", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verifier = _load()


@pytest.fixture
def lena(db: None) -> Person:
    callers.forget_counts()
    made = cast.person("lena")
    cast.top_up(made, 2_000)
    return made


@pytest.fixture
def work(lena: Person) -> Work:
    """Give a work that Lena owns."""
    made = cast.track(cast.creator(cast.person("ana")))
    own(lena, made)
    return made


def issue(lena: Person, work: Work, *, named: bool = False) -> dict[str, Any]:
    return certificates.issue(person_id=lena.id, work_id=work.id, named=named, now=clock.now())


# What it says.


def test_it_says_what_is_owned_and_what_was_paid(lena: Person, work: Work, settings) -> None:
    before = clock.now()
    issued = issue(lena, work)
    found = issued["certificate"]
    holding = Holding.objects.get()
    assert {name: found[name] for name in ("format", "holder", "kept_free", "paid_micros", "currency", "terms")} == {
        "format": "refrain-certificate/1",
        "holder": "",
        "kept_free": False,
        "paid_micros": WHOLE,
        "currency": "EUR",
        "terms": {"price_micros": WHOLE, "plays": 9, "growth": "2/1", "pricing_version": 1},
    }
    assert found["work"] == {
        "id": str(work.id),
        "kind": "track",
        "title": work.title,
        "creator": "Ana",
        "release": "",
        "isrc": "",
        "licence": "all-rights-reserved",
        "licence_name": "all rights reserved",
        "licence_words": "to listen to here; anything else needs its creator",
    }
    upload = Upload.objects.get()
    assert found["files"] == [{"format": "as sent", "sha256": upload.sha256, "size_bytes": 1_000_000}]
    assert found["owned_since"] == certificates.moment(holding.owned_at)
    assert certificates.moment(before) <= found["as_of"] <= certificates.moment(clock.now())
    assert found["standing_url"] == f"{settings.BASE_URL}/certificates/{found['id']}"
    assert issued["sha256"] == sha256(seals.canonical(found)).hexdigest()
    assert lena.email not in json.dumps(issued)
    assert str(lena.id) not in json.dumps(issued)


def test_a_work_kept_free_says_so(lena: Person) -> None:
    free = cast.track(cast.creator(cast.person("ana")), price_micros=0)
    cast.buy(lena, free, price_micros=0)
    found = issue(lena, free)["certificate"]
    assert (found["kept_free"], found["paid_micros"], found["terms"]) == (True, 0, None)


def test_the_name_stands_in_it_only_where_it_is_wanted(lena: Person, work: Work) -> None:
    assert issue(lena, work, named=True)["certificate"]["holder"] == "Lena"
    assert issue(lena, work)["certificate"]["holder"] == ""


def test_the_same_is_not_said_twice_and_what_is_new_is_said(lena: Person, work: Work, store: Path) -> None:
    first = issue(lena, work)
    clock.set_offset(timedelta(days=3))
    assert issue(lena, work) == first
    assert Certificate.objects.count() == 1
    made = keep(store, work, format="mp3")
    second = issue(lena, work)["certificate"]
    assert second["id"] != first["certificate"]["id"]
    assert second["files"][1:] == [{"format": "mp3", "sha256": made.sha256, "size_bytes": made.size_bytes}]


def test_only_of_what_is_owned(lena: Person, work: Work) -> None:
    begun = cast.track(work.creator)
    cast.play(lena, begun)
    lars = Caller(cast.person("lars"))
    ask = Caller(lena)
    for answer in (
        ask.get(f"library/{begun.id}/certificate"),
        ask.get(f"library/{uuid4()}/certificate"),
        lars.get(f"library/{work.id}/certificate"),
    ):
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert not Certificate.objects.exists()


def test_many_cost_as_many_queries_as_one(lena: Person, work: Work, django_assert_num_queries: Any) -> None:
    works = [work, *(cast.track(work.creator) for _ in range(5))]
    for one in works[1:]:
        own(lena, one)
    ids, now = [one.id for one in works], clock.now()
    with django_assert_num_queries(9):
        certificates.issue_many(person_id=lena.id, work_ids=ids[:2], named=False, now=now)
    with django_assert_num_queries(9):
        issued = certificates.issue_many(person_id=lena.id, work_ids=ids, named=False, now=now)
    assert set(issued) == set(ids)


def test_without_a_key_nothing_is_issued(lena: Person, work: Work, settings) -> None:
    settings.SIGNING_KEY_FILE = ""
    answer = Caller(lena).get(f"library/{work.id}/certificate")
    assert (answer.status_code, slug(answer)) == (503, "no-signing-key")
    assert not Certificate.objects.exists()


# Whether it holds.


def test_anybody_learns_that_it_holds_and_nobody_whose_it_is(lena: Person, work: Work) -> None:
    issued = issue(lena, work, named=True)
    name = issued["certificate"]["id"]
    answer = Caller(None).get(f"certificates/{name}")
    found = said(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (found["id"], found["holds"], found["ended_at"]) == (name, True, None)
    assert found["work"] == {"id": str(work.id), "kind": "track", "title": work.title, "creator": "Ana"}
    assert (found["sha256"], found["key"]) == (issued["sha256"], issued["key"])
    assert set(found) == {"id", "work", "as_of", "sha256", "key", "holds", "ended_at", "checked_at"}
    page = Client().get(f"/certificates/{name}")
    for told in (answer.content, page.content):
        assert b"Lena" not in told
        assert lena.email.encode() not in told
        assert str(lena.id).encode() not in told
    assert "This certificate holds" in page.content.decode()


def test_a_reversal_ends_it_for_good(lena: Person, work: Work) -> None:
    name = issue(lena, work)["certificate"]["id"]
    cast.give_back(cast.last_charge(lena))
    found = said(Caller(None).get(f"certificates/{name}"))
    assert found["holds"] is False
    assert found["as_of"] < found["ended_at"] <= found["checked_at"]
    page = Client().get(f"/certificates/{name}").content.decode()
    assert "no longer holds" in page
    own(lena, work)
    assert said(Caller(None).get(f"certificates/{name}"))["holds"] is False
    fresh = issue(lena, work)["certificate"]["id"]
    assert fresh != name
    assert said(Caller(None).get(f"certificates/{fresh}"))["holds"] is True


@pytest.mark.parametrize("name", [uuid4(), "x"])
def test_one_that_never_was_is_nowhere(lena: Person, name: object) -> None:
    assert slug(Caller(None).get(f"certificates/{name}")) == "not-found"
    assert Client().get(f"/certificates/{name}").status_code == 404


# The program that checks it.


@pytest.fixture
def folder(lena: Person, work: Work, store: Path, tmp_path: Path) -> Path:
    """Give a folder with a certificate, the keys, the program, and the file it names."""
    made = tmp_path / "saved"
    made.mkdir()
    (made / "track.mp3").write_bytes(b"sound")
    keep(store, work, format="mp3", content=b"sound")
    (made / "certificate.json").write_text(json.dumps(issue(lena, work, named=True)))
    (made / "refrain-keys.json").write_text(json.dumps(wellknown.keys()))
    (made / "verify_certificate.py").write_bytes(PROGRAM.read_bytes())
    return made


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the program with a Python that has nothing but its standard library."""
    command = [sys.executable, "-I", "-S", "verify_certificate.py", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_program_says_what_is_genuine_and_what_that_proves(folder: Path, work: Work) -> None:
    status, told = run(folder, "certificate.json", "track.mp3")
    assert status == 0
    assert told.startswith("GENUINE.")
    for words in (work.title, "by Ana", "1.022 EUR", "Lena", "track.mp3: this is its file “mp3”, byte for byte"):
        assert words in told
    for words in ("What this proves", "that it still holds", "that whoever shows it is the one", "/certificates/"):
        assert words in told


def test_the_program_tells_another_file_apart(folder: Path) -> None:
    (folder / "other.mp3").write_bytes(b"sounds")
    status, told = run(folder, "certificate.json", "other.mp3")
    assert status == 1
    assert "other.mp3: this is NONE of its files" in told
    status, told = run(folder, "certificate.json", "nowhere.mp3")
    assert (status, told.rpartition("CANNOT TELL: nowhere.mp3 cannot be read")[1] != "") == (2, True)


def test_the_program_without_keys_cannot_tell(folder: Path) -> None:
    keys = json.loads((folder / "refrain-keys.json").read_text())
    (folder / "refrain-keys.json").unlink()
    assert run(folder, "certificate.json")[0] == 2
    other = Ed25519PrivateKey.generate()
    public = seals.public_bytes(other)
    (folder / "other-keys.json").write_text(json.dumps({"keys": {seals.key_id(public): public.hex()}}))
    status, told = run(folder, "certificate.json", "--keys", "other-keys.json")
    assert (status, told.startswith("CANNOT TELL: it names the key")) == (2, True)
    # A file of keys that gives the co-op's name to another key is refused, too.
    name = next(iter(keys["keys"]))
    (folder / "other-keys.json").write_text(json.dumps({"keys": {name: public.hex()}}))
    status, told = run(folder, "certificate.json", "--keys", "other-keys.json")
    assert (status, "is not called so" in told) == (2, True)


def test_a_retired_key_still_verifies(folder: Path) -> None:
    keys = json.loads((folder / "refrain-keys.json").read_text())
    newer = seals.public_bytes(Ed25519PrivateKey.generate())
    keys["present"], keys["keys"][seals.key_id(newer)] = seals.key_id(newer), newer.hex()
    (folder / "refrain-keys.json").write_text(json.dumps(keys))
    assert run(folder, "certificate.json")[0] == 0


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value in the document that holds no others."""
    if isinstance(value, dict) and value:
        return [way for name in value for way in leaves(value[name], (*path, name))]
    if isinstance(value, list) and value:
        return [way for i, one in enumerate(value) for way in leaves(one, (*path, i))]
    return [path]


def altered(document: dict[str, Any], way: tuple[Any, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for step in way[:-1]:
        place = place[step]
    value = place[way[-1]]
    if isinstance(value, bool):
        place[way[-1]] = not value
    elif isinstance(value, int):
        place[way[-1]] = value + 1
    elif isinstance(value, str) and value:
        place[way[-1]] = value[:-1] + ("1" if value[-1] == "0" else "0")
    else:
        place[way[-1]] = "x"
    return changed


def refuses(document: Any, keys: Any) -> bool:
    try:
        verifier.check(document, keys)
    except (verifier.NotGenuine, verifier.CannotTell):
        return True
    return False


def test_whatever_is_changed_is_found(lena: Person, work: Work) -> None:
    document, keys = issue(lena, work, named=True), wellknown.keys()
    assert verifier.check(document, keys) == document["certificate"]
    ways = leaves(document)
    assert len(ways) > 25
    for way in ways:
        changed = altered(document, way)
        assert changed != document
        assert refuses(changed, keys), way
        # Whoever changes the text can reckon its SHA-256 anew, and is found by the signature.
        changed["sha256"] = sha256(verifier.canonical(changed["certificate"])).hexdigest()
        if changed != document:
            assert refuses(changed, keys), way
    for name in document:
        assert refuses({key: value for key, value in document.items() if key != name}, keys)
    assert refuses({**document, "note": "and a boat"}, keys)
    assert refuses({**document, "certificate": {**document["certificate"], "note": "and a boat"}}, keys)
    assert refuses({**document, "signature": document["signature"].upper()}, keys)
    for wrong in (None, [], "x", 1, {**document, "key": ["x"]}, {**document, "signature": None}):
        assert refuses(wrong, keys)


def test_a_certificate_of_one_work_is_none_of_another(lena: Person, work: Work) -> None:
    other = cast.track(work.creator)
    own(lena, other)
    one, two = issue(lena, work), issue(lena, other)
    assert refuses({**one, "signature": two["signature"]}, wellknown.keys())
    assert refuses({**one, "certificate": two["certificate"]}, wellknown.keys())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"paid_micros": 1022000', '"paid_micros": 1022000.0'),
        ('"paid_micros": 1022000', '"paid_micros": 1.022e6'),
        ('"paid_micros": 1022000', '"paid_micros": 9007199254740993'),
        ('"paid_micros": 1022000', '"paid_micros": NaN'),
        ('"holder": "Lena"', '"holder": "Mallory", "holder": "Lena"'),
        ('"holder": "Lena"', '"holder": "\\ud800"'),
        ('"holder": "Lena"', '"holder": "Lena\\u0000"'),
        (
            "{",
            "[" * 5_000,
        ),
        ("}", ""),
    ],
)
def test_what_readers_of_json_may_read_in_two_ways_is_refused(folder: Path, old: str, new: str) -> None:
    text = (folder / "certificate.json").read_text()
    assert old in text
    (folder / "certificate.json").write_text(text.replace(old, new, 1))
    status, told = run(folder, "certificate.json")
    assert (status, told.startswith("NOT GENUINE")) == (1, True)


def test_the_same_words_in_another_order_are_the_same(folder: Path) -> None:
    found = json.loads((folder / "certificate.json").read_text())
    turned = {name: found[name] for name in reversed(found)}
    turned["certificate"] = {name: found["certificate"][name] for name in reversed(found["certificate"])}
    (folder / "certificate.json").write_text(json.dumps(turned, indent=7, ensure_ascii=True))
    assert run(folder, "certificate.json")[0] == 0


def test_the_program_prints_nothing_that_steers_a_terminal(folder: Path, work: Work, lena: Person) -> None:
    Work.objects.filter(id=work.id).update(title="\x1b[2Jbad\u202e")
    (folder / "certificate.json").write_text(json.dumps(issue(lena, work)))
    status, told = run(folder, "certificate.json")
    assert (status, "?[2Jbad?" in told, "\x1b" in told) == (0, True, False)


# Its arithmetic, held against a library.


def test_signatures_are_judged_as_cryptography_judges_them() -> None:
    draw = random.Random(8032)
    for _ in range(25):
        key = Ed25519PrivateKey.generate()
        public, message = seals.public_bytes(key), draw.randbytes(draw.randrange(200))
        signature = bytearray(key.sign(message))
        assert verifier.is_signed(public, message, bytes(signature))
        signature[draw.randrange(64)] ^= 1 << draw.randrange(8)
        try:
            key.public_key().verify(bytes(signature), message)
            right = True
        except InvalidSignature:
            right = False
        assert verifier.is_signed(public, message, bytes(signature)) is right
        assert not verifier.is_signed(public, message + b".", key.sign(message))


def test_the_vectors_of_the_standard() -> None:
    """RFC 8032, section 7.1: tests 1 to 3."""
    for public, message, signature in (
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ):
        assert verifier.is_signed(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))


def test_a_signature_has_one_way_to_be_written() -> None:
    """S + L would satisfy the equation too (RFC 8032, 8.4), and points beyond the field's prime name others twice."""
    key = Ed25519PrivateKey.generate()
    public, signature = seals.public_bytes(key), key.sign(b"x")
    more = int.from_bytes(signature[32:], "little") + verifier.L
    assert not verifier.is_signed(public, b"x", signature[:32] + more.to_bytes(32, "little"))
    for point in (verifier.P, verifier.P + 1, 2**255 - 1):
        assert verifier._point(point.to_bytes(32, "little")) is None
    assert not verifier.is_signed(public[:-1], b"x", signature)
    assert not verifier.is_signed(public, b"x", signature[:-1])


@pytest.mark.parametrize(
    "value", [{"b": 1, "a": ["x", None, True]}, {"é": "\u2028", "z": '\x7f\x1f\\"/'}, {"\U0001f600": 0, "\ufb33": 1}]
)
def test_canonical_json_is_that_of_the_seals(value: Any) -> None:
    assert verifier.canonical(value) == seals.canonical(value)
