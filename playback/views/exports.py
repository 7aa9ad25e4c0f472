"""The page by which one leaves with everything: lists, addresses, and a zip that a worker packs."""

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import delivery
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from playback import exports, library, records, tasks
from playback import lists as listing
from playback.forms import FormatForm
from playback.library_models import LibraryExport


@never_cache
@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show what one can leave with, and how far a zip is."""
    return _page(request)


def _page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    person_id, now = signed_in_id(request), moment_of(request)
    asked = exports.asked_by(person_id)
    latest = asked[0] if asked else None
    is_ready = latest is not None and latest.state == LibraryExport.State.READY
    context = {
        "counts": library.counts(person_id=person_id),
        "export": latest,
        "url": delivery.keep_url(latest.key, now=now, filename=exports.FILE) if latest is not None and is_ready else "",
        "is_packing": latest is not None and latest.state in exports.UNFINISHED,
        "days": exports.KEPT_FOR.days,
        "form": FormatForm(),
        **more,
    }
    return render(request, "playback/export.html", context, status=status)


@login_required
@require_POST
def pack(request: HttpRequest) -> HttpResponse:
    """Have a zip packed; the page shows how far it is."""
    form = FormatForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=400)
    try:
        export = exports.ask(
            person_id=signed_in_id(request), format=form.cleaned_data["format"], now=moment_of(request)
        )
    except Problem as problem:
        form.add_error(None, problem.detail)
        return _page(request, form=form, status=problem.status)
    tasks.wake_export(export.id)
    return redirect(f"{reverse('playback:export')}#zip")


@never_cache
@login_required
@require_safe
def document(request: HttpRequest) -> HttpResponse:
    """Answer with everything kept about one's library, wallet and consent, as JSON."""
    found = records.everything(person_id=signed_in_id(request), now=moment_of(request))
    return _saved(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "library.json", "application/json")


@never_cache
@login_required
@require_safe
def playlist(request: HttpRequest) -> HttpResponse:
    """Answer with all tracks one owns as an M3U8 list, with the names that they have in the zip."""
    text = listing.playlist_of(person_id=signed_in_id(request), format=_format(request))
    return _saved(text, "library.m3u8", "audio/x-mpegurl; charset=utf-8")


@never_cache
@login_required
@require_safe
def addresses(request: HttpRequest) -> HttpResponse:
    """Answer with a signed address of each file, with its name and SHA-256; they hold for an hour."""
    text = listing.addresses_of(person_id=signed_in_id(request), format=_format(request), now=moment_of(request))
    return _saved(text, "addresses.txt", "text/plain; charset=utf-8")


def _format(request: HttpRequest) -> str:
    form = FormatForm(request.GET)
    return str(form.cleaned_data["format"]) if form.is_valid() else "original"


def _saved(content: str, name: str, content_type: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
