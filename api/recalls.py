"""What the organisation is asked to delete, and what it says it did."""

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_200_OK

from api.described import CSV, CURSOR, REF, STRING, described, paged
from api.endpoints import FETCHING, Endpoint, found
from api.pages import page
from api.repeats import once
from api.shapes import Choice, Moment, Shape
from audit.vocabulary import Via
from governance.actions.repeats import Answer
from governance.queries.machines import Access
from governance.vocabulary import MachineScope
from release.actions import recalls as deeds
from release.models import Recall
from release.queries import recalls
from release.vocabulary import RecallState, Reported, Step

ANSWERING: Mapping[str, MachineScope] = {"POST": MachineScope.FETCH}


def of(access: Access) -> QuerySet[Recall]:
    """Every recall of what the caller's organisation received."""
    return recalls.asked_of(access.user).filter(release__recipient=access.organisation)


class Recalls(Endpoint):
    """`/api/recalls/`"""

    @extend_schema_serializer(component_name="Recall")
    class Output(serializers.Serializer):
        """What has to be deleted by `due_at`: of these people the columns named, or all where none is."""

        ref = serializers.CharField()
        release = serializers.CharField(source="release.ref")
        agreement = serializers.CharField(source="release.request.agreement.ref")
        state = serializers.SerializerMethodField()
        columns = serializers.ListField(child=serializers.CharField())
        people = serializers.IntegerField()
        opened_at = Moment()
        due_at = Moment()
        acknowledged_at = serializers.SerializerMethodField()
        reported_at = serializers.SerializerMethodField()
        reported = serializers.SerializerMethodField()

        def get_state(self, row: Recall) -> RecallState:
            return recalls.standing_of(row, timezone.now()).state

        def get_acknowledged_at(self, row: Recall) -> str | None:
            return self._at(row, Step.ACKNOWLEDGED)

        def get_reported_at(self, row: Recall) -> str | None:
            return self._at(row, Step.REPORTED)

        @extend_schema_field(serializers.ChoiceField(choices=Reported.choices, allow_null=True))
        def get_reported(self, row: Recall) -> Reported | None:
            return recalls.standing_of(row, timezone.now()).reported

        def _at(self, row: Recall, step: Step) -> str | None:
            at = recalls.standing_of(row, timezone.now()).steps.get(step)
            return Moment().to_representation(at) if at else None

    @described(
        "list_recalls",
        "What the organisation is asked to delete, newest first.",
        scope=MachineScope.READ,
        answers={200: paged("Recall", Output)},
        given=[CURSOR],
    )
    def get(self, request: Request) -> Response:
        return Response(page(of(self.access), request=request, output=self.Output))


class OneRecall(Endpoint):
    """`/api/recalls/<ref>/`"""

    @described(
        "read_recall",
        "One recall.",
        scope=MachineScope.READ,
        answers={200: Recalls.Output},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> Response:
        return Response(Recalls.Output(found(of(self.access), ref)).data)


class PeopleOfRecall(Endpoint):
    """`/api/recalls/<ref>/people/`"""

    scopes = FETCHING

    @described(
        "read_recall_people",
        "Whom it is about, by the keys of the column `person`: one a line after a heading.",
        scope=MachineScope.FETCH,
        answers={CSV: STRING},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        keys = deeds.people(recall=found(of(self.access), ref), by=self.caller)
        return HttpResponse(
            "".join(f"{line}\r\n" for line in ["person", *keys]),
            content_type="text/csv; charset=utf-8",
        )


class Acknowledgements(Endpoint):
    """`/api/recalls/<ref>/acknowledgement/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = ANSWERING

    @described(
        "acknowledge_recall",
        "Says that the organisation has it.",
        scope=MachineScope.FETCH,
        answers={200: Recalls.Output},
        given=[REF],
        posted=True,
    )
    def post(self, request: Request, ref: str) -> Response:
        Shape(data=request.data).is_valid(raise_exception=True)
        recall = found(of(self.access), ref)
        return once(self, lambda: self._done(recall))

    def _done(self, recall: Recall) -> Answer:
        deeds.acknowledge(recall=recall, by=self.caller, at=timezone.now(), via=Via.API)
        return told(self.access, recall)


class Reports(Endpoint):
    """`/api/recalls/<ref>/report/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = ANSWERING

    @extend_schema_serializer(component_name="RecallReport")
    class Input(Shape):
        reported = Choice(Reported.choices)

    @described(
        "report_recall",
        "Says what the organisation did. The people it is about can see it.",
        scope=MachineScope.FETCH,
        takes=Input,
        answers={200: Recalls.Output},
        given=[REF],
        posted=True,
    )
    def post(self, request: Request, ref: str) -> Response:
        shape = self.Input(data=request.data)
        shape.is_valid(raise_exception=True)
        recall = found(of(self.access), ref)
        reported = Reported(shape.validated_data["reported"])
        return once(self, lambda: self._done(recall, reported))

    def _done(self, recall: Recall, reported: Reported) -> Answer:
        deeds.report(
            recall=recall, reported=reported, by=self.caller, at=timezone.now(), via=Via.API
        )
        return told(self.access, recall)


def told(access: Access, recall: Recall) -> Answer:
    return Answer(HTTP_200_OK, dict(Recalls.Output(found(of(access), recall.ref)).data), {})
