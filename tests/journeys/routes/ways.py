"""How the table of all addresses is written: a line is a method of an address, and what it answers to whom.

`other` is what somebody else is answered, signed in and with every scope: 404 where a thing is not theirs, 403 where
it is the staff's, None where everybody has a thing of their own at that address, a wallet for instance. Words in
braces are things of test_strangers.py's world; {nothing} is an id that nothing has.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Way:
    """One method of one address; `stranger` is what is answered to who is not signed in."""

    method: str
    path: str
    stranger: int
    scope: str | None = None
    other: int | None = None
    body: dict[str, Any] = field(default_factory=dict)


def everyone(method: str, path: str, other: int = 200, /, **body: Any) -> Way:
    """Return a way of the API that is open to everyone."""
    return Way(method=method, path=f"/api/v1/{path}", stranger=other, other=other, body=body)


def scoped(scope: str, method: str, path: str, other: int | None = None, /, **body: Any) -> Way:
    """Return a way of the API for tokens with a scope: a stranger is told to sign in."""
    return Way(method=method, path=f"/api/v1/{path}", scope=scope, stranger=401, other=other, body=body)


def page(path: str, answer: int = 200, /) -> Way:
    """Return a page that is the same for everybody."""
    return Way(method="GET", path=path, stranger=answer, other=answer)


def entrance(path: str, /) -> Way:
    """Return a page around the sign-in: a stranger reads it, and somebody signed in has passed it."""
    return Way(method="GET", path=path, stranger=200)


def mine(path: str, /) -> Way:
    """Return a page that everybody has: a stranger is led to the sign-in."""
    return Way(method="GET", path=path, stranger=302)


def theirs(path: str, /) -> Way:
    """Return a page of one person or profile: for anybody else there is none."""
    return Way(method="GET", path=path, stranger=302, other=404)


def staffs(path: str, /) -> Way:
    """Return a page of the staff."""
    return Way(method="GET", path=path, stranger=302, other=403)


def form(path: str, other: int | None = None, /, *, stranger: int = 302, **body: Any) -> Way:
    """Return what a form sends: a stranger is led to the sign-in."""
    return Way(method="POST", path=path, stranger=stranger, other=other, body=body)
