"""Pages that no app owns: what a refusal means, the demo's outbox, every page's frame."""

import email
import email.policy
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from infra.demonstration.people import PASSWORD, PEOPLE
from infra.explanations import Explanation, all_explanations, explain
from members import admission
from members.access import NotSignedIn
from members.admission import Staff
from members.problems import NotFound, Problem
from members.requests import is_closed_for, moment_of, person_id_of
from playback import wallets

MAILS_SHOWN = 50
logger = logging.getLogger(__name__)


# The navigation: what everybody sees, and what is there for who is signed in. Credit stands beside it.
OPEN_LINKS = (("Listen", "front"), ("Browse", "catalog:browse"), ("Photos", "catalog:photos"))
LAST_LINKS = (("Co-op", "members:coop"), ("Every euro", "royalties:periods"))
MEMBERS_LINKS = (
    ("Library", "playback:library"),
    ("Feed", "playback:feed"),
    ("Studio", "catalog:studio"),
    ("Account", "members:account"),
)
# What staff look after, at the foot of their pages.
STAFF_LINKS = (
    ("Reports that wait", "catalog:queue", Staff.CATALOGUE),
    ("Treasury", "royalties:treasury", Staff.TREASURER),
    ("Dues and shares", "members:dues-and-shares", Staff.TREASURER),
    ("Secretary", "members:secretary", Staff.SECRETARY),
    ("Expulsions", "members:expulsions", Staff.DIRECTOR),
    ("Transfers", "playback:transfers", Staff.TREASURER),
)
# Which link a page deeper down belongs to.
BELOW = (
    ("Browse", ("/works/", "/releases/", "/creators")),
    ("Library", ("/library",)),
    ("Co-op", ("/coop", "/proposals", "/policies")),
    ("Every euro", ("/periods", "/books")),
    ("Studio", ("/studio", "/upload", "/splits/", "/earnings", "/statements")),
    ("Account", ("/account", "/membership", "/accounts/2fa", "/accounts/email", "/accounts/password/change")),
)


@dataclass(frozen=True, kw_only=True)
class Link:
    """One link of the navigation."""

    name: str
    href: str
    current: bool


class Frame:
    """What the frame of a page shows. Each part is found when a template asks for it."""

    demo = settings.GATEWAY == "play-money"
    # Whom to sign in as, where there is nobody but the demo's people.
    people = PEOPLE if settings.MODE == "demo" else ()
    their_password = PASSWORD
    has_outbox = bool(settings.OUTBOX_DIR)
    time_zone = settings.COOP_TIME_ZONE
    currency = settings.CURRENCY

    def __init__(self, request: HttpRequest) -> None:
        """Take the request whose page it is."""
        self.request = request

    @cached_property
    def wallet_path(self) -> str:
        """Where the wallet is."""
        return reverse("playback:wallet")

    @cached_property
    def sign_in_href(self) -> str:
        """Where a visitor signs in, and comes back from to this page. No query."""
        path = self.request.path
        back = "" if path == "/" or path.startswith("/accounts/") else f"?next={quote(path)}"
        return reverse("account_login") + back

    @cached_property
    def credit_micros(self) -> int:
        """What the person signed in can spend, both pockets. One query, and one for the clock."""
        person_id = person_id_of(self.request)
        if person_id is None:
            return 0
        overview = wallets.overview(person_id=person_id, now=moment_of(self.request))
        return overview.balance_micros + overview.promo_micros

    @cached_property
    def closed(self) -> bool:
        """Whether money waits for a restored backup to recover; told to who is signed in. The clock's query."""
        return person_id_of(self.request) is not None and is_closed_for(self.request)

    @cached_property
    def nav(self) -> list[Link]:
        """The links of the navigation, for this person. No query."""
        path = self.request.path
        here = next((name for name, below in BELOW if any(path.startswith(start) for start in below)), None)
        links = [*OPEN_LINKS, *(MEMBERS_LINKS if person_id_of(self.request) is not None else ()), *LAST_LINKS]
        return [
            Link(name=name, href=reverse(route), current=path == reverse(route) or name == here)
            for name, route in links
        ]

    @cached_property
    def staff_links(self) -> list[Link]:
        """The links to what this person looks after for the co-op. One query for who is signed in."""
        person_id = person_id_of(self.request)
        roles = admission.roles_of(person_id) if person_id is not None else frozenset()
        here = self.request.path
        return [
            Link(name=name, href=reverse(route), current=here == reverse(route))
            for name, route, role in STAFF_LINKS
            if role in roles
        ]


def site(request: HttpRequest) -> dict[str, Any]:
    """Give templates the frame (a context processor)."""
    return {"frame": Frame(request)}


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """List what can be refused."""
    return render(request, "problems.html", {"explanations": all_explanations()})


@require_safe
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Explain one refusal."""
    found = explain(slug)
    if found is None:
        raise Http404
    return render(request, "problem.html", {"explanation": found})


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail of the outbox."""

    to: str
    subject: str
    sent_at: datetime
    body: str


@never_cache
@require_safe
def outbox(request: HttpRequest) -> HttpResponse:
    """Show the mail that the demo did not send. There is no such page where mail is really sent."""
    if not settings.OUTBOX_DIR:
        raise Http404
    files = sorted(Path(settings.OUTBOX_DIR).glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)
    mails = [mail for file in files[:MAILS_SHOWN] for mail in reversed(_mails_in(file))]
    return render(request, "outbox.html", {"mails": mails[:MAILS_SHOWN]})


def _mails_in(file: Path) -> list[Mail]:
    """Return the mails of one file of Django's file backend, which parts them by a line of dashes."""
    found = []
    for text in file.read_text().split("\n" + "-" * 79 + "\n"):
        if not text.strip():
            continue
        message = email.message_from_bytes(text.lstrip("\n").encode(), policy=email.policy.default)
        body = message.get_body(preferencelist=("plain",))
        found.append(
            Mail(
                to=str(message["To"]),
                subject=str(message["Subject"]),
                sent_at=parsedate_to_datetime(str(message["Date"])),
                body=body.get_content() if body else "",
            )
        )
    return found


class ProblemPagesMiddleware:
    """Shows a refusal of the core as a page, where a page's view met it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Take what answers."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page of the refusal; anything else is a fault of ours and stays one."""
        if request.path.startswith("/api/"):
            return None
        if isinstance(exception, OperationalError | InterfaceError):
            logger.error("the database did not answer %s", request.path, exc_info=exception)
            return HttpResponse(render_to_string("maintenance.html"), status=503, headers={"Retry-After": "30"})
        if isinstance(exception, NotFound):
            return render(request, "404.html", status=404)
        if isinstance(exception, Problem) and not isinstance(exception, NotSignedIn):
            return refusal_page(request, exception)
        return None


def refusal_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page that says why something was refused."""
    context = {"explanation": explain(problem.slug) or Explanation.of(type(problem)), "problem": problem}
    return render(request, "problem.html", context, status=problem.status)


def broke(request: HttpRequest) -> HttpResponse:
    """Show that the page broke, with a reference that is in the log too. Reads nothing: the database may be gone."""
    reference = secrets.token_hex(4)
    logger.error("the page %s broke, reference %s", request.path, reference)
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)
