"""Bundles of elections: everything that was counted, in one zip that anybody counts again with `recount.py`.

The files' order, the rows' order and every date are fixed, so the same election makes the same bytes however often it
is written. What is in which file is said in `ballots.txt`.
"""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.template.loader import render_to_string

from members import keys, seals
from members.voting import election_documents
from members.voting.election_models import Ballot, Checkpoint, Election, RollLine

FORMAT, MANIFEST = "refrain-ballots/1", "manifest.json"
FOLDER = "elections"
PROGRAM = "members/recount.py"
TRACKER_BYTES = 32
# The first moment that a zip can say.
DATED = (1980, 1, 1, 0, 0, 0)


def file_name(election: Election) -> str:
    """Return the name under which an election's bundle is saved."""
    return f"refrain-vote-{election.id}.zip"


def read(election: Election) -> File:
    """Return the file of a counted election's bundle, opened."""
    return default_storage.open(election.bundle_key)


def split(trackers: bytes) -> list[bytes]:
    """Return the trackers that lie one after the other in a checkpoint's row."""
    return [trackers[start : start + TRACKER_BYTES] for start in range(0, len(trackers), TRACKER_BYTES)]


def publish(election: Election) -> None:
    """Write the bundle of a counted election into the store and what came out into its row, which is then final.

    Runs under the election's lock. Raises NoSealingKey.
    """
    assert election.votes is not None
    tally = election_documents.counted(
        kind=election.kind, is_second_call=election.is_second_call, rules=election.rules, votes=election.votes
    )
    result = election_documents.result_said(tally, election.votes)
    content, document = _written(election, result)
    election.bundle_key = f"{FOLDER}/{file_name(election)}"
    # What a crash left under the name was shown to nobody: the row that names it is written after it.
    default_storage.delete(election.bundle_key)
    saved = default_storage.save(election.bundle_key, _Zip(content))
    if saved != election.bundle_key:
        default_storage.delete(saved)
        raise OSError(f"the store would keep {election.bundle_key} only as {saved}")
    election.result, election.manifest = result, document
    election.bundle_bytes, election.bundle_sha256 = len(content), seals.sha256(content)
    election.save(update_fields=["result", "manifest", "bundle_key", "bundle_bytes", "bundle_sha256"])


class _Zip(ContentFile):
    """A file on its way into the store, with a type for S3."""

    content_type = "application/zip"


def _written(election: Election, result: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Return the bundle and its signed manifest. Five queries."""
    corrections = [
        {
            "number": one.number,
            "name": one.name,
            "class_before": one.class_before,
            "class_after": one.class_after,
            "corrected_at": election_documents.moment(one.corrected_at),
            "root_before": one.root_before,
            "root_after": one.root_after,
        }
        for one in election.corrections.order_by("number")
    ]
    checkpoints = list(election.checkpoints.order_by("number"))
    lines = RollLine.objects.filter(election=election).order_by("name").values_list("name", "class_name")
    words = {"election": election, "issuer": settings.BASE_URL, "name": file_name(election)}
    files = {
        "notice.json": seals.canonical(election.notice),
        "corrections.json": seals.canonical(corrections),
        "roll.csv": _csv("name,class", lines),
        "ballots.csv": _csv("tracker,class,choice,nonce,checkpoint", _ballots(election, checkpoints)),
        "checkpoints.json": seals.canonical([one.document for one in checkpoints]),
        "result.json": seals.canonical(result),
        "README.txt": render_to_string("members/ballots.txt", words).encode(),
        "recount.py": _program(),
    }
    said = {
        "format": FORMAT,
        "issuer": settings.BASE_URL,
        "election": str(election.id),
        "notice_sha256": election.notice["sha256"],
        "files": [
            {"name": name, "size_bytes": len(content), "sha256": seals.sha256(content)}
            for name, content in sorted(files.items())
        ],
    }
    signature = seals.sign(said, key=keys.key_named(election.signing_key))
    document = {"manifest": said, "sha256": seals.sha256_of(said), **signature}
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*files.items(), (MANIFEST, seals.canonical(document))):
            archive.writestr(_entry(name), content)
    return target.getvalue(), document


def _ballots(election: Election, checkpoints: list[Checkpoint]) -> Iterable[tuple[str, ...]]:
    named = {tracker: one.number for one in checkpoints for tracker in split(bytes(one.new_trackers))}
    rows = Ballot.objects.filter(election=election).order_by("tracker")
    for tracker, class_name, choice, nonce in rows.values_list("tracker", "class_name", "choice", "nonce").iterator():
        known = bytes(tracker)
        yield known.hex(), class_name, choice, bytes(nonce).hex(), str(named.get(known, ""))


def _csv(head: str, rows: Iterable[Iterable[str]]) -> bytes:
    """Return a table. No value in it can hold a comma or a quote."""
    return "".join(f"{line}\n" for line in (head, *(",".join(row) for row in rows))).encode()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, DATED)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _program() -> bytes:
    path = finders.find(PROGRAM)
    assert isinstance(path, str), PROGRAM
    return Path(path).read_bytes()
