"""The demo's catalogue: small enough for a repository, licensed, credited, and fit to be published."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from catalog import ingest, rules
from catalog.models import Upload
from infra.demonstration import builder
from members import clock
from tests import cast

LISTED = json.loads((builder.WORKS / "works.json").read_text())["works"]
PHOTOS = [entry for entry in LISTED if entry["file"].endswith(".jpg")]
BYTES_MOST = 12_000_000


def test_it_is_small_and_all_of_it_is_listed_and_credited() -> None:
    files = {path.name: path.stat().st_size for path in builder.WORKS.iterdir()}
    credited = (builder.WORKS / "CREDITS.txt").read_text()

    assert sum(files.values()) <= BYTES_MOST
    assert set(files) == {entry["file"] for entry in LISTED} | {"works.json", "CREDITS.txt"}
    for entry in LISTED:
        assert f"\n{entry['file']}\n" in credited
        assert entry["licence"] in rules.LICENCES
        assert entry["artist"] in entry["attribution"] or entry["source"]
    assert len({entry["artist"] for entry in LISTED if entry not in PHOTOS}) >= 3


def test_its_photos_may_be_published() -> None:
    least = rules.CONTENT.founding["photo_edge_min"]
    assert len(PHOTOS) >= 8
    assert len({entry["artist"] for entry in PHOTOS}) >= 2
    for entry in PHOTOS:
        with Image.open(builder.WORKS / entry["file"]) as photo:
            assert max(photo.size) >= least
            assert dict(photo.getexif()) == {}
        assert 40 < len(entry["alternative_text"]) < 300


@pytest.mark.skipif(not os.environ.get("REFRAIN_LONG"), reason="some 20 s of decoding")
@pytest.mark.django_db
def test_its_photos_come_in_and_are_published(settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    people = {name: cast.person(name.lower()) for name in ("Ana", "Ben", "Cleo")}
    titles = {}
    for entry in PHOTOS:
        upload_id = builder._send(entry, people)
        while ingest.advance(upload_id=upload_id, now=clock.now()):
            pass
        work = builder._publish(entry, Upload.objects.get(id=upload_id))
        assert (work.state, work.kind, work.alternative_text) == ("published", "photo", entry["alternative_text"])
        titles.setdefault(work.release.title if work.release else "", []).append(work.title)
    assert {series: len(of_it) for series, of_it in titles.items()} == {"Walks": 4, "Indoors": 2, "": 2}
