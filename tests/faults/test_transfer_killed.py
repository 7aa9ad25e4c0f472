"""The web server is killed while a file is being sent: what it said has arrived is there, and the rest goes on."""

import base64
import hashlib
import http.client
import random
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from infra.throwaway import manage
from tests.faults.house import House

pytestmark = pytest.mark.xdist_group("faults")
PART_BYTES = 16_000_000
SIZE = 40_000_000
PIECE = "application/offset+octet-stream"
# Somebody with a profile, and a token of hers.
TOKEN = """
from catalog import profiles
from members import clock, tokens
from members.models import Person
ana = Person.objects.create_user('ana@transfer.example', None, name='Ana')
profiles.found(person_id=ana.id, name='Ana', now=clock.now())
print(tokens.mint(person_id=ana.id, scopes={'publish'}, name='x', now=clock.now())[1])
"""


def ask(house: House, token: str, method: str, path: str, body: Any = b"", **headers: str) -> http.client.HTTPResponse:
    line = http.client.HTTPConnection("127.0.0.1", house.port, timeout=60)
    known = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request(method, path, body=body, headers={**known, **named})
    answer = line.getresponse()
    answer.content = answer.read()  # type: ignore[attr-defined]
    line.close()
    return answer


def send_until(house: House, token: str, where: str, offset: int, body: bytes) -> socket.socket:
    """Send the head of a request for all that is left, and `body`, which is only a part of it."""
    head = (
        f"PATCH {where} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n"
        f"Upload-Offset: {offset}\r\nContent-Type: {PIECE}\r\nContent-Length: {SIZE - offset}\r\n\r\n"
    )
    line = socket.create_connection(("127.0.0.1", house.port), timeout=30)
    line.sendall(head.encode() + body)
    return line


def test_the_server_dies_in_the_middle_of_a_piece(house: House) -> None:
    token = manage(house.stack, "shell", "-v", "0", "-c", TOKEN, as_owner=True).split()[-1]
    content = random.Random(7).randbytes(SIZE)
    name = base64.b64encode(b"long.flac").decode()
    begun = ask(house, token, "POST", "/api/v1/transfers", Upload_Length=str(SIZE), Upload_Metadata=f"filename {name}")
    assert begun.status == 201
    where = begun.headers["Location"]
    transfer_id = where.rpartition("/")[2]
    row = "SELECT offset_bytes, state, jsonb_array_length(parts) FROM catalog_transfer WHERE id = %s"

    # All in one request, of which a part and a half has arrived when every process of the server is killed.
    line = send_until(house, token, where, 0, content[: PART_BYTES + PART_BYTES // 2])
    give_up_at = time.monotonic() + 60
    while house.query(row, transfer_id)[0][0] < PART_BYTES:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    house.kill_web()
    line.close()
    assert house.query(row, transfer_id) == [(PART_BYTES, "sending", 1)]

    house.serve()
    head = ask(house, token, "HEAD", where)
    assert (head.status, head.headers["Upload-Offset"]) == (200, str(PART_BYTES))

    # A line that breaks while the server lives loses nothing at all of what had arrived.
    line = send_until(house, token, where, PART_BYTES, content[PART_BYTES : PART_BYTES + 1_000_000])
    time.sleep(0.5)
    line.close()
    while house.query(row, transfer_id)[0][0] < PART_BYTES + 1_000_000:
        assert time.monotonic() < give_up_at + 30
        time.sleep(0.02)

    offset = PART_BYTES + 1_000_000
    last = ask(
        house,
        token,
        "PATCH",
        where,
        content[offset:],
        Upload_Offset=str(offset),
        Content_Type=PIECE,
    )
    assert (last.status, last.headers["Upload-Offset"]) == (204, str(SIZE))
    assert house.query(row, transfer_id)[0][1] == "complete"
    parts = house.query("SELECT parts FROM catalog_transfer WHERE id = %s", transfer_id)[0][0]
    folder = Path(house.stack.env()["REFRAIN_STORE_DIR"]) / "parts" / transfer_id
    digest = hashlib.sha256()
    for part, size in parts:
        piece = (folder / part).read_bytes()
        assert len(piece) == size
        digest.update(piece)
    assert digest.digest() == hashlib.sha256(content).digest()
