"""What tests of playback share: no policy is remembered from the test before, and a store of one's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from members import policies


@pytest.fixture(autouse=True)
def _fresh_policies() -> Iterator[None]:
    """Forget versions that a test recorded and rolled back."""
    policies.forget()
    yield
    policies.forget()


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
