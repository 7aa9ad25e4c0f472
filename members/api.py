"""What every part of the API reads and writes alike; and the policies over HTTP."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock, policies
from members.problems import Invalid


class BearerScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names the token."""

    target_class = "members.access.BearerAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer"}


class CookieScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names the pages' session cookie."""

    target_class = "members.access.CookieAuthentication"
    name = "cookie"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class StrictSerializer(serializers.Serializer):
    """Reads a body that has exactly the known fields: an unknown one is a mistake that should not pass unseen."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated body. Raises ValidationError for unknown fields."""
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                {str(name)[:80]: ["There is no such field."] for name in sorted(unknown, key=str)}
            )
        return super().to_internal_value(data)


class WholeMicros(serializers.IntegerField):
    """An amount: a JSON whole number, not a float, a text or a boolean."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": 2**53 - 1, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return the number as it is."""
        if type(data) is not int:
            raise serializers.ValidationError("An amount is a whole number of micros.")
        return data


class ProblemSerializer(serializers.Serializer):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="Ends in the slug of the rule.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()


def read(serializer_class: type[serializers.Serializer], body: Any) -> dict[str, Any]:
    """Return the validated body. Raises Invalid with what is wrong in which field."""
    reader = serializer_class(data=body)
    if not reader.is_valid():
        raise Invalid("Some of what was sent cannot be used.", fields=reader.errors)
    validated: dict[str, Any] = reader.validated_data
    return validated


class VersionSerializer(serializers.Serializer):
    """A version of a policy."""

    key = serializers.CharField()
    seq = serializers.IntegerField()
    params = serializers.DictField()
    effective_from = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    sha256 = serializers.CharField()
    explained = serializers.ListField(child=serializers.CharField())


class PolicySerializer(serializers.Serializer):
    """A policy: the version in force, and all that were recorded."""

    key = serializers.CharField()
    in_force = VersionSerializer()
    versions = VersionSerializer(many=True)


def _version(version: policies.Version) -> dict[str, Any]:
    explained = policies.registered(version.key).explain(version.params)
    return {**vars(version), "explained": explained}


class Policies(APIView):
    """The versions in force."""

    scope = None

    @extend_schema(responses={200: VersionSerializer(many=True)})
    def get(self, request: Request) -> Response:
        """List them."""
        now = clock.now()
        return Response(
            VersionSerializer([_version(policies.policy_at(key, now)) for key in policies.names()], many=True).data
        )


class OnePolicy(APIView):
    """A policy."""

    scope = None

    @extend_schema(responses={200: PolicySerializer, 404: ProblemSerializer})
    def get(self, request: Request, key: str) -> Response:
        """Return the version in force and all others."""
        now = clock.now()
        found = policies.versions(key, now)
        content = {
            "key": key,
            "in_force": _version(policies.policy_at(key, now)),
            "versions": [_version(version) for version in found],
        }
        return Response(PolicySerializer(content).data)


def open_to_all(view: type[APIView]) -> type[APIView]:
    """Return the view, open without a scope."""
    return type(view.__name__, (view,), {"scope": None, "__doc__": view.__doc__})
