"""Lena listens to Ana's track and pays for it, by her program: what the tests of the API tell."""

import json
from typing import Any

from catalog.models import Work
from tests import cast
from tests.callers import Caller

STEPS = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000]
WHOLE = sum(STEPS)
EURO = 1_000_000


class Story:
    """Lena listens to Ana's track of three minutes, with 20.00 in her wallet."""

    def __init__(self) -> None:
        self.lena, self.ana = cast.person("lena"), cast.person("ana")
        self.profile = cast.creator(self.ana)
        self.work = cast.track(self.profile)
        cast.top_up(self.lena, 2_000)
        self.ask = Caller(self.lena)

    def begin(self, work: Work | None = None) -> dict[str, Any]:
        return json.loads(self.ask.post("sessions", {"work": str((work or self.work).id)}).content)

    def charge(self, session: dict[str, Any], price: int | None = None) -> Any:
        asked = session["price_micros"] if price is None else price
        return self.ask.post(f"sessions/{session['id']}/charge", {"price_micros": asked})

    def play(self, work: Work | None = None) -> dict[str, Any]:
        """Hear a work to its end and pay for it."""
        session = self.begin(work)
        answer = self.charge(session)
        assert answer.status_code == 200, answer.content
        ended = self.ask.post(f"sessions/{session['id']}/progress", {"position_seconds": 180, "state": "completed"})
        assert ended.status_code == 204
        return json.loads(answer.content)


def said(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)
