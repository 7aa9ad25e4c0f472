"""How the processes of Refrain are started: web server, worker and beat, as production starts them (infra/deploy)."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from infra.parts.child import Child

# While one waits for the disk the others work; see infra/decisions/0003.
WEB_PROCESSES = 4


class Ground(Protocol):
    """Where processes run: `run` starts one that knows the addresses of the others; `folder` is theirs."""

    folder: Path
    web_port: int

    def run(self, name: str, command: Sequence[str | Path]) -> Child:
        """Start a process under a name."""


def start_web(on: Ground, *, count: int = WEB_PROCESSES) -> Child:
    """Start the production server: `count` processes of one thread each."""
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(on.web_port), "--no-ws"]
    processes = ["--workers", str(count), "--blocking-threads", "1", "--workers-kill-timeout", "5"]
    resilience = ["--respawn-failed-workers", "--respawn-interval", "0.5", "--log-level", "warning"]
    command = [sys.executable, "-m", "granian", *options, *processes, *resilience, "infra.wsgi:application"]
    return on.run("Web server", command)


def start_worker(on: Ground) -> Child:
    """Start the Celery worker."""
    concurrency = str(min(2, os.cpu_count() or 1))
    options = ["--concurrency", concurrency, "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    return on.run("Worker", [sys.executable, "-m", "celery", "-A", "infra", "worker", *options])


def start_beat(on: Ground) -> Child:
    """Start Celery's beat."""
    # Its file only says when each job ran last, and a kill can leave half of it; a fresh one runs what is due.
    for leftover in on.folder.glob("beat-schedule*"):
        leftover.unlink()
    options = ["--schedule", str(on.folder / "beat-schedule"), "--pidfile", "", "--loglevel", "WARNING"]
    return on.run("Beat", [sys.executable, "-m", "celery", "-A", "infra", "beat", *options])
