"""What staff write beside a deed is sealed beside its entry, and another text in the table is named."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.management import call_command
from django.utils import timezone

from audit import queries as log
from audit.models import Detail, Entry
from audit.queries.details import check_details
from audit.queries.tampered import Tampered
from audit.vocabulary import EntryType
from common.errors import NotPermitted, NotReady
from common.keyring import KeyRing
from governance.actions import details as writing
from governance.models import Ballot, DataKey
from governance.queries import details
from governance.vocabulary import Role
from oversight.actions import findings, jobs, looking, reviews
from oversight.models import AuditCase, FindingStep, Job, MembershipReview, Reading
from oversight.models import Finding as FoundRow
from oversight.queries import texts
from oversight.rules import asked_digest
from oversight.vocabulary import Finding, Format, Kind, Locked, Look, Verdict, Wanted
from tests.append_only import unguarded
from tests.auditing import Desk, lasting_desk
from tests.factories import governance as made
from tests.worlds import hand

pytestmark = pytest.mark.database
TEXT = "Nobody knows why: „heron“ 🕊, and a second line.\nHere it is."


@pytest.fixture(scope="module")
def desk(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Desk]:
    with django_db_blocker.unblock(), lasting_desk() as found:
        home = found.world.home
        finding = findings.open_finding(
            case=found.case,
            organisation=home.organisation,
            title="A role",
            text=TEXT,
            number=None,
            **hand(found.auditor),
        )
        findings.answer_finding(finding=finding, text="We look.", **hand(home.steward))
        reviews.review(
            case=found.case,
            membership=home.steward.memberships.get(role=Role.STEWARD),
            verdict=Verdict.KEEP,
            reason=TEXT,
            **hand(found.auditor),
        )
        jobs.ask_export(
            case=found.case,
            format=Format.JSONL,
            reason=TEXT,
            first=None,
            last=None,
            **hand(found.auditor),
        )
        yield found


@pytest.mark.django_db
def test_a_database_is_there():
    """Also lets the test runner make its database: see `lasting_world`."""


def told() -> list[Any]:
    return [each for _, check in texts.CHECKS for each in check(lambda count: None)]


def opened_with(desk: Desk) -> dict[str, str]:
    about = desk.world.home.organisation.ref
    return {"title": "A role", "about": about, "number": "", "text": TEXT}


def entry_of(type_: EntryType) -> Entry:
    return Entry.objects.filter(type=type_).latest("pk")


def test_each_opens_under_the_key_of_who_wrote_it_and_stands_in_no_leaf(desk: Desk) -> None:
    steward = desk.world.home.steward
    for type_, by, said in (
        (EntryType.FINDING_OPENED, desk.auditor, opened_with(desk)),
        (EntryType.FINDING_ANSWERED, steward, {"text": "We look."}),
        (EntryType.MEMBERSHIP_REVIEWED, desk.auditor, {"reason": TEXT}),
        (
            EntryType.CASE_OPENED,
            desk.auditor,
            {"title": desk.other_case.title, "reason": desk.other_case.reason},
        ),
    ):
        entry = entry_of(type_)
        assert details.opened(entry.pk, bytes(entry.nonce), by) == said
        assert b"heron" not in bytes(entry.leaf)
        assert b"heron" not in bytes(Detail.objects.get(pk=entry.pk).sealed)
        other = steward if by == desk.auditor else desk.auditor
        with pytest.raises(ValueError, match="does not open"):
            details.opened(entry.pk, bytes(entry.nonce), other)
    assert DataKey.objects.filter(user=desk.auditor).count() == 1
    check_details()
    assert told() == []


@pytest.mark.parametrize(
    ("model", "column"),
    [
        *((Ballot, "reason"), (AuditCase, "reason"), (AuditCase, "title")),
        *((FindingStep, "text"), (MembershipReview, "reason")),
        *((FoundRow, "title"), (FoundRow, "number"), (Job, "reason")),
    ],
    ids=str,
)
def test_another_text_in_the_table_is_named_and_not_repeated(
    desk: Desk, model: Any, column: str
) -> None:
    row = model.objects.order_by("pk").last()
    with unguarded():
        other = 7 if column == "number" else "canary-heron"
        model.objects.filter(pk=row.pk).update(**{column: other})
        found = told()
        assert [each.kind for each in found] == [Kind.TEXT_AND_ENTRY]
        assert "heron" not in str(found[0])


def test_a_vote_that_was_turned_is_named(desk: Desk) -> None:
    ballot = Ballot.objects.order_by("pk").last()
    assert ballot is not None
    with unguarded():
        Ballot.objects.filter(pk=ballot.pk).update(vote="more" if ballot.vote == "yes" else "yes")
        assert [each.kind for each in told()] == [Kind.TEXT_AND_ENTRY]


def test_a_detail_that_is_gone_is_named_by_both(desk: Desk) -> None:
    with unguarded():
        Detail.objects.filter(pk=entry_of(EntryType.FINDING_OPENED).pk)._raw_delete("default")
        with pytest.raises(Tampered, match="gone"):
            check_details()
        assert [type(each) for each in told()] == [Finding]


def test_an_entry_of_before_that_commits_to_no_text_is_passed_over(desk: Desk) -> None:
    entry = entry_of(EntryType.FINDING_OPENED)
    with unguarded():
        Detail.objects.filter(pk=entry.pk)._raw_delete("default")
        Entry.objects.filter(pk=entry.pk).update(detail_commit="")
        check_details()
        assert told() == []


def test_of_what_was_sealed_before_only_that_is_compared(desk: Desk) -> None:
    """A finding's title was not sealed with its first text, and an export's reason not with its asking."""
    entry = entry_of(EntryType.FINDING_OPENED)
    before = writing.sealed(by=desk.auditor, text=TEXT)
    job, reading = Job.objects.latest("pk"), Reading.objects.get(look=Look.EXPORT)
    asked = {name: value for name, value in reading.asked.items() if name != "reason"}
    with unguarded():
        Detail.objects.filter(pk=entry.pk).update(sealed=before["detail"])
        Entry.objects.filter(pk=entry.pk).update(nonce=before["nonce"])
        Reading.objects.filter(pk=reading.pk).update(asked=asked)
        Entry.objects.filter(pk=reading.entry_id).update(detail_commit=asked_digest(asked))
        assert told() == []
        FoundRow.objects.update(title="canary-heron")
        Job.objects.filter(pk=job.pk).update(reason="canary-heron")
        assert told() == []
        FindingStep.objects.filter(entry=entry).update(text="canary-heron")
        assert [each.kind for each in told()] == [Kind.TEXT_AND_ENTRY]


def test_an_export_that_nobody_asked_for_is_named(desk: Desk) -> None:
    with unguarded():
        Job.objects.update(asked_at=timezone.now())
        assert "no entry says that it was asked for" in str(told()[0])


def test_without_the_service_s_key_it_is_said_and_nothing_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(details.log, "key_ring", lambda: KeyRing(tmp_path))
    found = told()
    assert {type(each) for each in found} == {Locked}
    assert {each.holder for each in found} == {"service"}
    before = FindingStep.objects.count()
    finding = FindingStep.objects.latest("pk").finding
    with pytest.raises(NotReady):
        findings.close_finding(
            finding=finding, text="x", **{**hand(desk.auditor), "at": timezone.now()}
        )
    assert FindingStep.objects.count() == before
    assert not (tmp_path / "service.keys").exists()


def test_under_another_wrapping_key_all_opens_and_the_former_opens_nothing(desk: Desk) -> None:
    ring, entry = log.key_ring(), entry_of(EntryType.FINDING_OPENED)
    (former,) = ring.staff_wraps()
    before = bytes(DataKey.objects.get(user=desk.auditor).wrapped)
    command = ["rotate_key", "staff", "--by", desk.world.chair.username]
    out = StringIO()
    call_command(*command, stdout=out)
    assert f"{DataKey.objects.count()} data keys" in out.getvalue()
    (newest,) = ring.staff_wraps()
    after = bytes(DataKey.objects.get(user=desk.auditor).wrapped)
    assert newest != former
    assert after != before
    with pytest.raises(InvalidTag):
        AESGCM(former).decrypt(after[: details.NONCE], after[details.NONCE :], None)
    assert details.opened(entry.pk, bytes(entry.nonce), desk.auditor) == opened_with(desk)
    assert Entry.objects.filter(type=EntryType.KEY_ROTATED, reason="staff").count() == 1


def test_a_key_made_while_what_wraps_it_changes_hangs_on_the_new_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes her first words: the ring was read, and then another key stands in it."""
    ring, newcomer = log.key_ring(), made.user(kind="staff")
    real = details.wrapped

    def wrapped_before(key: bytes) -> bytes:
        found = real(key)
        if len(ring.staff_wraps()) == 1:
            ring.begin_staff()
        return found

    monkeypatch.setattr(writing, "wrapped", wrapped_before)
    key = writing._own(newcomer)
    ring.finish_staff()
    assert details.data_key(newcomer) == key


def test_nobody_but_who_convenes_changes_it(desk: Desk) -> None:
    with pytest.raises(NotPermitted):
        writing.renew_key(**hand(desk.world.home.warden))


# --- what auditors looked for ---------------------------------------------------------------------


def looks(desk: Desk) -> list[str]:
    for _ in range(2):
        looking.find(
            case=desk.case, wanted=Wanted(actor="usr-2222"), before=None, **hand(desk.auditor)
        )
    return looked_otherwise()


def test_what_an_auditor_looked_for_is_what_its_entry_commits_to(desk: Desk) -> None:
    assert looks(desk) == []
    row = Reading.objects.latest("pk")
    changes: list[dict[str, Any]] = [
        {"asked": {**row.asked, "actor": "usr-3333"}},
        {"asked": {}},
        {"look": "timeline"},
        {"at": row.at - timedelta(days=1)},
    ]
    for values in changes:
        with unguarded():
            Reading.objects.filter(pk=row.pk).update(**values)
            (only,) = looked_otherwise()
            assert f"reading row {row.pk}: it says something else than entry" in only
    with unguarded():
        Reading.objects.filter(pk=row.pk)._raw_delete(using="default")
        assert "what was looked at is not there" in looked_otherwise()[0]


def looked_otherwise() -> list[str]:
    checks = (texts.readings, texts.entries_of_readings)
    return [str(each) for check in checks for each in check(lambda count: None)]
