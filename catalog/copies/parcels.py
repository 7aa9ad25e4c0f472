"""Parcels: files larger than a worker's memory, written into the store in one stream, where `store.pieces` reads them.

What is half written is nowhere to be read: a local file gets its name, and a multipart upload to S3 its object, only
when all of it is there. Who died in the middle leaves something behind, and `forget` removes that.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from django.core.files.storage import default_storage

from catalog import store

# S3 takes 10 000 parts at most: the parts of a parcel double in size each time so many were sent.
PART_BYTES, PARTS_OF_A_SIZE = 16 * 1_048_576, 1_000
UNFINISHED = ".part"


class _Target(Protocol):
    """Where a parcel goes."""

    def write(self, content: Any) -> None:
        """Take the next bytes."""

    def finish(self) -> None:
        """Show what was taken."""

    def give_up(self) -> None:
        """Remove what was taken."""


class _Disk:
    """A file of a local store."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.unfinished = path, path.with_name(path.name + UNFINISHED)
        self.file: BinaryIO = self.unfinished.open("wb")

    def write(self, content: Any) -> None:
        self.file.write(content)

    def finish(self) -> None:
        self.file.close()
        self.unfinished.replace(self.path)

    def give_up(self) -> None:
        self.file.close()
        self.unfinished.unlink(missing_ok=True)


class _Multipart:
    """An object of S3, sent part by part: no more than one part is held in memory."""

    def __init__(self, key: str, content_type: str) -> None:
        self.bucket = default_storage.bucket  # type: ignore[attr-defined]
        self.upload = self.bucket.Object(key).initiate_multipart_upload(ContentType=content_type)
        self.parts: list[dict[str, Any]] = []
        self.held = bytearray()

    def write(self, content: Any) -> None:
        self.held += content
        size = PART_BYTES << (len(self.parts) // PARTS_OF_A_SIZE)
        while len(self.held) >= size:
            self._send(bytes(self.held[:size]))
            del self.held[:size]

    def _send(self, content: bytes) -> None:
        number = len(self.parts) + 1
        answer = self.upload.Part(number).upload(Body=content)
        self.parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def finish(self) -> None:
        if self.held or not self.parts:
            self._send(bytes(self.held))
        self.upload.complete(MultipartUpload={"Parts": self.parts})

    def give_up(self) -> None:
        self.upload.abort()


class Parcel:
    """What is being written. It can be written to and nothing else, as a file that cannot seek."""

    def __init__(self, target: _Target) -> None:
        self._target = target
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written, in hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: Any) -> int:
        """Write the next bytes and return how many."""
        self._target.write(content)
        self._digest.update(content)
        self.size_bytes += len(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: what is written is shown when all of it is there."""


@contextmanager
def sending(*, key: str, content_type: str) -> Iterator[Parcel]:
    """Give a parcel that stands under `key` once the block has ended well; nothing does if it raises."""
    here = store.local_path(key)
    target: _Target = _Multipart(key, content_type) if here is None else _Disk(here)
    try:
        yield Parcel(target)
        target.finish()
    except BaseException:
        target.give_up()
        raise


def forget(prefix: str) -> None:
    """Remove every file under `prefix` (which ends in /), and every parcel that was begun there and not finished."""
    if store.local_path(prefix) is None:
        bucket = default_storage.bucket  # type: ignore[attr-defined]
        for upload in bucket.multipart_uploads.filter(Prefix=prefix):
            upload.abort()
    store.remove_under(prefix)
