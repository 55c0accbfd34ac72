"""Asking for rows, and the answer."""

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED

from api import requests
from api.described import CURSOR, REF, described, paged
from api.endpoints import ASKING, Endpoint, found
from api.pages import page
from api.repeats import once
from api.shapes import Moment, Shape
from audit.vocabulary import Via
from governance.actions.repeats import Answer
from governance.models import AccessRequest
from governance.queries.machines import Access
from governance.vocabulary import MachineScope
from release.actions import asking
from release.models import Release
from release.queries import releases as answers
from release.rules.bands import band
from release.vocabulary import ReleaseState

POLL_SECONDS = "2"
VOID = "void"


def of(access: Access) -> QuerySet[Release]:
    """Every answer to the caller's organisation."""
    return (
        answers.visible_to(access.user)
        .filter(recipient=access.organisation)
        .select_related("request", "purpose", "entry")
        .prefetch_related("replaced_by")
        .annotate(package_parts=Count("parts"))
        .defer("manifest")
    )


class Releases(Endpoint):
    """`/api/releases/`"""

    @extend_schema_serializer(component_name="Release")
    class Output(serializers.Serializer):
        """One answer as its recipient sees it: bands only, and who said no to what is nobody's."""

        ref = serializers.CharField()
        request = serializers.CharField(source="request.ref")
        purpose = serializers.CharField(source="purpose.code")
        state = serializers.SerializerMethodField()
        asked_at = Moment()
        answered_at = Moment(allow_null=True)
        format = serializers.CharField()
        parts = serializers.SerializerMethodField()
        rows = serializers.SerializerMethodField()
        rows_withheld = serializers.SerializerMethodField()
        grounds = serializers.SerializerMethodField()
        voided_at = Moment(allow_null=True)
        replaced_by = serializers.SerializerMethodField()

        def get_state(self, row: Release) -> str:
            return VOID if row.voided_at else row.state

        def get_parts(self, row: Release) -> int | None:
            return row.package_parts if prepared(row) else None  # type: ignore[attr-defined]  # annotated in `of`

        def get_rows(self, row: Release) -> str | None:
            return band(row.rows) if prepared(row) else None

        def get_rows_withheld(self, row: Release) -> str | None:
            return band(row.rows_withheld) if prepared(row) else None

        def get_grounds(self, row: Release) -> list[str]:
            return sorted(row.grounds) if row.state == ReleaseState.REFUSED else []

        def get_replaced_by(self, row: Release) -> str | None:
            newer = sorted(row.replaced_by.all(), key=lambda release: release.pk)
            return newer[-1].ref if newer else None

    @described(
        "list_releases",
        "The answers to the organisation, newest first.",
        scope=MachineScope.READ,
        answers={200: paged("Release", Output)},
        given=[CURSOR],
    )
    def get(self, request: Request) -> Response:
        return Response(page(of(self.access), request=request, output=self.Output))


class OneRelease(Endpoint):
    """`/api/releases/<ref>/`"""

    @described(
        "read_release",
        "One answer; 202 with `Retry-After` while it is prepared.",
        scope=MachineScope.READ,
        answers={200: Releases.Output, 202: Releases.Output},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> Response:
        release = found(of(self.access), ref)
        if release.state == ReleaseState.WAITING:
            return Response(
                Releases.Output(release).data,
                status=HTTP_202_ACCEPTED,
                headers={"Retry-After": POLL_SECONDS},
            )
        return Response(Releases.Output(release).data)


class ReleasesOfRequest(Endpoint):
    """`/api/requests/<ref>/releases/`"""

    scopes = ASKING

    @described(
        "ask_for_release",
        "Asks for the rows of an approved request.",
        scope=MachineScope.ASK,
        answers={202: Releases.Output},
        given=[REF],
        posted=True,
    )
    def post(self, request: Request, ref: str) -> Response:
        Shape.read(request.data)
        wanted = found(requests.of(self.access), ref)
        return once(self, lambda: self._asked(wanted))

    def _asked(self, wanted: AccessRequest) -> Answer:
        asked = asking.ask(request=wanted, by=self.caller, at=timezone.now(), via=Via.API)
        return Answer(
            HTTP_202_ACCEPTED,
            dict(Releases.Output(found(of(self.access), asked.ref)).data),
            {
                "Location": reverse("api:release", kwargs={"ref": asked.ref}),
                "Retry-After": POLL_SECONDS,
            },
        )


def prepared(row: Release) -> bool:
    """Whether there is a package that can still be asked for."""
    return row.state == ReleaseState.PREPARED and row.voided_at is None
