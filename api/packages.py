"""What is handed over: each request, each `HEAD` and each `Range` is a new asking of its own."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import TypeAlias

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api.authentication import BearerToken
from api.described import BYTES, HANDED, IF_RANGE, NUMBER, RANGE, REF, described
from api.endpoints import FETCHING, Endpoint, found
from api.errors import problem
from api.ranges import Unsatisfiable, Window, window
from api.releases import prepared
from audit.vocabulary import Via
from governance.vocabulary import MachineScope
from release.actions import stopping
from release.actions.handing import HandedOver, hand_over
from release.models import Release, ReleasePart
from release.vocabulary import DownloadPart

LOOK_AGAIN_SECONDS = 1.0

Answer: TypeAlias = HttpResponse | StreamingHttpResponse


class HandOver(Endpoint):
    """Something of one package. `hand_over` has the last word on every request that comes here."""

    part: DownloadPart
    scopes = FETCHING
    tagged = False

    def release(self, ref: str) -> Release:
        # Not only what the caller may still see: a refusal of the caller is for the log as well.
        return found(Release.objects.filter(recipient=self.access.organisation), ref)

    def hand(
        self, release: Release, *, number: int | None = None, only: Window | None = None
    ) -> HandedOver:
        return hand_over(
            release=release,
            part=self.part,
            number=number,
            by=self.caller,
            at=timezone.now(),
            via=Via.API,
            first=only.first if only else None,
            last=only.last if only else None,
        )

    def answer(self, handed: HandedOver) -> Answer:
        response: Answer
        if self.request.method == "HEAD":
            close(handed.chunks)
            response = HttpResponse()
        else:
            response = StreamingHttpResponse(watched(handed, self.request))
        response["Content-Type"] = handed.content_type
        response["Content-Disposition"] = f'attachment; filename="{handed.name}"'
        response["Content-Length"] = str(handed.last - handed.first + 1)
        response["Accept-Ranges"] = "none"
        if handed.sha256:
            response["ETag"] = f'"{handed.sha256}"'
        return response


class Manifest(HandOver):
    """`/api/releases/<ref>/manifest/`"""

    part = DownloadPart.MANIFEST

    @described(
        "fetch_manifest",
        "Hands over the manifest. Each request is a decision and an entry of its own.",
        scope=MachineScope.FETCH,
        answers={200: OpenApiTypes.OBJECT},
        given=[REF],
        more=HANDED,
        tagged=False,
    )
    def get(self, request: Request, ref: str) -> Answer:
        return self.answer(self.hand(self.release(ref)))


class Package(HandOver):
    """`/api/releases/<ref>/package/`: one uncompressed zip, made while it is sent."""

    part = DownloadPart.PACKAGE

    @described(
        "fetch_package",
        "Hands over everything as one zip that is not compressed.",
        scope=MachineScope.FETCH,
        answers={(200, "application/zip"): BYTES},
        given=[REF],
        more=HANDED,
        tagged=False,
    )
    def get(self, request: Request, ref: str) -> Answer:
        return self.answer(self.hand(self.release(ref)))


class Part(HandOver):
    """`/api/releases/<ref>/parts/<number>/`: one sealed file, whole or one range of it."""

    part = DownloadPart.PART

    @described(
        "fetch_part",
        "Hands over one sealed part, whole or one range of it.",
        scope=MachineScope.FETCH,
        answers={
            (200, "application/octet-stream"): BYTES,
            (206, "application/octet-stream"): BYTES,
        },
        given=[REF, NUMBER, RANGE, IF_RANGE],
        more={**HANDED, 416: "The file has no such bytes."},
        tagged=False,
    )
    def get(self, request: Request, ref: str, number: int) -> Answer:
        release = self.release(ref)
        row = release.parts.filter(number=number).first()
        if row is None and prepared(release):
            raise Http404
        try:
            only = self._window(row)
        except Unsatisfiable:
            return self._unsatisfiable(release, number)
        handed = self.hand(release, number=number, only=only)
        response = self.answer(handed)
        response["Accept-Ranges"] = "bytes"
        if only is not None:
            response.status_code = HTTPStatus.PARTIAL_CONTENT
            response["Content-Range"] = f"bytes {handed.first}-{handed.last}/{handed.size}"
        return response

    def _window(self, row: ReleasePart | None) -> Window | None:
        wanted = self.request.headers.get("Range", "")
        if row is None or not wanted:
            return None
        # A range of another file than the caller began with would be of no use to it.
        if self.request.headers.get("If-Range", f'"{row.sha256}"') != f'"{row.sha256}"':
            return None
        return window(wanted, size=row.size)

    def _unsatisfiable(self, release: Release, number: int) -> HttpResponse:
        # Even a file's size is told only by a hand-over.
        handed = self.hand(release, number=number)
        close(handed.chunks)
        return problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            "range",
            "The file has no such bytes.",
            headers={"Content-Range": f"bytes */{handed.size}", "Accept-Ranges": "bytes"},
        )


def watched(handed: HandedOver, request: Request) -> Iterator[bytes]:
    """The chunks, as long as the token opens the door; it is shown again each second."""
    looked = time.monotonic()
    try:
        for chunk in handed.chunks:
            if time.monotonic() - looked >= LOOK_AGAIN_SECONDS:
                looked = time.monotonic()
                look_again(handed, request)
            yield chunk
    finally:
        close(handed.chunks)


def look_again(handed: HandedOver, request: Request) -> None:
    """Break the connection, and leave an entry, where the token opens the door no more."""
    try:
        BearerToken().admitted(request)
    except AuthenticationFailed:
        stopping.stopped(
            release=handed.download.release,
            by=handed.download.by,
            at=timezone.now(),
            via=Via.API,
            reason="token-ended",
        )
        raise


def close(chunks: Iterator[bytes]) -> None:
    """Tell whoever sends that nobody listens any more."""
    if callable(end := getattr(chunks, "close", None)):
        end()
