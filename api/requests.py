"""Asking for access, and what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_201_CREATED

from api.described import CURSOR, REF, described, paged
from api.endpoints import ASKING, Endpoint, found, named
from api.pages import page
from api.repeats import once
from api.shapes import Choice, Instant, Moment, Shape, Text
from audit.vocabulary import Via
from common.inputs import of as of_column
from governance.actions import requests
from governance.actions.repeats import Answer
from governance.models import AccessRequest, Agreement, Dataset, Field, Purpose
from governance.queries import agreements, catalogue
from governance.queries import requests as asked
from governance.queries.machines import Access
from governance.vocabulary import MachineScope, PackageFormat

MOST_FIELDS = 500


def of(access: Access) -> QuerySet[AccessRequest]:
    """What the caller's organisation has asked for."""
    return (
        asked.visible_to(access.user, timezone.now())
        .filter(requester=access.organisation)
        .select_related("dataset", "purpose", "agreement", "decision")
        .prefetch_related("fields__field")
    )


class Requests(Endpoint):
    """`/api/requests/`"""

    scopes = ASKING

    @extend_schema_serializer(component_name="NewRequest")
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

    @extend_schema_serializer(component_name="Request")
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
        starts = Moment()
        ends = Moment()
        submitted_at = Moment(allow_null=True)
        answer_by = Moment(allow_null=True)
        decided_at = Moment(source="decision.decided_at", default=None, allow_null=True)

        def field_names(self, row: AccessRequest) -> list[str]:
            return sorted(asked_for.field.name for asked_for in row.fields.all())

    @described(
        "list_requests",
        "The organisation's requests, newest first.",
        scope=MachineScope.READ,
        answers={200: paged("Request", Output)},
        given=[CURSOR],
    )
    def get(self, request: Request) -> Response:
        return Response(page(of(self.access), request=request, output=self.Output))

    @described(
        "submit_request",
        "Drafts and submits a request, both or neither.",
        scope=MachineScope.ASK,
        answers={201: Output},
        takes=Input,
        posted=True,
    )
    def post(self, request: Request) -> Response:
        sent = self.Input.read(request.data)
        return once(self, lambda: self._made(sent))

    def _made(self, sent: Mapping[str, Any]) -> Answer:
        made = self._submit(sent)
        return Answer(
            HTTP_201_CREATED,
            dict(self.Output(found(of(self.access), made.ref)).data),
            {"Location": reverse("api:request", kwargs={"ref": made.ref})},
        )

    def _submit(self, sent: Mapping[str, Any]) -> AccessRequest:
        """Both deeds or neither: a draft that cannot be submitted leaves nothing behind."""
        at = timezone.now()
        recipient = self.access.organisation
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

    @described(
        "read_request",
        "One request and the board's answer.",
        scope=MachineScope.READ,
        answers={200: Requests.Output},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> Response:
        return Response(Requests.Output(found(of(self.access), ref)).data)
