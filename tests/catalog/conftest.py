"""What tests of the catalogue need: a store of their own, a profile, and a way in for files."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from catalog import ingest
from catalog.intake import receiving
from catalog.models import Creator, Upload
from infra.parts.seaweedfs import SeaweedFS
from members import clock
from members.models import Person
from tests import cast, media


@pytest.fixture
def store(tmp_path: Path, settings) -> Path:
    """Give an empty local store and return its folder."""
    folder = tmp_path / "store"
    folder.mkdir()
    settings.STORE_DIR = folder
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder), "base_url": "/never-used/"},
        },
    }
    return folder


@pytest.fixture
def bucket(s3: SeaweedFS, settings) -> SeaweedFS:
    """Point the settings at a real S3 server, and empty its bucket."""
    settings.STORE = "s3"
    options = {
        "bucket_name": s3.bucket,
        "endpoint_url": s3.endpoint,
        "region_name": "us-east-1",
        "access_key": s3.access_key,
        "secret_key": s3.secret_key,
        "addressing_style": "path",
        "file_overwrite": True,
        "default_acl": None,
    }
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options},
    }
    default_storage.bucket.objects.all().delete()  # type: ignore[attr-defined]
    return s3


@pytest.fixture
def ana(db: None) -> Person:
    """Give a musician."""
    return cast.person("ana")


@pytest.fixture
def band(ana: Person) -> Creator:
    """Give the profile that Ana owns."""
    return cast.creator(ana)


@pytest.fixture
def send(ana: Person, band: Creator, store: Path) -> Callable[..., Upload]:
    """Give a function that uploads content under a name to Ana's profile."""

    def upload(content: bytes | Path | Iterable[bytes], filename: str = "") -> Upload:
        name = filename or (content.name if isinstance(content, Path) else "recording")
        chunks = media.chunks(content) if isinstance(content, bytes | Path) else content
        return receiving.receive(person_id=ana.id, creator_id=band.id, filename=name, chunks=chunks, now=clock.now())

    return upload


@pytest.fixture
def take_in(send: Callable[..., Upload]) -> Callable[..., Upload]:
    """Give a function that uploads and goes on to the end, ready or rejected."""

    def through(content: bytes | Path, filename: str = "") -> Upload:
        return finish(send(content, filename))

    return through


def finish(upload: Upload) -> Upload:
    """Advance an upload until nothing is left to do at once, and return it as its row stands."""
    while ingest.advance(upload_id=upload.id, now=clock.now()):
        pass
    upload.refresh_from_db()
    return upload
