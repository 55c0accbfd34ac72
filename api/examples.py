"""One or more examples of everything that the description names: of each shape, each body, each answer.

They tell one story, in which a university asks a shelter. Nobody in it is real, and no hash is one of ours.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

Json = dict[str, Any]

DATASET, AGREEMENT, REQUEST = "dst-8k3mz5q2vd7rw", "agr-6t9xc4n8hf2sj", "req-4c8fz2m9tn6pk"
RELEASE, RECALL, UPLOAD = "rel-7m2kq9d4xw8h5", "rec-5n7wz3x9kd2fq", "upl-9h4rt6m2cx8vk"
INQUIRY, VERSION = "inq-3v8qk6d5zw2mx", "ver-2x6cn9h4tk7rz"
HOLDER, RECIPIENT = "org-2w9fk5t8xz4mc", "org-6d3hn7q9rv2kx"
PART = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LEAF = "ab1ab7f07c7c8fe0eff4ba6faa53c7e4412e91a599153e8aa4e01beece5b7825"
PERSON = "5be9a9c2f1d74d0c8e3a6b7f90c1d2e3"
CHECKPOINT = """sayso.example/log
2
T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=

— sayso.example/log l/WOAeKoy0T7JM6eO3Sk2yCPI/IUebyMfiWP0sZoBKsLYRZrAc+owm3uiwvLvYKiE0UypRpk0f3HDB9RQqrCOvPVhAE=
"""
PROOF = f"""c2sp.org/tlog-proof@v1
index 1
0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=

{CHECKPOINT}"""

WRONG = {"where": "fields.1", "code": "invalid", "detail": "This dataset has no such field."}
FIELD = {
    "name": "age_band",
    "type": "code",
    "category": "about-me",
    "sensitivity": "quasi",
    "narrative": False,
}
DATASETS = {
    "ref": DATASET,
    "name": "stays",
    "title": "Stays and the help that went with them",
    "holder": HOLDER,
    "state": "active",
    "fields": [
        FIELD,
        {**FIELD, "name": "region", "category": "where", "sensitivity": "location"},
    ],
}
ASKED = {
    "dataset": DATASET,
    "purpose": "research",
    "agreement": AGREEMENT,
    "fields": ["age_band", "region"],
    "reason": "To see which help lasts.",
    "benefit": "What is learnt goes back to those it is about.",
    "format": "parquet",
    "starts": "2026-02-01T00:00:00Z",
    "ends": "2026-03-01T00:00:00Z",
}
SUBMITTED = {
    "ref": REQUEST,
    "state": "submitted",
    **ASKED,
    "submitted_at": "2026-01-20T09:00:00Z",
    "answer_by": "2026-02-19T09:00:00Z",
    "decided_at": None,
}
APPROVED = {**SUBMITTED, "state": "approved", "decided_at": "2026-01-28T17:30:00Z"}
WAITING: Json = {
    "ref": RELEASE,
    "request": REQUEST,
    "purpose": "research",
    "state": "waiting",
    "asked_at": "2026-02-02T09:00:00Z",
    "answered_at": None,
    "format": "parquet",
    "parts": None,
    "rows": None,
    "rows_withheld": None,
    "grounds": [],
    "voided_at": None,
    "replaced_by": None,
}
PREPARED = {
    **WAITING,
    "state": "prepared",
    "answered_at": "2026-02-02T09:00:04Z",
    "parts": 1,
    "rows": "11–50",
    "rows_withheld": "fewer than 11",
}
REFUSED = {
    **WAITING,
    "state": "refused",
    "answered_at": "2026-02-02T09:00:01Z",
    "grounds": ["agreement_suspended"],
}
VOIDED = {
    **PREPARED,
    "state": "void",
    "voided_at": "2026-02-02T11:20:00Z",
    "replaced_by": "rel-3z9xw5k8mc4td",
}
MANIFEST = {
    "manifest": {
        "schema": 1,
        "release": RELEASE,
        "request": REQUEST,
        "agreement": AGREEMENT,
        "purpose": "research",
        "dataset": DATASET,
        "version": VERSION,
        "holder": HOLDER,
        "recipient": RECIPIENT,
        "prepared_at": "2026-02-02T09:00:04+00:00",
        "format": "parquet",
        "columns": [
            {"name": "person", "type": "text", "category": ""},
            {"name": "age_band", "type": "code", "category": "about-me"},
            {"name": "region", "type": "code", "category": "where"},
        ],
        "rows": 42,
        "rows_withheld_band": "fewer than 11",
        "parts": [{"number": 1, "rows": 42, "size": 3512, "sha256": PART}],
        "obligations": ["Delete it within 30 days of a recall."],
        "notice": "Each download is a new decision. A person may stop sharing at any time; this package"
        " is then void. Person keys are stable within this agreement only.",
    },
    "manifest_sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "entry_index": 1,
    "checkpoint": CHECKPOINT,
}
OPEN_RECALL = {
    "ref": RECALL,
    "release": RELEASE,
    "agreement": AGREEMENT,
    "state": "asked",
    "columns": [],
    "people": 2,
    "opened_at": "2026-02-10T09:00:00Z",
    "due_at": "2026-03-12T09:00:00Z",
    "acknowledged_at": None,
    "reported_at": None,
    "reported": None,
}
ACKNOWLEDGED = {**OPEN_RECALL, "state": "acknowledged", "acknowledged_at": "2026-02-10T10:00:00Z"}
REPORTED = {
    **ACKNOWLEDGED,
    "state": "reported",
    "reported_at": "2026-02-11T08:00:00Z",
    "reported": "deleted",
}
SENT = {
    "ref": UPLOAD,
    "dataset": DATASET,
    "state": "waiting",
    "size": 48211,
    "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    "received_at": "2026-01-05T07:00:00Z",
    "answered_at": None,
    "version": None,
    "rows": None,
    "rejected": None,
    "code": "",
    "told": "",
    "report": None,
}
LOADED = {
    **SENT,
    "state": "loaded",
    "answered_at": "2026-01-05T07:00:03Z",
    "version": VERSION,
    "rows": 612,
    "rejected": 1,
    "report": f"/api/uploads/{UPLOAD}/report/",
}
MAPPING = """format = "csv"
encoding = "utf-8"
delimiter = ","
reject_share = 0.01

[person]
columns = ["client"]

[record]
date = "day"

[[field]]
column = "age"
name = "age_band"
type = "code"
codes = ["18-24", "25-34", "35 and over"]
category = "about-me"
sensitivity = "quasi"
"""
QUESTION = {"request": REQUEST, "client": "c-1041"}
PERMIT = {
    "ref": INQUIRY,
    "request": REQUEST,
    "decision": "permitted",
    "at": "2026-02-03T09:00:00.123456Z",
    "columns": {"about-me": ["age_band"], "where": ["region"]},
    "record_until": "2026-01-15",
    "grounds": [],
    "leaf_hash": LEAF,
    "proof": f"/api/decisions/{INQUIRY}/proof/",
}
NO = {
    **PERMIT,
    "decision": "refused",
    "columns": {},
    "record_until": None,
    "grounds": ["no_consent"],
}
SHOWN = {
    "grant_type": "client_credentials",
    "client_id": "the application's id",
    "client_secret": "its secret",
    "scope": "read fetch",
}
TOKEN = {
    "access_token": "as long as it opens, a secret of yours",
    "token_type": "Bearer",
    "expires_in": 900,
    "scope": "read fetch",
}
INVALID = {"error": "invalid_client"}
TWICE = {"error": "invalid_request", "error_description": "Duplicate grant_type parameter."}

# Each refusal as it is told; the codes of a status stand in docs/reference/api.md.
REFUSALS: Mapping[int, tuple[str, str]] = {
    400: ("bad_shape", "What was sent does not have the right shape."),
    401: ("token_refused", "This token does not open this door."),
    403: ("insufficient_scope", "This token is not for this."),
    404: ("not_found", "There is nothing here for you."),
    405: ("method_not_allowed", 'Method "DELETE" not allowed.'),
    409: ("not_approved", "This request is not approved."),
    410: ("changed", "What was prepared may no longer be handed over. Ask for a new release."),
    413: ("too_large", "The body is too large."),
    415: ("unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
    416: ("range", "The file has no such bytes."),
    422: ("idempotency_key_reused", "This key came before with something else."),
    429: ("throttled", "Request was throttled. Expected available in 12 seconds."),
    503: ("log_not_ready", "The log has not signed this release yet."),
}


def problem(status: int) -> Json:
    code, detail = REFUSALS[status]
    told = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    return {**told, "code": code, "detail": detail, **({"errors": [WRONG]} if status == 400 else {})}  # fmt: skip


def _page(address: str, *results: Json) -> Json:
    return {"results": list(results), "next": f"/api/{address}/?cursor=WyJyZWYiXQ%3AkF3m"}


# Of each shape, by its name in the description: what it can look like.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "Dataset": {"A dataset": DATASETS},
    "DatasetPage": {"The first page": _page("datasets", DATASETS)},
    "Decision": {"A permit": PERMIT, "A refusal": NO},
    "DecisionEnum": {"It may": "permitted"},
    "Field": {"A field": FIELD},
    "FormatEnum": {"Columns": "parquet"},
    "NewRequestRequest": {"A request": ASKED},
    "NullEnum": {"Nothing": None},
    "Problem": {"A refusal": problem(409), "A wrong shape": problem(400)},
    "QuestionRequest": {"A question": QUESTION},
    "Recall": {"Asked": OPEN_RECALL, "Received": ACKNOWLEDGED, "Told": REPORTED},
    "RecallPage": {"The first page": _page("recalls", OPEN_RECALL, REPORTED)},
    "RecallReportRequest": {"Deleted": {"reported": "deleted"}},
    "RecallStateEnum": {"Asked": "asked"},
    "Release": {"Waiting": WAITING, "Prepared": PREPARED, "Refused": REFUSED, "Void": VOIDED},
    "ReleasePage": {"The first page": _page("releases", WAITING, VOIDED)},
    "ReportedEnum": {"Deleted": "deleted"},
    "Request": {"Waiting for the board": SUBMITTED, "Approved": APPROVED},
    "RequestPage": {"The first page": _page("requests", SUBMITTED)},
    "Token": {"A token": TOKEN},
    "TokenRefused": {"Not known": INVALID, "Not readable": TWICE},
    "Upload": {"Waiting": SENT, "Loaded": LOADED},
    "UploadPage": {"The first page": _page("uploads", LOADED)},
    "UploadStateEnum": {"Waiting": "waiting"},
    "Wrong": {"A field": WRONG},
}

# What one body of one operation looks like where its shape alone does not tell; `request` stands for
# what is sent. Of bytes, what they begin with.
BODIES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("get_token", "request"): {"Shown": SHOWN},
    ("get_token", "400"): {
        "Another grant": {"error": "unsupported_grant_type"},
        "Said twice": TWICE,
    },
    ("upload_version", "request"): {
        "A table": {"mapping": MAPPING, "file": "client,day,age\nc-1041,2025-12-01,25-34\n"}
    },
    ("upload_version", "202"): {"Waiting": SENT},
    ("read_upload", "200"): {"Loaded": LOADED},
    ("read_upload", "202"): {"Waiting": SENT},
    ("read_upload_report", "200"): {
        "One row": 'line,column,problem,hint\r\n17,age,not on the list,"write one of the mapping\'s codes"\r\n'
    },
    ("submit_request", "201"): {"Submitted": SUBMITTED},
    ("ask_for_release", "202"): {"Waiting": WAITING},
    ("read_release", "200"): {"Prepared": PREPARED, "Refused": REFUSED, "Void": VOIDED},
    ("read_release", "202"): {"Waiting": WAITING},
    ("fetch_manifest", "200"): {"A manifest": MANIFEST},
    ("fetch_part", "200"): {"A sealed file": "age-encryption.org/v1\n-> X25519 …"},
    ("fetch_part", "206"): {"From the middle": "…"},
    ("fetch_package", "200"): {"A zip": "PK\u0003\u0004…manifest.json…"},
    ("prove_release", "200"): {"A proof": PROOF},
    ("prove_decision", "200"): {"A proof": PROOF},
    ("read_checkpoint", "200"): {"A head": CHECKPOINT},
    ("read_tile", "200"): {"Hashes": "32 bytes a hash, one after the other"},
    ("read_entries", "200"): {"Entries": "the length of each in two bytes, and its bytes"},
    ("fetch_verifier", "200"): {"The script": "#!/usr/bin/env python3\n…"},
    ("read_recall_people", "200"): {"Two people": f"person\r\n{PERSON}\r\n{PERSON[::-1]}\r\n"},
    ("acknowledge_recall", "200"): {"Received": ACKNOWLEDGED},
    ("report_recall", "200"): {"Told": REPORTED},
}
PROBLEM = "application/problem+json"


def put(document: Json) -> Json:
    """The description with its examples: `examples` of each shape (JSON Schema: a list) and of each
    body (OpenAPI: by name)."""
    components = document["components"]
    for name, shape in components["schemas"].items():
        if name in SHAPES:
            shape["examples"] = list(SHAPES[name].values())
    components["examples"] = {
        f"Refusal{status}": {"summary": code, "value": problem(status)}
        for status, (code, _detail) in REFUSALS.items()
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            _body(name, "request", operation.get("requestBody", {}))
            for status, answer in operation["responses"].items():
                _body(name, status, answer)
    return document


def _body(operation: str, place: str, body: Json) -> None:
    for kind, content in body.get("content", {}).items():
        if kind == PROBLEM:
            told = {"ARefusal": {"$ref": f"#/components/examples/Refusal{place}"}}
        else:
            told = _named(operation, place, content)
        if told:
            content["examples"] = told


def _named(operation: str, place: str, content: Json) -> Json:
    shape = str(content.get("schema", {}).get("$ref", "")).rpartition("/")[2]
    found = BODIES.get((operation, place)) or SHAPES.get(shape, {})
    return {
        words.title().replace(" ", ""): {"summary": words, "value": value}
        for words, value in found.items()
    }
