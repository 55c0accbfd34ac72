"""The signed head of the log, and the proof that an answer stands in it."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.described import REF, STRING, TEXT, described
from api.endpoints import Endpoint, found
from api.releases import of
from audit import queries as log
from common.errors import NotReady, RuleBroken
from governance.vocabulary import MachineScope

PLAIN = "text/plain; charset=utf-8"


class Checkpoint(Endpoint):
    """`/api/log/checkpoint/`"""

    @described(
        "read_checkpoint",
        "The log's signed head (C2SP checkpoint).",
        scope=MachineScope.READ,
        answers={TEXT: STRING},
    )
    def get(self, request: Request) -> HttpResponse:
        head = log.latest_checkpoint()
        if head is None:
            raise NotReady("log_empty", "The log has not signed anything yet.")
        return HttpResponse(head.note, content_type=PLAIN)


class Proof(Endpoint):
    """`/api/releases/<ref>/proof/`"""

    @described(
        "prove_release",
        "That the answer stands in the log (C2SP tlog-proof).",
        scope=MachineScope.READ,
        answers={TEXT: STRING},
        given=[REF],
        more={409: "Not answered yet."},
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        release = found(of(self.access), ref)
        if release.entry is None:
            raise RuleBroken("not_answered", "This asking has no answer yet, so nothing to prove.")
        return HttpResponse(log.proof(release.entry), content_type=PLAIN)
