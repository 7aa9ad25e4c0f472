"""Panels over HTTP: contesting a vote, what waits for one's word, an appeal of whichever kind, and ruling on it."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import person_id
from members.api import ProblemSerializer, StrictSerializer, read
from members.tokens import Scope
from members.voting import contests, panels


class DutySerializer(serializers.Serializer):
    """An appeal that waits for what one says; its page is at `path`."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    decide_until = serializers.DateTimeField()
    path = serializers.CharField()


class DutiesSerializer(serializers.Serializer):
    """What waits for one's word, that with the least time first."""

    results = DutySerializer(many=True)


class RulingSerializer(serializers.Serializer):
    """What one of the three said; who it was is not told."""

    ruling = serializers.CharField()
    reasons = serializers.CharField()
    ruled_at = serializers.DateTimeField()


class HearingSerializer(serializers.Serializer):
    """An appeal: against what, what is said, how long the panel has, and what it said.

    `ruling` and `ruled_at` are null until two agree. `may_say` are the rulings there are.
    """

    id = serializers.UUIDField(source="appeal.id")
    title = serializers.CharField()
    path = serializers.CharField()
    decision = serializers.CharField()
    text = serializers.CharField(source="appeal.text")
    filed_at = serializers.DateTimeField(source="appeal.filed_at")
    decide_until = serializers.DateTimeField(source="appeal.decide_until")
    is_open = serializers.BooleanField()
    may_say = serializers.ListField(child=serializers.CharField())
    ruling = serializers.CharField(source="ruled", allow_null=True)
    ruled_at = serializers.DateTimeField(source="appeal.ruled_at", allow_null=True)
    rulings = RulingSerializer(many=True)
    sits = serializers.BooleanField(help_text="Whether you are one of the three.")


class RulingBody(StrictSerializer):
    """One of the rulings the appeal may have, and why."""

    ruling = serializers.CharField(max_length=9)
    reasons = serializers.CharField(max_length=panels.TEXT_MOST)


class GroundsBody(StrictSerializer):
    """What was wrong with a vote."""

    grounds = serializers.CharField(max_length=panels.TEXT_MOST)


class ContestProposal(APIView):
    """Contesting how a vote was held."""

    scope = Scope.VOTE

    @extend_schema(
        request=GroundsBody,
        responses={201: HearingSerializer, 403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        """Contest it, once, in the days after it. Three members drawn by lot decide."""
        me, now, body = person_id(request), clock.now(), read(GroundsBody, request.data)
        filed = contests.file(proposal_id=proposal_id, person_id=me, grounds=body["grounds"], now=now)
        return Response(HearingSerializer(contests.hearing(appeal_id=filed.id, person_id=me, now=now)).data, status=201)


class Panels(APIView):
    """The panels one sits on."""

    scope = Scope.VOTE

    @extend_schema(operation_id="panels_list", responses={200: DutiesSerializer})
    def get(self, request: Request) -> Response:
        """Return the appeals of every kind that wait for what you say."""
        return Response(DutiesSerializer({"results": panels.duties(person_id(request), now=clock.now())}).data)


class OnePanel(APIView):
    """An appeal before its panel."""

    scope = Scope.VOTE

    @extend_schema(responses={200: HearingSerializer, 404: ProblemSerializer})
    def get(self, request: Request, appeal_id: UUID) -> Response:
        """Return it, if you are one of the three or may read it otherwise."""
        return _shown(request, appeal_id)


class Rule(APIView):
    """Ruling on an appeal."""

    scope = Scope.VOTE

    @extend_schema(
        request=RulingBody,
        responses={200: HearingSerializer, 403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request, appeal_id: UUID) -> Response:
        """Say as one of the three what becomes of it. Until two agree, you may say something else."""
        me, now, body = person_id(request), clock.now(), read(RulingBody, request.data)
        kind, _ = panels.kind_of(appeal_id, person_id=me, now=now)
        kind.rule(appeal_id=appeal_id, person_id=me, now=now, **body)
        return _shown(request, appeal_id)


def _shown(request: Request, appeal_id: UUID) -> Response:
    _, hearing = panels.kind_of(appeal_id, person_id=person_id(request), now=clock.now())
    return Response(HearingSerializer(hearing).data)
