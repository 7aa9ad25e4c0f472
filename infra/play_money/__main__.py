"""Serves the till over HTTP: python -m infra.play_money --port PORT --state FILE.

The key that callers show comes from REFRAIN_GATEWAY_KEY, the address of the webhook from REFRAIN_BASE_URL.
"""

import argparse
import hmac
import html
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from infra.play_money.till import (
    AlreadyEndedError,
    Checkout,
    NotRefundableError,
    Order,
    ReferenceReusedError,
    Till,
    UnknownCheckoutError,
)
from infra.play_money.webhooks import Postman

BODY_BYTES_MAX = 65_536
CENTS_MAX = 10_000_000
CHECKOUT_PATH = re.compile(r"/checkouts/([0-9a-f-]{36})(?:/(pay|cancel|settle))?")
REFUNDS_PATH = re.compile(r"/checkouts/([0-9a-f-]{36})/refunds-(accepted|refused|too-old)")
CHARGEBACKS_PATH = re.compile(r"/checkouts/([0-9a-f-]{36})/chargeback-(opened|won|lost)")
REFUND_FIELDS = {"reference": str, "checkout": str, "amount_cents": int}
WEB_ADDRESS = re.compile(r"https?://[!-~]+")
PAGE = (Path(__file__).parent / "checkout.html").read_text()


class RefusedError(Exception):
    """The request is refused, with a status and a sentence."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def read_order(body: bytes) -> Order:
    """Return the order in a request's body. Raises RefusedError naming what is wrong with it."""
    try:
        said = json.loads(body)
    except ValueError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    names = set(Order.__dataclass_fields__)
    if not isinstance(said, dict) or set(said) != names:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body must have exactly {', '.join(sorted(names))}")
    amount = said["amount_cents"]
    if type(amount) is not int or not 0 < amount <= CENTS_MAX:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"amount_cents must be a whole number from 1 to {CENTS_MAX}")
    for name in names - {"amount_cents"}:
        if not isinstance(said[name], str) or not said[name]:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{name} must be text")
    if not WEB_ADDRESS.fullmatch(said["return_url"]):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "return_url must be a web address")
    return Order(**said)


def read_refund(body: bytes) -> dict[str, Any]:
    """Return what is to be refunded. Raises RefusedError naming what is wrong with it."""
    try:
        said = json.loads(body)
    except ValueError:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(said, dict) or {name: type(value) for name, value in said.items()} != REFUND_FIELDS:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body must have exactly {', '.join(sorted(REFUND_FIELDS))}")
    if not 0 < said["amount_cents"] <= CENTS_MAX:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"amount_cents must be a whole number from 1 to {CENTS_MAX}")
    return said


class Gateway(ThreadingHTTPServer):
    """The server, with its till and its postman."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, *, till: Till, postman: Postman, key: str) -> None:
        super().__init__(("127.0.0.1", port), Conversation)
        self.till = till
        self.postman = postman
        self.key = key
        self.url = f"http://127.0.0.1:{self.server_port}"


class Conversation(BaseHTTPRequestHandler):
    """One connection."""

    server: Gateway
    protocol_version = "HTTP/1.1"
    server_version = "play-money"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """Show a checkout's page, or list events."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Open, pay, cancel or settle a checkout."""
        self._answer(self._post)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing of requests: the paths would be all there is."""

    def _answer(self, reply: Callable[[SplitResult, bytes], None]) -> None:
        try:
            reply(urlsplit(self.path), self._body())
        except RefusedError as refusal:
            self._send_json(refusal.status, {"error": str(refusal)})
        except UnknownCheckoutError as refusal:
            self._send_json(HTTPStatus.NOT_FOUND, {"error": str(refusal)})
        except (ReferenceReusedError, AlreadyEndedError, NotRefundableError) as refusal:
            self._send_json(HTTPStatus.CONFLICT, {"error": str(refusal)})

    def _get(self, address: SplitResult, _body: bytes) -> None:
        if address.path == "/events":
            self._check_key()
            since = parse_qs(address.query).get("since", ["0"])[0]
            if not (since.isascii() and since.isdigit() and len(since) <= 12):
                raise RefusedError(HTTPStatus.BAD_REQUEST, "since must be a time in whole seconds")
            self._send_json(HTTPStatus.OK, {"events": self.server.till.events(since=int(since))})
        elif (match := CHECKOUT_PATH.fullmatch(address.path)) and not match[2]:
            self._send_page(match[1])
        else:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _post(self, address: SplitResult, body: bytes) -> None:
        if address.path == "/checkouts":
            self._check_key()
            checkout, is_new = self.server.till.open(read_order(body))
            status = HTTPStatus.CREATED if is_new else HTTPStatus.OK
            self._send_json(status, {"id": checkout.id, "url": f"{self.server.url}/checkouts/{checkout.id}"})
        elif address.path == "/refunds":
            self._check_key()
            self._refund(read_refund(body))
        elif match := REFUNDS_PATH.fullmatch(address.path):
            # The payer's page decides it, as it decides everything here: none of it is money.
            self.server.till.answer_refunds(match[1], match[2])
            self._send(HTTPStatus.SEE_OTHER, b"", {"Location": f"/checkouts/{match[1]}"})
        elif match := CHARGEBACKS_PATH.fullmatch(address.path):
            self.server.till.charge_back(match[1], match[2])
            self.server.postman.wake()
            self._send(HTTPStatus.SEE_OTHER, b"", {"Location": f"/checkouts/{match[1]}"})
        elif (match := CHECKOUT_PATH.fullmatch(address.path)) and match[2]:
            if match[2] == "settle":
                self._check_key()
                checkout = self._end(match[1], "paid")
                self._send_json(HTTPStatus.OK, {"id": checkout.id, "state": checkout.state})
            else:
                self._end_by_its_page(match[1], "paid" if match[2] == "pay" else "canceled")
        else:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _refund(self, asked: dict[str, Any]) -> None:
        """Take a refund on; whether it is made, its event tells. Too old is known at once."""
        made, is_new = self.server.till.refund(
            reference=asked["reference"], checkout_id=asked["checkout"], amount_cents=asked["amount_cents"]
        )
        self.server.postman.wake()
        state = made.state if made.state == "too-old" or not is_new else "pending"
        self._send_json(HTTPStatus.CREATED if is_new else HTTPStatus.OK, {"id": made.id, "state": state})

    def _end(self, checkout_id: str, state: str) -> Checkout:
        checkout = self.server.till.end(checkout_id, state)
        self.server.postman.wake()
        return checkout

    def _end_by_its_page(self, checkout_id: str, state: str) -> None:
        try:
            target = self._end(checkout_id, state).order.return_url
        except AlreadyEndedError:
            target = f"/checkouts/{checkout_id}"  # The page tells how it ended before.
        self._send(HTTPStatus.SEE_OTHER, b"", {"Location": target})

    def _check_key(self) -> None:
        expected = f"Bearer {self.server.key}".encode()
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode("latin-1"), expected):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "the key is missing or wrong")

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {BODY_BYTES_MAX} bytes")
        return self.rfile.read(int(length))

    def _send_page(self, checkout_id: str) -> None:
        checkout = self.server.till.find(checkout_id)
        order = checkout.order
        words = {
            "amount": f"{order.amount_cents // 100}.{order.amount_cents % 100:02d} {order.currency}",
            "reference": order.reference,
            "state": checkout.state,
            "return_url": order.return_url,
            "path": f"/checkouts/{checkout.id}",
            "refunds": checkout.refunds,
        }
        page = re.sub(r"\[\[(\w+)\]\]", lambda place: html.escape(words[place[1]]), PAGE)
        # A form that answers with a redirect needs the place it leads to among those that forms may reach.
        target = urlsplit(order.return_url)
        policy = f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {target.scheme}://{target.netloc}"
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'; base-uri 'none'",
        }
        self._send(HTTPStatus.OK, page.encode(), headers)

    def _send_json(self, status: HTTPStatus, said: object) -> None:
        self._send(status, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = argparse.ArgumentParser(prog="python -m infra.play_money", description=__doc__)
    arguments.add_argument("--port", type=int, required=True)
    arguments.add_argument("--state", type=Path, required=True, help="the file that keeps checkouts and events")
    chosen = arguments.parse_args()
    key, base_url = os.environ.get("REFRAIN_GATEWAY_KEY", ""), os.environ.get("REFRAIN_BASE_URL", "")
    if not key or not base_url:
        sys.exit("REFRAIN_GATEWAY_KEY and REFRAIN_BASE_URL must be set")
    till = Till(chosen.state)
    postman = Postman(till=till, address=f"{base_url}/webhooks/gateway", key=key)
    gateway = Gateway(chosen.port, till=till, postman=postman, key=key)

    def stop(*_signal: object) -> None:
        # shutdown() waits for the serving loop, which runs in this very thread.
        threading.Thread(target=gateway.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    postman.start()
    print(f"play money at {gateway.url}, webhooks to {postman.address}", flush=True)
    gateway.serve_forever(poll_interval=0.1)
    gateway.server_close()
    postman.end()
    till.close()


main()
