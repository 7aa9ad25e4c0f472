"""Follows, favourites and the feed over HTTP."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api.discovery import PlacedList
from catalog.places import Page
from catalog.serializers.works import WorkSerializer
from catalog.views import shelf
from members import clock
from members.access import person_id
from members.api import ProblemSerializer
from members.tokens import Scope
from playback import follows

REFUSALS = {400: ProblemSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}


class FollowSerializer(serializers.Serializer):
    """Whether one follows a creator."""

    creator = serializers.SlugField()
    following = serializers.BooleanField()


class FavouriteSerializer(serializers.Serializer):
    """Whether a work is one of one's favourites."""

    work = serializers.UUIDField()
    favourite = serializers.BooleanField()


class Follow(APIView):
    """Hear of what a creator publishes, or no longer. Asked again, nothing changes."""

    scope = Scope.LISTEN

    @extend_schema(request=None, responses={200: FollowSerializer, **REFUSALS})
    def put(self, request: Request, slug: str) -> Response:
        """Follow the creator."""
        follows.follow(person_id=person_id(request), slug=slug, now=clock.now())
        return Response({"creator": slug, "following": True})

    @extend_schema(request=None, responses={200: FollowSerializer, **REFUSALS})
    def delete(self, request: Request, slug: str) -> Response:
        """Follow them no longer."""
        follows.unfollow(person_id=person_id(request), slug=slug)
        return Response({"creator": slug, "following": False})


class Favourite(APIView):
    """Keep a work at hand, or no longer. Asked again, nothing changes; it moves no money."""

    scope = Scope.LISTEN

    @extend_schema(request=None, responses={200: FavouriteSerializer, **REFUSALS})
    def put(self, request: Request, work_id: UUID) -> Response:
        """Make it a favourite."""
        follows.mark(person_id=person_id(request), work_id=work_id, now=clock.now())
        return Response({"work": work_id, "favourite": True})

    @extend_schema(request=None, responses={200: FavouriteSerializer, **REFUSALS})
    def delete(self, request: Request, work_id: UUID) -> Response:
        """Make it none."""
        follows.unmark(person_id=person_id(request), work_id=work_id)
        return Response({"work": work_id, "favourite": False})


class Feed(PlacedList):
    """Published works of those one follows, newest first."""

    scope = Scope.LISTEN
    serializer_class = WorkSerializer

    def page(self, *, after: str, limit: int) -> Page[Any]:
        """Return the page after a place."""
        return follows.feed(person_id=person_id(self.request), rows=shelf.with_creator(), after=after, limit=limit)
