"""Ground to try the gate on: a site with a published track, ears that listen there, playlists taken apart."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import requests
from django.test import override_settings

from catalog import delivery, sandbox
from catalog.models import Rendition, Work
from infra.parts.seaweedfs import SeaweedFS
from members.models import Person
from tests import callers, cast
from tests.site import Site

ENTRY = re.compile(r"#EXTINF:([0-9.]+),\n(?:#EXT-X-BYTERANGE:(\d+)@(\d+)\n)?(\S+)")


@dataclass(frozen=True)
class Entry:
    """A line of a playlist: the address, the range of it in bytes (or all), and how long it sounds."""

    url: str
    first: int | None
    length: int | None
    seconds: float


@dataclass(frozen=True)
class Playlist:
    text: str

    @cached_property
    def init(self) -> str:
        found = re.search(r'#EXT-X-MAP:URI="([^"]+)"', self.text)
        assert found is not None
        return found[1]

    @cached_property
    def entries(self) -> list[Entry]:
        return [
            Entry(
                url=url,
                first=int(first) if length else None,
                length=int(length) if length else None,
                seconds=float(seconds),
            )
            for seconds, length, first, url in ENTRY.findall(self.text)
        ]

    @property
    def is_ended(self) -> bool:
        return self.text.endswith("#EXT-X-ENDLIST\n")


@dataclass(frozen=True)
class Ground:
    """A site with one published track of a hundred seconds, on one of the stores."""

    site: Site
    store: str
    folder: Path
    s3: SeaweedFS | None
    work_id: UUID
    creator: Person

    def key_of(self, url: str) -> str:
        """Return the name in the store that an address stands for."""
        path = urlsplit(url).path
        return path.split("/", 4)[4] if self.store == "local" else path.split("/", 2)[2]

    def unsigned(self, text: str) -> str:
        """Return a playlist with names of files in place of their addresses."""
        return re.sub(r'http[^"\n]+', lambda found: self.key_of(found[0]), text)

    def stored(self, key: str) -> bytes:
        """Return what the store holds under a name, past every address."""
        if self.s3 is None:
            return (self.folder / key).read_bytes()
        return bytes(self.s3.client().get_object(Bucket=self.s3.bucket, Key=key)["Body"].read())

    def put(self, key: str, content: bytes) -> None:
        """Put a file into the store."""
        if self.s3 is None:
            path = self.folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        else:
            self.s3.client().put_object(Bucket=self.s3.bucket, Key=key, Body=content, ContentType="image/jpeg")

    def keys(self, kind: str = "hls-128") -> list[str]:
        """Return the names of all files of a rendition in their order, the init first."""
        row = Rendition.objects.get(work_id=self.work_id, kind=kind)
        files = [row.layout["init"]["file"], *(piece["file"] for piece in row.layout["segments"])]
        return [row.prefix + file for file in dict.fromkeys(files)]

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Let this process sign as the site does."""
        named = {name: self.site.env.get(f"REFRAIN_{name}", "") for name in ("S3_ENDPOINT", "S3_ACCESS_KEY")}
        secret = self.site.env.get("REFRAIN_S3_SECRET_KEY", "")
        delivery._day_key.cache_clear()
        with override_settings(STORE=self.store, BASE_URL=self.site.base_url, S3_SECRET_KEY=secret, **named):
            yield
        delivery._day_key.cache_clear()


class Ear:
    """A listener's program at this site, with 20.00 to spend."""

    def __init__(self, ground: Ground) -> None:
        self.ground, self.person = ground, cast.person("ear")
        cast.top_up(self.person, 2_000)
        self.token = callers.token(self.person, "listen", "spend")

    def begin(self, work: Work | None = None) -> dict[str, Any]:
        body = {"work": str(work.id if work else self.ground.work_id)}
        found = self.ground.site.ask("POST", "/api/v1/sessions", self.token, json=body)
        assert found.status_code in (200, 201), found.text
        return found.json()

    def charge(self, session: dict[str, Any]) -> dict[str, Any]:
        body = {"price_micros": session["price_micros"]}
        found = self.ground.site.ask("POST", f"/api/v1/sessions/{session['id']}/charge", self.token, json=body)
        assert found.status_code == 200, found.text
        return found.json()


def load(address: str, *, growing: bool = False) -> Playlist:
    answer = requests.get(address, params={"growing": "1"} if growing else None, timeout=10)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/vnd.apple.mpegurl"
    assert answer.headers["Cache-Control"] == "no-store"
    return Playlist(answer.text)


def fetch(entry: Entry) -> bytes:
    headers = {}
    if entry.length is not None and entry.first is not None:
        headers["Range"] = f"bytes={entry.first}-{entry.first + entry.length - 1}"
    answer = requests.get(entry.url, headers=headers, timeout=10)
    assert answer.status_code == (206 if headers else 200), answer.text
    return answer.content


def seconds_of(address: str) -> float:
    """Return how much sound a plain player decodes from the playlist, counted sample by sample."""
    command = ["-nostdin", "-v", "error", "-xerror", "-i", address, "-ar", "8000", "-ac", "1", "-f", "s16le", "-"]
    decoded = subprocess.run([sandbox.program("ffmpeg"), *command], check=True, stdout=subprocess.PIPE, timeout=120)
    return len(decoded.stdout) / 16_000
