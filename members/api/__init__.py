"""What every part of the API reads and writes alike, and what it says where there is nothing."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from members.access import PROBLEM_TYPE
from members.problems import Invalid, NotFound

UNKNOWN_NAMED_MOST = 20
SECONDS_MOST = 1_000_000


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


class Schema(AutoSchema):
    """What the OpenAPI document says of every route alike: who may come in, and what each may be refused with."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the ways to sign in; without is one where the view is open to everyone."""
        ways: list[dict[str, list[str]]] = super().get_auth()
        return ways if self._scope() else [*ways, {}]

    def get_description(self) -> str:  # type: ignore[override]  # spectacular keeps path and method on itself
        """Return what the route does, and the scope that a token needs for it."""
        scope = self._scope()
        return super().get_description() + (f" Scope: `{scope}`." if scope else "")

    def _scope(self) -> str | None:
        view: Any = self.view
        found: str | None = view.scope_for(self.method) if hasattr(view, "scope_for") else view.scope
        return found

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        said = super()._get_response_bodies(direction)
        refused = [400, 401, 406, 429]
        if self._scope() is not None:
            refused += [403]
        if self.method not in ("GET", "HEAD"):
            refused += [403, 413, 415]
        if "{" in self.path:
            refused += [404]
        for status in refused:
            said.setdefault(str(status), self._get_response_for_code(ProblemSerializer, str(status)))
        return said

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        mapped: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer, StrictSerializer) or (
            isinstance(serializer, type) and issubclass(serializer, StrictSerializer)
        ):
            mapped["additionalProperties"] = False
        return mapped

    def _get_response_for_code(
        self, serializer: Any, status_code: Any, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        types = [PROBLEM_TYPE] if serializer is ProblemSerializer else media_types
        return super()._get_response_for_code(serializer, status_code, types, direction)


class StrictSerializer(serializers.Serializer):
    """Reads a body that has exactly the known fields, each of its JSON type.

    An unknown field is a mistake that should not pass unseen. The framework would take 1 for a text and "no" for false.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated body. Raises ValidationError."""
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(
                {name[:80]: ["There is no such field."] for name in sorted(unknown)[:UNKNOWN_NAMED_MOST]}
            )
        # What a form carries is text, whatever it means.
        if type(data) is dict and (
            wrong := {name: found for name in data if (found := self._misfit(name, data[name]))}
        ):
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)

    def _misfit(self, name: str, said: object) -> list[str]:
        """Return what is wrong with the type or length of a value; null is for the field itself to judge.

        The framework would count a text's letters after it has cut off the spaces around it.
        """
        field = self.fields[name]
        for kind, (wanted, words) in _JSON_TYPES.items():
            if isinstance(field, kind) and said is not None and type(said) is not wanted:
                return [f"This is {words}."]
        most = field.max_length if isinstance(field, serializers.CharField) else None
        return [f"This has more than {most} characters."] if most and len(str(said)) > most else []


_JSON_TYPES: dict[type[serializers.Field], tuple[type, str]] = {
    serializers.CharField: (str, "a text"),
    serializers.ChoiceField: (str, "a text"),
    serializers.UUIDField: (str, "an id, a text of 36 characters"),
    serializers.BooleanField: (bool, "true or false"),
}


class WholeMicros(serializers.IntegerField):
    """An amount: a JSON whole number, not a float, a text or a boolean."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": 2**53 - 1, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return the number as it is."""
        if type(data) is not int:
            raise serializers.ValidationError("An amount is a whole number of micros.")
        return data


class Seconds(serializers.FloatField):
    """A length of time in a work: a JSON number, not a text or a boolean."""

    def to_internal_value(self, data: Any) -> float:
        """Return the number. A text could say `nan`, which no bound refuses; an int can be more than any float."""
        if type(data) not in (int, float) or abs(data) > SECONDS_MOST:
            raise serializers.ValidationError("This is a number of seconds.")
        return super().to_internal_value(data)


class CitationSerializer(serializers.Serializer):
    """The version of a policy, and where it is read, with the vote that made it."""

    key = serializers.CharField()
    seq = serializers.IntegerField()
    href = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """A refusal (RFC 9457)."""

    type = serializers.CharField(help_text="Ends in the slug of the rule.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    policy = CitationSerializer(required=False, help_text="Where a policy is the reason: the version that bound it.")

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Return the problem with the figures it carries beside these members."""
        return instance


def read(serializer_class: type[serializers.Serializer], body: Any) -> dict[str, Any]:
    """Return the validated body. Raises Invalid with what is wrong in which field."""
    reader = serializer_class(data=body)
    if not reader.is_valid():
        raise Invalid("Some of what was sent cannot be used.", fields=reader.errors)
    validated: dict[str, Any] = reader.validated_data
    return validated


class Nowhere(APIView):
    """Every address under /api/v1/ that is none: it says so as the rest of the API does."""

    scope = None
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Sign the request in, so that it is counted, and refuse it."""
        super().initial(request, *args, **kwargs)
        raise NotFound("there is no such address in the API")


def open_to_all(view: type[APIView]) -> type[APIView]:
    """Return the view, open without a scope."""
    return type(view.__name__, (view,), {"scope": None, "__doc__": view.__doc__})
