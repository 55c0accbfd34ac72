"""What auditors have done for them, find and check: verifying, exports, findings, roles, samples."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.queries import verification
from audit.vocabulary import EntryType
from desk import paging
from governance.vocabulary import AgreementState
from oversight import tasks
from oversight.actions import cases, jobs, looking, working
from oversight.actions import findings as deeds
from oversight.models import Finding, Job, Reading, Worksheet, WorksheetCheck
from oversight.queries import access, then, worksheets
from oversight.queries import jobs as queries
from oversight.rules import sampling
from oversight.vocabulary import Flag, Format, JobKind, JobState, Look, Wanted
from tests.append_only import triggers_lifted
from tests.auditing import Desk, entered, lasting_desk, opened, shown
from tests.worlds import hand

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def desk(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Desk]:
    with django_db_blocker.unblock(), lasting_desk() as found:
        yield found


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_what_an_entry_rested_on_is_what_stood_at_its_instant(desk: Desk) -> None:
    request = desk.world.home.request
    entry = Entry.objects.get(type="dataset:released")
    facts = then.of(desk.case, entry.resource, entry.time)
    assert facts is not None
    assert facts.yeses == 4, "before the no"
    assert [(each.yes, each.sent) for each in facts.persons] == [(True, True)]
    assert (facts.agreement_state, facts.charter.number, facts.seats) == (
        AgreementState.IN_FORCE,
        1,
        1,
    )
    drafted = Entry.objects.get(type="agreement:drafted").time
    assert then.agreement_state(request.agreement, drafted) == AgreementState.DRAFT
    assert then.agreement_state(request.agreement, drafted - timedelta(seconds=1)) is None


def test_a_verification_goes_on_where_it_was_and_shows_how_far_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = entered(desk.auditor)
    client.post(desk.case_for("audit-verify"), {"which": "all"})
    job = Job.objects.latest("pk")
    monkeypatch.setattr(working, "SLICE", 0.0)
    monkeypatch.setattr("audit.queries.verification.PAGE", 16)
    done = []
    for _ in range(200):
        tasks.run_jobs(timezone.now())
        job.refresh_from_db()
        if job.state != JobState.WAITING:
            break
        done.append(job.done)
        if len(done) == 2:
            page = shown(client, desk.case_for("audit-verify"))
            assert f"{job.done} of {job.total} entries" in page
    assert job.state == JobState.DONE
    assert len(done) > 2
    assert done == sorted(set(done)), "each round begins where the last one ended"
    assert "it holds" in shown(client, desk.case_for("audit-verify"))
    entry = Entry.objects.filter(type=EntryType.LOG_VERIFIED, resource=job.ref).get()
    assert (entry.actor, entry.reason) == ("clock", "holds")
    assert b"log" in client.get(desk.case_for("audit-checkpoint")).content


def test_some_entries_are_verified_by_and_by_and_no_older_one_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = entered(desk.auditor)
    address = desk.case_for("audit-verify")
    read: list[Any] = []
    real = verification._checked_leaf_hash

    def noted(row: tuple[Any, ...]) -> bytes:
        read.append(row[0])
        return real(row)

    monkeypatch.setattr(verification, "_checked_leaf_hash", noted)
    monkeypatch.setattr(working, "SLICE", 0.0)
    monkeypatch.setattr(verification, "PAGE", 4)
    chosen = {"which": "some", "first": "30", "last": "41"}
    assert client.post(address, chosen).status_code == 302
    job = Job.objects.latest("pk")
    assert (job.kind, job.first, job.total) == (JobKind.RANGE, 30, 42)
    assert Reading.objects.latest("pk").asked.keys() >= {"first", "last"}
    tasks.run_jobs(timezone.now())
    page = shown(client, address)
    assert "Entries 30 to 41, and on to the signed head over them" in page
    assert "4 of 12 entries" in page
    rounds = 1
    while job.state == JobState.WAITING and rounds < 99:
        tasks.run_jobs(timezone.now())
        job.refresh_from_db()
        rounds += 1
    assert job.state == JobState.DONE
    assert rounds > 3
    assert read == list(range(30, job.done)), "each entry once, and on to the head over the last"
    entry = Entry.objects.get(type=EntryType.LOG_VERIFIED, resource=job.ref)
    assert (entry.actor, entry.reason) == ("clock", "holds")


def test_a_change_among_the_chosen_entries_is_named_and_one_elsewhere_is_not(desk: Desk) -> None:
    chosen = {"case": desk.case, "first": 2, "last": 3, **hand(desk.auditor)}
    inside, elsewhere = (jobs.ask_verification(**{**chosen, **more}) for more in ({}, {"first": 20, "last": 22}))  # fmt: skip
    entry = Entry.objects.get(seq=3)
    with triggers_lifted({"audit_entry"}):
        Entry.objects.filter(pk=entry.pk).update(actor="usr-somebodyelse")
        tasks.run_jobs(timezone.now())
        Entry.objects.filter(pk=entry.pk).update(actor=entry.actor)
    for job in (inside, elsewhere):
        job.refresh_from_db()
    assert (inside.state, elsewhere.state) == (JobState.FAILED, JobState.DONE)
    assert "entry 3" in inside.told


def test_entries_that_the_log_has_not_are_not_verified(desk: Desk) -> None:
    client, before = entered(desk.auditor), Job.objects.count()
    for sent in ({"first": "9", "last": "8"}, {"last": "99999"}, {"first": "x"}, {"which": ""}):
        answer = client.post(desk.case_for("audit-verify"), {"which": "some", **sent})
        assert answer.status_code == 400
    assert Job.objects.count() == before


def test_a_log_that_was_changed_is_named_on_the_page(desk: Desk) -> None:
    job = jobs.ask_verification(case=desk.case, **hand(desk.auditor))
    entry = Entry.objects.get(seq=3)
    with triggers_lifted({"audit_entry"}):
        Entry.objects.filter(pk=entry.pk).update(actor="usr-somebodyelse")
        tasks.run_jobs(timezone.now())
        Entry.objects.filter(pk=entry.pk).update(actor=entry.actor)
    job.refresh_from_db()
    assert (job.state, job.code) == (JobState.FAILED, "tampered")
    page = shown(entered(desk.auditor), desk.case_for("audit-verify"))
    assert "it does not hold" in page
    assert "entry 3" in page


def test_an_export_is_written_by_the_clock_taken_away_and_gone_after_a_day(desk: Desk) -> None:
    client = entered(desk.auditor)
    form = {"first": "0", "last": "9", "format": "jsonl", "reason": "For the yearly review."}
    assert client.post(desk.case_for("audit-export"), {**form, "reason": ""}).status_code == 400
    assert client.post(desk.case_for("audit-export"), {**form, "last": "999999"}).status_code == 400
    assert client.post(desk.case_for("audit-export"), form).status_code == 302
    job = Job.objects.latest("pk")
    address = reverse("desk:audit-take", args=[desk.case.ref, job.ref, 0])
    assert client.post(address).status_code == 409
    assert "Look again" in shown(client, desk.case_for("audit-export"))
    tasks.tick(timezone.now())
    job.refresh_from_db()
    assert job.state == JobState.DONE
    assert "Take entries.jsonl" in shown(client, desk.case_for("audit-export"))
    taken = b"".join(client.post(address).streaming_content)
    assert len(taken.splitlines()) == 10
    reading = Reading.objects.latest("pk")
    assert (reading.look, reading.entry.type) == (Look.TAKEN, EntryType.LOG_EXPORTED)
    tasks.tick(timezone.now() + timedelta(days=1, minutes=1))
    assert not queries.folder(job).exists()
    assert client.post(address).status_code == 409


def test_a_finding_is_opened_answered_and_closed_before_the_eyes_of_the_board(desk: Desk) -> None:
    world, auditor = desk.world, entered(desk.auditor)
    form = {"organisation": world.home.organisation.ref, "title": "A role is idle", "text": "Why?"}
    assert auditor.post(desk.case_for("finding-new"), {**form, "text": ""}).status_code == 400
    assert auditor.post(desk.case_for("finding-new"), {**form, "number": "999999"}).status_code == 400  # fmt: skip
    auditor.post(desk.case_for("finding-new"), {**form, "number": "3"})
    finding = Finding.objects.latest("pk")
    page = reverse("desk:finding", args=[finding.ref])
    answer, close = (reverse(f"desk:finding-{deed}", args=[finding.ref]) for deed in ("answer", "close"))  # fmt: skip
    board = entered(world.member)
    assert "A role is idle" in shown(board, page)
    assert board.post(answer, {"text": "x"}).status_code == 404
    assert entered(world.recipient_admin).get(page).status_code == 404
    steward = entered(world.home.steward)
    assert steward.post(close, {"text": "x"}).status_code == 404
    assert steward.post(answer, {"text": ""}).status_code == 400
    steward.post(answer, {"text": "She was away; she is back."})
    assert "She was away" in shown(board, page)
    assert auditor.post(answer, {"text": "x"}).status_code == 404
    auditor.post(close, {"text": "That settles it."})
    assert steward.post(answer, {"text": "More."}).status_code == 409
    assert [each.step for each in finding.steps.order_by("pk")] == ["opened", "answered", "closed"]
    types = Entry.objects.filter(resource=finding.ref).order_by("pk").values_list("type", flat=True)
    assert list(types) == ["finding:opened", "finding:answered", "finding:closed"]


def test_the_board_sees_what_auditors_looked_at_and_no_word_for_a_person(desk: Desk) -> None:
    looking.find(
        case=desk.case, wanted=Wanted(handle=desk.handle.word), before=None, **hand(desk.auditor)
    )
    for user in (desk.world.member, desk.world.chair):
        page = shown(entered(user), reverse("desk:readings"))
        assert "looked for one person" in page
        assert "Somebody complained." in page
        assert desk.auditor.ref in page
        assert desk.handle.word not in page


def test_roles_are_looked_at_by_reference_and_said_to_be_needed_or_not(desk: Desk) -> None:
    client = entered(desk.auditor)
    page = shown(client, desk.case_for("audit-access"))
    membership = desk.world.home.steward.memberships.get()
    assert desk.world.home.steward.ref in page
    address = reverse("desk:audit-review", args=[desk.case.ref, membership.pk])
    assert client.post(address, {"verdict": "end", "reason": ""}).status_code == 400
    client.post(address, {"verdict": "end", "reason": "Nobody knows why she has it."})
    assert "it should end" in shown(client, desk.case_for("audit-access"))
    entry = Entry.objects.filter(type=EntryType.MEMBERSHIP_REVIEWED).get()
    assert (entry.resource, entry.reason) == (desk.world.home.steward.ref, "end")
    membership.refresh_from_db()
    assert membership.ended_at is None


def test_roles_and_findings_come_a_page_at_a_time_and_each_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = entered(desk.auditor)
    monkeypatch.setattr(access, "_flags", lambda row, *_: (Flag.IDLE,) if row.pk % 3 == 0 else ())
    before = access.held(desk.case, timezone.now(), after=None)
    monkeypatch.setattr(access, "PAGE", 2)
    seen, after = [], None
    while True:
        found = access.held(desk.case, timezone.now(), after=after)
        assert len(found.rows) <= 2
        seen += found.rows
        if found.next is None:
            break
        after = found.next
    assert [each.membership.pk for each in seen] == [each.membership.pk for each in before.rows]
    worth = [bool(each.flags) for each in seen]
    assert worth == sorted(worth, reverse=True)
    assert True in worth
    assert len(seen) > 4
    page = shown(client, desk.case_for("audit-access"))
    (link,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert seen[2].membership.user.ref in shown(client, f"{desk.case_for('audit-access')}{link}")
    kept = Reading.objects.filter(look=Look.ACCESS).latest("pk")
    assert kept.asked["after"] in link

    monkeypatch.setattr(paging, "PAGE", 1)
    for title in ("The first one", "The second one"):
        deeds.open_finding(
            case=desk.case,
            organisation=desk.world.home.organisation,
            title=title,
            text="Look at this.",
            number=None,
            **hand(desk.auditor),
        )
    page = shown(client, reverse("desk:findings"))
    assert "The second one" in page
    assert "The first one" not in page
    (link,) = re.findall(r'rel="next" href="([^"]+)"', page)
    assert "The first one" in shown(client, f"{reverse('desk:findings')}{link}")
    for nonsense in ("?before=x", "?before=-1", f"?before={'9' * 40}"):
        assert "The second one" in shown(client, f"{reverse('desk:findings')}{nonsense}")


def pages(client: Any, address: str) -> list[str]:
    """Every page of a list, each by the link of the one before."""
    found = [shown(client, address)]
    while link := re.findall(r'rel="next" href="([^"]+)"', found[-1]):
        found.append(shown(client, f"{address}{link[0]}"))
        assert len(found) < 99
    return found


def test_cases_verifications_and_exports_come_a_page_at_a_time_and_each_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "PAGE", 1)
    client = entered(desk.auditor)
    closed = opened(desk.world, desk.auditor, "A closed one")
    cases.close_case(case=closed, **hand(desk.auditor))
    listed = [desk.other_case, desk.case, closed]
    for page, case in zip(pages(client, reverse("desk:audit")), listed, strict=True):
        assert [each.ref for each in listed if f"/{each.ref}/" in page] == [case.ref]
    assert desk.other_case.ref in shown(client, f"{reverse('desk:audit')}?after=2-x")
    jobs.ask_verification(case=desk.other_case, first=3, last=4, **hand(desk.auditor))
    jobs.ask_verification(case=desk.other_case, first=5, last=6, **hand(desk.auditor))
    verifying = reverse("desk:audit-verify", args=[desk.other_case.ref])
    latest, first = pages(client, verifying)
    assert ("Entries 5 to 6" in latest, "Entries 5 to 6" in first) == (True, False)
    assert ("Entries 3 to 4" in latest, "Entries 3 to 4" in first) == (False, True)
    for reason in ("For one review.", "For another."):
        given = {"format": Format.CSV, "reason": reason, "first": 0, "last": 1}
        jobs.ask_export(case=desk.other_case, **given, **hand(desk.auditor))
    latest, first = pages(client, reverse("desk:audit-export", args=[desk.other_case.ref]))
    assert ("For another." in latest, "For another." in first) == (True, False)
    assert ("For one review." in latest, "For one review." in first) == (False, True)


def test_a_sample_is_drawn_by_its_seed_and_only_the_holder_sees_where_a_paper_lies(
    desk: Desk,
) -> None:
    auditor, steward = entered(desk.auditor), entered(desk.world.home.steward)
    form = {"holder": desk.world.home.organisation.ref, "size": "2"}
    assert auditor.post(desk.case_for("audit-worksheets"), form).status_code == 409
    given = Entry.objects.filter(type="consent:given")
    pks = list(given.values_list("pk", flat=True))
    with triggers_lifted({"audit_entry"}):
        Entry.objects.filter(pk__in=pks).update(type="consent:imported")
        address = auditor.post(desk.case_for("audit-worksheets"), form)["Location"]
        refs = worksheets.imported(desk.world.home.organisation)
        Entry.objects.filter(pk__in=pks).update(type="consent:given")
    sheet = Worksheet.objects.latest("pk")
    assert (sheet.population, len(refs)) == (4, 4)
    lines = worksheets.lines(sheet)
    assert [line.consent.ref for line in lines] == sampling.drawn(refs, seed=sheet.seed, size=2)
    seen = shown(auditor, address)
    assert sheet.seed in seen
    assert "an x on paper" not in seen
    papers = reverse("desk:papers", args=[sheet.ref])
    assert "an x on paper" in shown(steward, papers)
    check = reverse("desk:paper-check", args=[sheet.ref, 1])
    assert entered(desk.auditor).post(check, {"found": "agrees"}).status_code == 404
    steward.post(check, {"found": "nonsense"})
    assert not WorksheetCheck.objects.exists()
    steward.post(check, {"found": "missing"})
    assert steward.post(check, {"found": "agrees"}).status_code == 409
    assert "there is no paper" in shown(auditor, address)
    entry = Entry.objects.get(type=EntryType.WORKSHEET_CHECKED)
    assert (entry.resource, entry.reason) == (f"{sheet.ref}/1", "missing")


@pytest.mark.django_db
def test_nothing_waits_for_the_clock_before_somebody_asks() -> None:
    assert tasks.run_jobs(timezone.now()) == 0
