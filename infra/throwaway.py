"""Stacks that are thrown away, for tests and benches: each begins on copies of what they all have in common.

Making a cluster and migrating it takes a processor some ten seconds, and so does collecting and packing the static
files; a run of everything starts several stacks. So what the first one made is kept among the machine's temporary
files, under a name that says what it was made from, and the rest copy it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.parts.child import PartFailedError
from infra.parts.postgresql import PostgreSQL
from infra.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
CLUSTER_FROM = (
    "*/migrations/*.py",
    "*/sql/*.sql",
    "infra/parts/postgresql.py",
    "infra/grants.py",
    "infra/requirements.txt",
)
STATIC_FROM = ("*/static/**/*", "infra/static_files.py", "infra/settings.py", "infra/requirements.txt")
# Of each kind.
KEPT_MOST = 4
UNFINISHED = "unfinished-"
# For what need not outlive the machine. What a killed process wrote the system keeps: no kill can tell the difference.
HURRIED = {"fsync": "off"}


def furnish(stack: Stack) -> None:
    """Put a migrated cluster, with the web role's rights, into the folder of a stack that has not started yet."""
    with _kept("migrated", CLUSTER_FROM) as kept:
        if not kept.exists():
            _keep_cluster(kept)
    stack.postgres.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    _copy(kept, stack.postgres.cluster)


def collect_static(stack: Stack) -> None:
    """Put the collected static files into the folder of a stack that runs."""
    here = stack.folder / "static"
    with _kept("static", STATIC_FROM) as kept:
        if not kept.exists():
            manage(stack, "collectstatic", "--no-input", "--verbosity", "0")
            with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=kept.parent) as name:
                _copy(here, Path(name) / "static")
                (Path(name) / "static").rename(kept)
            return
    shutil.rmtree(here)
    _copy(kept, here)


def manage(stack: Stack, *words: str, as_owner: bool = False) -> str:
    """Run a command of manage.py against the stack and return what it printed. Raises PartFailedError."""
    env = {**os.environ, **stack.env(), "REFRAIN_AS_OWNER": "1" if as_owner else "0"}
    ran = subprocess.run(
        [sys.executable, ROOT / "manage.py", *words],
        env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise PartFailedError(f"manage.py {words[0]} ended with {ran.returncode}.\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"refrain-clusters-{os.getuid()}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PartFailedError(f"{folder} belongs to somebody else; say another folder in TMPDIR")
    return folder


@contextmanager
def _kept(kind: str, sources: tuple[str, ...]) -> Iterator[Path]:
    """Give the place of what is kept of a kind, alone with it; those of its kind that were not asked for go."""
    digest = hashlib.sha256(sys.version.encode())
    for pattern in sources:
        for path in sorted(found for found in ROOT.glob(pattern) if found.is_file()):
            digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    folder = _folder()
    kept = folder / f"{kind}-{digest.hexdigest()[:16]}"
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield kept
        os.utime(kept)
        asked_last = sorted(folder.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)
        # With what somebody began who was killed: nobody else is at work here.
        for other in (*asked_last[:-KEPT_MOST], *folder.glob(f"{UNFINISHED}*")):
            shutil.rmtree(other, ignore_errors=True)


def _keep_cluster(kept: Path) -> None:
    """Make the cluster in a stack of its own and move it to its name whole.

    It serves both kinds of stack: made with the rights of one that is durable, without waiting for the disk.
    """
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=kept.parent) as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        with Stack(folder, mode="test", database=HURRIED) as stack:
            manage(stack, "migrate", "--verbosity", "0", as_owner=True)
            manage(stack, "grant_web_role", as_owner=True)
            with stack.postgres.connect(database=PostgreSQL.database) as connection:
                connection.execute("VACUUM ANALYZE")
        (folder / "postgres" / "cluster").rename(kept)


def _copy(what: Path, to: Path) -> None:
    # A copy that shares what was not changed yet, where the file system can.
    subprocess.run(["cp", "-a", "--reflink=auto", what, to], check=True)
