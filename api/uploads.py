"""Sending a file for a dataset, and how its loading ended."""

from collections.abc import Mapping
from hashlib import sha256
from typing import IO, Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED

from api.described import CSV, CURSOR, REF, STRING, described, paged
from api.endpoints import Endpoint, found
from api.pages import page
from api.repeats import once
from api.shapes import Moment
from audit.vocabulary import Via
from common.errors import BadInput
from common.words import sentence as _
from governance.actions.repeats import Answer
from governance.models import Dataset
from governance.queries import catalogue
from governance.queries.machines import Access
from governance.vocabulary import MachineScope
from release.actions import receiving
from release.actions.receiving import LONGEST_MAPPING
from release.models import Upload
from release.queries import uploads as sent
from release.vocabulary import UploadState

POLL_SECONDS = "2"
LOADING = dict.fromkeys(["GET", "HEAD", "POST"], MachineScope.LOAD)
FILE, MAPPING = "file", "mapping"
SENT = {
    "type": "object",
    "properties": {
        "mapping": {"type": "string", "minLength": 1, "maxLength": LONGEST_MAPPING},
        "file": {"type": "string", "format": "binary"},
    },
    "required": ["mapping", "file"],
    "additionalProperties": False,
}


def of(access: Access) -> QuerySet[Upload]:
    """What was sent for the caller's organisation's datasets."""
    return sent.visible_to(access.user, access.organisation)


class Inward(FileUploadHandler):
    """Takes the two parts of a form as they come: the mapping into memory, the file sealed away."""

    chunk_size = 64 * 1024

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self.sealed = file
        self.mapping = bytearray()
        self.seen: list[str] = []

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        if field_name not in (FILE, MAPPING) or field_name in self.seen:
            raise ParseError("Send one part named mapping and one named file, and nothing else.")
        self.seen.append(field_name)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.seen[-1] == FILE:
            self.sealed.write(raw_data)
            return
        self.mapping += raw_data
        if len(self.mapping) > LONGEST_MAPPING:
            raise BadInput("mapping", _("A mapping has at most 256 KiB."))

    def file_complete(self, file_size: int) -> UploadedFile | None:
        return None


class Form(BaseParser):
    """Leaves the body alone: it is read piece by piece when it is known where the pieces go."""

    media_type = "multipart/form-data"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None
    ) -> Any:
        return stream


class Uploads(Endpoint):
    """`/api/uploads/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = LOADING

    @extend_schema_serializer(component_name="Upload")
    class Output(serializers.Serializer):
        """One file that was sent; `told` says what was wrong and repeats nothing of the file."""

        ref = serializers.CharField()
        dataset = serializers.CharField(source="dataset.ref")
        state = serializers.ChoiceField(UploadState.choices)
        size = serializers.IntegerField()
        sha256 = serializers.CharField()
        received_at = Moment()
        answered_at = Moment(allow_null=True)
        version = serializers.SerializerMethodField()
        rows = serializers.SerializerMethodField()
        rejected = serializers.SerializerMethodField()
        code = serializers.CharField()
        told = serializers.CharField()
        report = serializers.SerializerMethodField()

        def get_version(self, row: Upload) -> str | None:
            return row.version.ref if row.version else None

        def get_rows(self, row: Upload) -> int | None:
            return row.version.rows if row.version else None

        def get_rejected(self, row: Upload) -> int | None:
            return row.version.rejected if row.version else None

        def get_report(self, row: Upload) -> str | None:
            return reverse("api:upload-report", kwargs={"ref": row.ref}) if row.report else None

    @described(
        "list_uploads",
        "What was sent for the organisation's datasets, newest first.",
        scope=MachineScope.LOAD,
        answers={200: paged("Upload", Output)},
        given=[CURSOR],
    )
    def get(self, request: Request) -> Response:
        return Response(page(of(self.access), request=request, output=self.Output))


class OneUpload(Endpoint):
    """`/api/uploads/<ref>/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = LOADING

    @described(
        "read_upload",
        "One file that was sent; 202 with `Retry-After` while it waits to be loaded.",
        scope=MachineScope.LOAD,
        answers={200: Uploads.Output, 202: Uploads.Output},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> Response:
        upload = found(of(self.access), ref)
        told = Uploads.Output(upload).data
        if upload.state == UploadState.WAITING:
            return Response(told, status=HTTP_202_ACCEPTED, headers={"Retry-After": POLL_SECONDS})
        return Response(told)


class Report(Endpoint):
    """`/api/uploads/<ref>/report/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = LOADING

    @described(
        "read_upload_report",
        "Which rows were refused and why, without a single value of theirs.",
        scope=MachineScope.LOAD,
        answers={CSV: STRING},
        given=[REF],
    )
    def get(self, request: Request, ref: str) -> HttpResponse:
        text = sent.report(found(of(self.access), ref))
        if text is None:
            raise Http404
        return HttpResponse(text, content_type="text/csv; charset=utf-8")


class UploadsOfDataset(Endpoint):
    """`/api/datasets/<ref>/uploads/`"""

    scopes: ClassVar[Mapping[str, MachineScope]] = {"POST": MachineScope.LOAD}
    parser_classes = (Form,)

    @described(
        "upload_version",
        "Sends a file and its mapping (TOML); the file is sealed as it comes.",
        scope=MachineScope.LOAD,
        answers={202: Uploads.Output},
        takes={"multipart/form-data": SENT},
        given=[REF],
        posted=True,
    )
    def post(self, request: Request, ref: str) -> Response:
        own = catalogue.datasets(self.caller).filter(holder=self.access.organisation)
        dataset = found(own, ref)
        stream = request.data  # another type of body is refused here, before a byte is read
        arrival = receiving.begin(dataset=dataset, by=self.caller, at=timezone.now(), via=Via.API)
        self.kept = False
        try:
            inward = Inward(arrival)  # type: ignore[arg-type]  # only `write` is asked of it
            self._read(stream, inward)
            digest = arrival.finish()
            mapping = bytes(inward.mapping)
            response = once(
                self,
                lambda: self._received(dataset, arrival, digest, mapping),
                content=f"{digest} {sha256(mapping).hexdigest()}",
            )
        except (BadInput, ParseError) as refusal:
            code = refusal.code if isinstance(refusal, BadInput) else "parse_error"
            receiving.refuse(
                dataset=dataset, code=code, by=self.caller, at=timezone.now(), via=Via.API
            )
            raise
        finally:
            if not self.kept:  # refused, or answered before: these pieces belong to nothing
                arrival.forget()
        return response

    def _read(self, stream: Any, inward: Inward) -> None:
        if not hasattr(stream, "read"):  # an empty body
            raise ParseError("Send one part named mapping and one named file.")
        try:
            fields, _files = MultiPartParser(self.request.META, stream, [inward], "utf-8").parse()
        except MultiPartParserError as error:
            raise ParseError("The body is not a form with parts.") from error
        text = fields.get(MAPPING, "")
        if set(fields) - {MAPPING} or (text and inward.mapping):
            raise ParseError("Send one part named mapping and one named file, and nothing else.")
        inward.mapping += text.encode()

    def _received(self, dataset: Dataset, arrival: Any, digest: str, mapping: bytes) -> Answer:
        upload = receiving.receive(
            dataset=dataset,
            arrival=arrival,
            sha256=digest,
            mapping=mapping,
            by=self.caller,
            at=timezone.now(),
            via=Via.API,
        )
        self.kept = True  # from here on it may be committed, even if the connection is lost
        return Answer(
            HTTP_202_ACCEPTED,
            dict(Uploads.Output(found(of(self.access), upload.ref)).data),
            {
                "Location": reverse("api:upload", kwargs={"ref": upload.ref}),
                "Retry-After": POLL_SECONDS,
            },
        )
