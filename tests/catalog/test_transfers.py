"""Files sent in pieces: the tus protocol as any client speaks it, and what becomes of what arrives."""

import base64
import hashlib
import json
import threading
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import ingest, tasks
from catalog.intake import leases, receiving, transfers
from catalog.models import Creator, Transfer, Upload, Work
from infra.parts.seaweedfs import SeaweedFS
from members import clock
from members.models import Person
from members.problems import Invalid
from tests import callers, cast, media
from tests.callers import Caller

PIECE = "application/offset+octet-stream"


@pytest.fixture(autouse=True)
def _fresh(store: Path) -> None:
    callers.forget_counts()


@pytest.fixture
def ask(ana: Person, band: Creator) -> Caller:
    return Caller(ana, "publish")


def encoded(**said: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in said.items())


def tus(ask: Caller, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
    """Send a request of the protocol; names of headers are written with _ for -."""
    named = {"Tus-Resumable": "1.0.0", **{name.replace("_", "-"): value for name, value in headers.items()}}
    address = path if path.startswith("/") else f"/api/v1/{path}"
    return ask.client.generic(
        method, address, body, content_type=named.pop("Content-Type", PIECE), headers={**ask.headers, **named}
    )


def begin(ask: Caller, size: int, filename: str = "song.flac", **said: str) -> str:
    answer = tus(ask, "POST", "transfers", Upload_Length=str(size), Upload_Metadata=encoded(filename=filename, **said))
    assert answer.status_code == 201, answer.content
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    return str(answer.headers["Location"])


def add(ask: Caller, where: str, offset: int, body: bytes, **headers: str) -> Any:
    return tus(ask, "PATCH", where, body, Upload_Offset=str(offset), **headers)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.content)["type"].rpartition("/")[2]


def deliver(where: str) -> Transfer:
    transfer_id = uuid.UUID(where.rpartition("/")[2])
    transfers.deliver(transfer_id=transfer_id, now=clock.now())
    return Transfer.objects.get(id=transfer_id)


def parts(store: Path) -> list[str]:
    return media.files_under(store / "parts")


@pytest.mark.django_db
def test_it_says_what_is_spoken_here_to_anybody(settings) -> None:
    answer = Caller(None).client.options("/api/v1/transfers")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,termination,expiration,checksum"
    assert answer.headers["Tus-Max-Size"] == str(settings.UPLOAD_BYTES_MAX) == "2000000000"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_a_file_in_three_pieces_becomes_the_work_it_is(ask: Caller, ana: Person, band: Creator, store: Path) -> None:
    whole = media.make("flac", seconds=3, tags=(("title", "Pieces"),)).read_bytes()
    where = begin(ask, len(whole), "pieces.flac", creator=band.slug, folder="album/disc 1", modified="1700000000123")
    ends = [len(whole) // 3, len(whole) // 2, len(whole)]
    for begins, ends_at in zip([0, *ends], ends, strict=False):
        head = tus(ask, "HEAD", where)
        assert (head.status_code, head.headers["Upload-Offset"]) == (200, str(begins))
        assert head.headers["Upload-Length"] == str(len(whole))
        assert head.headers["Cache-Control"] == "no-store"
        assert head.headers["Upload-Expires"].endswith("GMT")
        answer = add(ask, where, begins, whole[begins:ends_at])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(ends_at))
    assert len(parts(store)) == 3

    said = json.loads(ask.get(where).content)
    assert (said["state"], said["offset_bytes"], said["upload"]) == ("complete", len(whole), None)
    transfer = deliver(where)
    assert transfer.state == "received"
    assert parts(store) == []
    upload = Upload.objects.get(id=transfer.upload_id)
    assert (upload.filename, upload.folder, upload.person_id) == ("pieces.flac", "album/disc 1", ana.id)
    assert upload.sha256 == hashlib.sha256(whole).hexdigest()
    assert (store / upload.original_key).read_bytes() == whole
    while ingest.advance(upload_id=upload.id, now=clock.now()):
        pass
    said = json.loads(ask.get(where).content)
    assert (said["state"], said["modified_ms"]) == ("received", 1_700_000_000_123)
    work = Work.objects.get()
    assert said["upload"] == {
        "id": str(upload.id),
        "state": "ready",
        "percent": 100,
        "reason": "",
        "work": str(work.id),
    }
    assert work.title == "Pieces"
    # It is over: a piece more is refused, and nothing changes.
    assert refusal(add(ask, where, 0, b"more")) == (409, "offset-mismatch")
    assert tus(ask, "HEAD", where).headers["Upload-Offset"] == str(len(whole))


def test_a_piece_is_stored_in_parts_that_survive_one_by_one(
    ask: Caller, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that sends all in one request loses, when it breaks, what came after the last whole part."""
    monkeypatch.setattr(transfers, "PART_BYTES", 1000)
    where = begin(ask, 4500)
    transfer = Transfer.objects.get()
    body = bytes(range(250)) * 18

    def breaks(at: int):
        sent = 0

        def read(most: int) -> bytes:
            nonlocal sent
            if sent >= at:
                raise OSError("the line is dead")
            piece = body[sent : sent + min(most, at - sent)]
            sent += len(piece)
            return piece

        return read

    piece = transfers.Piece(offset=0, length=4500, read=breaks(2300))
    after = transfers.add(transfer_id=transfer.id, person_id=transfer.person_id, piece=piece, now=clock.now())
    assert (after.offset_bytes, [size for _, size in after.parts]) == (2300, [1000, 1000, 300])
    assert add(ask, where, 2300, body[2300:]).status_code == 204
    transfer.refresh_from_db()
    assert transfer.state == "complete"
    kept = b"".join((store / f"parts/{transfer.id}/{name}").read_bytes() for name, _ in transfer.parts)
    assert kept == body


@pytest.mark.usefixtures("committed")
def test_two_programs_that_send_the_same_piece_leave_it_there_once(ask: Caller, ana: Person, store: Path) -> None:
    """Both stream at the same time; whoever says first that it is there wins, and the other learns the offset."""
    where = begin(ask, 2000)
    transfer_id = uuid.UUID(where.rpartition("/")[2])
    both_read = threading.Barrier(2)
    answers: list[str] = []

    def send(filling: bytes) -> None:
        sent = False

        def read(_most: int) -> bytes:
            nonlocal sent
            if sent:
                return b""
            sent = True
            both_read.wait(timeout=20)
            return filling * 1000

        piece = transfers.Piece(offset=0, length=1000, read=read)
        try:
            transfers.add(transfer_id=transfer_id, person_id=ana.id, piece=piece, now=clock.now())
            answers.append("kept")
        except transfers.OffsetMismatch as mismatch:
            answers.append(f"at {mismatch.extra['offset']}")
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=(filling,)) for filling in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["at 1000", "kept"]
    transfer = Transfer.objects.get()
    assert transfer.offset_bytes == 1000
    (only,) = parts(store)
    assert (store / "parts" / only).read_bytes() in (b"a" * 1000, b"b" * 1000)


def test_a_piece_in_the_wrong_place_changes_nothing(ask: Caller, store: Path) -> None:
    where = begin(ask, 100)
    assert refusal(add(ask, where, 5, b"x")) == (409, "offset-mismatch")
    assert add(ask, where, 0, b"x" * 60).headers["Upload-Offset"] == "60"
    answer = add(ask, where, 0, b"x" * 60)
    assert (refusal(answer), json.loads(answer.content)["offset"]) == ((409, "offset-mismatch"), 60)
    assert refusal(add(ask, where, 60, b"x" * 41)) == (400, "invalid")
    assert Transfer.objects.get().offset_bytes == 60
    assert len(parts(store)) == 1


def test_a_piece_that_changed_on_its_way_is_not_kept(ask: Caller, store: Path) -> None:
    where = begin(ask, 8)

    def checksum(algorithm: str, content: bytes) -> str:
        return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"

    assert refusal(add(ask, where, 0, b"musik", Upload_Checksum=checksum("sha1", b"music"))) == (
        460,
        "checksum-mismatch",
    )
    assert (Transfer.objects.get().offset_bytes, parts(store)) == (0, [])
    assert add(ask, where, 0, b"music", Upload_Checksum=checksum("sha1", b"music")).status_code == 204
    assert add(ask, where, 5, b"box", Upload_Checksum=checksum("sha256", b"box")).status_code == 204
    for wrong in ("md5 AAAA", "sha1 AAAA", "sha1", "sha256 ????"):
        assert refusal(add(ask, where, 8, b"!", Upload_Checksum=wrong)) == (400, "invalid")
    assert Transfer.objects.get().state == "complete"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Tus_Resumable": "0.2.2"}, (412, "tus-version")),
        ({"Upload_Length": "-1"}, (400, "invalid")),
        ({"Upload_Length": "0"}, (400, "invalid")),
        ({"Upload_Length": "1" * 16}, (400, "invalid")),
        ({"Upload_Length": "2000000001"}, (413, "file-too-large")),
        ({"Upload_Defer_Length": "1"}, (400, "invalid")),
        ({"Upload_Metadata": ""}, (400, "invalid")),
        ({"Upload_Metadata": "filename ???"}, (400, "invalid")),
        ({"Upload_Metadata": "filename /w=="}, (400, "invalid")),
        ({"Upload_Metadata": encoded(filename="a", creator="somebody-elses")}, (404, "not-found")),
        ({"Upload_Metadata": encoded(filename="a", replaces=str(uuid.UUID(int=7)))}, (404, "not-found")),
        ({"Upload_Metadata": encoded(filename="a", modified="yesterday")}, (400, "invalid")),
    ],
)
def test_what_cannot_begin(ask: Caller, headers: dict[str, str], expected: tuple[int, str]) -> None:
    said = {"Upload_Length": "100", "Upload_Metadata": encoded(filename="a"), **headers}
    answer = tus(ask, "POST", "transfers", **said)
    assert refusal(answer) == expected
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert not Transfer.objects.exists()


def test_a_photo_that_is_too_large_is_refused_at_its_first_bytes(ask: Caller, store: Path) -> None:
    where = begin(ask, 300_000_001, "huge.flac")
    answer = add(ask, where, 0, b"\xff\xd8\xff\xe0" + bytes(1000))
    assert refusal(answer) == (413, "file-too-large")
    assert "300,000,000 bytes, which is the most that a photo may have" in json.loads(answer.content)["detail"]
    assert (Transfer.objects.get().state, parts(store)) == ("refused", [])
    assert tus(ask, "HEAD", where).status_code == 409
    assert refusal(add(ask, where, 0, b"x")) == (409, "transfer-over")
    # A recording of that size is welcome, and goes on.
    assert add(ask, begin(ask, 300_000_001, "long.flac"), 0, b"fLaC" + bytes(1000)).status_code == 204


def test_transfers_of_others_are_nobodys_business(ask: Caller, band: Creator) -> None:
    where = begin(ask, 100)
    stranger = Caller(cast.person("mallory"), "publish")
    for method in ("HEAD", "GET", "PATCH", "DELETE"):
        headers = {"Upload_Offset": "0"} if method == "PATCH" else {}
        assert tus(stranger, method, where, b"x", **headers).status_code == 404
    assert json.loads(stranger.get("transfers").content)["results"] == []
    assert tus(Caller(None), "GET", "transfers").status_code == 401
    assert tus(Caller(cast.person("lena"), "listen"), "POST", "transfers").status_code == 403
    assert Transfer.objects.get().offset_bytes == 0


def test_a_piece_is_of_its_own_type(ask: Caller) -> None:
    where = begin(ask, 100)
    assert refusal(add(ask, where, 0, b"x", Content_Type="application/json")) == (415, "unsupported-media-type")


def test_giving_up_removes_everything(ask: Caller, store: Path) -> None:
    where = begin(ask, 100)
    add(ask, where, 0, b"x" * 50)
    assert tus(ask, "DELETE", where).status_code == 204
    assert (Transfer.objects.count(), parts(store)) == (0, [])
    assert tus(ask, "HEAD", where).status_code == 404
    whole = begin(ask, 4)
    add(ask, whole, 0, b"fLaC")
    assert refusal(tus(ask, "DELETE", whole)) == (409, "transfer-over")


def test_the_same_file_twice_is_told_so(ask: Caller, band: Creator) -> None:
    content = media.make("flac", seconds=2, rate=22_050).read_bytes()
    work = None
    for _ in range(2):
        where = begin(ask, len(content))
        add(ask, where, 0, content)
        transfer = deliver(where)
        if work is None:
            while ingest.advance(upload_id=transfer.upload_id, now=clock.now()):
                pass
            work = Work.objects.get()
            Transfer.objects.filter(id=transfer.id).update(created_at=clock.now() - timedelta(hours=1))
            Upload.objects.update(created_at=clock.now() - timedelta(hours=1))
    assert (transfer.state, transfer.work_id) == ("refused", work.id)
    assert "This very file is already the work" in transfer.reason
    assert Work.objects.count() == 1


def test_a_worker_that_dies_after_the_upload_was_made_costs_nothing(ask: Caller, store: Path) -> None:
    content = media.make("flac", seconds=2, rate=32_000).read_bytes()
    where = begin(ask, len(content))
    add(ask, where, 0, content)
    transfer = Transfer.objects.get()
    kept = {name: (store / "parts" / name).read_bytes() for name in parts(store)}
    first = deliver(where)
    while ingest.advance(upload_id=first.upload_id, now=clock.now()):
        pass
    # As the row stood, and its parts, when the worker died before it could write: the next one finds the same upload.
    Transfer.objects.filter(id=transfer.id).update(state="complete", upload=None)
    for name, piece in kept.items():
        (store / "parts" / name).parent.mkdir(exist_ok=True)
        (store / "parts" / name).write_bytes(piece)
    again = deliver(where)
    assert (again.state, again.upload_id) == ("received", first.upload_id)
    assert Upload.objects.count() == Work.objects.count() == 1


def test_two_workers_never_deliver_the_same_transfer(ask: Caller) -> None:
    where = begin(ask, 4)
    add(ask, where, 0, b"fLaC")
    transfer_id, now = Transfer.objects.get().id, clock.now()
    assert leases.claim_row(Transfer.objects.filter(state="complete"), row_id=transfer_id, now=now) is not None
    assert transfers.deliver(transfer_id=transfer_id, now=now) is None
    assert transfers.whole(now=now, limit=9) == []
    assert transfers.whole(now=now + timedelta(minutes=3), limit=9) == [transfer_id]


def test_a_missing_part_is_never_passed_over(ask: Caller, store: Path, caplog: pytest.LogCaptureFixture) -> None:
    where = begin(ask, 2000)
    add(ask, where, 0, b"x" * 1000)
    add(ask, where, 1000, b"y" * 1000)
    (store / "parts" / parts(store)[0]).write_bytes(b"short")
    with caplog.at_level("CRITICAL"):
        assert deliver(where).state == "complete"
    assert not Upload.objects.exists()


def test_what_waits_longer_than_a_day_goes(ask: Caller, store: Path) -> None:
    where = begin(ask, 100)
    add(ask, where, 0, b"x" * 50)
    now = clock.now()
    assert transfers.sweep(now=now + timedelta(hours=23), limit=9) == 0
    late = now + timedelta(hours=25)
    transfer = Transfer.objects.get()
    piece = transfers.Piece(offset=50, length=1, read=lambda _: b"x")
    with pytest.raises(transfers.TransferOver, match="Nothing came for a day"):
        transfers.add(transfer_id=transfer.id, person_id=transfer.person_id, piece=piece, now=late)
    assert transfers.sweep(now=late, limit=9) == 1
    transfer = Transfer.objects.get()
    assert (transfer.state, parts(store)) == ("refused", [])
    assert transfers.sweep(now=late + timedelta(days=6), limit=9) == 0
    assert transfers.sweep(now=late + timedelta(days=8), limit=9) == 1
    assert not Transfer.objects.exists()


def test_many_small_pieces_are_refused_before_they_fill_the_row(
    ask: Caller, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "PARTS_MOST", 3)
    where = begin(ask, 10)
    for offset in range(3):
        assert add(ask, where, offset, b"x").status_code == 204
    assert refusal(add(ask, where, 3, b"x")) == (400, "invalid")
    assert (Transfer.objects.get().offset_bytes, len(parts(store))) == (3, 3)


def test_the_list_costs_the_same_however_long_it_is(ask: Caller) -> None:
    costs = []
    for more in (2, 20):
        for _ in range(more):
            begin(ask, 100)
        with CaptureQueriesContext(connection) as queries:
            found = json.loads(ask.get("transfers").content)["results"]
        costs.append(len(queries))
    assert len(found) == 22
    assert costs[0] == costs[1]


def test_one_person_has_only_so_many_on_their_way(ask: Caller, monkeypatch: pytest.MonkeyPatch, ana: Person) -> None:
    monkeypatch.setattr(transfers, "OPEN_MOST", 1)
    begin(ask, 100)
    with pytest.raises(Invalid, match="on their way already"):
        transfers.begin(
            person_id=ana.id, creator_id=Creator.objects.get().id, filename="a", size_bytes=1, now=clock.now()
        )


@pytest.mark.usefixtures("committed")
def test_the_sweep_wakes_what_nobody_woke(ask: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    where = begin(ask, 4)
    add(ask, where, 0, b"fLaC")
    sent: list[list[str]] = []
    monkeypatch.setattr(tasks.deliver_transfer, "apply_async", lambda args, **_: sent.append(args))
    assert tasks.sweep_transfers() == 1
    assert sent == [[where.rpartition("/")[2]]]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("album/disc 1", "album/disc 1"),
        ("../../etc", "etc"),
        ("a\\b/./c/", "a/b/c"),
        ("\u202eevil\x00/x", "evil/x"),
        ("", ""),
    ],
)
def test_folders_are_clean_names(path: str, expected: str) -> None:
    assert receiving.folder_name(path) == expected


def test_pieces_go_to_s3_and_come_from_there(ana: Person, band: Creator, bucket: SeaweedFS) -> None:
    whole = media.make("flac", seconds=2, rate=48_000).read_bytes()
    ask = Caller(ana, "publish")
    where = begin(ask, len(whole))
    half = len(whole) // 2
    assert add(ask, where, 0, whole[:half]).status_code == 204
    assert add(ask, where, half, whole[half:]).status_code == 204
    transfer = deliver(where)
    assert transfer.state == "received"
    keys = [entry.key for entry in default_storage.bucket.objects.all()]  # type: ignore[attr-defined]
    upload = Upload.objects.get()
    assert keys == [upload.original_key]
    with default_storage.open(upload.original_key) as content:
        assert content.read() == whole
