"""Reads many files of strangers in one process of the sandbox, as the ingest reads each in one of its own.

Starting a process for each of hundreds of small files would take most of a test's time. Imports no Django.
"""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

from catalog.intake import sniffing, tagging
from catalog.photography import pictures
from catalog.photography.segments import Malformed


def read(path: Path, fonts: list[str]) -> str:
    """Return what comes of a file: `ready`, or a reason. What the ingest's process would end with is `failed: ...`."""
    try:
        form = sniffing.sniff(path)
    except sniffing.Unreadable as refusal:
        return str(refusal)
    if not isinstance(form, sniffing.PhotoForm):
        with tempfile.TemporaryDirectory() as name:
            tagging.read(path, Path(name) / "cover.jpg")
        return "a recording"
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        (here / "original").symlink_to(path)
        try:
            pictures.inspect(here / "original", form.reader)
            pictures.render(here / "original", form.reader, name="", fonts=fonts)
        except Malformed as malformed:
            return f"The photo {malformed}"
        except MemoryError:
            return "The photo takes far more memory to open than a photo of its size may."
        except Exception as error:  # noqa: BLE001  (the process would end, and the photo be called damaged)
            return f"failed: {type(error).__name__}: {error}"
    return "ready"


def main(listed: str, *fonts: str) -> None:
    """Read the files that the list `listed` names, and print each one's name and outcome as a line of JSON."""
    warnings.simplefilter("ignore")
    os.environ["TMPDIR"] = tempfile.tempdir = "."
    for name in json.loads(Path(listed).read_text()):
        sys.stdout.write(json.dumps([name, read(Path(name), list(fonts))]) + "\n")
        sys.stdout.flush()
