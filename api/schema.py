"""The OpenAPI description of this door, drawn from the door itself."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api import examples
from api.endpoints import Endpoint


class Schema(Endpoint):
    """`/api/schema/`"""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response(document())


@lru_cache(maxsize=1)
def document() -> Mapping[str, Any]:
    """The description as plain data; the same for whoever reads it."""
    generator = SchemaGenerator(  # type: ignore[no-untyped-call]  # it ships no full types
        patterns=[path("api/", include("api.urls"))]
    )
    found: dict[str, Any] = generator.get_schema(  # type: ignore[no-untyped-call]
        request=None, public=True
    )
    return examples.put(found)
