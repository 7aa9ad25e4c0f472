"""Other people's test files and free media, fetched once into the user's cache: the odd and the broken of twenty years.

mutagen and Pillow publish the files that their readers are tested with; Debian has music and pictures as packages. None
of it is in this repository. A machine that cannot fetch a corpus says so aloud. In CI that is a failure for what comes
from the package index, which is there wherever this project can be installed; not every machine has Debian's packages.
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "refrain" / "corpora"
# Where in a published source the files are.
SOURCES = {"mutagen": "tests/data", "pillow": "Tests/images"}
PACKAGES = ("singularity-music", "hyperrogue-music", "sonic-pi-samples", "mate-backgrounds")
NAMES = (*SOURCES, *PACKAGES)
FETCH_SECONDS = 300


@cache
def files(name: str) -> tuple[Path, ...]:
    """Return all files of a corpus, by name; a test that cannot have them is skipped, and fails in CI."""
    folder = CACHE / name
    try:
        if not folder.is_dir():
            _fetch(name, folder)
    except (OSError, subprocess.SubprocessError, LookupError, tarfile.TarError) as error:
        words = f"THE FILES OF {name} COULD NOT BE FETCHED ({error}): they are not tried here."
        if name in SOURCES and os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()))


def _fetch(name: str, folder: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    # Beside its place and moved there in one go, so that half a corpus is never taken for all of it.
    with tempfile.TemporaryDirectory(dir=CACHE) as room:
        here = Path(room)
        made = _from_index(name, here) if name in SOURCES else _from_debian(name, here)
        if not folder.is_dir():
            shutil.move(made, folder)


def _from_index(name: str, here: Path) -> Path:
    wanted = f"{name}=={importlib.metadata.version(name)}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", wanted]
    subprocess.run(pip, cwd=here, check=True, capture_output=True, timeout=FETCH_SECONDS)
    (archive,) = here.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(here / "all", filter="data")
    (top,) = (here / "all").iterdir()
    return top / SOURCES[name]


def _from_debian(name: str, here: Path) -> Path:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise LookupError(f"there is no {program}")
    download = ["apt-get", "download", name]
    if subprocess.run(download, cwd=here, check=False, capture_output=True, timeout=FETCH_SECONDS).returncode:
        # A fresh machine does not know yet what there is.
        subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True, timeout=FETCH_SECONDS)
        subprocess.run(download, cwd=here, check=True, capture_output=True, timeout=FETCH_SECONDS)
    (package,) = here.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, here / "all"], check=True, capture_output=True, timeout=60)
    # What the package says about itself is no media.
    shutil.rmtree(here / "all" / "usr" / "share" / "doc", ignore_errors=True)
    return here / "all"
