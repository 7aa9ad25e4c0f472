"""recount.py: it runs alone, agrees with what is true, and names whatever was changed, also by who can sign."""

import csv
import hashlib
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

import members
from members import clock, keys, seals, wellknown
from members.voting import ballots, election_documents, elections, tally
from members.voting.tally import Kind, Rules, Votes
from tests import cast
from tests.members.polls import RULES, Poll
from tests.royalties.test_verify_bundle import SIGNED

PROGRAM = Path(members.__file__).parent / "static" / "members" / "recount.py"
CLASSES = ("creator", "listener", "worker")
Ask = Callable[..., tuple[int, str]]


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recount", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RECOUNT = _module()


def public_key() -> str:
    known = wellknown.keys()
    return str(known["keys"][known["present"]])


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Give the program's `main`, which answers with its status and what it printed."""

    def asking(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        status = RECOUNT.main([*map(str, arguments), "--key", public_key()])
        return status, capsys.readouterr().out

    return asking


class Voted:
    """A vote with a correction, a checkpoint and ballots of all kinds, its bundle, and what voters kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.poll = poll = Poll({"creator": 8, "listener": 12, "worker": 6, "supporter": 3})
        late = cast.person("late")
        elections.correct(
            election_id=poll.id,
            person_id=late.id,
            class_name="listener",
            reason="Late.",
            by_id=late.id,
            now=clock.now(),
        )
        poll.open()
        poll.vote("creator", "yyyyynna")
        poll.vote("worker", "yynna")
        self.checkpoint = elections.checkpoint(election_id=poll.id, now=clock.now())
        poll.vote("listener", "ynnay")
        poll.vote("supporter", "yn")
        poll.close()
        self.row = poll.row()
        self.path = folder / f"refrain-vote-{poll.id}.zip"
        with default_storage.open(self.row.bundle_key) as file:
            self.path.write_bytes(file.read())

    def keep(self, name: str, document: Any) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(document))
        return path

    def receipt(self, name: str, number: int) -> Path:
        """Save the receipt of somebody as their browser does."""
        return self.keep("receipt.json", self.poll.receipts[self.poll.people[name][number].id].document())


@pytest.fixture
def voted(db: None, tmp_path: Path) -> Voted:
    return Voted(tmp_path)


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    target = path.parent / "changed" / path.name
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return target


def signed_anew(path: Path, files: dict[str, bytes]) -> Path:
    """Write a bundle as a co-op would that lies: with other files, and a manifest that names and signs them."""
    said = json.loads(files["manifest.json"])["manifest"]
    said["files"] = [
        {"name": name, "size_bytes": len(content), "sha256": seals.sha256(content)}
        for name, content in sorted(files.items())
        if name != "manifest.json"
    ]
    document = {"manifest": said, "sha256": seals.sha256_of(said), **seals.sign(said, key=keys.present_key())}
    return packed(path, {**files, "manifest.json": seals.canonical(document)})


Rows = list[dict[str, str]]


def tampered(path: Path, name: str, change: Callable[[Rows], Rows], *, votes: dict[str, int] | None = None) -> Path:
    """Write a bundle anew with other rows, sorted as they must be, all figures that follow adapted, and signed.

    `votes` are added to those of the creators.
    """
    files = files_of(path)
    rows = change(list(csv.DictReader(io.StringIO(files[name].decode()))))
    head = files[name].decode().splitlines()[0]
    columns = head.split(",")
    lines = sorted(",".join(row[column] for column in columns) for row in rows)
    files[name] = "".join(f"{line}\n" for line in (head, *lines)).encode()
    if votes:
        result = json.loads(files["result.json"])
        for word, more in votes.items():
            result["votes"]["creator"][word] += more
        notice = json.loads(files["notice.json"])["notice"]
        files["result.json"] = seals.canonical(RECOUNT.count(notice, result["votes"]))
    return signed_anew(path, files)


def one(rows: Rows, **like: str) -> dict[str, str]:
    return next(row for row in rows if all(row[name] == word for name, word in like.items()))


def made(election: str, class_name: str, choice: str, nonce: str) -> dict[str, str]:
    """Return a row of an urn whose tracker is right."""
    tracker = ballots.tracker(
        election_id=UUID(election), class_name=class_name, choice=choice, nonce=bytes.fromhex(nonce)
    )
    return {"tracker": tracker.hex(), "class": class_name, "choice": choice, "nonce": nonce, "checkpoint": ""}


# What is true.


def test_it_counts_a_vote_alone(voted: Voted) -> None:
    command = [sys.executable, "-I", "-S", str(PROGRAM), str(voted.path), "--key", public_key()]
    kept = ["--receipt", str(voted.receipt("creator", 6)), "--notice", str(voted.keep("notice.json", voted.row.notice))]
    assert voted.checkpoint is not None
    kept += ["--checkpoint", str(voted.keep("checkpoint.json", voted.checkpoint.document))]
    env = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"}
    answer = subprocess.run([*command, *kept], env=env, capture_output=True, text=True, timeout=120, check=False)
    trackers = sorted(receipt.tracker for receipt in voted.poll.receipts.values())
    place = trackers.index(voted.poll.receipts[voted.poll.people["creator"][6].id].tracker) + 1
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [
        f"{voted.path}  SHA-256 {voted.row.bundle_sha256}",
        "trackers recomputed             20",
        "roll                            30",
        "ballots = marks             agrees",
        "checkpoints contained       agrees",
        "tally and verdict           agrees",
        "passed: every ballot agrees",
        f"{voted.folder / 'notice.json'}: agrees",
        f"{voted.folder / 'checkpoint.json'}: agrees",
        f"{voted.folder / 'receipt.json'}: ballot {place} of 20, creator, no",
    ]
    assert answer.returncode == 0
    assert files_of(voted.path)["recount.py"] == PROGRAM.read_bytes()
    assert voted.row.bundle_sha256 == hashlib.sha256(voted.path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("public", "message", "signature"), SIGNED)
def test_it_knows_the_signatures_of_the_standard(public: str, message: str, signature: str) -> None:
    key, said, signed = (bytes.fromhex(word) for word in (public, message, signature))
    assert RECOUNT.is_signed(key, said, signed)
    assert not RECOUNT.is_signed(key, said + b"!", signed)


SHARES = st.builds(lambda a, b: Fraction(min(a, b), max(a, b)), st.integers(1, 40), st.integers(1, 40))
SIDES = st.builds(
    lambda yes, no, abstained, away: Votes(members=yes + no + abstained + away, yes=yes, no=no, abstained=abstained),
    *[st.integers(0, 150)] * 3,
    st.integers(0, 900),
)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    """Draw rules as a co-op might have voted them."""
    first, second = sorted(draw(st.tuples(*[st.integers(50_000, 950_000)] * 2)))
    bars = {
        kind: tally.Bar(
            support=draw(SHARES),
            support_exceeded=draw(st.booleans()),
            heads=draw(SHARES),
            heads_exceeded=draw(st.booleans()),
        )
        for kind in tally.FOUNDING_BARS
    }
    weights = dict(zip(CLASSES, (first, second - first, 1_000_000 - second), strict=True))
    return Rules(weights_ppm=weights, bars=bars, heads_share=draw(SHARES), heads_most=draw(st.integers(5, 300)))


@effort(max_examples=100)
@given(
    kind=st.sampled_from(list(Kind)),
    votes=st.dictionaries(st.sampled_from(CLASSES), SIDES),
    supporters=st.none() | SIDES,
    counted_by=st.just(RULES) | rules(),
    is_second_call=st.booleans(),
)
def test_its_count_is_the_houses_count(
    kind: Kind, votes: dict[str, Votes], supporters: Votes | None, counted_by: Rules, *, is_second_call: bool
) -> None:
    everybody = {**votes, **({"supporter": supporters} if supporters else {})}
    said = {
        name: {"members": of.members, "marks": of.cast, "yes": of.yes, "no": of.no, "abstained": of.abstained}
        for name, of in everybody.items()
    }
    found = tally.count(kind, votes, rules=counted_by, heads_only=supporters, is_second_call=is_second_call)
    notice = {"kind": kind.value, "is_second_call": is_second_call, "rules": election_documents.rules_said(counted_by)}
    assert RECOUNT.count(notice, said) == election_documents.result_said(found, said)
    read = election_documents.rules_read(json.loads(json.dumps(notice["rules"])))
    assert read == counted_by


@pytest.mark.parametrize("seed", range(3))
def test_whole_random_votes_are_counted_alike(db: None, tmp_path: Path, ask: Ask, seed: int) -> None:
    chance = random.Random(seed)
    poll = Poll({name: chance.randrange(12) for name in (*CLASSES, "supporter")}, kind=chance.choice(list(Kind)))
    poll.open()
    expected: dict[str, list[str]] = {}
    for name, people in poll.people.items():
        expected[name] = [chance.choice("yyna") for _ in people[: chance.randrange(len(people) + 1)]]
        poll.vote(name, "".join(expected[name]))
    elections.checkpoint(election_id=poll.id, now=clock.now())
    found = poll.close()
    by_class = {
        name: Votes(members=len(people), yes=said.count("y"), no=said.count("n"), abstained=said.count("a"))
        for (name, people), said in zip(poll.people.items(), expected.values(), strict=True)
        if people
    }
    heads_only = by_class.pop("supporter", None)
    right = tally.count(Kind(poll.election.kind), by_class, rules=RULES, heads_only=heads_only)
    assert found == right
    path = tmp_path / "vote.zip"
    with default_storage.open(poll.row().bundle_key) as file:
        path.write_bytes(file.read())
    status, said_of_it = ask(path)
    assert (status, f"{found.verdict}: every ballot agrees" in said_of_it) == (0, True), said_of_it


# What was changed.


def test_any_changed_byte_of_any_file_is_named(voted: Voted, ask: Ask) -> None:
    chance, files = random.Random(5), files_of(voted.path)
    for name, content in files.items():
        for place in {0, len(content) - 1, *(chance.randrange(len(content)) for _ in range(3))}:
            changed = bytearray(content)
            changed[place] ^= 1 << chance.randrange(7)
            status, said = ask(packed(voted.path, {**files, name: bytes(changed)}))
            assert status in (1, 2), (name, place, said)
            assert f"{name}" in said, (name, place, said)
    for name in files:
        status, said = ask(packed(voted.path, {other: content for other, content in files.items() if other != name}))
        assert (status, f"{name} is missing" in said) == (1, True), said
    status, said = ask(packed(voted.path, {**files, "extra.txt": b"?"}))
    assert (status, "extra.txt is in the zip and not in the manifest" in said) == (1, True)


def test_a_ballot_that_was_altered_is_named_although_all_was_signed_anew(voted: Voted, ask: Ask) -> None:
    def alter(rows: Rows) -> Rows:
        one(rows, **{"class": "creator", "choice": "no"})["choice"] = "yes"
        return rows

    status, said = ask(tampered(voted.path, "ballots.csv", alter, votes={"yes": 1, "no": -1}))
    assert status == 1
    assert "the tracker is of another ballot than this one" in said
    assert "was changed" not in said


def test_a_ballot_that_was_moved_to_another_class_is_named(voted: Voted, ask: Ask) -> None:
    def move(rows: Rows) -> Rows:
        one(rows, **{"class": "listener"})["class"] = "creator"
        return rows

    status, said = ask(tampered(voted.path, "ballots.csv", move))
    assert (status, "the tracker is of another ballot than this one" in said) == (1, True)

    def move_well(rows: Rows) -> Rows:
        moved = one(rows, **{"class": "listener"})
        rows.remove(moved)
        return [*rows, made(str(voted.poll.id), "creator", moved["choice"], moved["nonce"])]

    status, said = ask(tampered(voted.path, "ballots.csv", move_well))
    assert (status, "the class creator has 9 ballots and 8 marks on the roll" in said) == (1, True)


def test_a_ballot_that_was_added_is_more_than_there_are_marks_or_members(voted: Voted, ask: Ask) -> None:
    def add(rows: Rows) -> Rows:
        return [*rows, made(str(voted.poll.id), "creator", "yes", "ab" * 16)]

    _, said = ask(tampered(voted.path, "ballots.csv", add))
    assert "DIFFERS: the class creator has 9 ballots and 8 marks on the roll." in said
    # With a mark for it there are more marks than creators, for here all eight voted.
    status, said = ask(tampered(voted.path, "ballots.csv", add, votes={"yes": 1, "marks": 1}))
    assert (status, "DIFFERS: the class creator has 9 marks and 8 members." in said) == (1, True)
    _, said = ask(tampered(voted.path, "ballots.csv", add, votes={"yes": 1, "marks": 1, "members": 1}))
    assert "DIFFERS: the class creator has 8 on the roll, not 9." in said


def test_a_ballot_that_was_dropped_is_missed_by_its_checkpoint_or_its_receipt(voted: Voted, ask: Ask) -> None:
    tracker = voted.poll.receipts[voted.poll.people["creator"][6].id].tracker

    def drop(rows: Rows) -> Rows:
        return [row for row in rows if row["tracker"] != tracker]

    _, said = ask(tampered(voted.path, "ballots.csv", drop))
    assert "DIFFERS: the class creator has 7 ballots and 8 marks on the roll." in said
    lying = tampered(voted.path, "ballots.csv", drop, votes={"no": -1, "marks": -1})
    _, said = ask(lying)
    assert "checkpoint 1: a ballot that it named is not in ballots.csv" in said

    # One that no checkpoint named: the figures agree, and its voter holds the proof.
    late = voted.poll.receipts[voted.poll.people["supporter"][1].id].tracker
    files = files_of(voted.path)
    files["ballots.csv"] = b"".join(
        line for line in files["ballots.csv"].splitlines(keepends=True) if not line.startswith(late.encode())
    )
    result = json.loads(files["result.json"])
    result["votes"]["supporter"] |= {"marks": 1, "no": 0}
    notice = json.loads(files["notice.json"])["notice"]
    files["result.json"] = seals.canonical(RECOUNT.count(notice, result["votes"]))
    lying = signed_anew(voted.path, files)
    assert ask(lying)[0] == 0
    receipt = voted.receipt("supporter", 1)
    status, said = ask(lying, "--receipt", receipt)
    assert (status, f"{receipt} is genuine, and its ballot {late} is not in the urn" in said) == (1, True)
    forged = json.loads(receipt.read_text())
    forged["receipt"]["tracker"] = "00" * 32
    status, said = ask(voted.path, "--receipt", voted.keep("forged.json", forged))
    assert (status, "was not signed with this vote’s key" in said) == (1, True)


def test_a_roll_that_was_edited_is_not_the_announced_one(voted: Voted, ask: Ask) -> None:
    def promote(rows: Rows) -> Rows:
        one(rows, **{"class": "listener"})["class"] = "creator"
        return rows

    status, said = ask(tampered(voted.path, "roll.csv", promote))
    assert (status, "DIFFERS: roll.csv: it is not the roll that was announced" in said) == (1, True)
    # A correction that nobody made, well written: the chain of roots has to begin at the notice.
    files = files_of(voted.path)
    corrections = json.loads(files["corrections.json"])
    corrections[0]["class_before"], corrections[0]["class_after"] = "worker", "listener"
    files["corrections.json"] = seals.canonical(corrections)
    status, said = ask(signed_anew(voted.path, files))
    assert (status, "without correction 1 it is not the roll that was announced" in said) == (1, True)


def test_another_notice_or_checkpoint_than_the_one_somebody_kept_is_named(voted: Voted, ask: Ask) -> None:
    said = voted.row.notice["notice"]
    other = {**said, "roll": {**said["roll"], "root": "00" * 32}}
    document = {"notice": other, "sha256": seals.sha256_of(other), **seals.sign(other, key=keys.present_key())}
    path = voted.keep("kept-notice.json", document)
    status, told = ask(voted.path, "--notice", path)
    assert (status, f"{path} is genuine, and the bundle does not hold it" in told) == (1, True)
    # An urn that a checkpoint showed and that was exchanged since.
    own = keys.of_election(voted.poll.id, key=keys.present_key()).signing
    shown = election_documents.checkpoint_said(
        election_id=voted.poll.id, number=1, made_at=clock.now(), trackers=[b"x" * 32], previous=None
    )
    document = {"checkpoint": shown, "sha256": seals.sha256_of(shown), **seals.sign(shown, key=own)}
    path = voted.keep("kept-checkpoint.json", document)
    status, told = ask(voted.path, "--checkpoint", path)
    assert (status, f"{path} is genuine, and the bundle does not hold it" in told) == (1, True)


def test_a_result_that_does_not_follow_is_named(voted: Voted, ask: Ask) -> None:
    files = files_of(voted.path)
    for name, lie in (("verdict", "defeated"), ("support", [1, 2]), ("turnout", 21), ("conditions", [])):
        result = {**json.loads(files["result.json"]), name: lie}
        status, said = ask(signed_anew(voted.path, {**files, "result.json": seals.canonical(result)}))
        assert (status, f"DIFFERS: result.json: {name} is not what follows from the votes." in said) == (1, True)


def test_where_it_cannot_tell_it_says_so(voted: Voted, ask: Ask) -> None:
    assert RECOUNT.main([str(voted.path), "--key", "00" * 32]) == 2
    assert RECOUNT.main([str(voted.path)]) == 2
    assert ask(voted.folder / "nowhere.zip")[0] == 2
    empty = voted.folder / "empty.zip"
    empty.write_bytes(b"")
    assert ask(empty)[0] == 1
    other = voted.keep("other.json", {**Poll({"worker": 5}).election.notice, "more": 1})
    assert ask(voted.path, "--notice", other)[0] == 1
