"""The gate's holes, tried from outside on both stores: real sound, the production server, a real S3.

Before the charge not a byte beyond the opening can be had; after it, the whole; and no longer than the address lives.
"""

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import pytest
import requests
from django.core.management import call_command
from django.test import override_settings

from catalog import delivery, ingest, publishing
from catalog.intake import receiving
from catalog.models import Rendition, Work
from members import clock, tokens
from playback import gate, reversals
from playback.models import Charge, Session
from tests import callers, cast, media
from tests.playback.ground import Ear, Ground, fetch, load, seconds_of
from tests.site import Site, committing, on_disk

pytestmark = pytest.mark.xdist_group("gate")

SECONDS, OPEN_SECONDS = 100, 50


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def published(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Work, Path]:
    """Publish a recording that was really taken in; return its work and the folder with all that the store has of it.

    Taken in once for both stores: which one it goes to changes nothing of its bytes.
    """
    folder, ana, now = tmp_path_factory.mktemp("published") / "store", cast.person("ana"), clock.now()
    with override_settings(**on_disk(folder)):
        upload = receiving.receive(
            person_id=ana.id,
            creator_id=cast.creator(ana).id,
            filename="A hundred seconds.flac",
            chunks=media.chunks(media.make("flac", seconds=SECONDS)),
            now=now,
        )
        while ingest.advance(upload_id=upload.id, now=now):
            pass
    upload.refresh_from_db()
    assert upload.work_id is not None, upload.reason
    return publishing.publish(work_id=upload.work_id, person_id=ana.id, now=now), folder


@pytest.fixture(scope="module", params=["local", "s3"])
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, published: tuple[Work, Path]
) -> Iterator[Ground]:
    work, folder = published
    env, s3 = {"REFRAIN_STORE_DIR": str(folder)}, None
    if request.param == "s3":
        s3 = request.getfixturevalue("s3")
        env = {
            "REFRAIN_STORE": "s3",
            "REFRAIN_S3_ENDPOINT": s3.endpoint,
            "REFRAIN_S3_ACCESS_KEY": s3.access_key,
            "REFRAIN_S3_SECRET_KEY": s3.secret_key,
        }
        for key in media.files_under(folder):
            s3.client().put_object(Bucket=s3.bucket, Key=key, Body=(folder / key).read_bytes())
    site = Site(tmp_path_factory.mktemp("gate"), env=env)
    try:
        site.serve()
        ana = work.uploads.get().person
        yield Ground(site=site, store=request.param, folder=folder, s3=s3, work_id=work.id, creator=ana)
    finally:
        site.stop()


@pytest.fixture(autouse=True)
def _fresh(ground: Ground) -> Iterator[None]:
    """Begin with empty counters; leave the work, the clock and the counters as they were."""
    callers.forget_counts()
    yield
    clock.set_offset(timedelta(0))
    Work.objects.filter(id=ground.work_id).update(state="published", off_at=None)


@pytest.fixture
def ear(ground: Ground) -> Ear:
    return Ear(ground)


def test_before_the_charge_the_opening_is_all_there_is(ground: Ground, ear: Ear) -> None:
    session = ear.begin()
    assert (session["free_seconds"], session["open_seconds"]) == (45.0, pytest.approx(OPEN_SECONDS, abs=0.05))
    for growing in (False, True):
        found = load(session["playlist_url"], growing=growing)
        assert found.is_ended is not growing
        listed = [ground.key_of(found.init), *(ground.key_of(entry.url) for entry in found.entries)]
        assert listed == ground.keys()[: len(listed)]
        assert sum(entry.seconds for entry in found.entries) <= session["open_seconds"]
        # Each of them is a file of its own, so that no range of it can reach beyond.
        assert [entry.length for entry in found.entries] == [None] * 10
        for entry in found.entries:
            assert fetch(entry) == ground.stored(ground.key_of(entry.url))
    assert seconds_of(session["playlist_url"]) == pytest.approx(session["open_seconds"], abs=0.1)


def test_after_the_charge_the_whole_is_there(ground: Ground, ear: Ear) -> None:
    session = ear.begin()
    opening = load(session["playlist_url"], growing=True)
    answer = ear.charge(session)
    assert answer["playlist_url"] == session["playlist_url"]
    whole = load(session["playlist_url"])
    assert whole.is_ended
    assert sum(entry.seconds for entry in whole.entries) == pytest.approx(SECONDS, abs=0.1)
    sound = b"".join([requests.get(whole.init, timeout=10).content, *(fetch(entry) for entry in whole.entries)])
    assert sound == b"".join(map(ground.stored, ground.keys()))
    # The last minute is one file, read by ranges.
    assert [entry.length is None for entry in whole.entries] == [True] * 14 + [False] * 6
    assert seconds_of(session["playlist_url"]) == pytest.approx(SECONDS, abs=0.15)
    grown = load(session["playlist_url"], growing=True)
    # What was shown stays; only signatures may be younger, if ten minutes have turned in between.
    assert ground.unsigned(grown.text).startswith(ground.unsigned(opening.text))
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in grown.text
    assert grown.is_ended


def test_no_address_of_a_later_file_can_be_made_from_those_of_the_opening(ground: Ground, ear: Ear) -> None:
    listed = load(ear.begin()["playlist_url"])
    known = [listed.init, *(entry.url for entry in listed.entries)]
    secret = [
        key for kind in ("hls-128", "hls-256") for key in ground.keys(kind) if key not in map(ground.key_of, known)
    ]
    secret.append(f"originals/{Work.objects.get(id=ground.work_id).uploads.get().id}")
    assert len(secret) == 5 + 16 + 1
    tried, line = 0, requests.Session()
    for key in secret:
        content = ground.stored(key)
        for url in (known[0], known[-1]):
            parts = urlsplit(url)
            for path in (
                parts.path.replace(ground.key_of(url), key),
                f"{parts.path}/../{key.rpartition('/')[2]}",
                f"{parts.path}%2f..%2f{key.rpartition('/')[2]}",
                f"{parts.path}?/../{key}",
                f"/{key}",
            ):
                for query in (parts.query, ""):
                    prepared = requests.Request("GET", "http://placeholder/").prepare()
                    prepared.url = urlunsplit(parts._replace(path=path, query=query))
                    answer = line.send(prepared, timeout=10)
                    assert answer.status_code in (400, 403, 404), (prepared.url, answer.status_code)
                    assert content[:64] not in answer.content
                    tried += 1
    assert tried == 22 * 2 * 10


def test_no_range_reaches_beyond_a_file_of_the_opening(ground: Ground, ear: Ear) -> None:
    listed = load(ear.begin()["playlist_url"])
    for entry in (listed.entries[0], listed.entries[-1]):
        content = ground.stored(ground.key_of(entry.url))
        size = len(content)
        for asked, expected in (
            ("bytes=0-", content),
            (f"bytes={size - 1}-", content[-1:]),
            (f"bytes=0-{size * 1000}", content),
            (f"bytes=-{size * 1000}", content),
            ("bytes=10-19", content[10:20]),
            ("bytes=-7", content[-7:]),
        ):
            answer = requests.get(entry.url, headers={"Range": asked}, timeout=10)
            assert (answer.status_code, answer.content) == (206, expected), asked
        for asked in (f"bytes={size}-", f"bytes={size}-{size * 2}", f"bytes={10**17}-"):
            answer = requests.get(entry.url, headers={"Range": asked}, timeout=10)
            assert answer.status_code == 416
            assert content[:64] not in answer.content
        for asked in ("bytes=5-2", "bytes=a-b", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "bytes=" + "9" * 50 + "-"):
            answer = requests.get(entry.url, headers={"Range": asked}, timeout=10)
            assert answer.status_code in (200, 206, 400, 416), asked
            if "multipart" not in answer.headers.get("Content-Type", "") and answer.ok:
                assert answer.content in content


def flipped(text: str, place: int) -> str:
    """Return the text with another character of the same alphabet at this place."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[(alphabet.index(text[place]) + 1) % len(alphabet)]
    return text[:place] + other + text[place + 1 :]


def test_a_capability_altered_anywhere_opens_nothing(ground: Ground, ear: Ear) -> None:
    address = ear.begin()["playlist_url"]
    head, _, name = address.rpartition("/")
    capability = name.removesuffix(".m3u8")
    content = base64.urlsafe_b64decode(capability + "=" * (-len(capability) % 4))
    wrong = [flipped(capability, place) for place in range(len(capability))]
    wrong += [capability[:length] for length in range(len(capability))]
    wrong += [capability + more for more in ("=", "==", "A", "%0a", "%20", "%00", ".m3u8", "é")]
    wrong += [capability.lower(), capability.swapcase(), f"%20{capability}", "A" * len(capability), "-" * 5000]
    wrong += [base64.b16encode(content).decode(), base64.b32encode(content).decode().rstrip("=")]
    # The same bytes with the last, unused bits of the base64 set: another writing, which is refused too.
    wrong += [capability[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if last != capability[-1]]
    # A longer life, another listener, another session, the opening of the work: all under the old signature.
    later = (int.from_bytes(content[32:37], "big") + 86_400).to_bytes(5, "big")
    for body in (
        content[:32] + later,
        uuid4().bytes + content[16:37],
        content[:16] + uuid4().bytes + content[32:37],
        bytes(16) + content[16:37],
        bytes(16) + ground.work_id.bytes + content[32:37],
    ):
        wrong.append(base64.urlsafe_b64encode(body + content[37:]).decode().rstrip("="))
    line = requests.Session()
    for one in dict.fromkeys(wrong):
        answer = line.get(f"{head}/{one}.m3u8", timeout=10)
        assert answer.status_code == 404, one
        assert "#EXTM3U" not in answer.text
    load(address)


def test_one_listeners_charge_opens_nothing_for_another(ground: Ground, ear: Ear) -> None:
    other = Ear(ground)
    theirs, mine = other.begin(), ear.begin()
    other.charge(theirs)
    assert len(load(theirs["playlist_url"]).entries) == 20
    assert len(load(mine["playlist_url"], growing=True).entries) == 10
    for method, path, body in (
        ("GET", f"/api/v1/sessions/{theirs['id']}", None),
        ("POST", f"/api/v1/sessions/{theirs['id']}/charge", {"price_micros": 2_000}),
        ("POST", f"/api/v1/sessions/{theirs['id']}/progress", {"position_seconds": 99, "state": "completed"}),
    ):
        answer = ground.site.ask(method, path, ear.token, json=body)
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
        assert "playlist" not in answer.text


def test_a_strangers_opening_never_grows(ground: Ground, ear: Ear) -> None:
    opening = ground.site.ask("GET", f"/api/v1/works/{ground.work_id}/opening").json()
    ear.charge(ear.begin())
    for growing in (False, True):
        found = load(opening["playlist_url"], growing=growing)
        assert len(found.entries) == 10
        assert found.is_ended
        assert "#EXT-X-PLAYLIST-TYPE:VOD" in found.text
    assert seconds_of(opening["playlist_url"]) == pytest.approx(OPEN_SECONDS, abs=0.1)


def test_progress_opens_nothing(ground: Ground, ear: Ear) -> None:
    session = ear.begin()
    for state in ("playing", "completed"):
        body = {"position_seconds": 99, "state": state}
        assert ground.site.ask("POST", f"/api/v1/sessions/{session['id']}/progress", ear.token, json=body).ok
        assert len(load(session["playlist_url"], growing=True).entries) == 10


def test_a_refused_charge_opens_nothing(ground: Ground, ear: Ear) -> None:
    session = ear.begin()
    for price in (0, 1_999):
        path = f"/api/v1/sessions/{session['id']}/charge"
        assert ground.site.ask("POST", path, ear.token, json={"price_micros": price}).status_code == 409
        assert len(load(session["playlist_url"], growing=True).entries) == 10


def test_an_old_playlist_address_has_ended(ground: Ground, ear: Ear) -> None:
    """It lives for twice the duration and an hour; a stranger's opening for an hour."""
    session = ear.begin()
    ear.charge(session)
    opening = ground.site.ask("GET", f"/api/v1/works/{ground.work_id}/opening").json()["playlist_url"]
    lives = timedelta(seconds=2 * SECONDS, hours=1)
    clock.set_offset(timedelta(hours=1) - timedelta(seconds=30))
    assert load(opening).is_ended
    clock.set_offset(timedelta(hours=1))
    assert requests.get(opening, timeout=10).status_code == 410
    clock.set_offset(lives - timedelta(seconds=30))
    assert len(load(session["playlist_url"]).entries) == 20
    clock.set_offset(lives)
    answer = requests.get(session["playlist_url"], timeout=10)
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/address-expired")


def test_an_old_address_of_a_segment_has_ended(ground: Ground, ear: Ear) -> None:
    """The store itself refuses it: ours by the co-op's clock, S3 by its own."""
    moment = datetime.now(UTC)
    key = ground.keys()[1]
    with ground.settings():
        stamp = int(moment.timestamp()) // delivery.STEP_SECONDS * delivery.STEP_SECONDS
        left = stamp + 4_200 - moment.timestamp()
        fresh = delivery.sign(key, now=moment)
        # Signed so long ago that it still lives for some seconds, and so long ago that it has just ended.
        old = delivery.sign(key, now=moment - timedelta(seconds=4_200))
    assert 3_600 <= left <= 4_200
    assert requests.get(fresh, timeout=10).content == ground.stored(key)
    refused = requests.get(old, timeout=10)
    assert refused.status_code == (404 if ground.store == "local" else 403)
    assert ground.stored(key)[:64] not in refused.content


def test_an_address_cannot_be_given_a_longer_life(ground: Ground, ear: Ear) -> None:
    url = load(ear.begin()["playlist_url"]).entries[0].url
    if ground.store == "local":
        head, expires, mac, *rest = urlsplit(url).path.strip("/").split("/")
        longer = [f"/{head}/{int(expires) + 1}/{mac}/{'/'.join(rest)}", f"/{head}/{'9' * 30}/{mac}/{'/'.join(rest)}"]
        changed = [f"{ground.site.base_url}{path}?{urlsplit(url).query}" for path in longer]
    else:
        signed = dict(part.split("=") for part in urlsplit(url).query.split("&"))
        date = signed["X-Amz-Date"]
        changed = [
            url.replace("X-Amz-Expires=4200", "X-Amz-Expires=604800"),
            url.replace("X-Amz-Expires=4200", "X-Amz-Expires=4201"),
            url.replace(date, f"{date[:-3]}9Z") if date[-2] != "9" else url.replace(date, f"{date[:-3]}8Z"),
            url.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders="),
            url.replace("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Brange"),
            url.replace(signed["X-Amz-Credential"], signed["X-Amz-Credential"].replace("refrain", "admin", 1)),
            url.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
            url.partition("?")[0],
        ]
        mac = signed["X-Amz-Signature"]
        changed += [url.replace(mac, mac[:-1]), url.replace(mac, mac.upper() if mac != mac.upper() else "0" * 64)]
    for place in (0, 7, len(mac) - 1):
        changed.append(url.replace(mac, mac[:place] + ("0" if mac[place] != "0" else "1") + mac[place + 1 :]))
    for one in changed:
        assert one != url
        answer = requests.get(one, timeout=10)
        assert answer.status_code in (400, 403, 404), one
    assert requests.get(url, timeout=10).status_code == 200


def test_a_charge_given_back_ends_the_playlist(ground: Ground, ear: Ear) -> None:
    session = ear.begin()
    ear.charge(session)
    load(session["playlist_url"])
    charge = Charge.objects.get(listener_id=ear.person.id)
    reversals.reverse(
        listener_id=ear.person.id, charge_id=charge.id, staff_id=cast.treasurer().id, reason="A test.", now=clock.now()
    )
    for growing in (False, True):
        answer = requests.get(session["playlist_url"], params={"growing": "1"} if growing else None, timeout=10)
        assert (answer.status_code, answer.json()["type"]) == (410, "/problems/address-expired")
    again = ear.begin()
    assert again["id"] != session["id"]
    assert len(load(again["playlist_url"]).entries) == 10


@pytest.mark.parametrize("state", ["suspended", "off"])
def test_a_work_that_is_no_longer_there(ground: Ground, ear: Ear, state: str) -> None:
    """Suspended, it ends for everyone but its people; taken off, who has paid hears it to the end."""
    opening = ground.site.ask("GET", f"/api/v1/works/{ground.work_id}/opening").json()["playlist_url"]
    session = ear.begin()
    ear.charge(session)
    own = Ear(ground)
    own.token = callers.token(ground.creator, "listen")
    own_session = own.begin()
    Work.objects.filter(id=ground.work_id).update(state=state, off_at=clock.now())
    answer = requests.get(opening, timeout=10)
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/address-expired")
    answer = requests.get(session["playlist_url"], timeout=10)
    assert answer.status_code == (410 if state == "suspended" else 200)
    assert len(load(own_session["playlist_url"]).entries) == 20


def test_people_of_the_work_hear_the_better_sound(ground: Ground, ear: Ear) -> None:
    ear.token = callers.token(ground.creator, "listen")
    listed = load(ear.begin()["playlist_url"])
    keys = [ground.key_of(listed.init), *(ground.key_of(entry.url) for entry in listed.entries)]
    assert list(dict.fromkeys(keys)) == ground.keys("hls-256")


def test_an_address_is_loaded_sixty_times_an_hour(ground: Ground, ear: Ear) -> None:
    session, other = ear.begin(), Ear(ground).begin()
    for _ in range(gate.LOADS_PER_HOUR):
        load(session["playlist_url"])
    answer = requests.get(session["playlist_url"], timeout=10)
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-loads")
    assert answer.headers["Retry-After"] == "600"
    assert answer.headers["Cache-Control"] == "no-store"
    load(other["playlist_url"])


def test_a_session_reads_three_times_the_works_bytes(ground: Ground, ear: Ear) -> None:
    """On the local store; S3 carries its bytes past us (infra/decisions/0004)."""
    session, other = ear.begin(), Ear(ground).begin()
    entry = load(session["playlist_url"]).entries[0]
    if ground.store == "s3":
        assert "meter" not in entry.url
        return
    size = len(fetch(entry))
    most = gate.TIMES_ITS_BYTES * Rendition.objects.get(work_id=ground.work_id, kind="hls-128").size_bytes
    read = size
    # A range counts as what it is, and asking for the length alone is free.
    assert requests.get(entry.url, headers={"Range": "bytes=0-9"}, timeout=10).status_code == 206
    assert requests.head(entry.url, timeout=10).headers["Content-Length"] == str(size)
    read += 10
    while read + size <= most:
        fetch(entry)
        read += size
    answer = requests.get(entry.url, timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert ground.stored(ground.key_of(entry.url))[:64] not in answer.content
    meter = urlsplit(entry.url).query
    assert meter == f"meter={UUID(session['id']).hex}.{most}"
    for query in ("", f"?{meter}9", f"?{meter.replace('meter=', 'meter=0')}", "?meter=", f"?{meter}&meter=x.1"):
        assert requests.get(entry.url.partition("?")[0] + query, timeout=10).status_code == 404
    fetch(load(other["playlist_url"]).entries[0])


def test_the_path_of_a_file_leads_nowhere_else(ground: Ground) -> None:
    """Not even under a signature: it stands for a name in the store and for nothing outside of it."""
    outside = ground.folder.parent / "outside.m4s"
    outside.write_bytes(b"nothing of the store")
    expires = int(datetime.now(UTC).timestamp()) + 600
    for key in (
        "../outside.m4s",
        f"renditions/../../{outside.name}",
        str(outside),
        "/etc/passwd",
        "",
        ".",
        "renditions",
    ):
        mac = delivery.local_mac(key=key, expires=expires)
        for path in (key, key.replace("/", "%2f"), key.replace("..", "%2e%2e")):
            prepared = requests.Request("GET", "http://placeholder/").prepare()
            prepared.url = f"{ground.site.base_url}/files/{expires}/{mac}/{path}"
            answer = requests.Session().send(prepared, timeout=10)
            assert answer.status_code == 404, path
            assert b"nothing of the store" not in answer.content


def test_a_token_without_the_scope_begins_no_session(ground: Ground, ear: Ear) -> None:
    for scope in tokens.Scope:
        if scope is not tokens.Scope.LISTEN:
            token = callers.token(ear.person, scope)
            body = {"work": str(ground.work_id)}
            assert ground.site.ask("POST", "/api/v1/sessions", token, json=body).status_code == 403


def test_the_store_itself_gives_nothing_without_a_signature(ground: Ground) -> None:
    if ground.s3 is None:
        for path in ("store", "files", "media", "internal-store", "renditions", "static/../store"):
            for key in (ground.keys()[1], ground.keys()[-1]):
                assert ground.site.ask("GET", f"/{path}/{key}").status_code == 404
        return
    for path in (
        "",
        f"/{ground.s3.bucket}",
        f"/{ground.s3.bucket}?list-type=2",
        f"/{ground.s3.bucket}/{ground.keys()[-1]}",
    ):
        answer = requests.get(f"{ground.s3.endpoint}{path}", timeout=10)
        assert answer.status_code == 403
        assert ground.stored(ground.keys()[-1])[:64] not in answer.content
        assert "Contents" not in answer.text


# A browser's player: the store is another origin, and answers only where its rule says so.


def test_a_players_page_may_read_from_the_store_and_no_other_page(ground: Ground, ear: Ear) -> None:
    if ground.store == "local":
        # The files come from the pages' own origin, and other origins are told nothing.
        entry = load(ear.begin()["playlist_url"]).entries[0]
        answer = requests.get(entry.url, headers={"Origin": "https://evil.example"}, timeout=10)
        assert "Access-Control-Allow-Origin" not in answer.headers
        return
    with ground.settings():
        call_command("allow_players", stdout=io.StringIO())
    session = ear.begin()
    ear.charge(session)
    entry = load(session["playlist_url"]).entries[-1]
    ours, evil = {"Origin": ground.site.base_url}, {"Origin": "https://evil.example"}
    wanted = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    asked = requests.options(entry.url, headers=ours | wanted, timeout=10)
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] in (ground.site.base_url, "*")
    assert "GET" in asked.headers["Access-Control-Allow-Methods"]
    assert "range" in asked.headers["Access-Control-Allow-Headers"].lower()
    read = requests.get(entry.url, headers=ours | {"Range": "bytes=0-9"}, timeout=10)
    assert (read.status_code, len(read.content)) == (206, 10)
    assert read.headers["Access-Control-Allow-Origin"] in (ground.site.base_url, "*")
    assert requests.options(entry.url, headers=evil | wanted, timeout=10).status_code == 403
    writing = ours | wanted | {"Access-Control-Request-Method": "PUT"}
    assert "PUT" not in requests.options(entry.url, headers=writing, timeout=10).headers.get(
        "Access-Control-Allow-Methods", ""
    )
    assert requests.get(entry.url, headers=evil, timeout=10).headers.get("Access-Control-Allow-Origin") is None


# Photos.


@pytest.fixture
def photo(ground: Ground) -> Work:
    """Give a photo whose pictures lie in the store of the ground."""
    made = cast.photo(cast.creator(cast.person("ana")))
    for row in made.renditions.all():
        for name in [size["file"] for size in row.layout.get("sizes", [row.layout])]:
            ground.put(row.prefix + name, f"picture {row.kind} {name} ".encode() * 20)
    return made


def test_before_its_charge_nothing_of_a_photo_but_the_preview_can_be_had(ground: Ground, ear: Ear, photo: Work) -> None:
    view = photo.renditions.get(kind="view")
    key = f"{view.prefix}view.jpg"
    whole = ground.stored(key)
    session, other = ear.begin(photo), Ear(ground)
    theirs = other.begin(photo)
    preview = session["view_url"]
    assert requests.get(preview, timeout=10).content.startswith(b"picture preview")
    parts = urlsplit(preview)
    line = requests.Session()
    for path in (
        parts.path.replace(ground.key_of(preview), key),
        f"{parts.path}/../../{key}",
        f"{parts.path}%2f..%2f..%2f{key}",
        f"/{key}",
        f"/refrain/{key}",
    ):
        for query in (parts.query, ""):
            prepared = requests.Request("GET", "http://placeholder/").prepare()
            prepared.url = urlunsplit(parts._replace(path=path, query=query))
            answer = line.send(prepared, timeout=10)
            assert answer.status_code in (400, 403, 404), (prepared.url, answer.status_code)
            assert whole[:40] not in answer.content
    for asked in ("bytes=0-99999", "bytes=100-", "bytes=-99999"):
        assert whole[:40] not in requests.get(preview, headers={"Range": asked}, timeout=10).content
    for method, path, body in (
        ("GET", f"/api/v1/sessions/{theirs['id']}", None),
        ("POST", f"/api/v1/sessions/{theirs['id']}/charge", {"price_micros": 2_000}),
    ):
        answer = ground.site.ask(method, path, ear.token, json=body)
        assert (answer.status_code, "view_url" in answer.text) == (404, False)
    other.charge(theirs)
    for address in (
        ground.site.ask("GET", f"/api/v1/sessions/{session['id']}", ear.token).json()["view_url"],
        ground.site.ask("GET", f"/api/v1/works/{photo.id}/opening").json()["view_url"],
    ):
        assert requests.get(address, timeout=10).content.startswith(b"picture preview")


def test_the_address_of_a_whole_photo_lives_ten_minutes_and_no_longer(ground: Ground, ear: Ear, photo: Work) -> None:
    key = f"{photo.renditions.get(kind='view').prefix}view.jpg"
    whole = ground.stored(key)
    session = ear.begin(photo)
    address = ear.charge(session)["view_url"]
    assert requests.get(address, timeout=10).content == whole
    until = Session.objects.get(listener_id=ear.person.id).playlist_until
    if ground.store == "s3":
        signed = dict(part.split("=") for part in urlsplit(address).query.split("&"))
        assert signed["X-Amz-Expires"] == "600"
        begins = datetime.strptime(signed["X-Amz-Date"], "%Y%m%dT%H%M%S%z")
        assert begins + timedelta(seconds=600) == until.replace(microsecond=0)
        longer = [address.replace("X-Amz-Expires=600", "X-Amz-Expires=601")]
    else:
        expires = urlsplit(address).path.split("/")[2]
        assert int(expires) == int(until.timestamp())
        longer = [address.replace(f"/{expires}/", f"/{int(expires) + 1}/")]
    for one in longer:
        assert one != address
        assert requests.get(one, timeout=10).status_code in (403, 404)
    # The store itself says when it is over: ours by the co-op's clock, S3 by its own.
    with ground.settings():
        lapsed = delivery.view_url(
            photo.id, now=datetime.now(UTC) - timedelta(minutes=10, seconds=1), lives=timedelta(minutes=10)
        )
    refused = requests.get(lapsed, timeout=10)
    assert refused.status_code == (404 if ground.store == "local" else 403)
    assert whole[:40] not in refused.content
