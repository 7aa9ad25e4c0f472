"""The gate's playlists, line by line, and the addresses that open them."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import delivery, renditions
from catalog.delivery import Layout, Meter, Segment
from catalog.models import Rendition
from members import clock, policies
from members.problems import NotFound
from playback import charging, gate, openings, sessions
from playback.gate import AddressExpired, TooManyLoads
from playback.models import Session
from tests import callers, cast

NOON = datetime(2026, 11, 22, 12, 3, 20, tzinfo=UTC)
EXPIRES = int(datetime(2026, 11, 22, 13, 10, tzinfo=UTC).timestamp())
LISTENER, SESSION = UUID(int=7), UUID(int=9)


@pytest.fixture(autouse=True)
def _site(settings) -> Iterator[None]:
    settings.BASE_URL, settings.STORE = "https://refrain.example", "local"
    callers.forget_counts()
    yield
    callers.forget_counts()


def laid(*lengths: int, single: int | None = None) -> Layout:
    """Return a layout of segments of so many micros: the first `single` a file each, the rest ranges of one file."""
    alone = len(lengths) if single is None else single
    pieces, offset = [], 0
    for number, micros in enumerate(lengths):
        whole = number < alone
        pieces.append(
            Segment(
                key=f"r/{number:04d}.m4s" if whole else "r/rest.m4s",
                offset=0 if whole else offset,
                length=1_000 + number,
                micros=micros,
                whole_file=whole,
            )
        )
        offset += 0 if whole else 1_000 + number
    return Layout(init_key="r/init.mp4", segments=tuple(pieces), target_seconds=6, size_bytes=5_000)


def signed(key: str, metered: str = "") -> str:
    mac = delivery.local_mac(key=key, expires=EXPIRES, metered=metered)
    return f"https://refrain.example/files/{EXPIRES}/{mac}/{key}" + (f"?meter={metered}" if metered else "")


def test_the_opening_as_a_plain_playlist() -> None:
    pieces = laid(5_000_000, 5_003_900, 5_000_000, 2_100_000, single=2)
    assert gate.write(pieces, open_ms=10_004, whole=False, growing=False, now=NOON) == "\n".join(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            "#EXT-X-TARGETDURATION:6",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            f'#EXT-X-MAP:URI="{signed("r/init.mp4")}"',
            "#EXTINF:5.000000,",
            signed("r/0000.m4s"),
            "#EXTINF:5.003900,",
            signed("r/0001.m4s"),
            "#EXT-X-ENDLIST",
            "",
        ]
    )


def test_the_whole_as_a_growing_playlist_with_a_meter() -> None:
    pieces = laid(5_000_000, 5_000_000, 2_100_000, single=1)
    meter = Meter(name="abc", bytes_most=15_000)
    text = gate.write(pieces, open_ms=5_000, whole=True, growing=True, meter=meter, now=NOON)
    assert text == "\n".join(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            "#EXT-X-TARGETDURATION:6",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-PLAYLIST-TYPE:EVENT",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES",
            f'#EXT-X-MAP:URI="{signed("r/init.mp4", "abc.15000")}"',
            "#EXTINF:5.000000,",
            signed("r/0000.m4s", "abc.15000"),
            "#EXTINF:5.000000,",
            "#EXT-X-BYTERANGE:1001@0",
            signed("r/rest.m4s", "abc.15000"),
            "#EXTINF:2.100000,",
            "#EXT-X-BYTERANGE:1002@1001",
            signed("r/rest.m4s", "abc.15000"),
            "#EXT-X-ENDLIST",
            "",
        ]
    )


def test_a_growing_playlist_of_the_opening_does_not_end() -> None:
    pieces = laid(5_000_000, 5_000_000, 5_000_000)
    opening = gate.write(pieces, open_ms=10_000, whole=False, growing=True, now=NOON)
    assert "ENDLIST" not in opening
    assert opening.count("#EXTINF") == 2
    assert gate.write(pieces, open_ms=10_000, whole=True, growing=True, now=NOON).startswith(opening)


@pytest.mark.parametrize("shown_ms", [0, 1, 4_999, 5_000, 5_001, 9_999, 10_000, 14_999])
def test_a_segment_that_ends_beyond_the_gate_is_not_shown(shown_ms: int) -> None:
    text = gate.write(laid(*[5_000_000] * 3), open_ms=shown_ms, whole=False, growing=False, now=NOON)
    assert text.count("#EXTINF") == shown_ms // 5_000


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [20, 21, 24, 33.4, 59.9, 60, 61, 64.9, 69.9, 70, 71, 90, 100, 180, 1_800])
def test_whatever_opening_is_voted_the_gate_stands_at_the_end_of_a_file(seconds: float) -> None:
    """Never in a file of a minute, of which an address would give the rest too, and never short of the lead."""
    micros = round(seconds * 1_000_000)
    length = renditions.segment_seconds_for(micros // 1000) * 1_000_000
    count = max(1, round(micros / length))
    lengths = [length] * (count - 1) + [micros - length * (count - 1)]
    begins = [0, *accumulate(lengths)][:-1]
    work = cast.track(cast.creator(cast.person()), seconds=seconds)
    files = [
        f"{n}.m4s" if begin < renditions.SINGLE_UNTIL_MICROS else f"rest-{begin // renditions.FILE_MICROS}.m4s"
        for n, begin in enumerate(begins)
    ]
    for row in Rendition.objects.filter(work=work):
        pieces = [
            {"file": file, "offset": 0, "bytes": 10, "micros": micros}
            for file, micros in zip(files, lengths, strict=True)
        ]
        row.layout = {**row.layout, "segments": pieces}
        row.save()
    ends_ms = [-(-end // 1000) for end in accumulate(lengths)]
    for voted in range(20, 61):
        now = clock.now()
        policies._versions(now)["opening"] = [
            version.__class__(**{**vars(version), "params": {"seconds": voted}})
            for version in policies.versions("opening", now)
        ]
        found = openings.of_work(work_id=work.id, duration_ms=work.duration_ms or 0, now=now)
        assert found.free_ms == min(voted * 1000, round(seconds * 1000) // 2)
        assert found.open_ms >= min(found.free_ms + openings.LEAD_MS, ends_ms[-1])
        shown = [file for file, end in zip(files, ends_ms, strict=True) if end <= found.open_ms]
        assert ends_ms[len(shown) - 1] == found.open_ms
        assert not [file for file in shown if file.startswith("rest")]


@pytest.mark.django_db
def test_a_track_under_twenty_seconds_has_no_opening() -> None:
    work = cast.track(cast.creator(cast.person()), seconds=19.9)
    found = openings.of_work(work_id=work.id, duration_ms=19_900, now=clock.now())
    assert (found.free_ms, found.open_ms) == (0, 0)
    address = gate.address(listener_id=None, session_id=work.id, until=clock.now() + timedelta(hours=1))
    text = gate.playlist(capability=capability_of(address), growing=False, now=clock.now())
    assert "#EXTINF" not in text


def capability_of(address: str) -> str:
    return address.rpartition("/")[2].removesuffix(".m3u8")


def test_an_address_says_who_what_and_until_when() -> None:
    address = gate.address(listener_id=LISTENER, session_id=SESSION, until=NOON)
    assert address.startswith("https://refrain.example/play/")
    capability = capability_of(address)
    content = base64.urlsafe_b64decode(capability + "=" * (-len(capability) % 4))
    assert content[:16] == LISTENER.bytes
    assert content[16:32] == SESSION.bytes
    assert int.from_bytes(content[32:37], "big") == int(NOON.timestamp())
    assert len(content) == 37 + gate.MAC_BYTES
    assert gate._read(capability, NOON - timedelta(seconds=1)) == (LISTENER, SESSION)
    with pytest.raises(AddressExpired):
        gate._read(capability, NOON)


def test_every_byte_and_every_bit_of_a_capability_counts() -> None:
    capability = capability_of(gate.address(listener_id=LISTENER, session_id=SESSION, until=NOON))
    content = bytearray(base64.urlsafe_b64decode(capability + "=" * (-len(capability) % 4)))
    before = NOON - timedelta(days=1)
    for place in range(len(content)):
        for bit in range(8):
            altered = bytearray(content)
            altered[place] ^= 1 << bit
            with pytest.raises(NotFound):
                gate._read(base64.urlsafe_b64encode(altered).decode().rstrip("="), before)


@pytest.mark.parametrize(
    "writing",
    [
        lambda text: text + "=",
        lambda text: text + "==",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:10] + "\n" + text[10:],
        lambda text: text[:10] + "!" + text[10:],
        lambda text: text[:10] + "é" + text[10:],
        lambda text: text + "A",
        lambda text: text[:-1] + chr(ord(text[-1]) + 1),
        lambda text: text[:0],
        lambda text: text[:0] + "=",
        lambda text: text[:0] + "A",
    ],
)
def test_a_capability_has_one_writing(writing) -> None:
    capability = capability_of(gate.address(listener_id=LISTENER, session_id=SESSION, until=NOON))
    with pytest.raises(NotFound):
        gate._read(writing(capability), NOON - timedelta(days=1))


def test_another_secret_signs_other_addresses(settings) -> None:
    capability = capability_of(gate.address(listener_id=LISTENER, session_id=SESSION, until=NOON))
    gate._key.cache_clear()
    settings.SECRET_KEY = "another-secret-of-another-installation-0123456789"
    try:
        with pytest.raises(NotFound):
            gate._read(capability, NOON - timedelta(days=1))
    finally:
        gate._key.cache_clear()


@pytest.fixture
def sitting(db: None) -> Session:
    """Give Lena's session of a track of three minutes, not charged."""
    work = cast.track(cast.creator(cast.person("ana")))
    lena = cast.person("lena")
    cast.top_up(lena, 2_000)
    begun, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())
    return Session.objects.get(id=begun.id)


def load(session: Session, *, growing: bool = False) -> str:
    address = gate.address(listener_id=session.listener_id, session_id=session.id, until=session.playlist_until)
    return gate.playlist(capability=capability_of(address), growing=growing, now=clock.now())


def test_a_session_opens_with_its_charge(sitting: Session) -> None:
    assert load(sitting).count("#EXTINF") == 10
    charging.charge_session(person_id=sitting.listener_id, session_id=sitting.id, price_micros=2_000)
    assert load(sitting).count("#EXTINF") == 36


def test_a_purchase_opens_a_session_that_was_not_charged(sitting: Session) -> None:
    charging.purchase(
        person_id=sitting.listener_id, work_id=sitting.work_id, price_micros=1_022_000, key="k", now=clock.now()
    )
    assert load(sitting).count("#EXTINF") == 36


def test_a_playlist_costs_four_queries(sitting: Session) -> None:
    load(sitting)
    now = clock.now()
    address = gate.address(listener_id=sitting.listener_id, session_id=sitting.id, until=sitting.playlist_until)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        gate.playlist(capability=capability_of(address), growing=False, now=now)
    tables = [query["sql"].split('FROM "')[1].split('"')[0] for query in asked.captured_queries]
    assert tables == ["playback_session", "playback_holding", "catalog_work", "catalog_rendition"]


def test_an_address_for_a_session_that_is_not_there(sitting: Session) -> None:
    for listener, session in ((sitting.listener_id, uuid4()), (uuid4(), sitting.id)):
        address = gate.address(listener_id=listener, session_id=session, until=sitting.playlist_until)
        with pytest.raises(NotFound):
            gate.playlist(capability=capability_of(address), growing=False, now=clock.now())


def test_loads_are_counted_by_session_and_an_hour(sitting: Session) -> None:
    for _ in range(60):
        load(sitting)
    with pytest.raises(TooManyLoads) as refused:
        load(sitting)
    assert refused.value.extra == {"retry_after_seconds": 600}
    callers.forget_counts()
    load(sitting)


def test_a_session_of_an_owned_work_shows_the_opening_once_ownership_has_ended(sitting: Session) -> None:
    """The purchase was given back: nothing of the session was charged, and it is no longer anybody's."""
    sitting.basis = sessions.OWNED
    sitting.save(update_fields=["basis"])
    assert load(sitting).count("#EXTINF") == 10
