"""A work on other people's pages: oEmbed, and a small page with its opening that any site may frame.

The framed page asks for no cookie and sets none; what it plays is the opening that everybody may hear.
"""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from catalog import delivery, naming
from catalog.models import Rendition, Work
from members.requests import moment_of

LIVES_SECONDS = 3_000
WIDTH, WIDTH_LEAST = 480, 220
TRACK_HEIGHT, CAPTION_HEIGHT = 152, 88
EDGE_MOST = 4_000
PATH = re.compile(r"/(?:works|embed)/([0-9a-f-]{36})/?")


def _published(work_id: UUID) -> Work:
    """Return a published work. Raises Http404."""
    work = Work.objects.select_related("creator").filter(id=work_id, state=Work.State.PUBLISHED).first()
    if work is None:
        raise Http404
    return work


def discovery_links(work: Work) -> list[tuple[str, str]]:
    """Return type and address of what a work's page names for oEmbed consumers."""
    page = settings.BASE_URL + reverse("catalog:work", args=[work.id])
    oembed = settings.BASE_URL + reverse("catalog:oembed")
    return [
        ("application/json+oembed", f"{oembed}?{urlencode({'url': page, 'format': 'json'})}"),
        ("text/xml+oembed", f"{oembed}?{urlencode({'url': page, 'format': 'xml'})}"),
    ]


@require_safe
def oembed(request: HttpRequest) -> HttpResponse:
    """Answer an oEmbed consumer (oembed.com): what to show for the address of a published work."""
    form = request.GET.get("format", "json")
    if form not in ("json", "xml"):
        return HttpResponse("This is given as json or xml.", status=501, content_type="text/plain")
    work = _published(_work_of(request.GET.get("url", "")))
    told = _told(work, now=moment_of(request), width=_edge(request, "maxwidth"), height=_edge(request, "maxheight"))
    if form == "json":
        answer: HttpResponse = JsonResponse(told)
    else:
        answer = HttpResponse(content_type="text/xml; charset=utf-8")
        _write_xml(answer, told)
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cache-Control"] = f"public, max-age={LIVES_SECONDS}"
    return answer


def _work_of(address: str) -> UUID:
    """Return the work whose page has that address. Raises Http404 for an address that is not ours."""
    try:
        parts, ours = urlsplit(address), urlsplit(settings.BASE_URL)
        found = PATH.fullmatch(parts.path)
        if (parts.scheme, parts.netloc) != (ours.scheme, ours.netloc) or found is None:
            raise Http404
        return UUID(found[1])
    except ValueError:
        raise Http404 from None


def _edge(request: HttpRequest, name: str) -> int:
    """Return the most pixels that the consumer has room for; without a number, what we like."""
    said = request.GET.get(name, "")
    return min(int(said), EDGE_MOST) if said.isascii() and said.isdigit() and len(said) <= 6 else EDGE_MOST


def _told(work: Work, *, now: Any, width: int, height: int) -> dict[str, Any]:
    wide = max(WIDTH_LEAST, min(WIDTH, width))
    high = TRACK_HEIGHT
    if work.kind == Work.Kind.PHOTO and work.width and work.height:
        high = min(max(TRACK_HEIGHT, height), wide * work.height // work.width + CAPTION_HEIGHT)
    title, by = naming.clean(work.title, most=300), naming.clean(work.creator.name, most=120)
    frame = format_html(
        '<iframe src="{}" width="{}" height="{}" title="{} by {}" loading="lazy" referrerpolicy="no-referrer"'
        ' allow="autoplay; encrypted-media" style="border:0"></iframe>',
        settings.BASE_URL + reverse("catalog:embed", args=[work.id]),
        wide,
        high,
        title,
        by,
    )
    told = {
        "version": "1.0",
        "type": "rich",
        "provider_name": "Refrain",
        "provider_url": settings.BASE_URL,
        "title": title,
        "author_name": by,
        "author_url": settings.BASE_URL + reverse("catalog:creator", args=[work.creator.slug]),
        "cache_age": LIVES_SECONDS,
        "html": frame,
        "width": wide,
        "height": high,
    }
    cover = Rendition.objects.filter(work=work, kind=Rendition.Kind.COVER).first()
    if cover and (cover.layout.get("width") or 0) <= width and (cover.layout.get("height") or 0) <= height:
        told["thumbnail_url"] = delivery.cover_url(cover, now=now)
        told["thumbnail_width"], told["thumbnail_height"] = cover.layout.get("width"), cover.layout.get("height")
    return told


def _write_xml(out: HttpResponse, told: dict[str, Any]) -> None:
    xml = SimplerXMLGenerator(out, "utf-8")
    xml.startDocument()
    xml.startElement("oembed", AttributesImpl({}))
    for name, value in told.items():
        xml.addQuickElement(name, str(value))
    xml.endElement("oembed")
    xml.endDocument()


@xframe_options_exempt
@require_safe
def embed(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show a work's opening, or a photo's preview, in a page that others may frame."""
    work, now = _published(work_id), moment_of(request)
    is_photo = work.kind == Work.Kind.PHOTO
    cover = Rendition.objects.filter(work=work, kind=Rendition.Kind.COVER).first()
    context = {
        "work": work,
        "is_photo": is_photo,
        "cover": delivery.cover_url(cover, now=now) if cover else "",
        "picture": delivery.preview_url(work.id, now=now, width=WIDTH * 2) if is_photo else "",
        "page": settings.BASE_URL + reverse("catalog:work", args=[work.id]),
        "opening": f"/api/v1/works/{work.id}/opening",
    }
    # Without the request: nothing of who looks at it can come into the page.
    answer = HttpResponse(render_to_string("catalog/embed.html", context))
    answer["Cache-Control"] = "public, max-age=300"
    answer.embeddable = True  # type: ignore[attr-defined]  # infra/headers.py lets other sites frame it
    return answer
