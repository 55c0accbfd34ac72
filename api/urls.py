"""Every address of the machines' door."""

from django.urls import path, re_path, register_converter

from api.datasets import Datasets
from api.decisions import DecisionProof, Decisions
from api.endpoints import Unknown
from api.log import Checkpoint, Entries, Hashes, Proof, Script
from api.oauth import Token
from api.packages import Manifest, Package, Part
from api.recalls import Acknowledgements, OneRecall, PeopleOfRecall, Recalls, Reports
from api.releases import OneRelease, Releases, ReleasesOfRequest
from api.requests import OneRequest, Requests
from api.schema import Schema
from api.uploads import OneUpload, Report, Uploads, UploadsOfDataset


class Reference:
    """An opaque reference such as `req-7m2kq9d4xw8h5`."""

    regex = "[a-z]{3}-[a-z0-9]{1,28}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class Number:
    """A part's number, which any database can look up."""

    regex = "[0-9]{1,9}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class TileNumber:
    """A tile's number as C2SP spells it, `x001/234` or `x001/234.p/5`."""

    regex = r"(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class TileLevel(TileNumber):
    """A tile's level."""

    regex = "[0-9]{1,2}"


register_converter(Reference, "reference")
register_converter(TileNumber, "tile")
register_converter(TileLevel, "level")
register_converter(Number, "number")

app_name = "api"
urlpatterns = [
    # coming in
    path("oauth/token/", Token.as_view(), name="oauth-token"),
    # asking
    path("datasets/", Datasets.as_view(), name="datasets"),
    path("requests/", Requests.as_view(), name="requests"),
    path("requests/<reference:ref>/", OneRequest.as_view(), name="request"),
    path(
        "requests/<reference:ref>/releases/", ReleasesOfRequest.as_view(), name="request-releases"
    ),
    # asking about one's own client, at the moment of sharing
    path("decisions/", Decisions.as_view(), name="decisions"),
    path("decisions/<reference:ref>/proof/", DecisionProof.as_view(), name="decision-proof"),
    # loading
    path("datasets/<reference:ref>/uploads/", UploadsOfDataset.as_view(), name="dataset-uploads"),
    path("uploads/", Uploads.as_view(), name="uploads"),
    path("uploads/<reference:ref>/", OneUpload.as_view(), name="upload"),
    path("uploads/<reference:ref>/report/", Report.as_view(), name="upload-report"),
    # the answer
    path("releases/", Releases.as_view(), name="releases"),
    path("releases/<reference:ref>/", OneRelease.as_view(), name="release"),
    path("releases/<reference:ref>/proof/", Proof.as_view(), name="proof"),
    # what is asked back
    path("recalls/", Recalls.as_view(), name="recalls"),
    path("recalls/<reference:ref>/", OneRecall.as_view(), name="recall"),
    path("recalls/<reference:ref>/people/", PeopleOfRecall.as_view(), name="recall-people"),
    path(
        "recalls/<reference:ref>/acknowledgement/",
        Acknowledgements.as_view(),
        name="recall-acknowledgement",
    ),
    path("recalls/<reference:ref>/report/", Reports.as_view(), name="recall-report"),
    # what is handed over: each of these asks again
    path("releases/<reference:ref>/manifest/", Manifest.as_view(), name="manifest"),
    path("releases/<reference:ref>/parts/<number:number>/", Part.as_view(), name="part"),
    path("releases/<reference:ref>/package/", Package.as_view(), name="package"),
    # the log, as C2SP names its parts: `/api/log` is the prefix, and nothing ends in a slash
    path("log/checkpoint", Checkpoint.as_view(), name="checkpoint"),
    path("log/tile/entries/<tile:tile>", Entries.as_view(), name="entries"),
    path("log/tile/<level:level>/<tile:tile>", Hashes.as_view(), name="tile"),
    path("log/verify_sayso.py", Script.as_view(), name="verifier"),
    # what all of this is, for programs
    path("schema/", Schema.as_view(), name="schema"),
    # anything else: the token first, then 404
    re_path(
        r"^[\s\S]*\Z", Unknown.as_view(), name="unknown"
    ),  # a dot would not reach past a line end
]
