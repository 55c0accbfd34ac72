"""A long list, page by page: newest first, each page after the last thing of the one before."""

from typing import Any, TypeVar
from urllib.parse import quote

from django.core.signing import BadSignature, Signer
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from api.shapes import Shape, Text
from common import inputs
from governance.queries.machines import Access

SIZE = 100
LONGEST_CURSOR = 200
M = TypeVar("M", bound=Model)


class Query(Shape):
    """`cursor`: where the page before this one said to go on; nothing else is asked of it."""

    cursor = Text(inputs.Text(most=LONGEST_CURSOR), required=False)


def page(
    rows: QuerySet[M], *, request: Request, output: type[serializers.Serializer]
) -> dict[str, Any]:
    """One page of `rows`, which all have a `ref`, and the address of the next one or null.

    A cursor is signed for this list and this organisation. It names the last thing that was shown,
    not a number of things: what is added meanwhile shifts nothing.
    """
    query = Query.read(request.query_params.dict())
    signer = _signer(request)
    if (cursor := query.get("cursor")) is not None:
        rows = rows.filter(pk__lt=_last(rows, signer, cursor).pk)
    found = list(rows.order_by("-pk")[: SIZE + 1])
    results = output(found[:SIZE], many=True).data
    more = len(found) > SIZE
    after = quote(signer.sign_object([results[-1]["ref"]])) if more else ""
    return {"results": results, "next": f"{request.path}?cursor={after}" if more else None}


def _last(rows: QuerySet[M], signer: Signer, cursor: str) -> M:
    try:
        ref = signer.unsign_object(cursor)[0]
    except (BadSignature, ValueError):  # signed by nobody here, or no text that could be
        ref = ""
    last = rows.filter(ref=ref).first()
    if last is None:
        raise serializers.ValidationError({"cursor": "There is no such page here."}, code="unknown")
    return last


def _signer(request: Request) -> Signer:
    access = request.auth
    assert isinstance(access, Access)
    return Signer(salt=f"api.pages {access.organisation.ref} {request.path}")
