"""The demo's command line: what it refuses, in words, before anything is started."""

import sys

import pytest

from infra.demonstration import run


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999"])
def test_a_port_that_is_none_is_refused(port, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["infra/demo", "--port", port])
    with pytest.raises(SystemExit) as ended:
        run.read_arguments()
    assert ended.value.code == 2
    assert f"--port: {port} is no port to serve on; it is from 1 to 65535" in capsys.readouterr().err


def test_a_port_is_taken_as_it_is(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["infra/demo", "--port", "8123"])
    assert run.read_arguments().port == 8123
