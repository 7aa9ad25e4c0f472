"""Pages on which works are found: the shelves with their filters and search, the light-table, the creators."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import search
from catalog.licences import WORDS as LICENCES
from catalog.models import Creator, Release, Work
from catalog.search import Asked
from catalog.views import shelf
from members.requests import moment_of, person_id_of

WORKS_ON_A_PAGE = 48
CREATORS_ON_A_PAGE = 48
# What a search shows beside works.
CREATORS_BESIDE, RELEASES_BESIDE = 4, 4
FILTERS = ("q", "kind", "tag", "licence", "free", "lossless", "creator", "release")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A link that changes one filter and leaves the others."""

    name: str
    href: str
    current: bool


def _said(request: HttpRequest) -> dict[str, str]:
    """Return the filters that the address names."""
    said = {name: request.GET.get(name, "").replace("\x00", "").strip() for name in FILTERS}
    said["q"] = said["q"][: search.WORDS_LENGTH_MOST]
    return {name: value for name, value in said.items() if value}


def _asked(said: dict[str, str]) -> Asked:
    """Return the filters as the search takes them; what is no filter is as if it were not there."""
    try:
        release = UUID(said.get("release", ""))
    except ValueError:
        release = None
    return Asked(
        words=said.get("q", ""),
        kind=said["kind"] if said.get("kind") in Work.Kind else None,
        creator=said.get("creator"),
        release=release,
        tag=said.get("tag"),
        licence=said["licence"] if said.get("licence") in LICENCES else None,
        lossless=True if said.get("lossless") == "1" else None,
        free=True if said.get("free") == "1" else None,
    )


def _href(said: dict[str, str], **changed: str | None) -> str:
    """Return the address of the shelves with these filters, some of them changed or (None) left out."""
    chosen = {name: value for name, value in {**said, **changed}.items() if value}
    return reverse("catalog:browse") + (f"?{urlencode(chosen)}" if chosen else "")


@require_safe
def browse(request: HttpRequest) -> HttpResponse:
    """Show published works: narrowed by filters, found by words; for words also creators and releases of that name."""
    now, person_id = moment_of(request), person_id_of(request)
    said = _said(request)
    asked = _asked(said)
    after = request.GET.get("after", "")
    found = search.works(asked=asked, rows=shelf.with_pictures(), after=after, limit=WORKS_ON_A_PAGE, now=now)
    question = found.question
    creators: list[Creator] = []
    releases: list[Release] = []
    # A creator or release of that name has works that are found by it: where nothing is found, nothing stands beside.
    if question and found.rows and not question.is_any and not after and set(said) == {"q"}:
        words = asked.words
        creators = search.creators(
            words=words, after="", limit=CREATORS_BESIDE, with_works=True, question=question
        ).rows
        releases = search.releases(
            words=words, creator=None, after="", limit=RELEASES_BESIDE, rows=releases_shown(), question=question
        ).rows
    context = {
        "said": said,
        "asked": asked,
        "cards": shelf.cards(found.rows, person_id=person_id, now=now),
        "creators": creators,
        "releases": releases,
        "meant": question.meant if question and found.rows else "",
        "older": _href(said, after=found.after) if found.after else "",
        "is_later_page": bool(after),
        "kinds": [
            Choice(name=name, href=_href(said, kind=kind), current=asked.kind == kind)
            for name, kind in (("Everything", None), ("Tracks", "track"), ("Photos", "photo"))
        ],
        "licences": [(key, words[0]) for key, words in LICENCES.items()],
        "clear": [
            Choice(name=f"{label} {value}".strip(), href=_href(said, **{name: None}), current=True)
            for name, label, value in _narrowings(said, asked)
        ],
        # What the form keeps beside the fields it shows.
        "kept": [(name, said[name]) for name in ("kind", "tag", "creator", "release") if name in said],
        "is_narrowed": bool(set(said) - {"q"}),
    }
    return render(request, "catalog/browse.html", context)


def _narrowings(said: dict[str, str], asked: Asked) -> list[tuple[str, str, str]]:
    """Return the filters in force that are no words and no kind, as they are told: name, label, value."""
    told = [
        ("tag", "tagged", asked.tag or ""),
        ("licence", "", LICENCES[asked.licence][0] if asked.licence else ""),
        ("free", "free to keep" if asked.free else "", ""),
        ("lossless", "lossless" if asked.lossless else "", ""),
        ("creator", "by", asked.creator or ""),
        ("release", "of one release" if asked.release else "", ""),
    ]
    return [(name, label, value) for name, label, value in told if name in said and (value or label)]


@require_safe
def photos(request: HttpRequest) -> HttpResponse:
    """Show photos on a light-table, newest first: whole pictures, in rows of one height."""
    now, after = moment_of(request), request.GET.get("after", "")
    asked = Asked(kind=Work.Kind.PHOTO, tag=request.GET.get("tag", "").replace("\x00", "") or None)
    found = search.works(asked=asked, rows=shelf.with_pictures(), after=after, limit=WORKS_ON_A_PAGE, now=now)
    older = urlencode({"tag": asked.tag or "", "after": found.after}) if found.after else ""
    context = {
        "cards": shelf.cards(found.rows, person_id=person_id_of(request), now=now),
        "older": f"{reverse('catalog:photos')}?{older}" if older else "",
        "is_later_page": bool(after),
        "tag": asked.tag,
    }
    return render(request, "catalog/photos.html", context)


@require_safe
def creators(request: HttpRequest) -> HttpResponse:
    """Show the profiles that have published something, newest first, each with its newest work."""
    now, after = moment_of(request), request.GET.get("after", "")
    words = request.GET.get("q", "").replace("\x00", "")[: search.WORDS_LENGTH_MOST].strip()
    found = search.creators(words=words, after=after, limit=CREATORS_ON_A_PAGE, with_works=True)
    older = urlencode({"q": words, "after": found.after}) if found.after else ""
    context = {
        "q": words,
        "shown": _with_newest(found.rows, now=now),
        "meant": found.question.meant if found.question and found.rows else "",
        "older": f"{reverse('catalog:creators')}?{older}" if older else "",
        "is_later_page": bool(after),
    }
    return render(request, "catalog/creators.html", context)


def _with_newest(found: list[Creator], *, now: Any) -> list[tuple[Creator, shelf.Card | None]]:
    """Return the creators, each with the card of their newest work. Three queries."""
    newest = (
        Work.objects.filter(creator=OuterRef("pk"), state=Work.State.PUBLISHED)
        .order_by("-published_at", "-id")
        .values("id")[:1]
    )
    ids = Creator.objects.filter(id__in=[one.id for one in found]).annotate(newest=Subquery(newest)).values("newest")
    works = shelf.with_pictures().filter(id__in=list(ids.values_list("newest", flat=True)))
    by_creator = {card.work.creator_id: card for card in shelf.cards(works, person_id=None, now=now)}
    return [(one, by_creator.get(one.id)) for one in found]


def releases_shown() -> QuerySet[Release]:
    """Return releases with their creator and how many published works they have."""
    published = Count("works", filter=Q(works__state=Work.State.PUBLISHED))
    return Release.objects.select_related("creator").annotate(published=published)
