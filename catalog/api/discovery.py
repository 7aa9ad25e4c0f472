"""Finding works, creators and releases over HTTP."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils.module_loading import import_string
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from catalog import places, search
from catalog.models import Creator, Release, Work
from catalog.places import Page
from catalog.search import Asked
from catalog.serializers.discovery import (
    CreatorsAskedSerializer,
    OneReleaseSerializer,
    ReleasesAskedSerializer,
    ReleaseSerializer,
    WorksAskedSerializer,
)
from catalog.serializers.works import CreatorSerializer, WorkSerializer
from members import clock
from members.access import CursorPage
from members.api import ProblemSerializer, read
from members.problems import NotFound


class PlacePage(CursorPage):
    """Pages of a list that finds them itself: it is called with the place after which a page begins, and its length."""

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        """Return the rows of the page. Raises Invalid."""
        found: Page[Any] = queryset(
            after=request.query_params.get(self.cursor_query_param, ""), limit=self.get_page_size(request)
        )
        address = request.build_absolute_uri()
        self.next = replace_query_param(address, self.cursor_query_param, found.after) if found.after else None
        return found.rows

    def get_next_link(self) -> str | None:
        """Return the address of the next page."""
        return self.next


class PlacedList(ListAPIView):
    """A list in pages: `page` returns one."""

    scope: str | None = None
    pagination_class = PlacePage

    def get_queryset(self) -> Any:
        """Return what finds a page."""
        return self.page

    def filter_queryset(self, queryset: Any) -> Any:
        """Leave it as it is."""
        return queryset

    def page(self, *, after: str, limit: int) -> Page[Any]:
        """Return the page after a place."""
        raise NotImplementedError


class Works(PlacedList):
    """Published works, newest first, or for words the best first; with `mine=1` one's own in every state."""

    serializer_class = WorkSerializer

    @extend_schema(parameters=[WorksAskedSerializer], responses={200: WorkSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List works. Words that nothing meets are taken for the ones nearest to them."""
        return super().get(request, *args, **kwargs)

    def page(self, *, after: str, limit: int) -> Page[Work]:
        """Return works as asked for."""
        asked = read(WorksAskedSerializer, self.request.query_params.dict())
        rows = Work.objects.select_related("creator")
        if asked.pop("mine", False):
            return self._mine(rows, asked, after=after, limit=limit)
        words = asked.pop("q", "")
        return search.works(asked=Asked(words=words, **asked), rows=rows, after=after, limit=limit, now=clock.now())

    def _mine(self, rows: QuerySet[Work], asked: dict[str, Any], *, after: str, limit: int) -> Page[Work]:
        rows = rows.filter(creator__roles__person=self.request.user.pk or UUID(int=0))
        if words := asked.pop("q", ""):
            rows = rows.filter(Q(title__icontains=words) | Q(creator__name__icontains=words))
        rows = rows.filter(search.narrowed(Asked(**asked)))
        return places.newest(rows, by="created_at", listed="my works", after=after, limit=limit)


class Creators(PlacedList):
    """Profiles, newest first; for words, those first that are named exactly so."""

    serializer_class = CreatorSerializer

    @extend_schema(parameters=[CreatorsAskedSerializer], responses={200: CreatorSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List creators."""
        return super().get(request, *args, **kwargs)

    def page(self, *, after: str, limit: int) -> Page[Creator]:
        """Return creators as asked for."""
        asked = read(CreatorsAskedSerializer, self.request.query_params.dict())
        return search.creators(words=asked.get("q", ""), after=after, limit=limit)


class OneCreator(APIView):
    """A profile."""

    scope = None

    @extend_schema(responses={200: CreatorSerializer, 404: ProblemSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Return the profile."""
        creator = Creator.objects.filter(slug=slug, closed_at=None).first()
        if creator is None:
            raise NotFound("there is no such creator")
        return Response(CreatorSerializer(creator).data)


def _releases() -> QuerySet[Release]:
    published = Count("works", filter=Q(works__state=Work.State.PUBLISHED))
    return Release.objects.select_related("creator").annotate(published=published)


class Releases(PlacedList):
    """Releases with at least one published work, newest first; for words, those first that are called so."""

    serializer_class = ReleaseSerializer

    @extend_schema(parameters=[ReleasesAskedSerializer], responses={200: ReleaseSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List releases."""
        return super().get(request, *args, **kwargs)

    def page(self, *, after: str, limit: int) -> Page[Release]:
        """Return releases as asked for."""
        asked = read(ReleasesAskedSerializer, self.request.query_params.dict())
        return search.releases(
            words=asked.get("q", ""), creator=asked.get("creator"), after=after, limit=limit, rows=_releases()
        )


class OneRelease(APIView):
    """A release."""

    scope = None

    @extend_schema(responses={200: OneReleaseSerializer, 404: ProblemSerializer})
    def get(self, request: Request, release_id: UUID) -> Response:
        """Return it with its works in their order, and what all of it costs the one who asks."""
        release = _releases().filter(id=release_id).first()
        told = ReleaseSerializer(release).data if release else {}
        if not told.get("published"):
            raise NotFound("there is no such release")
        works = Work.objects.select_related("creator").filter(release=release, state=Work.State.PUBLISHED)
        offer = import_string(settings.CATALOG_RELEASE_OFFER)(
            person_id=request.user.pk, release_id=release_id, now=clock.now()
        )
        content = {
            **told,
            "works": WorkSerializer(works.order_by("position", "published_at", "id"), many=True).data,
            **offer,
        }
        return Response(content)
