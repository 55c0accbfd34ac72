"""A holder's own system asks, at the moment of sharing, whether it may."""

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from django.http import Http404, HttpResponse
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from api.described import REF, STRING, TEXT, described
from api.endpoints import Endpoint, found
from api.log import PLAIN
from api.shapes import Moment, Shape, Text
from api.throttling import DecisionThrottle
from audit import queries as log
from audit.vocabulary import Decision, Via
from common.inputs import of as of_column
from governance.models import AccessRequest
from governance.queries import requests as asked
from governance.vocabulary import MachineScope
from release.actions import inquiries
from release.models import Inquiry
from release.queries import inquiries as answers
from release.rules.inquiries import told_to_holder

ANY_REF = "any-ref"


class Decisions(Endpoint):
    """`/api/decisions/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = {"POST": MachineScope.DECIDE}
    throttle_classes = (DecisionThrottle,)

    @extend_schema_serializer(component_name="Question")
    class Input(Shape):
        request = Text(of_column(AccessRequest, "ref"))
        client = Text(inquiries.NUMBER, help_text="The holder's own client number.")

    @extend_schema_serializer(component_name="Decision")
    class Output(serializers.Serializer):
        """One decision about one client. It is true at `at` and holds for no later moment."""

        ref = serializers.CharField()
        request = serializers.CharField()
        decision = serializers.ChoiceField(
            choices=[Decision.PERMITTED.value, Decision.REFUSED.value]
        )
        at = Moment()
        columns = serializers.DictField(
            child=serializers.ListField(child=serializers.CharField()),
            help_text="By category, the columns that may go; no other may.",
        )
        record_until = serializers.DateField(
            allow_null=True, help_text="What was recorded later stays."
        )
        grounds = serializers.ListField(child=serializers.CharField())
        leaf_hash = serializers.CharField(help_text="The entry's leaf hash, in hexadecimal.")
        proof = serializers.CharField(help_text="Where the entry's proof is, once it is signed.")

    @described(
        "decide",
        "Whether one client's record may go out for one approved request, at this moment. Every "
        "question is decided anew and written down: an `Idempotency-Key` is not looked at.",
        scope=MachineScope.DECIDE,
        takes=Input,
        answers={200: Output},
        more={413: "The body is too large.", 415: "Another kind of body."},
        tagged=False,
    )
    def post(self, request: Request) -> Response:
        shape = self.Input.read(request.data)
        wanted = asked.asked_of(self.access.organisation, shape["request"])
        if wanted is None:
            raise Http404
        answered = inquiries.answer(
            request=wanted,
            number=shape["client"],
            by=self.caller,
            at=timezone.now(),
            via=Via.API,
        )
        return Response(told(answered, wanted.ref))


class DecisionProof(Endpoint):
    """`/api/decisions/<ref>/proof/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = dict.fromkeys(
        ["GET", "HEAD"], MachineScope.DECIDE
    )

    @described(
        "prove_decision",
        "That the decision stands in the log (C2SP tlog-proof).",
        scope=MachineScope.DECIDE,
        answers={TEXT: STRING},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        inquiry = found(answers.visible_to(self.caller, self.access.organisation), ref)
        return HttpResponse(log.proof(inquiry.entry), content_type=PLAIN)


def told(inquiry: Inquiry, request: str) -> dict[str, object]:
    """The decision as its holder is told it: plain values, as Output describes them."""
    decision = Decision.PERMITTED if inquiry.permitted else Decision.REFUSED
    until = inquiry.record_until
    return {
        "ref": inquiry.ref,
        "request": request,
        "decision": decision.value,
        "at": inquiry.at.isoformat().replace("+00:00", "Z"),
        "columns": inquiry.columns,
        "record_until": until.isoformat() if until else None,
        "grounds": list(told_to_holder(inquiry.grounds)),
        "leaf_hash": bytes(inquiry.entry.leaf_hash).hex(),
        "proof": _proof(get_script_prefix()).replace(ANY_REF, inquiry.ref),
    }


@lru_cache(maxsize=8)
def _proof(_prefix: str) -> str:
    """Where the proof of any decision is; to work that out anew each time costs more than the entry."""
    return reverse("api:decision-proof", kwargs={"ref": ANY_REF})
