"""A copy of a cluster's files is put back in the place of the cluster: it says the same of itself, and is closed.

A dump is told by the server, which is another. A base backup is the same server with an older past: only the mark in
the store of files, where no backup of the database reaches, is further than it is. Both kinds of copy are tried: taken
while the server runs, as README.md says, and of files that lie still.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import throwaway
from infra.bench import ground
from infra.parts.postgresql import BINARIES, RUNS_AS_ROOT, PostgreSQL
from infra.stack import Stack

pytestmark = [
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(not os.environ.get("REFRAIN_LONG"), reason="starts a cluster seven times: set REFRAIN_LONG=1"),
]
KEEP = "from royalties import highwater; print('kept', highwater.keep())"
STANDING = "from members import lineage; print('closed', lineage.is_closed(), lineage.standing())"
# What the copy does not know.
JOIN = """
from members.models import Person
from members import clock
Person.objects.create_user('nia@copied.example', name='Nia')
print('joined', Person.objects.filter(name='Nia').count())
"""


def run(stack: Stack, code: str) -> str:
    return throwaway.manage(stack, "shell", "-v", "0", "-c", code).strip()


def base_backup(postgres: PostgreSQL, to: Path) -> None:
    """Copy the cluster while it runs, with the WAL that makes the copy whole."""
    prefix = ["setpriv", *postgres.child.user_options, "--"] if RUNS_AS_ROOT else []
    where = ["-h", postgres.socket_folder, "-p", str(postgres.port), "-U", "postgres"]
    command = [*prefix, BINARIES / "pg_basebackup", *where, "-D", to, "--wal-method=stream", "--checkpoint=fast"]
    subprocess.run(list(map(str, command)), check=True)


def cold_copy(postgres: PostgreSQL, to: Path) -> None:
    """Copy the files of a server that has ended."""
    postgres.stop()
    subprocess.run(["cp", "-a", postgres.cluster, to], check=True)
    postgres.start()


@pytest.mark.parametrize("copy", [base_backup, cold_copy], ids=["while it runs", "lying still"])
def test_it_is_closed_until_it_recovers(copy: Any) -> None:
    with ground.laid() as stack:
        postgres, copied = stack.postgres, stack.postgres.folder / "copied"
        state = stack.folder / "play-money.sqlite3"
        gateway = ["-m", "infra.play_money", "--port", str(stack.gateway_port), "--state", str(state)]
        stack.run("Payment gateway", [sys.executable, *gateway])
        assert run(stack, KEEP) == "kept True"
        copy(postgres, copied)
        assert run(stack, KEEP) == "kept True"
        assert run(stack, JOIN) == "joined 1"
        assert run(stack, KEEP) == "kept True"
        assert run(stack, STANDING) == "closed False None"

        postgres.stop()
        shutil.rmtree(postgres.cluster)
        copied.rename(postgres.cluster)
        postgres.start()
        # The first process that starts looks, before it serves anybody; so does the minute's mark.
        assert run(stack, KEEP) == "kept False"
        assert run(stack, STANDING).startswith("closed True Standing(why=")

        assert "The co-op is open." in throwaway.manage(stack, "recover", as_owner=True)
        assert run(stack, STANDING) == "closed False None"
        assert run(stack, KEEP) == "kept True"
        # And it is another life: what was lost stays lost, and the copy's own mark goes on from there.
        assert run(stack, JOIN) == "joined 1"
        assert run(stack, KEEP) == "kept True"
