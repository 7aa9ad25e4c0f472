"""Membership over HTTP: one's own belonging, dues, shares and hours; and hours that wait for another worker."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, StrictSerializer, read
from members.belonging import dues, hours, memberships, shares
from members.belonging.models import DuesPayment, MemberClass, Membership, ShareHolding, WorkedTime
from members.tokens import Scope


class PlaceSerializer(serializers.Serializer):
    """A place in a class."""

    id = serializers.UUIDField()
    member_class = serializers.ChoiceField(MemberClass.choices)
    approved = serializers.BooleanField(help_text="Whether the secretary agreed.")
    since = serializers.DateTimeField(allow_null=True, help_text="Null until the class's condition is met.")


class MembershipSerializer(serializers.Serializer):
    """How one stands, by the latest membership."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(Membership.State.choices)
    number = serializers.IntegerField(allow_null=True)
    applied_at = serializers.DateTimeField()
    joined_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    places = PlaceSerializer(many=True)
    voting_class = serializers.ChoiceField(MemberClass.choices)
    counts_from = serializers.DateTimeField(allow_null=True, help_text="From when on it counts, while it does not yet.")
    paid_until = serializers.DateField(allow_null=True)
    dues = serializers.ChoiceField(["none", "paid", "grace", "overdue"])


class MembershipsSerializer(serializers.Serializer):
    """One's own membership: none or one."""

    results = MembershipSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ApplicationBody(StrictSerializer):
    """An application."""

    legal_name = serializers.CharField(max_length=120)
    postal_address = serializers.CharField(max_length=400)
    member_classes = serializers.ListField(child=serializers.ChoiceField(MemberClass.choices), max_length=4)
    voting_class = serializers.ChoiceField(MemberClass.choices)


class DuesSerializer(serializers.ModelSerializer):
    """A year's dues, paid."""

    currency = serializers.SerializerMethodField()

    class Meta:
        model = DuesPayment
        fields = ("id", "covers_from", "covers_until", "amount_micros", "currency", "way", "paid_at")

    def get_currency(self, _: DuesPayment) -> str:
        """Return the co-op's currency."""
        return str(settings.CURRENCY)


class DuesBody(StrictSerializer):
    """Which year to pay for, by its first day."""

    covers_from = serializers.DateField()


class SharesSerializer(serializers.ModelSerializer):
    """Shares asked for at one moment."""

    currency = serializers.SerializerMethodField()

    class Meta:
        model = ShareHolding
        fields = ("id", "count", "amount_micros", "currency", "asked_at", "paid_at", "repaid_at")

    def get_currency(self, _: ShareHolding) -> str:
        """Return the co-op's currency."""
        return str(settings.CURRENCY)


class Count(serializers.IntegerField):
    """A JSON whole number, not a float, a text or a boolean."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number as it is."""
        if type(data) is not int:
            raise serializers.ValidationError("This is a whole number.")
        return data


class SharesBody(StrictSerializer):
    """How many shares."""

    count = Count(min_value=1, max_value=shares.COUNT_MOST)


class HoursSerializer(serializers.ModelSerializer):
    """Time worked on a day; `approved` is null until another worker has decided."""

    class Meta:
        model = WorkedTime
        fields = ("id", "worked_on", "minutes", "words", "recorded_at", "approved", "refused_because")


class HoursBody(StrictSerializer):
    """Time worked on a day."""

    worked_on = serializers.DateField()
    minutes = Count(min_value=1, max_value=hours.DAY_MINUTES_MOST)
    words = serializers.CharField(max_length=hours.WORDS_MOST)


def by_method(view: Any) -> Any:
    """Let reading need the scope `listen`, and everything else the one that the view names."""
    writes = view.scope
    view.scope_for = lambda _self, method: Scope.LISTEN if method in ("GET", "HEAD", "OPTIONS") else writes
    return view


@by_method
class Memberships(APIView):
    """One's membership."""

    scope = Scope.VOTE

    @extend_schema(responses={200: MembershipsSerializer})
    def get(self, request: Request) -> Response:
        """Return how one stands."""
        found = memberships.standing(person_id(request), now=clock.now())
        return Response(MembershipsSerializer({"results": [found] if found else [], "next": None}).data)

    @extend_schema(request=ApplicationBody, responses={201: MembershipSerializer, 409: ProblemSerializer})
    def post(self, request: Request) -> Response:
        """Apply. The secretary decides; the first dues make a member."""
        body, now = read(ApplicationBody, request.data), clock.now()
        made = memberships.apply_for(person_id=person_id(request), now=now, **body)
        return Response(MembershipSerializer(memberships.standing_of(made, now=now)).data, status=201)


@by_method
class Dues(ListAPIView):
    """One's dues."""

    scope = Scope.SPEND
    serializer_class = DuesSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-covers_from", "-id")  # type: ignore[assignment]

    def get_queryset(self) -> QuerySet[DuesPayment]:
        """Return one's own."""
        return dues.of_person(person_id(self.request))

    @extend_schema(responses={200: DuesSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was paid, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=DuesBody,
        responses={
            200: DuesSerializer,
            402: ProblemSerializer,
            403: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Pay the year that begins on a day from the wallet. The same day again is the same payment."""
        body = read(DuesBody, request.data)
        paid = dues.pay_from_wallet(person_id=person_id(request), covers_from=body["covers_from"], now=clock.now())
        return Response(DuesSerializer(paid).data)


@by_method
class Shares(ListAPIView):
    """One's shares."""

    scope = Scope.VOTE
    serializer_class = SharesSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-asked_at", "-id")  # type: ignore[assignment]

    def get_queryset(self) -> QuerySet[ShareHolding]:
        """Return one's own."""
        return shares.of_person(person_id(self.request))

    @extend_schema(responses={200: SharesSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=SharesBody, responses={201: SharesSerializer, 409: ProblemSerializer})
    def post(self, request: Request) -> Response:
        """Ask for shares, to be paid by bank."""
        body = read(SharesBody, request.data)
        made = shares.ask(person_id=person_id(request), count=body["count"], now=clock.now())
        return Response(SharesSerializer(made).data, status=201)


@by_method
class Hours(ListAPIView):
    """One's hours."""

    scope = Scope.VOTE
    serializer_class = HoursSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-recorded_at", "-id")  # type: ignore[assignment]

    def get_queryset(self) -> QuerySet[WorkedTime]:
        """Return one's own."""
        return hours.of_person(person_id(self.request))

    @extend_schema(responses={200: HoursSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them, the ones recorded last first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=HoursBody, responses={201: HoursSerializer})
    def post(self, request: Request) -> Response:
        """Record what one worked on a day. It counts when another worker has approved it."""
        body = read(HoursBody, request.data)
        made = hours.record(person_id=person_id(request), now=clock.now(), **body)
        return Response(HoursSerializer(made).data, status=201)


class ApproveHours(APIView):
    """Another's hours."""

    scope = Scope.VOTE

    @extend_schema(request=None, responses={200: HoursSerializer, 409: ProblemSerializer})
    def post(self, request: Request, worked_id: UUID) -> Response:
        """Approve them, as a worker."""
        found = hours.approve(worked_id=worked_id, person_id=person_id(request), now=clock.now())
        return Response(HoursSerializer(found).data)
