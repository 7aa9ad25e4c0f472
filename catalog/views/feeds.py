"""What a creator publishes, as RSS and Atom for whoever reads feeds."""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Rss201rev2Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from catalog import naming
from catalog.licences import WORDS as LICENCES
from catalog.models import Creator, Work

ENTRIES = 50
LIVES_SECONDS = 300
ABOUT_LENGTH_MOST = 2_000


class _Atom(Atom1Feed):
    def latest_post_date(self) -> datetime:
        moment: datetime = self.feed["moment"]
        return moment


class _Rss(Rss201rev2Feed):
    def latest_post_date(self) -> datetime:
        moment: datetime = self.feed["moment"]
        return moment


FORMS: dict[str, type[_Atom | _Rss]] = {"atom": _Atom, "rss": _Rss}


@conditional_page
@cache_control(public=True, max_age=LIVES_SECONDS)
@require_safe
def feed(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """Answer with a creator's newest works, with the same ids in both forms."""
    creator = get_object_or_404(Creator, slug=slug, closed_at=None)
    works = list(
        Work.objects.filter(creator=creator, state=Work.State.PUBLISHED)
        .select_related("release")
        .order_by("-published_at", "-id")[:ENTRIES]
    )
    page = settings.BASE_URL + reverse("catalog:creator", args=[slug])
    told = FORMS[form](
        title=f"{_line(creator.name)} on Refrain",
        link=page,
        description=_line(creator.about, most=ABOUT_LENGTH_MOST) or f"What {_line(creator.name)} publishes on Refrain.",
        language=None,
        author_name=_line(creator.name),
        author_link=page,
        feed_url=settings.BASE_URL + reverse(f"catalog:feed-{form}", args=[slug]),
        feed_guid=f"urn:uuid:{creator.id}",
        moment=max((work.published_at for work in works if work.published_at), default=creator.created_at),
    )
    for work in works:
        assert work.published_at is not None
        told.add_item(
            title=_line(work.title),
            link=settings.BASE_URL + reverse("catalog:work", args=[work.id]),
            description=_description(work),
            unique_id=f"urn:uuid:{work.id}",
            unique_id_is_permalink=False,
            pubdate=work.published_at,
            updateddate=work.published_at,
            author_name=_line(creator.name),
            categories=[_line(tag) for tag in work.tags],
        )
    answer = HttpResponse(content_type=told.content_type)
    told.write(answer, "utf-8")
    return answer


def _description(work: Work) -> str:
    """Return what an entry says of a work, in one line of text."""
    what = "A photo" if work.kind == Work.Kind.PHOTO else "A track"
    length = f", {work.duration_ms // 60_000}:{work.duration_ms // 1000 % 60:02d} long" if work.duration_ms else ""
    release = f", from {_line(work.release.title)}" if work.release else ""
    return f"{what}{length}{release}. {LICENCES[work.licence][0].capitalize()}."


def _line(text: str, *, most: int = 300) -> str:
    """Return text as XML can carry it."""
    return naming.clean(text, most=most)
