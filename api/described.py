"""How each address describes itself in the OpenAPI document: what it takes, what it answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    inline_serializer,
)
from rest_framework import serializers

from governance.vocabulary import MachineScope

F = TypeVar("F", bound=Callable[..., Any])
PROBLEM_TYPE = "application/problem+json"
JSON = "application/json"


@extend_schema_serializer(component_name="Problem")
class Problem(serializers.Serializer):
    """Every refusal (RFC 9457): `code` is stable, `detail` is for a person."""

    class Wrong(serializers.Serializer):
        """One place of a body that has the wrong shape."""

        where = serializers.CharField()
        code = serializers.CharField()
        detail = serializers.CharField()

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = Wrong(many=True, required=False)  # type: ignore[assignment]  # collected, then taken off the class


# What any address may answer to anybody.
ALWAYS: Mapping[int, str] = {
    400: "What was sent cannot be read or has the wrong shape.",
    401: "No token, or one that does not open this door.",
    403: "The token is not for this, or its user may not.",
    404: "Not there, or another organisation's.",
    405: "Another method.",
    429: "Too many requests; `Retry-After` says when to come again.",
    503: "Cannot be proved or done at present; `Retry-After` says when to try again.",
}
NAMELESS = frozenset([401, 403])  # never where nobody is asked for a token
POSTED: Mapping[int, str] = {
    409: "Not possible in this state.",
    413: "The body is too large.",
    415: "Another kind of body.",
    422: "This `Idempotency-Key` came before with something else.",
}
HANDED: Mapping[int, str] = {410: "Void: what was prepared may no longer be handed over."}
RETRY = {"Retry-After": "Seconds until it is worth asking again."}

REF = OpenApiParameter(
    "ref",
    {"type": "string", "pattern": "^[a-z]{3}-[a-z0-9]{1,28}$"},
    OpenApiParameter.PATH,
    description="An opaque reference.",
)
NUMBER = OpenApiParameter(
    "number",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
    OpenApiParameter.PATH,
    description="The part's number, from 1.",
)
LEVEL = OpenApiParameter(
    "level",
    {"type": "string", "pattern": "^(0|[1-9][0-9]?)$"},
    OpenApiParameter.PATH,
    description="The tile's level, 0 to 63.",
)
TILE = OpenApiParameter(
    "tile",
    {"type": "string", "pattern": r"^(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[1-9][0-9]{0,2})?$"},
    OpenApiParameter.PATH,
    description="The tile's number in groups of three digits; `.p/5` for a partial one of five.",
)
CURSOR = OpenApiParameter(
    "cursor", str, OpenApiParameter.QUERY, description="From `next` of the page before."
)
RANGE = OpenApiParameter(
    "Range", str, OpenApiParameter.HEADER, description="One range of bytes, `bytes=0-1048575`."
)
IF_RANGE = OpenApiParameter(
    "If-Range", str, OpenApiParameter.HEADER, description="The ETag of what was begun."
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body is done once, for 24 hours.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag: 304 where it is current."
)


def described(
    name: str,
    says: str,
    *,
    scope: MachineScope | None,
    answers: Mapping[int | tuple[int, str], Any],
    takes: Any = None,
    given: Sequence[OpenApiParameter] = (),
    more: Mapping[int, str] | None = None,
    tagged: bool = True,
    posted: bool = False,
) -> Callable[[F], F]:
    """Describe one method of one address; refusals that any address may give are added.

    Without a scope the address is anybody's, and no token is asked for.
    """
    refusals = {**ALWAYS, **(POSTED if posted else {}), **(more or {})}
    if scope is None:
        never = NAMELESS - set(more or {})
        refusals = {status: says for status, says in refusals.items() if status not in never}
    extra = [KEY] if posted else [IF_NONE_MATCH] if tagged else []
    responses: dict[Any, Any] = dict(answers)
    if tagged and not posted:
        responses[304] = OpenApiResponse(description="What you have is current.")
    for status, words in refusals.items():
        responses[(status, PROBLEM_TYPE)] = OpenApiResponse(Problem, description=words)
    decorate: Callable[[F], F] = extend_schema(
        operation_id=name,
        description=says,
        auth=[{"oauth": [scope.value]}, {"token": []}] if scope else [{}],  # type: ignore[list-item]  # as OpenAPI has them
        request=takes,
        responses=responses,
        parameters=[*given, *extra],
    )
    return decorate


def paged(name: str, output: type[serializers.Serializer]) -> serializers.Serializer:
    """One page of a list."""
    return inline_serializer(
        name=f"{name}Page",
        fields={
            "results": output(many=True),
            "next": serializers.CharField(allow_null=True, help_text="The next page's address."),
        },
    )


TEXT = (200, "text/plain")
CSV = (200, "text/csv")
BYTES = OpenApiTypes.BINARY
STRING = OpenApiTypes.STR
