"""Asking for access, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from api.endpoints import Endpoint, found, named
from api.pages import page
from api.shapes import Choice, Instant, Shape, Text
from audit.vocabulary import Via
from common.inputs import of as of_column
from governance.actions import requests
from governance.models import AccessRequest, Agreement, ApiToken, Dataset, Field, Purpose
from governance.queries import agreements, catalogue
from governance.queries import requests as asked
from governance.vocabulary import PackageFormat

MOST_FIELDS = 500


def of(token: ApiToken) -> QuerySet[AccessRequest]:
    """What the token's organisation has asked for."""
    return (
        asked.visible_to(token.user, timezone.now())
        .filter(requester=token.organisation)
        .select_related("dataset", "purpose", "agreement", "decision")
        .prefetch_related("fields__field")
    )


class Requests(Endpoint):
    """`/api/requests/`"""

    class Input(Shape):
        dataset = Text(of_column(Dataset, "ref"))
        purpose = Text(of_column(Purpose, "code"))
        agreement = Text(of_column(Agreement, "ref"))
        fields = serializers.ListField(  # type: ignore[assignment]  # collected, then taken off the class
            child=Text(of_column(Field, "name")), allow_empty=False, max_length=MOST_FIELDS
        )
        reason = Text(of_column(AccessRequest, "reason", lines=True))
        benefit = Text(of_column(AccessRequest, "benefit", lines=True))
        format = Choice(PackageFormat.choices, default=PackageFormat.PARQUET)
        starts = Instant()
        ends = Instant()

    class Output(serializers.Serializer):
        """One request as its requester sees it: the board's answer, never a ballot."""

        ref = serializers.CharField()
        state = serializers.CharField()
        dataset = serializers.CharField(source="dataset.ref")
        purpose = serializers.CharField(source="purpose.code")
        agreement = serializers.CharField(source="agreement.ref")
        fields = serializers.SerializerMethodField(method_name="field_names")  # type: ignore[assignment]  # as above
        reason = serializers.CharField()
        benefit = serializers.CharField()
        format = serializers.CharField()
        starts = serializers.DateTimeField()
        ends = serializers.DateTimeField()
        submitted_at = serializers.DateTimeField()
        answer_by = serializers.DateTimeField()
        decided_at = serializers.DateTimeField(source="decision.decided_at", default=None)

        def field_names(self, row: AccessRequest) -> list[str]:
            return sorted(asked_for.field.name for asked_for in row.fields.all())

    def get(self, request: Request) -> Response:
        return Response(page(of(self.token), request=request, output=self.Output))

    def post(self, request: Request) -> Response:
        shape = self.Input(data=request.data)
        shape.is_valid(raise_exception=True)
        made = self._submit(shape.validated_data)
        return Response(
            self.Output(found(of(self.token), made.ref)).data,
            status=HTTP_201_CREATED,
            headers={"Location": reverse("api:request", kwargs={"ref": made.ref})},
        )

    def _submit(self, sent: Mapping[str, Any]) -> AccessRequest:
        """Both deeds or neither: a draft that cannot be submitted leaves nothing behind."""
        at = timezone.now()
        recipient = self.token.organisation
        agreement = agreements.visible_to(self.caller, at).filter(recipient=recipient)
        dataset = named(catalogue.datasets(self.caller), "dataset", ref=sent["dataset"])
        with transaction.atomic():
            draft = requests.draft(
                requester=recipient,
                dataset=dataset,
                purpose=named(catalogue.purposes(), "purpose", code=sent["purpose"]),
                agreement=named(agreement, "agreement", ref=sent["agreement"]),
                fields=fields_of(dataset, sent["fields"]),
                reason=sent["reason"],
                benefit=sent["benefit"],
                format=sent["format"],
                starts=sent["starts"],
                ends=sent["ends"],
                by=self.caller,
                at=at,
                via=Via.API,
            )
            return requests.submit(request=draft, by=self.caller, at=at, via=Via.API)


def fields_of(dataset: Dataset, names: Sequence[str]) -> list[Field]:
    """The dataset's fields with these names, in the order they were named."""
    known = {field.name: field for field in catalogue.fields(dataset).filter(name__in=names)}
    unknown = {
        f"fields.{place}": ["This dataset has no such field."]
        for place, name in enumerate(names)
        if name not in known
    }
    if unknown:
        raise serializers.ValidationError(unknown, code="unknown")
    return [known[name] for name in names]


class OneRequest(Endpoint):
    """`/api/requests/<ref>/`"""

    def get(self, request: Request, ref: str) -> Response:
        return Response(Requests.Output(found(of(self.token), ref)).data)
