"""Stacks that are thrown away, for tests and benches: each begins on a copy of one migrated cluster.

Making a cluster and migrating it takes a processor some ten seconds; a run of everything starts a dozen stacks. So the
first one is kept beside the others of the machine, under a name that says what it was made from, and the rest copy it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.parts.child import PartFailedError
from infra.parts.postgresql import PostgreSQL
from infra.stack import Stack

ROOT = Path(__file__).resolve().parents[1]
MADE_FROM = (
    "*/migrations/*.py",
    "*/sql/*.sql",
    "infra/parts/postgresql.py",
    "infra/grants.py",
    "infra/requirements.txt",
)
KEPT_MOST = 4
# For what need not outlive the machine. What a killed process wrote the system keeps: no kill can tell the difference.
HURRIED = {"fsync": "off"}


def furnish(stack: Stack) -> None:
    """Put a migrated cluster, with the web role's rights, into the folder of a stack that has not started yet."""
    folder = _folder()
    kept = folder / f"migrated-{_made_from()}"
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _keep(kept)
    stack.postgres.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    # A copy that shares what was not changed yet, where the file system can.
    subprocess.run(["cp", "-a", "--reflink=auto", kept, stack.postgres.cluster], check=True)


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


def _made_from() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for pattern in MADE_FROM:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _keep(kept: Path) -> None:
    """Make the cluster in a stack of its own and move it to its name whole; the oldest of the others go.

    It serves both kinds of stack: made with the rights of one that is durable, without waiting for the disk.
    """
    with tempfile.TemporaryDirectory(prefix="refrain-cluster-", dir=kept.parent) as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        with Stack(folder, mode="test", database=HURRIED) as stack:
            manage(stack, "migrate", "--verbosity", "0", as_owner=True)
            manage(stack, "grant_web_role", as_owner=True)
            with stack.postgres.connect(database=PostgreSQL.database) as connection:
                connection.execute("VACUUM ANALYZE")
        others = sorted(kept.parent.glob("*-*"), key=lambda path: path.stat().st_mtime)
        for other in [path for path in others if path != folder][: -(KEPT_MOST - 1)]:
            shutil.rmtree(other, ignore_errors=True)
        (folder / "postgres" / "cluster").rename(kept)
