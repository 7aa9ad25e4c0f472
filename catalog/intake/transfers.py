"""Transfers: files that are sent in pieces, may stop and go on, and become uploads once they are whole.

A piece is streamed to a disk and put into the store under a name of its own before the row says that it is there, so
what the row says is true whatever dies: on a disk and in S3 alike, for any number of web servers, and for pieces of any
size. Two programs that send the same piece write two files, and one of them loses: its bytes are removed and it is told
where the transfer stands. A worker makes the upload of a transfer that is whole, through the same door as any other.
"""

import hashlib
import logging
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Q, QuerySet

from catalog import naming, store
from catalog.intake import leases, receiving, rooms
from catalog.models import Transfer, Upload
from members.problems import Invalid, NotFound, Problem

logger = logging.getLogger(__name__)

# A piece that was sent whole is stored in parts of this size: what a killed web server loses is less than one.
PART_BYTES, BLOCK_BYTES = 16_000_000, 262_144
PARTS_MOST, OPEN_MOST = 2_500, 2_000
# An unfinished transfer waits this long for its next piece; what became of a finished one can be read for so long.
WAITS, KEPT = timedelta(days=1), timedelta(days=7)
ATTEMPTS_MOST = 5


class OffsetMismatch(Problem):
    """The piece does not begin where the file ends so far; `offset` says where that is. Nothing of it was kept."""

    slug, status, title = "offset-mismatch", 409, "The piece does not fit on"


class TransferOver(Problem):
    """The transfer takes no more pieces: it is whole, or was refused, or nothing came for a day."""

    slug, status, title = "transfer-over", 409, "This transfer takes nothing more"


class ChecksumMismatch(Problem):
    """The piece is not what its checksum says: it changed on its way. Nothing of it was kept; send it again."""

    slug, status, title = "checksum-mismatch", 460, "The piece changed on its way"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A piece of a file as it comes: it begins at `offset`, has `length` bytes, and `read(n)` gives up to n more.

    `algorithm` is sha1 or sha256 with the `digest` it should have, or empty without a checksum.
    """

    offset: int
    length: int
    read: Callable[[int], bytes]
    algorithm: str = ""
    digest: bytes = b""


def begin(
    *,
    person_id: uuid.UUID,
    creator_id: uuid.UUID,
    filename: str,
    size_bytes: int,
    now: datetime,
    folder: str = "",
    modified_ms: int | None = None,
    replaces: uuid.UUID | None = None,
) -> Transfer:
    """Make room for a file of `size_bytes`. Raises NotFound, TooLarge, and Invalid for an empty file or too many."""
    receiving.check_sender(person_id=person_id, creator_id=creator_id, replaces=replaces)
    if size_bytes < 1:
        raise Invalid("The file is empty. Nothing was taken in.")
    receiving.check_size(size_bytes, head=b"")
    if Transfer.objects.filter(person_id=person_id, state=Transfer.State.SENDING).count() >= OPEN_MOST:
        raise Invalid(f"{OPEN_MOST:,} files are on their way already. Finish them, or give some up.")
    return Transfer.objects.create(
        person_id=person_id,
        creator_id=creator_id,
        filename=naming.file_name(filename),
        folder=receiving.folder_name(folder),
        modified_ms=modified_ms,
        replaces_id=replaces,
        size_bytes=size_bytes,
        created_at=now,
        expires_at=now + WAITS,
    )


def find(*, transfer_id: uuid.UUID, person_id: uuid.UUID) -> Transfer:
    """Return one's own transfer. One query. Raises NotFound."""
    found = mine(person_id).filter(id=transfer_id).first()
    if found is None:
        raise NotFound("there is no such transfer of yours")
    return found


def mine(person_id: uuid.UUID) -> QuerySet[Transfer]:
    """Return the person's transfers with what became of them: what is on its way, and what ended in the last days."""
    return Transfer.objects.filter(person_id=person_id).select_related("upload", "creator")


def add(*, transfer_id: uuid.UUID, person_id: uuid.UUID, piece: Piece, now: datetime) -> Transfer:
    """Take in a piece, or as much of it as arrives, and return how the transfer stands then.

    Raises NotFound, TransferOver, OffsetMismatch, ChecksumMismatch, TooLarge once the first bytes show a kind that may
    not be so large, Invalid for more than the file has, StoreUnavailable. Not to be called in a transaction.
    """
    transfer = find(transfer_id=transfer_id, person_id=person_id)
    _check_fits(transfer, piece, now)
    most = PART_BYTES if not piece.algorithm else piece.length
    with tempfile.TemporaryDirectory(prefix=f"{rooms.PREFIX}part-") as room:
        path, left = Path(room) / "part", piece.length
        while left > 0:
            size, head, digest = _spool(piece, path, most=min(most, left))
            if piece.algorithm and (size < piece.length or digest != piece.digest):
                raise ChecksumMismatch("The piece is not what its checksum says. Nothing of it was kept.")
            if size == 0:
                break
            if transfer.offset_bytes == 0:
                _check_kind(transfer, head, now)
            transfer = _keep(transfer, path, size, now=now)
            if size < min(most, left):
                break
            left -= size
    return transfer


def _check_fits(transfer: Transfer, piece: Piece, now: datetime) -> None:
    if transfer.state == Transfer.State.REFUSED:
        raise TransferOver(transfer.reason)
    if transfer.state == Transfer.State.SENDING and transfer.expires_at <= now:
        raise TransferOver("Nothing came for a day, and what there was of the file is gone. Send it anew.")
    if piece.offset != transfer.offset_bytes:
        raise _elsewhere(transfer.offset_bytes)
    if piece.offset + piece.length > transfer.size_bytes:
        raise Invalid(f"The file was said to have {transfer.size_bytes:,} bytes; this would be more.")


def _elsewhere(offset: int) -> OffsetMismatch:
    return OffsetMismatch(f"The next byte is number {offset:,}. Ask again where the transfer stands.", offset=offset)


def _spool(piece: Piece, path: Path, *, most: int) -> tuple[int, bytes, bytes]:
    """Write what arrives, up to `most` bytes, to `path`; return its size, its first bytes and its digest.

    A connection that breaks ends it: what had arrived counts.
    """
    digest = hashlib.new(piece.algorithm or "sha256", usedforsecurity=False)
    size, head = 0, b""
    with path.open("wb") as file:
        while size < most:
            try:
                block = piece.read(min(BLOCK_BYTES, most - size))
            except OSError:
                break
            if not block:
                break
            if len(head) < receiving.HEAD_BYTES:
                head = (head + block)[: receiving.HEAD_BYTES]
            if piece.algorithm:
                digest.update(block)
            file.write(block)
            size += len(block)
    return size, head, digest.digest()


def _check_kind(transfer: Transfer, head: bytes, now: datetime) -> None:
    """Refuse a file that its first bytes show to be larger than its kind may be. Raises TooLarge."""
    try:
        receiving.check_size(transfer.size_bytes, head=head)
    except receiving.TooLarge as refusal:
        Transfer.objects.filter(id=transfer.id, state=Transfer.State.SENDING).update(
            state=Transfer.State.REFUSED, reason=str(refusal), expires_at=now + KEPT
        )
        raise


def _keep(transfer: Transfer, path: Path, size: int, *, now: datetime) -> Transfer:
    """Put a part into the store, then say in the row that it is there. Raises OffsetMismatch, StoreUnavailable."""
    offset = transfer.offset_bytes
    key = f"{_folder(transfer.id)}{offset:012}-{uuid.uuid4().hex[:12]}"
    try:
        store.put(key=key, path=path, content_type="application/octet-stream")
    except store.FAULTS as error:
        logger.exception("a part of transfer %s could not be stored", transfer.id)
        raise receiving.StoreUnavailable("The piece could not be stored. Send it again in a while.") from error
    with transaction.atomic():
        row = Transfer.objects.select_for_update().filter(id=transfer.id, state=Transfer.State.SENDING).first()
        if row is not None and row.offset_bytes == offset and len(row.parts) < PARTS_MOST:
            row.parts.append([key.rpartition("/")[2], size])
            row.offset_bytes += size
            row.expires_at = now + WAITS
            if row.offset_bytes == row.size_bytes:
                row.state = Transfer.State.COMPLETE
            row.save(update_fields=["parts", "offset_bytes", "expires_at", "state"])
            return row
    _remove_quietly(key)
    if row is None:
        raise TransferOver("The transfer was given up or is complete.")
    if row.offset_bytes == offset:
        least = -(-row.size_bytes // PARTS_MOST)
        raise Invalid(f"The pieces are too small: a file has at most {PARTS_MOST:,}, of {least:,} bytes or more.")
    raise _elsewhere(row.offset_bytes)


def _folder(transfer_id: uuid.UUID) -> str:
    return f"parts/{transfer_id}/"


def _remove_quietly(key: str) -> None:
    try:
        store.remove(key)
    except store.FAULTS:
        logger.warning("%s stays until its transfer ends: the store is away", key)


def give_up(*, transfer_id: uuid.UUID, person_id: uuid.UUID) -> None:
    """Forget a transfer and what has arrived of it; an upload that it became goes on. Raises NotFound, TransferOver."""
    transfer = find(transfer_id=transfer_id, person_id=person_id)
    gone, _ = Transfer.objects.filter(id=transfer.id).exclude(state=Transfer.State.COMPLETE).delete()
    if not gone:
        raise TransferOver("The file has arrived as a whole and is being taken in.")
    _empty(transfer.id)


def _empty(transfer_id: uuid.UUID) -> bool:
    """Remove the parts of a transfer, and return whether none is left."""
    try:
        store.remove_under(_folder(transfer_id))
    except store.FAULTS:
        logger.exception("parts of transfer %s are still there", transfer_id)
        return False
    return True


def whole(*, now: datetime, limit: int) -> list[uuid.UUID]:
    """Return the oldest transfers that are whole and that nobody makes an upload of, at most `limit`. One query."""
    waiting = _complete().filter(leases.free(now)).order_by("created_at")
    return list(waiting.values_list("id", flat=True)[:limit])


def _complete() -> QuerySet[Transfer]:
    return Transfer.objects.filter(state=Transfer.State.COMPLETE)


def deliver(*, transfer_id: uuid.UUID, now: datetime) -> uuid.UUID | None:
    """Make the upload of a transfer that is whole and return its id; None if there is nothing to do, or not now."""
    hold = leases.claim_row(_complete(), row_id=transfer_id, now=now)
    if hold is None:
        return None
    transfer = Transfer.objects.get(id=transfer_id)
    try:
        upload_id = _receive(transfer, hold)
    except leases.LeaseLost:
        logger.warning("transfer %s was taken over by another worker", transfer_id)
        return None
    except (receiving.StoreUnavailable, *store.FAULTS):
        logger.exception("transfer %s waits", transfer_id)
        hold.rest(counts=False)
        return None
    except Problem as refusal:
        _refuse(hold, reason=refusal.detail, work=refusal.extra.get("work"))
        upload_id = None
    _empty(transfer_id)
    return upload_id


def _receive(transfer: Transfer, hold: leases.Hold) -> uuid.UUID:
    if transfer.attempts > ATTEMPTS_MOST:
        raise Invalid("The file could not be put together on five attempts. Send it again.")
    try:
        upload = receiving.receive(
            person_id=transfer.person_id,
            creator_id=transfer.creator_id,
            filename=transfer.filename,
            folder=transfer.folder,
            replaces=transfer.replaces_id,
            chunks=_pieces(transfer, hold),
            now=hold.moment(),
        )
    except receiving.AlreadyUploaded as known:
        # A worker that died may have handed the file over without saying so in this row. Artwork became no work.
        became = Q(found__artwork=True, folder=transfer.folder)
        if "work" in known.extra:
            became = Q(work_id=known.extra["work"])
        theirs = Upload.objects.filter(became, creator_id=transfer.creator_id, filename=transfer.filename)
        earlier = theirs.filter(created_at__gte=transfer.created_at).first()
        if earlier is None:
            raise
        upload = earlier
    ends = hold.moment() + KEPT
    hold.write(release=True, state=Transfer.State.RECEIVED, upload=upload, expires_at=ends)
    return upload.id


def _pieces(transfer: Transfer, hold: leases.Hold) -> Iterator[bytes]:
    for name, size in transfer.parts:
        arrived = 0
        for block in store.pieces(_folder(transfer.id) + name):
            hold.beat()
            arrived += len(block)
            yield block
        if arrived != size:
            raise OSError(f"{name} of transfer {transfer.id} has {arrived} bytes, not {size}")


def _refuse(hold: leases.Hold, *, reason: str, work: str | None) -> None:
    try:
        ends = hold.moment() + KEPT
        hold.write(release=True, state=Transfer.State.REFUSED, reason=reason, work_id=work, expires_at=ends)
    except leases.LeaseLost:
        return


def sweep(*, now: datetime, limit: int) -> int:
    """End transfers for which nothing came for a day, forget those that ended long ago; return how many."""
    due = Transfer.objects.filter(expires_at__lte=now).exclude(state=Transfer.State.COMPLETE).order_by("expires_at")
    swept = 0
    for transfer in due[:limit]:
        if not _empty(transfer.id):
            continue
        if transfer.state == Transfer.State.SENDING:
            unchanged = Transfer.objects.filter(id=transfer.id, state=transfer.state, expires_at=transfer.expires_at)
            swept += unchanged.update(
                state=Transfer.State.REFUSED,
                reason="Nothing came for a day, and what there was of the file was removed. Send it anew.",
                expires_at=now + KEPT,
            )
        else:
            swept += Transfer.objects.filter(id=transfer.id).delete()[0]
    return swept
