"""Refusals as people and programs read them: RFC 9457 problems whose type ends in the slug of the rule.

The core raises a Problem where a thing cannot be done; the edges turn it into an answer. Nothing else is an answer
to a mistake: an exception that is no Problem is a fault of ours and is logged as one.
"""

from typing import Any


class Problem(Exception):
    """Something could not be done. `slug` names the rule, `detail` says it in a sentence, `extra` carries figures."""

    slug = "refused"
    status = 400
    title = "This cannot be done"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra = extra

    def content(self) -> dict[str, Any]:
        """Return the problem's members (RFC 9457, section 3)."""
        return {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


class NotFound(Problem):
    """What was asked for is not there, or not yours to know."""

    slug, status, title = "not-found", 404, "There is nothing here"


class NotAllowed(Problem):
    """The person may not do this."""

    slug, status, title = "not-allowed", 403, "You may not do this"


class Invalid(Problem):
    """The request cannot be read; `fields` says which part and why."""

    slug, status, title = "invalid", 400, "The request cannot be read"
