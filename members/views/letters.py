"""What was written to somebody: every mail of the co-op to them, to be read here as well, each once."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members import notices
from members.models import Notice
from members.requests import signed_in_id

ON_A_PAGE = 20


@dataclass(frozen=True, kw_only=True)
class Said:
    """A paragraph of a letter; with a `path`, one thing to do, which leads there."""

    words: str
    path: str = ""


@never_cache
@login_required
@require_safe
def all_of_mine(request: HttpRequest) -> HttpResponse:
    """List what was written to one, newest first. Three queries."""
    page = Paginator(notices.of_person(signed_in_id(request)), ON_A_PAGE).get_page(request.GET.get("page"))
    shown = [(one, list(_paragraphs(one))) for one in page]
    return render(request, "members/letters.html", {"page": page, "letters": shown})


def _paragraphs(of: Notice) -> Iterator[Said]:
    """Yield what a letter says, without its foot. An address of ours that ends a paragraph is where that leads."""
    *paragraphs, foot = of.body.strip().split("\n\n")
    # A letter ends with our name and where we were at home when it was written.
    name, _, home = foot.partition("\n")
    if name != "Refrain" or not home.startswith("http"):
        paragraphs, home = [*paragraphs, foot], settings.BASE_URL.rstrip("/")
    for paragraph in paragraphs:
        *before, last = paragraph.strip().split("\n")
        if before and last.startswith(f"{home}/"):
            yield Said(words=" ".join(before).rstrip(":"), path=last.removeprefix(home))
        else:
            yield Said(words="\n".join([*before, last]))
