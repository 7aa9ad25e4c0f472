"""Leaving with everything: lists, addresses, and a zip that a worker packs, however often it is begun."""

import hashlib
import io
import json
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.test import Client

from catalog import store as stored_files
from catalog.copies import kept, parcels
from catalog.intake import leases
from catalog.models import Creator, Download, Work
from infra.parts.seaweedfs import SeaweedFS
from members import clock
from members.models import Notice
from playback import exports, library, packing, tasks, wallets
from playback.following_models import Favourite, Follow
from playback.library_models import LibraryExport
from playback.models import Charge
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.kept_files import give_cover, keep, own
from tests.playback.story import WHOLE, Story, said

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'
BASE = "refrain-library/"


@pytest.fixture
def story(db: None) -> Story:
    callers.forget_counts()
    made = Story()
    cast.top_up(made.lena, 20_000)
    return made


@pytest.fixture
def page(story: Story) -> Client:
    browser = Client()
    browser.force_login(story.lena)
    return browser


@pytest.fixture
def filled(story: Story, store: Path) -> Story:
    """Give Lena two tracks that are hers with files and a cover, one on the way, and what else is kept about her."""
    second, begun = cast.track(story.profile), cast.track(story.profile)
    for work, title in ((story.work, "Nebula"), (second, 'CON: a/"b"?'), (begun, "Half way")):
        Work.objects.filter(id=work.id).update(title=title, licence="cc-by-4.0")
        work.title = title
    own(story.lena, story.work)
    own(story.lena, second)
    cast.play(story.lena, begun)
    keep(store, story.work, content=b"nebula" * 500_000)
    keep(store, second, filename="con.flac")
    give_cover(store, story.work, SVG, ending="svg", content_type="image/svg+xml")
    now = clock.now()
    Favourite.objects.create(listener=story.lena, work=begun, marked_at=now)
    Follow.objects.create(listener=story.lena, creator=story.profile, followed_at=now)
    wallets.record_consent(person_id=story.lena.id, version=1, now=now)
    return story


def ask(story: Story, wanted: str = "original") -> LibraryExport:
    return exports.ask(person_id=story.lena.id, format=wanted, now=clock.now())


def take_turns(export: LibraryExport, *, most: int = 10) -> LibraryExport:
    """Take turns at an export until none is due, each after its rest."""
    moved = clock.offset()
    for _ in range(most):
        turn = exports.advance(export_id=export.id, now=clock.now())
        if turn.again_after_seconds is None:
            break
        moved += timedelta(seconds=turn.again_after_seconds + 1)
        clock.set_offset(moved)
    export.refresh_from_db()
    return export


def packed(store: Path, export: LibraryExport) -> zipfile.ZipFile:
    assert (export.state, export.reason) == ("ready", "")
    content = (store / export.key).read_bytes()
    assert (len(content), hashlib.sha256(content).hexdigest()) == (export.size_bytes, export.sha256)
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


# The zip.


def test_the_zip_has_the_files_and_everything_about_them(filled: Story, store: Path) -> None:
    export = take_turns(ask(filled))
    archive = packed(store, export)
    assert (export.percent, export.works, export.packed, export.missing, export.leased_until) == (100, 2, 2, [], None)
    names = archive.namelist()
    assert len(names) == len({name.lower() for name in names})
    works = sorted(name for name in names if name.startswith(f"{BASE}works/"))
    assert works == [f"{BASE}works/Ana/Ana - Nebula.flac", f"{BASE}works/Ana/_con.flac"]
    assert archive.read(works[0]) == b"nebula" * 500_000
    assert archive.read(f"{BASE}covers/{filled.work.id}.svg") == SVG
    for name in ("index.html", "README.txt", "library.m3u8", "library.json", "SHA256SUMS", "face/tokens.css"):
        assert BASE + name in names
    assert all(not name.startswith("/") and ".." not in name for name in names)
    sums = archive.read(f"{BASE}SHA256SUMS").decode().splitlines()
    for line in sums:
        digest, _, path = line.partition("  ")
        assert hashlib.sha256(archive.read(BASE + path)).hexdigest() == digest
    assert len(sums) == 2
    assert archive.read(f"{BASE}library.m3u8").decode().splitlines()[0] == "#EXTM3U"
    assert "#EXTINF:180,Ana - Nebula\nworks/Ana/Ana - Nebula.flac" in archive.read(f"{BASE}library.m3u8").decode()
    notice = Notice.objects.get(key=f"export:{export.id}")
    assert (notice.person, "/library/export" in notice.body) == (filled.lena, True)


def test_the_certificates_in_the_zip_are_genuine_and_of_its_files(filled: Story, store: Path, tmp_path: Path) -> None:
    archive = packed(store, take_turns(ask(filled)))
    archive.extractall(tmp_path)
    folder = tmp_path / BASE
    certificates = sorted((folder / "certificates").glob("*-*-*.json"))
    assert len(certificates) == 2
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "verify_certificate.py",
            f"{filled.work.id}.json",
            "../works/Ana/Ana - Nebula.flac",
        ],
        cwd=folder / "certificates",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "GENUINE" in done.stdout
    assert "byte for byte" in done.stdout
    assert b"Lena" not in certificates[0].read_bytes()


def test_the_page_in_the_zip_names_only_what_is_in_it(filled: Story, store: Path) -> None:
    Work.objects.filter(id=filled.work.id).update(title="<script>alert(1)</script>")
    archive = packed(store, take_turns(ask(filled)))
    html = archive.read(f"{BASE}index.html").decode()
    assert "<script>alert" not in html
    assert 'content="default-src' in html
    named = {unquote(one) for one in re.findall(r'(?:src|href)="([^"#]+)"', html)}
    assert len(named) > 10
    assert {name for name in named if BASE + name not in archive.namelist()} == set()
    for sheet in ("tokens.css", "base.css", "keepsake.css"):
        for one in re.findall(r'url\("?([^")]+)', archive.read(f"{BASE}face/{sheet}").decode()):
            assert f"{BASE}face/{one}" in archive.namelist(), (sheet, one)


def test_a_zip_has_photos_as_they_are(filled: Story, store: Path) -> None:
    photo = cast.track(filled.profile)
    Work.objects.filter(id=photo.id).update(
        kind="photo", title="Quay", duration_ms=None, width=800, height=600, alternative_text="Boats at a quay."
    )
    own(filled.lena, photo)
    keep(store, photo, filename="Ana - Quay.jpg", content_type="image/jpeg")
    archive = packed(store, take_turns(ask(filled)))
    assert f"{BASE}works/Ana/Ana - Quay.jpg" in archive.namelist()
    html = " ".join(archive.read(f"{BASE}index.html").decode().split())
    assert 'alt="Boats at a quay." width="800" height="600"' in html
    assert "Quay" not in archive.read(f"{BASE}library.m3u8").decode()


def test_files_are_made_first_and_waited_for(story: Story, store: Path) -> None:
    own(story.lena, story.work)
    export = ask(story, "mp3")
    turn = exports.advance(export_id=export.id, now=clock.now())
    made = Download.objects.get()
    assert (turn.again_after_seconds, turn.downloads) == (2, (made.id,))
    assert (made.work_id, made.format, made.state) == (story.work.id, "mp3", "waiting")
    export.refresh_from_db()
    assert (export.state, export.percent, export.attempts) == ("waiting", 0, 0)
    # While it rests nobody takes it; then it waits on, however often.
    assert exports.advance(export_id=export.id, now=clock.now()) == exports.Turn()
    for n in range(1, 8):
        clock.set_offset(timedelta(seconds=3 * n))
        assert exports.advance(export_id=export.id, now=clock.now()).again_after_seconds == 2
    assert Download.objects.count() == 1
    ready = keep(store, cast.track(story.profile), format="mp3", content=b"mp3")
    columns = ("key", "filename", "content_type", "size_bytes", "sha256", "state")
    Download.objects.filter(id=made.id).update(**{name: getattr(ready, name) for name in columns})
    clock.set_offset(timedelta(seconds=60))
    assert packed(store, take_turns(export)).read(f"{BASE}works/Ana/{ready.filename}") == b"mp3"


def test_what_cannot_be_made_is_named_and_the_rest_packed(filled: Story, store: Path) -> None:
    third = cast.track(filled.profile)
    own(filled.lena, third)
    export = ask(filled)
    exports.advance(export_id=export.id, now=clock.now())
    Download.objects.filter(work=third).update(state="failed", reason="It ends in the middle.")
    clock.set_offset(timedelta(seconds=5))
    archive = packed(store, take_turns(export))
    assert export.missing == [{"work": str(third.id), "title": third.title, "reason": "It ends in the middle."}]
    assert (export.works, export.packed) == (3, 2)
    for name in ("index.html", "README.txt"):
        assert "It ends in the middle." in archive.read(BASE + name).decode()


def test_after_a_day_it_is_packed_without_what_never_came(filled: Story, store: Path) -> None:
    third = cast.track(filled.profile)
    own(filled.lena, third)
    export = ask(filled)
    exports.advance(export_id=export.id, now=clock.now())
    clock.set_offset(timedelta(hours=24, seconds=5))
    take_turns(export)
    assert (export.state, export.packed, [one["work"] for one in export.missing]) == ("ready", 2, [str(third.id)])


def test_a_worker_that_dies_in_the_middle_leaves_nothing(
    filled: Story, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    blocks = iter(range(3))
    whole = stored_files.pieces

    def cut(key: str) -> Iterator[bytes]:
        for block in whole(key):
            if next(blocks, None) is None:
                raise Killed
            yield block

    export = ask(filled)
    monkeypatch.setattr(stored_files, "pieces", cut)
    monkeypatch.setattr(parcels._Disk, "give_up", lambda target: target.file.close())
    with pytest.raises(Killed):
        exports.advance(export_id=export.id, now=clock.now())
    monkeypatch.setattr(stored_files, "pieces", whole)
    left = [path for path in (store / "exports").rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["refrain-library.zip.part"]
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("packing", 1)
    # Its lease still runs: nobody else takes it. Then somebody does.
    assert exports.advance(export_id=export.id, now=clock.now()) == exports.Turn()
    assert exports.unfinished(now=clock.now(), limit=9) == []
    clock.set_offset(timedelta(minutes=3))
    assert exports.unfinished(now=clock.now(), limit=9) == [export.id]
    packed(store, take_turns(export))
    assert export.attempts == 2
    assert [path for path in (store / "exports").rglob("*") if path.is_file()] == [store / export.key]


def test_a_worker_that_was_slow_writes_nothing_more(
    filled: Story, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ask(filled)
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.0)
    whole = packing.pack

    def overtaken(parcel: Any, contents: Any, *, beat: Any) -> None:
        LibraryExport.objects.filter(id=export.id).update(leased_until=clock.now() + timedelta(hours=1))
        whole(parcel, contents, beat=beat)

    monkeypatch.setattr(packing, "pack", overtaken)
    assert exports.advance(export_id=export.id, now=clock.now()) == exports.Turn()
    export.refresh_from_db()
    assert export.state == "packing"
    assert not list((store / "exports").rglob("*.zip*"))


def test_what_breaks_five_times_fails_with_a_reason(
    filled: Story, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(packing, "pack", broken)
    export = take_turns(ask(filled))
    assert (export.state, export.attempts) == ("failed", 6)
    assert "5 times" in export.reason
    assert not list((store / "exports").rglob("*.zip*"))
    monkeypatch.undo()
    assert ask(filled).id != export.id


def test_what_is_finished_is_left_alone(filled: Story, store: Path) -> None:
    export = take_turns(ask(filled))
    before = export.sha256
    clock.set_offset(timedelta(hours=1))
    assert exports.advance(export_id=export.id, now=clock.now()) == exports.Turn()
    tasks.pack_library(str(export.id))
    export.refresh_from_db()
    assert (export.sha256, export.attempts) == (before, 1)


def test_one_at_a_time_and_the_newer_replaces_the_older(filled: Story, store: Path) -> None:
    first = ask(filled)
    assert ask(filled, "mp3").id == first.id
    take_turns(first)
    second = ask(filled)
    assert second.id != first.id
    take_turns(second)
    first.refresh_from_db()
    assert (first.state, second.state) == ("expired", "ready")
    assert [path for path in (store / "exports").rglob("*") if path.is_file()] == [store / second.key]


def test_a_zip_goes_after_a_week(filled: Story, store: Path) -> None:
    export = take_turns(ask(filled))
    clock.set_offset(clock.offset() + timedelta(days=6, hours=23))
    assert exports.expire(now=clock.now(), limit=9) == 0
    clock.set_offset(clock.offset() + timedelta(hours=2))
    assert exports.expire(now=clock.now(), limit=9) == 1
    export.refresh_from_db()
    assert export.state == "expired"
    assert not (store / export.key).exists()


def test_names_differ_where_a_system_ignores_case(story: Story, store: Path) -> None:
    works = [cast.track(story.profile) for _ in range(3)]
    for work, filename in zip(works, ("A.flac", "a.flac", "a.FLAC"), strict=True):
        own(story.lena, work)
        keep(store, work, filename=filename)
    told = [library.facts.of_one(work.id) for work in works]
    files = {work_id: found["original"] for work_id, found in kept.of([work.id for work in works]).items()}
    assert sorted(packing.names(told, files).values()) == [
        "works/Ana/A.flac",
        "works/Ana/a (2).flac",
        "works/Ana/a (3).FLAC",
    ]


@pytest.mark.parametrize(
    ("said_name", "name"),
    [
        ("Maxstack", "Maxstack"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("con", "_con"),
        ("LPT1.flac", "_LPT1.flac"),
        ("...", "recording"),
        ("a\x00b\u202ec", "abc"),
        ("100%#1", "100__1"),
        ("Ænigma · Ω", "Ænigma · Ω"),
        ("x" * 400, "x" * 120),
    ],
)
def test_names_are_those_that_every_system_takes(said_name: str, name: str) -> None:
    found = packing._name(said_name)
    assert found == name
    assert "/" not in found
    assert "\\" not in found


def test_the_zip_in_s3_is_sent_in_parts(
    filled: Story, s3: SeaweedFS, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": s3.bucket,
                "endpoint_url": s3.endpoint,
                "region_name": "us-east-1",
                "access_key": s3.access_key,
                "secret_key": s3.secret_key,
                "addressing_style": "path",
                "file_overwrite": True,
                "default_acl": None,
            },
        },
    }
    monkeypatch.setattr(parcels, "PART_BYTES", 5 * 1_048_576)
    with parcels.sending(key="exports/x/1/a.zip", content_type="application/zip") as parcel:
        for n in range(13):
            parcel.write(bytes([n]) * 1_048_576)
    content = b"".join(bytes([n]) * 1_048_576 for n in range(13))
    assert b"".join(stored_files.pieces("exports/x/1/a.zip")) == content
    assert (parcel.size_bytes, parcel.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    with pytest.raises(ZeroDivisionError):
        break_off("exports/x/2/a.zip", content)
    with pytest.raises(FileNotFoundError):
        list(stored_files.pieces("exports/x/2/a.zip"))
    # What was begun and never finished goes with the rest.
    parcels._Multipart("exports/x/3/a.zip", "x/y").write(content)
    parcels.forget("exports/x/")
    client = s3.client()
    assert client.list_objects_v2(Bucket=s3.bucket, Prefix="exports/").get("KeyCount") == 0
    assert not client.list_multipart_uploads(Bucket=s3.bucket, Prefix="exports/").get("Uploads")


def break_off(key: str, content: bytes) -> None:
    """Write much of a parcel, and stop at a fault."""
    with parcels.sending(key=key, content_type="application/zip") as broken:
        broken.write(content)
        _ = 1 // 0


# Over HTTP.


def test_it_is_asked_for_and_looked_at_over_http(filled: Story, store: Path) -> None:
    asked = said(filled.ask.post("library/exports", {"format": "original"}), 202)
    assert (asked["state"], asked["percent"], asked["works"], asked["url"]) == ("waiting", 0, 2, None)
    take_turns(LibraryExport.objects.get())
    found = said(filled.ask.get(f"library/exports/{asked['id']}"))
    assert (found["state"], found["percent"], found["packed"], found["missing"]) == ("ready", 100, 2, [])
    answer = Client().get("/" + found["url"].split("/", 3)[3])
    content = b"".join(answer.streaming_content)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (found["size_bytes"], found["sha256"])
    assert 'filename="refrain-library.zip"' in answer.headers["Content-Disposition"]
    assert said(filled.ask.get("library/exports")) == [found]


def test_it_is_ones_own(filled: Story, store: Path) -> None:
    export = take_turns(ask(filled))
    lars = Caller(cast.person("lars"))
    assert slug(lars.get(f"library/exports/{export.id}")) == "not-found"
    assert said(lars.get("library/exports")) == []


def test_an_empty_library_is_not_packed(story: Story, page: Client, store: Path) -> None:
    story.play()
    answer = story.ask.post("library/exports", {"format": "mp3"})
    assert (answer.status_code, slug(answer)) == (409, "library-empty")
    assert page.post("/library/export/pack", {"format": "mp3"}).status_code == 409
    assert not LibraryExport.objects.exists()


@pytest.mark.parametrize("body", [{}, {"format": "wav"}, {"format": None}, {"format": "mp3", "for": "lars"}, []])
def test_what_cannot_be_asked(filled: Story, store: Path, body: Any) -> None:
    assert slug(filled.ask.post("library/exports", body)) == "invalid"


# The page and its lists.


def test_the_page_tells_every_state(filled: Story, page: Client, store: Path) -> None:
    assert "Pack a zip" in page.get("/library/export").content.decode()
    answer = page.post("/library/export/pack", {"format": "original"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/library/export#zip")
    export = LibraryExport.objects.get()
    text = " ".join(page.get("/library/export").content.decode().split())
    assert "Making the files" in text
    assert "Pack a zip" not in text
    LibraryExport.objects.update(state="packing", percent=62, packed=1, works=2)
    text = " ".join(page.get("/library/export").content.decode().split())
    assert "62" in text
    assert "1 of 2 works" in text
    LibraryExport.objects.update(state="waiting")
    take_turns(export)
    text = " ".join(page.get("/library/export").content.decode().split())
    assert "It is ready" in text
    assert export.sha256 in text
    LibraryExport.objects.update(state="failed", reason="It broke 5 times.")
    assert "It broke 5 times." in page.get("/library/export").content.decode()


def test_the_document_has_everything_that_was_paid_for(filled: Story, page: Client, store: Path) -> None:
    answer = page.get("/library/export/library.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="library.json"'
    found = json.loads(answer.content)
    assert (found["format"], found["currency"], found["listener"]["email"]) == (
        "refrain-library/1",
        "EUR",
        filled.lena.email,
    )
    assert found["consent"]["version"] == 1
    assert [work["title"] for work in found["library"]] == ['CON: a/"b"?', "Half way", "Nebula"]
    assert [work["paid_micros"] for work in found["library"]] == [WHOLE, 2_000, WHOLE]
    assert found["library"][2]["files"][0]["filename"] == "Ana - Nebula.flac"
    assert sum(line["amount_micros"] for line in found["history"]) == found["wallet"]["balance_micros"]
    assert (
        len([line for line in found["history"] if line["kind"] in ("play", "purchase")]) == Charge.objects.count() == 3
    )
    assert [row["gross_cents"] for row in found["top_ups"]] == [2_000, 20_000]
    assert [row["title"] for row in found["favourites"]] == ["Half way"]
    assert [row["creator"] for row in found["follows"]] == [filled.profile.slug]
    assert "password" not in answer.content.decode()


def test_the_lists_have_the_names_of_the_zip(filled: Story, page: Client, store: Path) -> None:
    third = cast.track(filled.profile)
    own(filled.lena, third)
    text = page.get("/library/export/library.m3u8").content.decode()
    assert "works/Ana/Ana - Nebula.flac\n" in text
    assert f"# Ana - {third.title}: its file is not made yet" in text
    lines = page.get("/library/export/addresses.txt").content.decode().splitlines()
    assert lines[0] == "# 2 of 3 files; the addresses hold for an hour."
    at = next(i for i, line in enumerate(lines) if line == "  out=works/Ana/Ana - Nebula.flac")
    content = b"".join(Client().get("/" + lines[at - 1].split("/", 3)[3]).streaming_content)
    assert lines[at + 1] == f"  checksum=sha-256={hashlib.sha256(content).hexdigest()}"


def test_what_a_closed_profile_left_is_packed_too(filled: Story, store: Path) -> None:
    Creator.objects.update(closed_at=clock.now())
    Work.objects.update(state="suspended")
    assert take_turns(ask(filled)).packed == 2


def test_a_large_file_takes_the_longer_fields(story: Story, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond 4 GB, which no test writes: the sizes are told, the bytes are not there."""
    monkeypatch.setattr(packing, "LARGE", 10)
    own(story.lena, story.work)
    keep(store, story.work, content=b"more than ten bytes")
    archive = packed(store, take_turns(ask(story)))
    entry = archive.getinfo(f"{BASE}works/Ana/Ana - {story.work.title}.flac")
    assert entry.extract_version == 45
    assert archive.read(entry) == b"more than ten bytes"


def test_memory_stays_small(story: Story, store: Path) -> None:
    """Two files of 30 MB take the memory of some blocks."""
    for _ in range(2):
        work = cast.track(story.profile)
        own(story.lena, work)
        keep(store, work, content=b"x" * 30_000_000)
    export = ask(story)
    tracemalloc.start()
    exports.advance(export_id=export.id, now=clock.now())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    export.refresh_from_db()
    assert export.state == "ready"
    assert most < 15_000_000


def test_a_work_that_somebody_else_owns_is_not_packed(filled: Story, store: Path) -> None:
    lars = cast.person("lars")
    cast.top_up(lars, 2_000)
    other = cast.track(filled.profile)
    own(lars, other)
    keep(store, other)
    assert take_turns(ask(filled)).works == 2
