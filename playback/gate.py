"""The gate: the playlist says what may be heard, and no address of a later byte exists before the charge.

A playlist address is a capability signed over (listener, session, expiry): it works without a cookie, in any player.
Plain, it is a VOD playlist of the opening, and of the whole once charged. With `growing`, for our page alone, it is an
EVENT playlist that grows into the whole; other players would begin at the wrong place.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from catalog import delivery, publishing
from catalog.delivery import Layout, Meter
from members import throttles
from members.problems import NotFound, Problem
from playback import openings, sessions
from playback.models import Holding, Session

MAC_BYTES = 16
LOADS_PER_HOUR = 60
# What a session may read in all, so that a shared address is no free way to everybody.
TIMES_ITS_BYTES = 3
_EMPTY = UUID(int=0)


class AddressExpired(Problem):
    """The playlist's address has lapsed, or its charge was given back."""

    slug, status, title = "address-expired", 410, "This address has ended"


class TooManyLoads(Problem):
    """The same address was loaded more often than one listener does."""

    slug, status, title = "too-many-loads", 429, "This address was used too often"


@lru_cache(maxsize=1)
def _key() -> bytes:
    return hmac.new(settings.SECRET_KEY.encode(), b"refrain gate", hashlib.sha256).digest()


def address(*, listener_id: UUID | None, session_id: UUID, until: datetime) -> str:
    """Return the playlist address of a session; without a listener, `session_id` is a work and it is its opening's."""
    content = (listener_id or _EMPTY).bytes + session_id.bytes + int(until.timestamp()).to_bytes(5, "big")
    mac = hmac.new(_key(), content, hashlib.sha256).digest()[:MAC_BYTES]
    return f"{settings.BASE_URL}/play/{base64.urlsafe_b64encode(content + mac).decode().rstrip('=')}.m3u8"


def playlist(*, capability: str, growing: bool, now: datetime) -> str:
    """Return the playlist that a capability opens now. Raises NotFound, AddressExpired and TooManyLoads.

    Four small queries; each file of the answer is signed once.
    """
    listener_id, session_id = _read(capability, now)
    if listener_id == _EMPTY:
        standing = publishing.standing(work_id=session_id, person_id=None, now=now)
        if not standing.may_begin():
            raise AddressExpired("The work was taken off.")
        gate = openings.of_work(work_id=session_id, duration_ms=standing.duration_ms, now=now)
        pieces = delivery.layout(work_id=session_id, kind=delivery.SOUND)
        return write(pieces, open_ms=gate.open_ms, whole=False, growing=False, now=now)
    if throttles.count(f"loads:{session_id}", seconds=3600) > LOADS_PER_HOUR:
        raise TooManyLoads("It can be loaded again within the hour.", retry_after_seconds=600)
    session = Session.objects.filter(listener_id=listener_id, id=session_id).first()
    if session is None:
        raise NotFound("there is no such session")
    if session.reversed_at is not None:
        raise AddressExpired("The charge was given back.")
    owned = Holding.objects.filter(listener_id=listener_id, work_id=session.work_id, owned_at__isnull=False).exists()
    whole = owned or session.charge_id is not None or session.basis in (sessions.OWN, sessions.FREE)
    if not owned and session.basis != sessions.OWN and publishing.is_suspended(session.work_id):
        raise AddressExpired("The work was suspended after a report.")
    # The play that owns it goes on as it began: a playlist that grows must not change the lines it has shown.
    better = session.basis in (sessions.OWNED, sessions.OWN)
    pieces = delivery.layout(work_id=session.work_id, kind=delivery.BETTER_SOUND if better else delivery.SOUND)
    meter = Meter(name=session.id.hex, bytes_most=TIMES_ITS_BYTES * pieces.size_bytes)
    return write(pieces, open_ms=session.open_ms, whole=whole, growing=growing, meter=meter, now=now)


def write(
    pieces: Layout, *, open_ms: int, whole: bool, growing: bool, now: datetime, meter: Meter | None = None
) -> str:
    """Return a playlist (RFC 8216) of the pieces up to the gate, or of all of them."""
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{pieces.target_seconds}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if growing else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if growing:
        lines.append("#EXT-X-START:TIME-OFFSET=0,PRECISE=YES")
    heads = _heads(pieces)
    if not whole:
        heads = heads[: _until(pieces, open_ms)]
    keys = [segment.key for segment, _ in zip(pieces.segments, heads, strict=False)]
    signed = delivery.sign_all(dict.fromkeys([pieces.init_key, *keys]), now=now, meter=meter)
    lines.append(f'#EXT-X-MAP:URI="{signed[pieces.init_key]}"')
    lines += [head + signed[key] for head, key in zip(heads, keys, strict=True)]
    if whole or not growing:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=2_000)
def _heads(pieces: Layout) -> tuple[str, ...]:
    """Return what stands above each address: it never changes, and a work of three hours has two thousand of them."""
    return tuple(
        f"#EXTINF:{segment.micros // 1_000_000}.{segment.micros % 1_000_000:06d},\n"
        + ("" if segment.whole_file else f"#EXT-X-BYTERANGE:{segment.length}@{segment.offset}\n")
        for segment in pieces.segments
    )


def _until(pieces: Layout, open_ms: int) -> int:
    """Return how many pieces end at the gate or before."""
    heard = 0
    for count, segment in enumerate(pieces.segments):
        heard += segment.micros
        if heard > open_ms * 1000:
            return count
    return len(pieces.segments)


def _read(capability: str, now: datetime) -> tuple[UUID, UUID]:
    """Return listener and session of a capability. Raises NotFound for one we did not sign, AddressExpired."""
    try:
        content = base64.urlsafe_b64decode(capability + "=" * (-len(capability) % 4))
    except ValueError:
        content = b""
    body, mac = content[:-MAC_BYTES], content[-MAC_BYTES:]
    expected = hmac.new(_key(), body, hashlib.sha256).digest()[:MAC_BYTES]
    canonical = base64.urlsafe_b64encode(content).decode().rstrip("=")
    if len(body) != 37 or not hmac.compare_digest(mac, expected) or canonical != capability:
        raise NotFound("there is no such address")
    if now >= datetime.fromtimestamp(int.from_bytes(body[32:], "big"), UTC):
        raise AddressExpired("Begin again, and a new address comes with it.")
    return UUID(bytes=body[:16]), UUID(bytes=body[16:32])
