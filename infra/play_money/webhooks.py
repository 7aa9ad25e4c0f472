"""Webhooks: every event is sent, signed, again and again until it is taken."""

import hashlib
import hmac
import http.client
import threading
import time
import urllib.request

from infra.play_money.till import DueEvent, Till

TIMEOUT_SECONDS = 10


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An address that answers with another address has not taken the webhook."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


class Postman(threading.Thread):
    """Sends what the till has queued to one address, oldest first."""

    def __init__(self, *, till: Till, address: str, key: str) -> None:
        super().__init__(name="postman", daemon=True)
        self.till = till
        self.address = address
        self.webhook_key = hmac.new(key.encode(), b"webhook", hashlib.sha256).hexdigest().encode()
        # Straight to the address: a proxy named in the environment is not for this machine's own ports.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)
        self._woken = threading.Event()
        self._ending = threading.Event()

    def wake(self) -> None:
        """Say that something was queued."""
        self._woken.set()

    def end(self) -> None:
        """Stop after the webhook that is under way; what waits stays queued in the till."""
        self._ending.set()
        self._woken.set()
        self.join(TIMEOUT_SECONDS + 1)

    def run(self) -> None:
        """Send until told to end."""
        while not self._ending.is_set():
            self._woken.clear()
            for event in self.till.due_events():
                if self._ending.is_set():
                    return
                if self._is_taken(event):
                    self.till.delivered(event)
                else:
                    self.till.refused(event)
            if not self._ending.is_set():
                self._woken.wait(self.till.seconds_until_due())

    def _is_taken(self, event: DueEvent) -> bool:
        body = event.body.encode()
        stamp = str(int(time.time()))
        seal = hmac.new(self.webhook_key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Refrain-Signature": f"t={stamp},v1={seal}"}
        request = urllib.request.Request(self.address, data=body, headers=headers, method="POST")  # noqa: S310 - from our start
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return 200 <= answer.status < 300
        except (http.client.HTTPException, OSError) as error:
            print(f"webhook of event {event.id}, attempt {event.attempts + 1}: {error}", flush=True)
            return False
