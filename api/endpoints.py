"""What every address of the machines' door has in common."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.http import parse_etags, quote_etag
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK
from rest_framework.views import APIView

from governance.models import User
from governance.queries.machines import Access
from governance.vocabulary import MachineScope

M = TypeVar("M", bound=Model)
READING = {"GET": MachineScope.READ, "HEAD": MachineScope.READ}
ASKING = {**READING, "POST": MachineScope.ASK}
FETCHING = {"GET": MachineScope.FETCH, "HEAD": MachineScope.FETCH}


class Endpoint(APIView):
    """One address: who asks is the token's user, for the token's organisation only."""

    request: Request
    # What a token must be for, by method; HEAD follows GET.
    scopes: ClassVar[Mapping[str, MachineScope]] = READING
    # Whether who has the bytes already need not be sent them again. Never for a hand-over: each
    # access is a decision of its own.
    tagged: ClassVar[bool] = True

    @property
    def access(self) -> Access:
        found = self.request.auth
        assert isinstance(found, Access)
        return found

    @property
    def caller(self) -> User:
        return self.access.user

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override("en"):  # one language for machines, whatever they accept
            answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
            if isinstance(answer, Response):
                answer.render()
        if request.method in READING and self.tagged and isinstance(answer, HttpResponse):
            answer = unless_known(request, answer)
        answer["Content-Language"] = "en"
        return answer


def unless_known(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The answer with its ETag, or 304 where the caller named that very ETag."""
    if answer.status_code != HTTP_200_OK:
        return answer
    etag = quote_etag(sha256(answer.content).hexdigest())
    known = {
        tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))
    }
    if known & {etag, "*"}:
        answer = HttpResponseNotModified()
    answer["ETag"] = etag
    return answer


@extend_schema(exclude=True)
class Unknown(Endpoint):
    """Any address that is not there: first the token, whatever it is for, then 404."""

    scopes: ClassVar[Mapping[str, MachineScope]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404


def found(rows: QuerySet[M], ref: str) -> M:
    """The row with this reference, or 404: what is another's looks as if it were not there."""
    row = rows.filter(ref=ref).first()
    if row is None:
        raise Http404
    return row


def named(rows: QuerySet[M], where: str, **by: str) -> M:
    """The row that the body names, or a refusal that says where; another's is as unknown."""
    row = rows.filter(**by).first()
    if row is None:
        raise ValidationError({where: "There is no such thing for you here."}, code="unknown")
    return row
