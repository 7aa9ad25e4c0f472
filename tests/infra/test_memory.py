"""The largest uploads: the production server and the worker stay small, and what is refused leaves nothing behind."""

import base64
import http.client
import json
import os
import socket
import subprocess
import threading
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

import pytest

from catalog import sandbox
from catalog.models import Upload
from infra import serving
from infra.parts.child import Child
from tests import callers, cast
from tests.site import Site, committing

pytestmark = pytest.mark.xdist_group("memory")

LONG = bool(os.environ.get("REFRAIN_LONG"))
# Usually a smaller limit, so that the largest files are quick to make; then growth is what shows a file held whole.
MOST_BYTES = 2_000_000_000 if LONG else 60_000_000
MEGABYTES_MOST, GROWTH_MEGABYTES_MOST = 300, 40


@dataclass
class Watch:
    """Looks at processes and all that they start, many times a second, and keeps the most memory of each.

    Peaks are VmHWM, what the kernel itself saw, so nothing between two looks is missed while a process lives.
    """

    roots: dict[str, int]
    peaks: dict[tuple[str, int], int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def megabytes(self, name: str) -> float:
        """Return the peak of the largest process of that name."""
        return max((peak for (who, _), peak in self.peaks.items() if who == name), default=0) / 1000

    def _look_on(self) -> None:
        while not self._stop.wait(0.02):
            for name, pid in self.roots.items():
                self._look(name, pid)

    def _look(self, name: str, pid: int) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            below = [
                int(child)
                for file in Path(f"/proc/{pid}/task").glob("*/children")
                for child in file.read_text().split()
            ]
        except OSError:
            return
        said = dict(line.split(":", 1) for line in status.splitlines())
        if "VmHWM" in said:
            program = said["Name"].strip()
            who = name if program.startswith(("python", "granian", "[celeryd", "celery")) else program
            peak = int(said["VmHWM"].split()[0])
            self.peaks[who, pid] = max(peak, self.peaks.get((who, pid), 0))
        for child in below:
            self._look(name, child)


@dataclass
class House:
    """A site with its worker; `rooms` is where it keeps temporary files, `token` lets Ana publish."""

    site: Site
    web: Child
    worker: Child
    token: str
    rooms: Path
    web_at_rest: float = 0

    def watch(self) -> Watch:
        return Watch({"web": self.web.pid, "worker": self.worker.pid})

    def ask(self, path: str) -> Any:
        return self.site.ask("GET", f"/api/v1/{path}", self.token)

    def rows(self) -> list[tuple[Any, ...]]:
        """Return id and state of every upload."""
        return list(Upload.objects.order_by("created_at").values_list("id", "state"))

    def left_behind(self) -> list[Path]:
        """Return every file in the temporary folder and among the originals in the store."""
        files = [*self.rooms.rglob("*"), *(self.site.folder / "store" / "originals").rglob("*")]
        return [file for file in files if file.is_file()]


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def house(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give the service as it runs for people, with temporary files in a folder of its own."""
    folder = tmp_path_factory.mktemp("memory")
    rooms = folder / "rooms"
    rooms.mkdir()
    ana = cast.person("ana")
    cast.creator(ana)
    site = Site(folder, env={"TMPDIR": str(rooms), "REFRAIN_UPLOAD_BYTES_MAX": str(MOST_BYTES)})
    try:
        web, worker = site.serve(), serving.start_worker(site)
        house = House(site=site, web=web, worker=worker, token=callers.token(ana, "publish"), rooms=rooms)
        with house.watch() as watch:
            assert {house.ask("works").status_code for _ in range(8)} == {200}
        house.web_at_rest = watch.megabytes("web")
        yield house
    finally:
        site.stop()


BEGIN = (
    b'--frontier\r\nContent-Disposition: form-data; name="file"; filename="long.wav"\r\nContent-Type: audio/wav\r\n\r\n'
)
END = b"\r\n--frontier--\r\n"


def send(house: House, pieces: Iterator[bytes], size: int) -> tuple[int, dict[str, Any]]:
    """Upload `size` bytes piece by piece, as a browser streams a file from its disk."""
    line = http.client.HTTPConnection("127.0.0.1", house.site.web_port, timeout=120)
    try:
        line.putrequest("POST", "/api/v1/uploads")
        line.putheader("Authorization", f"Bearer {house.token}")
        line.putheader("Content-Type", "multipart/form-data; boundary=frontier")
        line.putheader("Content-Length", str(len(BEGIN) + size + len(END)))
        line.endheaders()
        line.send(BEGIN)
        for piece in pieces:
            line.send(piece)
        line.send(END)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def zeros(size: int) -> Iterator[bytes]:
    piece = bytes(1_000_000)
    for _ in range(size // len(piece)):
        yield piece
    yield bytes(size % len(piece))


def file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1_000_000):
            yield piece


def test_one_byte_too_many_is_refused_in_words_and_leaves_nothing(house: House) -> None:
    before = house.rows()
    with house.watch() as watch:
        status, said = send(house, zeros(MOST_BYTES + 1), MOST_BYTES + 1)
    assert (status, said["type"], said["bytes_most"]) == (413, "/problems/file-too-large", MOST_BYTES)
    assert f"{MOST_BYTES:,} bytes" in said["detail"]
    assert house.rows() == before
    assert house.left_behind() == []
    assert 0 < watch.megabytes("web") < MEGABYTES_MOST
    assert watch.megabytes("web") - house.web_at_rest < GROWTH_MEGABYTES_MOST


def test_far_too_much_is_refused_before_it_is_sent(house: House) -> None:
    """By its length: the answer comes while nearly all of it is still on its way, and none of it is read."""
    size = 5_000_000_000
    head = (
        f"POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {house.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=frontier\r\nContent-Length: {size}\r\n\r\n"
    )
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", house.site.web_port), timeout=30) as line, house.watch() as watch:
        line.sendall(head.encode() + BEGIN + bytes(100_000))
        answer = http.client.HTTPResponse(line)
        answer.begin()
        said = json.loads(answer.read())
    assert (answer.status, said["type"]) == (413, "/problems/body-too-large")
    assert time.monotonic() - began < 20
    assert house.left_behind() == []
    assert watch.megabytes("web") < MEGABYTES_MOST


def test_an_upload_that_stops_half_way_leaves_nothing(house: House) -> None:
    before = house.rows()
    head = (
        f"POST /api/v1/uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {house.token}\r\n"
        f"Content-Type: multipart/form-data; boundary=frontier\r\nContent-Length: {len(BEGIN) + 60_000_000}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", house.site.web_port), timeout=30) as line:
        line.sendall(head.encode() + BEGIN)
        for piece in zeros(30_000_000):
            line.sendall(piece)
    give_up_at = time.monotonic() + 30
    while house.left_behind():
        assert time.monotonic() < give_up_at, house.left_behind()
        time.sleep(0.1)
    # The server's processes are free again.
    assert {house.ask("works").status_code for _ in range(4)} == {200}
    assert house.rows() == before


def noise(path: Path, size: int) -> Path:
    """Write noise that nothing can pack: stereo of 24 bits at 96 kHz, nearly `size` bytes of it."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(3)
        file.setframerate(96_000)
        left = size - 44
        while left > 6:
            piece = os.urandom(min(left, 6_000_000) // 6 * 6)
            file.writeframesraw(piece)
            left -= len(piece)
    return path


def silence(path: Path, *, seconds: int) -> Path:
    """Write silence as FLAC, which packs it to next to nothing."""
    source = ["-f", "lavfi", "-i", f"anullsrc=r=44100:cl=stereo:d={seconds}"]
    subprocess.run([sandbox.program("ffmpeg"), "-nostdin", "-v", "error", *source, "-c:a", "flac", path], check=True)
    return path


def send_in_pieces(house: House, path: Path, *, piece_bytes: int) -> dict[str, Any]:
    """Send a file as the upload's page does, and return its upload once a worker has put it together."""
    size, offset = path.stat().st_size, 0
    name = base64.b64encode(path.name.encode()).decode()
    begun = tus(house, "POST", "/api/v1/transfers", {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"})
    where = begun["Location"]
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            length = min(piece_bytes, size - offset)
            said = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            answer = tus(house, "PATCH", where, {**said, "Content-Length": str(length)}, _part(file, length))
            offset = int(answer["Upload-Offset"])
    give_up_at = time.monotonic() + 300
    while (transfer := house.ask(where.removeprefix("/api/v1/")).json())["state"] != "received":
        assert transfer["state"] == "complete", transfer
        assert time.monotonic() < give_up_at
        time.sleep(0.2)
    return dict(transfer["upload"])


def tus(house: House, method: str, path: str, headers: dict[str, str], body: Any = b"") -> Any:
    """Send a request of the protocol, its body piece by piece, and return the answer's headers."""
    line = http.client.HTTPConnection("127.0.0.1", house.site.web_port, timeout=300)
    try:
        known = {"Authorization": f"Bearer {house.token}", "Tus-Resumable": "1.0.0"}
        line.request(method, path, body=body, headers={**known, **headers})
        answer = line.getresponse()
        text = answer.read()
        assert answer.status in (201, 204), text
        return answer.headers
    finally:
        line.close()


def _part(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (block := file.read(min(length, 1_000_000))):
        length -= len(block)
        yield block


def wait_for_work(house: House, upload: dict[str, Any], *, seconds: int) -> dict[str, Any]:
    give_up_at = time.monotonic() + seconds
    while upload["state"] not in ("ready", "rejected"):
        assert time.monotonic() < give_up_at, upload
        time.sleep(0.5)
        upload = house.ask(f"uploads/{upload['id']}").json()
    assert upload["state"] == "ready", upload
    return upload


def check_small(house: House, watch: Watch, words: str, began: float) -> None:
    peaks = {name: watch.megabytes(name) for name in ("web", "worker", "ffmpeg")}
    print(
        f"{words}: ready in {time.monotonic() - began:.0f} s; MB at most: {peaks}, web at rest {house.web_at_rest:.0f}"
    )
    assert all(0 < peak < MEGABYTES_MOST for peak in peaks.values()), watch.peaks
    assert peaks["web"] - house.web_at_rest < GROWTH_MEGABYTES_MOST
    assert not [file for file in house.rooms.rglob("*") if file.is_file()]
    assert not [file for file in (house.site.folder / "store" / "parts").rglob("*") if file.is_file()]


def test_a_recording_just_under_the_limit_is_taken_in(house: House, tmp_path: Path) -> None:
    path = noise(tmp_path / "noise.wav", min(MOST_BYTES, 60_000_000))
    with house.watch() as watch:
        began = time.monotonic()
        status, upload = send(house, file_pieces(path), path.stat().st_size)
        assert (status, upload["state"]) == (202, "received")
        wait_for_work(house, upload, seconds=300)
    check_small(house, watch, "60 MB of noise in one request", began)


def test_and_in_pieces_of_any_size(house: House, tmp_path: Path) -> None:
    path = noise(tmp_path / "noise.wav", 50_000_000)
    with house.watch() as watch:
        began = time.monotonic()
        # One request for nearly all of it, as a command line's client sends it.
        wait_for_work(house, send_in_pieces(house, path, piece_bytes=48_000_000), seconds=300)
    check_small(house, watch, "50 MB of noise in two pieces", began)


@pytest.mark.skipif(not LONG, reason="takes minutes: set REFRAIN_LONG=1")
@pytest.mark.timeout(7200)
def test_three_hours_of_silence(house: House, tmp_path: Path) -> None:
    path = silence(tmp_path / "silence.flac", seconds=3 * 3600)
    with house.watch() as watch:
        began = time.monotonic()
        status, upload = send(house, file_pieces(path), path.stat().st_size)
        assert status == 202
        wait_for_work(house, upload, seconds=6000)
    check_small(house, watch, f"3 hours of silence, {path.stat().st_size / 1e6:.1f} MB", began)


@pytest.mark.skipif(not LONG, reason="takes minutes: set REFRAIN_LONG=1")
@pytest.mark.timeout(7200)
def test_a_gigabyte_of_noise(house: House, tmp_path: Path) -> None:
    path = noise(tmp_path / "noise.wav", 1_000_000_000)
    with house.watch() as watch:
        began = time.monotonic()
        wait_for_work(house, send_in_pieces(house, path, piece_bytes=8_000_000), seconds=6000)
    check_small(house, watch, "1 GB of noise in pieces of 8 MB", began)
