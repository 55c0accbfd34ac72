"""Entries taken out of the log: whole, provable elsewhere, naming nobody, and themselves an entry."""

import base64
import csv
import json
from hashlib import sha256
from io import StringIO

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from audit.queries import log_verifiers
from audit.tlog.checkpoints import open_checkpoint
from audit.tlog.tree import leaf_hash, root_of
from audit.vocabulary import Via
from common.errors import NotPermitted
from governance.actions import memberships, organisations, people
from governance.queries import details
from governance.vocabulary import OrganisationKind, Role, UserKind
from oversight.actions import exports
from oversight.storage import NAMES
from oversight.vocabulary import Format
from tests.append_only import triggers_lifted
from tests.integration.audit_log import log_keys, log_of  # noqa: F401
from tests.worlds import PASSWORD, hand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]
REASON = "Yearly review, folder 12 of Heron House"


@pytest.fixture
def auditor():
    """An auditor of the community, in a log of some entries."""
    chair = people.create_first_administrator(
        username="north-hazel-7",
        password=PASSWORD,
        organisation_name="Commons",
        at=timezone.now(),
        via=Via.COMMAND,
    )
    commons = chair.memberships.get().organisation
    user = people.create_user(username="calm-heron-9", kind=UserKind.STAFF, **hand(chair))
    memberships.grant(user=user, organisation=commons, role=Role.AUDITOR, **hand(chair))
    user.chair = chair
    log_of(20)
    return user


def export(folder, *words):
    out = StringIO()
    call_command(
        "export_log", str(folder), "--by", "calm-heron-9", "--reason", REASON, *words, stdout=out
    )
    return json.loads((folder / "manifest.json").read_text()), out.getvalue()


def read(folder, format):
    """Each entry's number, leaf, hash and type, as somebody elsewhere reads the file."""
    path = folder / f"entries.{format}"
    if format == "parquet":
        rows = pq.read_table(path).to_pylist()
        assert list(rows[0]) == list(NAMES)
        return [(row["index"], row["leaf"], row["leaf_hash"], row["type"]) for row in rows]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file)) if format == "csv" else list(map(json.loads, file))
    assert list(rows[0]) == list(NAMES)
    return [
        (
            int(row["index"]),
            base64.b64decode(row["leaf"]),
            bytes.fromhex(row["leaf_hash"]),
            row["type"],
        )
        for row in rows
    ]


@pytest.mark.parametrize("format", Format.values)
def test_what_is_exported_leads_to_the_signed_head_by_itself(auditor, settings, tmp_path, format):
    folder = tmp_path / "out"
    export(tmp_path / "before")  # so that the one below is over more than one page of history
    settled = Entry.objects.exclude(seq=None).count()
    manifest, told = export(folder, "--format", format)
    rows = read(folder, format)
    assert [row[0] for row in rows] == list(range(settled))
    assert (manifest["count"], manifest["first"], manifest["last"]) == (settled, 0, settled - 1)
    assert f"Entries 0 to {settled - 1} are in the folder" in told
    assert all(leaf_hash(leaf) == value for _, leaf, value, _ in rows)
    assert all(json.loads(leaf)["type"] == type_ for _, leaf, _, type_ in rows)
    head = open_checkpoint(
        manifest["checkpoint"], origin=settings.LOG_ORIGIN, verifiers=log_verifiers()
    )
    own = Entry.objects.get(seq=manifest["entry"])  # the export's own entry is the next one
    assert root_of([*(value for _, _, value, _ in rows), leaf_hash(bytes(own.leaf))]) == head.root
    (file,) = manifest["files"]
    assert sha256((folder / file["name"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_export_is_an_entry_before_its_first_byte(auditor, tmp_path, monkeypatch):
    def written(*given):
        left = Entry.objects.get(type="log:exported")
        assert left.seq is not None
        raise OSError

    monkeypatch.setattr(exports, "_write", written)
    with pytest.raises(CommandError, match="The folder cannot be written"):
        export(tmp_path / "out")
    assert list(tmp_path.glob("out*")) == []
    left = Entry.objects.get(type="log:exported")
    assert (left.actor, left.via, left.decision) == (auditor.ref, "command", "permitted")
    assert (left.resource, left.reason) == (f"entries/0-{left.seq - 1}", "jsonl")


def test_the_reason_is_sealed_beside_the_entry_and_its_digest_goes_with_the_export(
    auditor, tmp_path
):
    manifest, _ = export(tmp_path / "out")
    left = Entry.objects.get(type="log:exported")
    sealed, digest = bytes.fromhex(manifest["reason"]["sealed"]), manifest["reason"]["sha256"]
    assert left.detail_commit == digest == sha256(sealed).hexdigest()
    assert details.opened(left.pk, bytes(left.nonce), auditor) == {"reason": REASON}
    assert b"Heron House" not in bytes(left.leaf) + sealed


def test_no_file_of_an_export_names_anybody(auditor, tmp_path):
    for kind in Format.values:
        export(tmp_path / kind, "--format", kind)
    everything = (
        b"".join(
            path.read_bytes()
            for path in tmp_path.rglob("*")
            if path.suffix != ".parquet" and path.is_file()
        )
        + repr(read(tmp_path / "parquet", "parquet")).encode()
    )
    for name in ("calm-heron-9", "north-hazel-7", "Commons", "Heron House", str(tmp_path)):
        assert name.encode() not in everything
    assert auditor.ref.encode() in everything


def test_a_range_is_what_was_asked_for(auditor, tmp_path):
    manifest, _ = export(tmp_path / "out", "--from", "3", "--to", "7")
    assert [row[0] for row in read(tmp_path / "out", "jsonl")] == [3, 4, 5, 6, 7]
    assert (manifest["count"], manifest["first"], manifest["last"]) == (5, 3, 7)


@pytest.mark.parametrize(("first", "last"), [("7", "6"), ("0", "99"), ("99", "100")])
def test_entries_that_are_not_there_are_refused_and_leave_nothing(auditor, tmp_path, first, last):
    with pytest.raises(CommandError, match="signed entries; choose among them"):
        export(tmp_path / "out", "--from", first, "--to", last)
    assert list(tmp_path.glob("out*")) == []


def test_a_folder_that_is_there_is_left_alone(auditor, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    for folder in (tmp_path / "out", tmp_path / "none" / "out"):
        with pytest.raises(CommandError, match="Name a new folder"):
            export(folder)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_an_entry_that_was_altered_ends_the_export(auditor, tmp_path):
    with triggers_lifted():
        Entry.objects.filter(seq=4).update(leaf=b"{}")
    with pytest.raises(CommandError, match="Entry 4 is not as it was logged"):
        export(tmp_path / "out")
    assert list(tmp_path.glob("out*")) == []


def test_whoever_is_no_auditor_of_the_community_or_a_funder_gets_nothing(auditor, tmp_path):
    delta = organisations.create(
        name="Delta", kind=OrganisationKind.RESEARCH, **hand(auditor.chair)
    )
    memberships.grant(
        user=auditor.chair, organisation=delta, role=Role.ADMINISTRATOR, **hand(auditor.chair)
    )
    theirs = people.create_user(username="low-fern-2", kind=UserKind.STAFF, **hand(auditor.chair))
    memberships.grant(user=theirs, organisation=delta, role=Role.AUDITOR, **hand(auditor.chair))
    sequence()
    for user in (auditor.chair, theirs):
        given = {"folder": tmp_path / "out", "format": Format.JSONL, "reason": REASON, **hand(user)}
        with pytest.raises(NotPermitted):
            exports.export(**given)
        left = Entry.objects.filter(type="log:exported").latest("pk")
        assert (left.actor, left.decision) == (user.ref, "refused")
        assert details.opened(left.pk, bytes(left.nonce), user) == {"reason": REASON}
    assert list(tmp_path.glob("out*")) == []
