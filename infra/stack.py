"""The embedded stack: all that Refrain needs around it, started in one folder, known to settings by environment names.

A stack owns its folder: what it keeps (the cluster, files, secrets) is continued at the next start, whatever ended the
last one. `stack.json` in the folder lets any `manage.py` command find the running stack through REFRAIN_DATA.
"""

import fcntl
import json
import os
import secrets
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from infra.parts.child import Child, PartFailedError, free_port
from infra.parts.postgresql import PostgreSQL
from infra.parts.seaweedfs import SeaweedFS
from infra.parts.valkey import Valkey


class StackInUseError(RuntimeError):
    """Another stack runs in this folder."""


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one with the same number by the moment it started."""

    name: str
    pid: int
    started: str
    stop_signal: int


class Stack:
    """The parts in one folder, and the processes that run beside them.

    `mode` is what settings will be told (production, demo or test). A stack that is not `durable` forgets on a crash.
    With `s3` the files go to SeaweedFS instead of a folder. `database` holds further PostgreSQL parameters.
    """

    def __init__(
        self,
        folder: Path,
        *,
        mode: str,
        durable: bool = True,
        s3: bool = False,
        web_port: int | None = None,
        database: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.mode = mode
        self.gateway_port = free_port()
        self.web_port = web_port or free_port(avoid=frozenset({self.gateway_port}))
        self.postgres = PostgreSQL(self.folder / "postgres", logs=self.logs, durable=durable, parameters=database)
        self.valkey = Valkey(self.folder / "valkey", logs=self.logs)
        self.seaweed = SeaweedFS(self.folder / "seaweedfs", logs=self.logs) if s3 else None
        self.children: list[Child] = []
        self._lock: TextIO | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def base_url(self) -> str:
        """Return where the site is (to be) served."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def gateway_url(self) -> str:
        """Return where the demo's payment gateway is (to be) served."""
        return f"http://127.0.0.1:{self.gateway_port}"

    def take_folder(self) -> None:
        """Make the folder ours, and wait until nothing of its last life runs any more. Raises StackInUseError."""
        if self._lock is not None:
            return
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        # Held by this process alone and given free by the kernel when it ends, however it ends.
        lock = (self.folder / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            message = f"another stack is running in {self.folder}; stop it or choose another folder"
            raise StackInUseError(message) from None
        self._lock = lock
        self._end_orphans()

    def start(self) -> None:
        """Start every part and wait until all answer; then write `stack.json`.

        Raises StackInUseError when another stack runs in the folder, PartFailedError when a part does not come up.
        """
        self.take_folder()
        try:
            for made in ("store", "outbox", "static"):
                (self.folder / made).mkdir(exist_ok=True)
            for secret in ("secret_key", "signing_key", "iban_key", "gateway_key"):
                keep_secret(self.folder / secret)
            for part in (self.postgres, self.valkey, self.seaweed):
                if part is not None:
                    self.children.append(part.child)
                    part.start()
                    self._remember_children()
            write_whole(self.folder / "stack.json", json.dumps(self.env(), indent=1))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what runs beside the parts, all at once, then the parts; give the folder free. May be called twice."""
        if self._lock is None:
            return
        (self.folder / "stack.json").unlink(missing_ok=True)
        parts = {part.child: part for part in (self.postgres, self.valkey, self.seaweed) if part is not None}
        for child in self.children:
            if child not in parts:
                child.ask_to_stop()
        while self.children:
            child = self.children.pop()
            if child in parts:
                parts[child].stop()
            else:
                child.stop()
        (self.folder / "children.json").unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    def run(
        self, name: str, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, shown: bool = False
    ) -> Child:
        """Start a further process that knows this stack; `env` is added to its environment. It is stopped with us.

        Its output goes to a log named like it, or when `shown` to where ours goes.
        """
        log = None if shown else self.logs / f"{name.lower().replace(' ', '-')}.log"
        child = Child(name, command, log=log, env={**os.environ, **self.env(), **(env or {})})
        child.start()
        self.children.append(child)
        self._remember_children()
        return child

    def dead_children(self) -> list[Child]:
        """Return the processes that ended without being asked to."""
        return [child for child in self.children if child.exit_code is not None]

    def env(self) -> dict[str, str]:
        """Return all that settings read about this stack."""
        postgres, seaweed = self.postgres, self.seaweed
        return {
            "REFRAIN_MODE": self.mode,
            "REFRAIN_DB_HOST": str(postgres.socket_folder),
            "REFRAIN_DB_PORT": str(postgres.port),
            "REFRAIN_DB_NAME": postgres.database,
            "REFRAIN_DB_USER": postgres.web_role,
            "REFRAIN_DB_OWNER": postgres.owner,
            "REFRAIN_VALKEY_URL": self.valkey.url,
            "REFRAIN_STORE": "s3" if seaweed else "local",
            "REFRAIN_STORE_DIR": str(self.folder / "store"),
            "REFRAIN_S3_ENDPOINT": seaweed.endpoint if seaweed else "",
            "REFRAIN_S3_BUCKET": SeaweedFS.bucket,
            "REFRAIN_S3_ACCESS_KEY": seaweed.access_key if seaweed else "",
            "REFRAIN_S3_SECRET_KEY": seaweed.secret_key if seaweed else "",
            "REFRAIN_STATIC_ROOT": str(self.folder / "static"),
            "REFRAIN_SECRET_KEY_FILE": str(self.folder / "secret_key"),
            "REFRAIN_SIGNING_KEY_FILE": str(self.folder / "signing_key"),
            "REFRAIN_IBAN_KEY_FILE": str(self.folder / "iban_key"),
            "REFRAIN_BASE_URL": self.base_url,
            "REFRAIN_GATEWAY_URL": self.gateway_url,
            "REFRAIN_GATEWAY_KEY": (self.folder / "gateway_key").read_text(),
            "REFRAIN_OUTBOX_DIR": str(self.folder / "outbox"),
        }

    def _remember_children(self) -> None:
        processes = [
            [child.name, child.pid, started, int(child.stop_signal)]
            for child in self.children
            if child.is_running() and (started := start_moment(child.pid))
        ]
        write_whole(self.folder / "children.json", json.dumps(processes))

    def _end_orphans(self) -> None:
        # A killed stack's processes end by themselves within moments. We wait for that, so that nothing of the last
        # life writes into this one; those that do not listen are killed with their groups.
        file = self.folder / "children.json"
        orphans = [Process(*words) for words in json.loads(file.read_text())] if file.exists() else []
        for orphan in orphans:
            if start_moment(orphan.pid) == orphan.started:
                os.kill(orphan.pid, orphan.stop_signal)
        kill_at = time.monotonic() + 20
        for orphan in reversed(orphans):
            while start_moment(orphan.pid) == orphan.started:
                if time.monotonic() > kill_at:
                    os.killpg(orphan.pid, signal.SIGKILL)
                time.sleep(0.05)
        file.unlink(missing_ok=True)


def start_moment(pid: int) -> str | None:
    """Return when the process started, in the kernel's own count, or None when there is no such living process."""
    try:
        state_and_on = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if state_and_on[0] in "ZX" else state_and_on[19]


def keep_secret(file: Path) -> None:
    """Make a secret of 32 random bytes, in hexadecimal, readable by its owner alone; keep one that is there."""
    if not file.exists():
        write_whole(file, secrets.token_hex(32))


def write_whole(file: Path, text: str) -> None:
    """Write a file of mode 0600 so that a reader sees the old or the new content, never a part of it."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)


__all__ = ["PartFailedError", "Process", "Stack", "StackInUseError", "free_port", "keep_secret"]
