"""The signed head of the log, and the proof that an answer stands in it."""

from django.http import HttpResponse
from rest_framework.request import Request

from api.endpoints import Endpoint, found
from api.releases import of
from audit import queries as log
from common.errors import NotReady, RuleBroken
from common.words import sentence as _

TEXT = "text/plain; charset=utf-8"


class Checkpoint(Endpoint):
    """`/api/log/checkpoint/`"""

    def get(self, request: Request) -> HttpResponse:
        head = log.latest_checkpoint()
        if head is None:
            raise NotReady("log_empty", _("The log has not signed anything yet."))
        return HttpResponse(head.note, content_type=TEXT)


class Proof(Endpoint):
    """`/api/releases/<ref>/proof/`"""

    def get(self, request: Request, ref: str) -> HttpResponse:
        release = found(of(self.token), ref)
        if release.entry is None:
            raise RuleBroken(
                "not_answered", _("This asking has no answer yet, so nothing to prove.")
            )
        return HttpResponse(log.proof(release.entry), content_type=TEXT)
