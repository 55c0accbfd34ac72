"""A long list, page by page: newest first, each page after the last thing of the one before."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from api.shapes import Shape, Text
from common import inputs

SIZE = 100
M = TypeVar("M", bound=Model)


class Query(Shape):
    """`before`: the last reference of the page before this one."""

    before = Text(inputs.Text(most=32), required=False)


def page(
    rows: QuerySet[M], *, request: Request, output: type[serializers.Serializer]
) -> dict[str, Any]:
    """One page of `rows`, which all have a `ref`, and the address of the next one or null."""
    query = Query(data=request.query_params.dict())
    query.is_valid(raise_exception=True)
    if before := query.validated_data.get("before"):
        last = rows.filter(ref=before).first()
        if last is None:
            raise serializers.ValidationError({"before": "There is no such reference here."})
        rows = rows.filter(pk__lt=last.pk)
    found = list(rows.order_by("-pk")[: SIZE + 1])
    results = output(found[:SIZE], many=True).data
    more = len(found) > SIZE
    return {
        "results": results,
        "next": f"{request.path}?before={results[-1]['ref']}" if more else None,
    }
