"""The policies over HTTP: those in force, and all that were recorded of one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock, policies
from members.api import ProblemSerializer


class VersionSerializer(serializers.Serializer):
    """A version of a policy."""

    key = serializers.CharField()
    seq = serializers.IntegerField()
    params = serializers.DictField()
    href = serializers.CharField(help_text="Where it is read, with the vote that made it.")
    proposal = serializers.UUIDField(source="proposal_id", allow_null=True, help_text="Null for the founding ones.")
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
    return {**vars(version), "href": version.href, "explained": explained}


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
