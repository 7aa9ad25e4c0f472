"""What tests of playback share: no policy remembered from the test before, a listener, a provider, a store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from members import policies
from members.models import Person
from playback import topups
from tests import cast
from tests.playback.till import Till


@pytest.fixture(autouse=True)
def _fresh_policies() -> Iterator[None]:
    """Forget versions that a test recorded and rolled back."""
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def lena() -> Person:
    """Give a listener without credit."""
    return cast.person("lena")


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Till:
    """Give a payment provider that refunds."""
    provider = Till()
    monkeypatch.setattr(topups, "gateway", lambda: provider)
    return provider


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
