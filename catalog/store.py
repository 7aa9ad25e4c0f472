"""The store of files: originals and what is made from them, on a disk or in S3.

What is put here has a type that we chose, whatever its sender called it, and is written in one go: a name that is
taken is overwritten, so that a step which ran half way can run again.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from django.core.files.storage import default_storage

COPY_BYTES = 1_048_576
# How a store that is away shows itself, on a disk or in S3.
FAULTS = (OSError, BotoCoreError, ClientError)


class _TypedFile(File):
    """A file on its way into the store: with a fixed type for S3, and a path so that a local store may move it."""

    def __init__(self, path: Path, content_type: str) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self.path = path
        self.content_type = content_type

    def temporary_file_path(self) -> str:
        return str(self.path)


def put(*, key: str, path: Path, content_type: str) -> int:
    """Move the file at `path` into the store under `key`, over what is there, and return its size in bytes."""
    size = path.stat().st_size
    remove(key)
    with _TypedFile(path, content_type) as file:
        saved = default_storage.save(key, file)
    if saved != key:
        default_storage.delete(saved)
        raise OSError(f"the store would keep {key} only as {saved}")
    path.unlink(missing_ok=True)
    return size


def fetch(*, key: str, path: Path, beat: Callable[[], None]) -> None:
    """Make what is stored under `key` readable at `path`, without a copy where the store is a disk of this machine.

    `beat` is called after each piece that is copied. Raises FileNotFoundError.
    """
    here = local_path(key)
    if here is None:
        _download(key, path, beat)
    elif here.is_file():
        path.symlink_to(here.resolve())
    else:
        raise FileNotFoundError(key)


def local_path(key: str) -> Path | None:
    """Return where a local store keeps `key`; None for S3."""
    try:
        return Path(default_storage.path(key))
    except NotImplementedError:
        return None


def _download(key: str, path: Path, beat: Callable[[], None]) -> None:
    with path.open("wb") as target:
        for piece in pieces(key):
            target.write(piece)
            beat()


def pieces(key: str) -> Iterator[bytes]:
    """Yield what is stored under `key`, a megabyte at a time. Raises FileNotFoundError."""
    here = local_path(key)
    if here is not None:
        with here.open("rb") as file:
            while piece := file.read(COPY_BYTES):
                yield piece
        return
    # S3Storage.open would hold all of the file before it gives the first byte.
    try:
        answer = default_storage.bucket.Object(key).get()  # type: ignore[attr-defined]
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(key) from None
        raise
    with answer["Body"] as source:
        while piece := source.read(COPY_BYTES):
            yield piece


def read(key: str, *, offset: int, length: int) -> bytes:
    """Return `length` bytes from `offset` on of what is stored under `key`. Raises FileNotFoundError."""
    here = local_path(key)
    if here is not None:
        with here.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    try:
        asked = f"bytes={offset}-{offset + length - 1}"
        answer = default_storage.bucket.Object(key).get(Range=asked)  # type: ignore[attr-defined]
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.NOT_FOUND:
            raise FileNotFoundError(key) from None
        raise
    with answer["Body"] as body:
        content: bytes = body.read()
    return content


def is_there(key: str) -> bool:
    """Return whether something is stored under `key`."""
    return default_storage.exists(key)


def remove(key: str) -> None:
    """Remove what is stored under `key`, if anything is."""
    default_storage.delete(key)


def remove_under(prefix: str) -> None:
    """Remove every file under `prefix` (which ends in /), and the folder where the store has such."""
    try:
        folders, files = default_storage.listdir(prefix)
    except FileNotFoundError:
        return
    for folder in folders:
        if folder:
            remove_under(f"{prefix}{folder}/")
    for file in files:
        if file:
            default_storage.delete(prefix + file)
    here = local_path(prefix)
    if here is not None and here.is_dir():
        here.rmdir()
