"""Letters: what a notice says, laid out once and read twice: as text, and as HTML in the face of the pages.

A letter has a few sentences, perhaps some facts and one thing to do. Its addresses are whole, for it is read far away
from here; it loads nothing, so that no opening of it is ever counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

from members import notices


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is written: `paragraphs` before the facts and the act, `after` beneath them. `path` begins with a slash."""

    subject: str
    paragraphs: Sequence[str]
    facts: Sequence[tuple[str, str]] = ()
    act: str = ""
    path: str = ""
    after: Sequence[str] = ()

    def text(self) -> str:
        """Return the letter as plain text."""
        return render_to_string("mail/letter.txt", self._context()).strip() + "\n"

    def html(self) -> str:
        """Return the letter as HTML."""
        return render_to_string("mail/letter.html", self._context())

    def _context(self) -> dict[str, object]:
        base = settings.BASE_URL.rstrip("/")
        return {"letter": self, "address": f"{base}{self.path}" if self.path else "", "home": base}


def send(letter: Letter, *, person_id: UUID, key: str, now: datetime) -> None:
    """Write the letter to a person once per `key`; the worker sends it."""
    notices.write(person_id=person_id, key=key, subject=letter.subject, body=letter.text(), html=letter.html(), now=now)


def send_to(letter: Letter, *, address: str, key: str, now: datetime) -> None:
    """Write the letter to an address once per `key`; the worker sends it."""
    notices.write_to(address=address, key=key, subject=letter.subject, body=letter.text(), html=letter.html(), now=now)


def send_to_people(letter: Letter, person_ids: Iterable[UUID], *, topic: str, now: datetime) -> None:
    """Write one letter, the same to all, once to each person per `topic`; the worker sends them."""
    text, html = letter.text(), letter.html()
    notices.write_to_people(person_ids, topic=topic, subject=letter.subject, body=text, html=html, now=now)
