"""Which ffmpeg is used."""

import subprocess
import sysconfig
from pathlib import Path

import pytest

from infra import media_tools


def _executable(file: Path) -> str:
    file.write_text("#!/bin/sh\nexit 0\n")
    file.chmod(0o755)
    return str(file)


def test_the_distributions_pair_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = _executable(tmp_path / "ffmpeg"), _executable(tmp_path / "ffprobe")
    monkeypatch.setenv("PATH", f"{sysconfig.get_path('scripts')}:{tmp_path}")
    assert media_tools.ffmpeg_and_ffprobe() == pair


def test_half_a_pair_is_passed_over_for_the_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _executable(tmp_path / "ffmpeg")
    monkeypatch.setenv("PATH", str(tmp_path))
    ffmpeg, ffprobe = media_tools.ffmpeg_and_ffprobe()
    for tool in (ffmpeg, ffprobe):
        assert Path(tool).is_relative_to(sysconfig.get_path("purelib"))
        said = subprocess.run([tool, "-version"], capture_output=True, text=True, check=True).stdout
        assert said.startswith(f"{Path(tool).name} version ")
