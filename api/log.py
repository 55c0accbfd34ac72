"""The log as anyone may read it (C2SP tlog-tiles), its entries for auditors, and proofs of answers.

The prefix of the C2SP addresses is `/api/log`. Hashes tell nothing of an entry, so head and tiles
are everybody's; every leaf holds 128 random bits.
"""

from collections.abc import Mapping
from typing import ClassVar

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from api.described import BYTES, LEVEL, REF, STRING, TEXT, TILE, described
from api.endpoints import Endpoint, found
from api.releases import of
from api.throttling import LogThrottle
from audit import queries as log
from audit.tlog.texts import Malformed
from audit.tlog.tiles import ENTRIES, Tile, parse_tile
from audit.vocabulary import Via
from common.errors import NotReady, RuleBroken
from common.words import sentence as _
from governance.vocabulary import MachineScope
from oversight.actions import logs

PLAIN = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"
FOR_EVER = "public, max-age=31536000, immutable"
SCRIPT = settings.BASE_DIR / "client" / "verify_sayso.py"
AUDITING = {"GET": MachineScope.AUDIT, "HEAD": MachineScope.AUDIT}


class Open(Endpoint):
    """An address that is anybody's: no token is looked at, so none can be told by it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LogThrottle,)
    scopes: ClassVar[Mapping[str, MachineScope]] = {}


class Checkpoint(Open):
    """`/api/log/checkpoint`"""

    @described(
        "read_checkpoint",
        "The log's signed head (C2SP checkpoint), with the cosignatures that came since.",
        scope=None,
        answers={TEXT: STRING},
    )
    def get(self, request: Request) -> HttpResponse:
        head = log.witnessed_head()
        if head is None:
            raise NotReady("log_empty", _("The log has not signed anything yet."))
        return HttpResponse(log.note_with(head), content_type=PLAIN)


class Hashes(Open):
    """`/api/log/tile/<level>/<number>[.p/<width>]`"""

    @described(
        "read_tile",
        "Hashes of the log's tree (C2SP tile). What is served once never changes.",
        scope=None,
        answers={(200, OCTETS): BYTES},
        given=[LEVEL, TILE],
        more={
            401: "No tile is spelled so; what else is not there is told to nobody without a token."
        },
    )
    def get(self, request: Request, level: str, tile: str) -> HttpResponse:
        hashes = log.tile_hashes(named(level, tile))
        if hashes is None:
            raise Http404
        answer = HttpResponse(hashes, content_type=OCTETS)
        answer["Cache-Control"] = FOR_EVER
        return answer


class Entries(Endpoint):
    """`/api/log/tile/entries/<number>[.p/<width>]`"""

    scopes = AUDITING
    tagged = False  # each reading is a deed of its own

    @described(
        "read_entries",
        "Entries of the log (C2SP entry bundle), for auditors. Each reading leaves an entry.",
        scope=MachineScope.AUDIT,
        answers={(200, OCTETS): BYTES},
        given=[TILE],
        tagged=False,
    )
    def get(self, request: Request, tile: str) -> HttpResponse:
        named(ENTRIES, tile)
        entries = logs.read_entries(
            tile=tile,
            organisation=self.access.organisation,
            by=self.caller,
            at=timezone.now(),
            via=Via.API,
        )
        if entries is None:
            raise Http404
        return HttpResponse(entries, content_type=OCTETS)


def named(level: str, tile: str) -> Tile:
    """The tile of this name, or 404: there is one spelling of each."""
    try:
        return parse_tile(f"{level}/{tile}")
    except Malformed:
        raise Http404 from None


class Script(Open):
    """`/api/log/verify_sayso.py`"""

    @described(
        "fetch_verifier",
        "One Python file that checks a proof without asking anybody. Read it before you trust it.",
        scope=None,
        answers={(200, "text/x-python"): STRING},
    )
    def get(self, request: Request) -> HttpResponse:
        answer = HttpResponse(SCRIPT.read_bytes(), content_type="text/x-python; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{SCRIPT.name}"'
        return answer


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
            raise RuleBroken(
                "not_answered", _("This asking has no answer yet, so nothing to prove.")
            )
        return HttpResponse(log.proof(release.entry), content_type=PLAIN)
