"""Processes that end with the one that started them, and ports that are free for them."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
SCRIPTS = Path(sysconfig.get_path("scripts"))
SOCKET_PATH_BYTES_MAX = 107


class PartFailedError(RuntimeError):
    """A part did not start or died; the message names it, says why, and where its log is."""


class Child:
    """One process that ends with us: started in a group of its own.

    Its output goes to the file `log`, or without one to where ours goes.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        user_options: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.command = [str(word) for word in command]
        self.log = log
        self.env = env
        self.stop_signal = stop_signal
        self.user_options = list(user_options)
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. Call this from a thread that lives on: on Linux the child is told when that *thread* ends."""
        prefix: list[str] = []
        if shutil.which("setpriv"):
            prefix = ["setpriv", *self.user_options, "--pdeathsig", self.stop_signal.name.removeprefix("SIG"), "--"]
        with contextlib.ExitStack() as files:
            log = None
            if self.log is not None:
                self.log.parent.mkdir(parents=True, exist_ok=True)
                log = files.enter_context(self.log.open("ab"))
            self._running = subprocess.Popen(
                [*prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=None if log is None else subprocess.STDOUT,
                env=None if self.env is None else dict(self.env),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the process id; only a started child has one."""
        if self._running is None:
            raise PartFailedError(f"{self.name} was not started")
        return self._running.pid

    @property
    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs (and before it was started)."""
        return None if self._running is None else self._running.poll()

    def is_running(self) -> bool:
        """Return whether it was started and has not ended."""
        return self._running is not None and self._running.poll() is None

    def ask_to_stop(self) -> None:
        """Ask it to end, and do not wait."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(self.stop_signal)

    def stop(self, grace_seconds: float = 15) -> None:
        """Ask it to end, wait, and kill its whole group when it does not listen."""
        if self._running is None:
            return
        if self._running.poll() is None:
            self.ask_to_stop()
            try:
                self._running.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._running = None

    def kill(self) -> None:
        """Kill it and its group at once, as a power cut would."""
        if self._running is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()

    def wait_until(self, is_ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Return once `is_ready()`; raise PartFailedError when it dies or the time is up."""
        give_up_at = time.monotonic() + seconds
        while not is_ready():
            if not self.is_running():
                raise PartFailedError(f"{self.name} ended with {self.exit_code} while starting.\n{self.last_words()}")
            if time.monotonic() > give_up_at:
                raise PartFailedError(f"{self.name} was not ready within {seconds:.0f} s.\n{self.last_words()}")
            time.sleep(0.03)

    def last_words(self, lines: int = 12) -> str:
        """Return the end of its log, and where the whole of it is."""
        if self.log is None:
            return ""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join([f"The end of {self.log}:", *text.splitlines()[-lines:]])


def free_port(*, also_plus: int = 0, avoid: frozenset[int] = frozenset()) -> int:
    """Return a port of this machine that nobody listens on now (nor on `port + also_plus`).

    It is taken from below the range in which the kernel picks ports by itself, so that no outgoing connection grabs
    it in the meantime.
    """
    for _ in range(500):
        port = random.randint(20_000, 31_999)  # noqa: S311 - any free port will do
        if port not in avoid and is_free(port) and (not also_plus or is_free(port + also_plus)):
            return port
    raise PartFailedError("no free port was found between 20000 and 31999")


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
