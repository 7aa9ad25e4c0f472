"""`infra/demo --works DIR`: somebody's own folder comes in with the demo, once, and stays."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from PIL import Image

from infra.parts.child import free_port
from tests import media

ROOT = Path(__file__).resolve().parents[2]
DESCRIBED = ("IMG_2", "IMG_10")
BEGINS_WITHIN_SECONDS = 900


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """Give a folder as somebody has it: an album with its cover and a note, loose takes, and photos."""
    album, takes, photos = (tmp_path / "Mine" / name for name in ("Stairwell", "Takes", "Walks"))
    for folder in (album, takes, photos):
        folder.mkdir(parents=True)
    for number, title in enumerate(("Up", "Landing", "Down"), start=1):
        tags = (("title", title), ("artist", "Ida Own"), ("album", "Stairwell"), ("track", str(number)))
        shutil.copy(media.make("flac", seconds=21 + number, tags=tags), album / f"{9 - number}.flac")
    Image.new("RGB", (600, 600), "teal").save(album / "cover.jpg")
    (album / "notes.txt").write_text("Recorded at night.")
    (album / "broken.mp3").write_bytes(b"ID3" + bytes(200))
    shutil.copy(media.make("mp3", seconds=20), takes / "take 1.mp3")
    for name, colour in (("IMG_2", "salmon"), ("IMG_10", "navy"), ("IMG_11", "olive")):
        Image.new("RGB", (1800, 1200), colour).save(photos / f"{name}.jpg")
    words = [{"file": f"Walks/{name}.jpg", "alternative_text": f"A {name} of one colour"} for name in DESCRIBED]
    (tmp_path / "Mine" / "works.json").write_text(json.dumps({"works": words}))
    return tmp_path / "Mine"


@contextmanager
def demo(*words: str | Path) -> Iterator[tuple[str, list[str]]]:
    """Run a demo until it is ready; give its address and what it printed. Afterwards it is asked to stop, and does."""
    command = [sys.executable, "-m", "infra.demonstration.run", *map(str, words)]
    # Not a sign of the stack under the other tests may reach the demo.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("REFRAIN_", "DJANGO_"))}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        printed: list[str] = []
        try:
            for line in running.stdout:
                printed.append(line.rstrip())
                if line.startswith("ready "):
                    break
            assert printed[-1:] != []
            assert printed[-1].startswith("ready "), "\n".join(printed)
            yield printed[-1].split()[1], printed
        finally:
            running.send_signal(signal.SIGTERM)
            last = running.stdout.read()
            running.wait(timeout=60)
    assert running.returncode == 0, last
    assert "Stopped. Everything is kept in" in last


@pytest.mark.timeout(BEGINS_WITHIN_SECONDS)
@pytest.mark.skipif(not os.environ.get("REFRAIN_LONG"), reason="makes a whole demo and starts it twice: some minutes")
def test_ones_own_folder_comes_in_with_the_demo_once_and_stays(own_folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="refrain-own-") as kept:
        Path(kept).chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        words = ("--data", kept, "--works", own_folder, "--port", str(free_port()))
        with demo(*words) as (url, printed):
            said = dict(line.split(": ", 1) for line in printed if re.match(r"(Stairwell|Takes|Walks)/", line))
            assert {name for name, words in said.items() if words.startswith("published ")} == {
                *(f"Stairwell/{number}.flac" for number in (6, 7, 8)),
                "Takes/take 1.mp3",
                *(f"Walks/{name}.jpg" for name in DESCRIBED),
            }
            assert "taken in as a draft" in said["Walks/IMG_11.jpg"]
            assert "A photo says in words" in said["Walks/IMG_11.jpg"]
            assert said["Stairwell/cover.jpg"].startswith("The artwork of its folder. 3 works have it;")
            assert {said[f"Stairwell/{name}"][:9] for name in ("notes.txt", "broken.mp3")} == {"left out."}
            assert "8 taken in, 2 left out." in printed
            seen = works_of(url)
            assert seen == {
                "ida-own": [(1, "Up"), (2, "Landing"), (3, "Down")],
                "takes": [(None, "take 1")],
                "walks": [(1, "IMG 2"), (2, "IMG 10")],
            }
        with demo(*words) as (url, printed):
            assert "0 taken in, 10 left out." in printed
            assert works_of(url) == seen


def works_of(url: str) -> dict[str, list[tuple[int | None, str]]]:
    """Return what a stranger finds of the folder: places on a release and titles, by profile, in their order."""
    found = {}
    for creator in ("ida-own", "takes", "walks"):
        rows = requests.get(f"{url}/api/v1/works", {"creator": creator}, timeout=20).json()["results"]
        found[creator] = sorted((row["position"], row["title"]) for row in rows)
    return found
