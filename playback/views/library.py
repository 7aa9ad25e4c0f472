"""The library's pages: what is yours and on the way, a work to take along, certificates."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import facts
from catalog.copies import kept
from catalog.copies.kept import Kept
from catalog.tasks import wake_download
from members import admission, money
from members.requests import moment_of, signed_in_id
from playback import certificates, library, queue, takings
from playback.forms import CertificateForm, FileForm
from playback.library import Shelf, Shelved, Sort, State

ON_THE_FRONT, BEGUN_ON_THE_FRONT, ON_A_PAGE = 12, 8, 48
STOPPED_SHOWN = 6
TABS = {"all": "Everything", "owned": "Yours", "begun": "On the way", "favourites": "Favourites"}
SORTS = {
    Sort.RECENT: "last moved first",
    Sort.TITLE: "by title",
    Sort.CREATOR: "by creator",
    Sort.NEAREST: "nearest to yours first",
}
KINDS = {"track": "music", "photo": "photos"}


@never_cache
@login_required
@require_safe
def shelves(request: HttpRequest) -> HttpResponse:
    """Show what is yours, what is on the way and how far, and what you marked."""
    person_id, now, asked = signed_in_id(request), moment_of(request), request.GET
    show = asked.get("show", "all") if asked.get("show") in TABS else "all"
    kind = asked.get("kind") if asked.get("kind") in KINDS else None
    sort = Sort(asked["sort"]) if asked.get("sort") in list(Sort) else None
    query, cursor = asked.get("q", "").strip()[: library.QUERY_MOST], asked.get("cursor") or None

    def shelf(state: State, *, otherwise: Sort, limit: int, cursor: str | None = cursor) -> Shelf:
        return library.shelf(
            person_id=person_id,
            now=now,
            state=state,
            query=query,
            kind=kind,
            sort=sort or otherwise,
            cursor=cursor,
            limit=limit,
        )

    owned = begun = marked = None
    if show in ("all", "owned"):
        limit = ON_THE_FRONT if show == "all" else ON_A_PAGE
        owned = shelf(State.OWNED, otherwise=Sort.RECENT, limit=limit, cursor=cursor if show == "owned" else None)
    if show in ("all", "begun"):
        limit = BEGUN_ON_THE_FRONT if show == "all" else ON_A_PAGE
        begun = shelf(State.BEGUN, otherwise=Sort.NEAREST, limit=limit, cursor=cursor if show == "begun" else None)
    if show == "favourites":
        marked = library.favourites(person_id=person_id, now=now, cursor=cursor, limit=ON_A_PAGE)
    shown = None if show == "all" else marked or owned or begun
    found = {"q": query, "kind": kind or "", "sort": sort or ""}
    context = {
        "counts": library.counts(person_id=person_id),
        "show": show,
        "tabs": [(name, words, _address(show=name)) for name, words in TABS.items()],
        "query": query,
        "kinds": KINDS,
        "kind": kind,
        "sorts": SORTS,
        "sort": sort or (Sort.NEAREST if show == "begun" else Sort.RECENT),
        "order_of_begun": SORTS[sort or Sort.NEAREST],
        "looks": bool(query or kind),
        "is_later": cursor is not None,
        "owned": _lines(owned, now),
        "begun": _lines(begun, now),
        "marked": _lines(marked, now),
        "plays": owned is not None and any(not work.facts.is_photo for work in owned.works),
        "stopped": queue.unfinished(person_id=person_id, now=now, limit=STOPPED_SHOWN) if show == "all" else [],
        "more_owned": _address(show="owned", **found) if owned and owned.next_cursor and show == "all" else "",
        "more_begun": _address(show="begun", **found) if begun and begun.next_cursor and show == "all" else "",
        "next": _address(show=show, **found, cursor=shown.next_cursor) if shown and shown.next_cursor else "",
        "first": _address(show=show, **found),
    }
    return render(request, "playback/library.html", context)


def _address(**asked: str | None) -> str:
    named = {name: value for name, value in asked.items() if value and (name, value) != ("show", "all")}
    return reverse("playback:library") + (f"?{urlencode(named)}" if named else "")


def _lines(shelf: Shelf | None, now: datetime) -> list[tuple[Shelved, str]] | None:
    """Return the works of a page, each with its cover's address."""
    if shelf is None:
        return None
    return [(work, work.facts.cover.url(now) if work.facts.cover else "") for work in shelf.works]


@never_cache
@login_required
@require_safe
def work(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show a work that is yours: its files with their checksums, and its certificate."""
    return _work_page(request, work_id)


def _work_page(request: HttpRequest, work_id: UUID, *, status: int = 200, **more: Any) -> HttpResponse:
    person_id, now = signed_in_id(request), moment_of(request)
    library.owned(person_id=person_id, work_id=work_id)
    found = library.one(person_id=person_id, work_id=work_id, now=now)
    assert found.owned_at is not None
    bought = kept.was_replaced(work_id, since=found.owned_at)
    files = _files(found, now)
    files_bought = _files(found, now, at=found.owned_at) if bought else []
    context = {
        "found": found,
        "cover": found.facts.cover.url(now) if found.facts.cover else "",
        "files": files,
        "files_bought": files_bought,
        "is_making": any(file is not None and file[0].is_waiting for _, _, file in files + files_bought),
        **more,
    }
    return render(request, "playback/library_work.html", context, status=status)


Offered = tuple[str, str, tuple[Kept, str] | None]


def _files(found: Shelved, now: datetime, *, at: datetime | None = None) -> list[Offered]:
    """Return each format that the work can be had in, in words, and its file as `_file` has it."""
    work_id = found.facts.work_id
    made = kept.of([work_id], at={work_id: at} if at else None).get(work_id, {})
    return [(name, takings.NAMES[name], _file(made.get(name), now)) for name in takings.formats(found.facts)]


def _file(file: Kept | None, now: datetime) -> tuple[Kept, str] | None:
    """Return a file with its address, which is empty until it is ready; None for one that was never asked for."""
    if file is None:
        return None
    return file, file.url(now) if file.is_ready else ""


@login_required
@require_POST
def ask_for_file(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Ask for a file of a work that is yours; the page shows how far it is."""
    person_id, now = signed_in_id(request), moment_of(request)
    library.owned(person_id=person_id, work_id=work_id)
    form = FileForm(request.POST)
    if not form.is_valid():
        return _work_page(request, work_id, status=400)
    file = takings.take(
        person_id=person_id,
        work_id=work_id,
        format=form.cleaned_data["format"],
        bought=form.cleaned_data["version"] == "bought",
        now=now,
    )
    if not file.is_ready:
        wake_download(file.id)
    return redirect(f"{reverse('playback:library-work', args=[work_id])}#files")


@never_cache
@login_required
@require_safe
def certificate(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show the certificate of a work that is yours, to print or to save; with your name if you want it there."""
    person_id, now = signed_in_id(request), moment_of(request)
    form = CertificateForm(request.GET)
    named = form.is_valid() and form.cleaned_data["named"]
    issued = certificates.issue(person_id=person_id, work_id=work_id, named=named, now=now)
    if "save" in request.GET:
        answer = HttpResponse(json.dumps(issued, ensure_ascii=False, indent=1) + "\n", content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="certificate-{issued["certificate"]["id"]}.json"'
        return answer
    said = issued["certificate"]
    context = {
        "issued": issued,
        "said": said,
        "owned_since": datetime.fromisoformat(said["owned_since"]),
        "as_of": datetime.fromisoformat(said["as_of"]),
        "named": named,
        "name": admission.name_of(person_id),
        "work": facts.of_one(work_id),
        "paid": money.show(said["paid_micros"]),
        "save": f"{request.path}?{urlencode({'save': 1, **({'named': 1} if named else {})})}",
    }
    return render(request, "playback/certificate.html", context)


@never_cache
@require_safe
def certificate_standing(request: HttpRequest, certificate_id: UUID) -> HttpResponse:
    """Say to anybody whether a certificate holds, and how one is checked. Not whose it is."""
    found = certificates.standing(certificate_id=certificate_id, now=moment_of(request))
    return render(request, "playback/certificate_standing.html", {"found": found, "site": settings.BASE_URL})
