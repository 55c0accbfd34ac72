"""The auditors' desk: what is looked for is found, each look is an entry, and nobody is named."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.actions import sequence
from audit.models import Entry
from audit.vocabulary import Decision, EntryType
from common.errors import NotPermitted, NotReady, RuleBroken
from governance.actions import memberships, people
from governance.models import User
from governance.vocabulary import Role, UserKind
from oversight.actions import cases, looking
from oversight.models import AuditCase, CaseHandle, Reading
from oversight.vocabulary import Look, Wanted
from tests import staffroom
from tests.append_only import triggers_lifted
from tests.auditing import Desk, entered, find, lasting_desk, shown
from tests.integration.audit_log import happened
from tests.worlds import hand

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def desk(django_db_setup: Any, django_db_blocker: Any) -> Iterator[Desk]:
    with django_db_blocker.unblock(), lasting_desk() as found:
        yield found


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


PAGES = (
    "audit-search", "audit-days", "audit-hints", "audit-verify", "audit-export", "audit-access",
    "audit-worksheets", "finding-new",
)  # fmt: skip


def addresses(desk: Desk) -> list[str]:
    """Every page of an auditor that has something on it."""
    number = Entry.objects.get(type="dataset:released").seq
    return [
        *(desk.case_for(name) for name in PAGES),
        *(f"{desk.case_for('audit-search')}?{question}" for question in (
            "type=", "type=consent:given", f"handle={desk.handle.word}", "decision=refused",
        )),
        reverse("desk:audit-event", args=[desk.case.ref, number]),
        reverse("desk:audit"),
        reverse("desk:audit-coverage"),
        reverse("desk:findings"),
    ]  # fmt: skip


def test_nothing_on_any_page_names_a_person_or_leads_from_one_case_to_another(desk: Desk) -> None:
    other = cases.issue_handle(
        case=desk.other_case,
        holder=desk.world.home.organisation,
        number="c-1",
        **hand(desk.world.home.steward),
    )
    assert other.word != desk.handle.word
    client = entered(desk.auditor)
    for address in addresses(desk):
        text = shown(client, address)
        words = set(re.findall(r"[\w-]+", unescape(text)))
        names = {user.username for user in User.objects.exclude(pk=desk.auditor.pk)}
        assert not words & (names | {"c-1", "c-2", "c-3", "c-4", other.word}), address
        assert "an x on paper" not in text, address
        assert not re.search(r"\b(con|obj)-[a-z0-9]{13}\b", text), address


def test_everybody_else_finds_no_auditors_page(desk: Desk) -> None:
    world = desk.world
    holders = people.create_user(username="river-ash-8", kind=UserKind.STAFF, **hand(world.chair))
    memberships.grant(
        user=holders,
        organisation=world.home.organisation,
        role=Role.AUDITOR,
        **hand(world.home.warden),
    )
    before = Reading.objects.count()
    others = [
        world.chair, world.member, world.requester, world.recipient_admin, world.home.steward,
        world.home.warden, world.home.advocate, holders,
    ]  # fmt: skip
    for user in others:
        client = entered(user)
        every = addresses(desk) if user == holders else [desk.case_for("audit-search")]
        for address in every:
            if address != reverse("desk:findings"):
                assert client.get(address).status_code == 404, (user.username, address)
                assert client.post(address).status_code in {404, 405}, (user.username, address)
    assert Reading.objects.count() == before
    assert entered(world.requester).get(reverse("desk:findings")).status_code == 404
    assert entered(world.home.advocate).get(reverse("desk:auditors")).status_code == 404
    assert entered(desk.auditor).get(reverse("desk:auditors")).status_code == 404
    assert entered(world.home.steward).get(reverse("desk:readings")).status_code == 404


def test_each_look_is_an_entry_before_anything_is_shown(desk: Desk) -> None:
    client = entered(desk.auditor)
    number = Entry.objects.get(type="dataset:released").seq
    asked = {
        f"{desk.case_for('audit-search')}?type=dataset:released": (Look.SEARCH, "log:searched"),
        f"{desk.case_for('audit-search')}?handle={desk.handle.word}": (Look.PERSON, "log:searched"),
        reverse("desk:audit-event", args=[desk.case.ref, number]): (Look.EVENT, "log:read"),
        desk.case_for("audit-days"): (Look.TIMELINE, "log:read"),
        desk.case_for("audit-hints"): (Look.HINTS, "log:read"),
        desk.case_for("audit-access"): (Look.ACCESS, "log:read"),
    }
    for address, (look, type_) in asked.items():
        before = Reading.objects.count()
        shown(client, address)
        reading = Reading.objects.latest("pk")
        assert Reading.objects.count() == before + 1, address
        assert (reading.look, reading.entry.type) == (look, type_)
        assert reading.entry.seq is not None, "it was signed before the answer"
        assert (reading.entry.actor, reading.entry.decision) == (
            desk.auditor.ref,
            Decision.PERMITTED,
        )
        assert reading.entry.resource.startswith(desk.case.ref)


def test_the_bare_page_of_a_search_looks_for_nothing(desk: Desk) -> None:
    before = Reading.objects.count()
    shown(entered(desk.auditor), desk.case_for("audit-search"))
    assert Reading.objects.count() == before


def test_a_look_that_is_refused_is_an_entry_too(desk: Desk) -> None:
    with pytest.raises(NotPermitted):
        looking.find(case=desk.case, wanted=Wanted(), before=None, **hand(desk.world.home.steward))
    entry = Entry.objects.latest("pk")
    assert (entry.type, entry.decision, entry.actor) == (
        EntryType.LOG_SEARCHED,
        Decision.REFUSED,
        desk.world.home.steward.ref,
    )


def test_nothing_is_shown_where_the_look_cannot_be_signed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*, entry: Any) -> None:
        raise NotReady("log_not_ready", "not now")

    monkeypatch.setattr(looking, "settle", away)
    answer = entered(desk.auditor).get(desk.case_for("audit-search"), {"type": "dataset:released"})
    assert answer.status_code == 503
    assert "dataset:released</td>" not in answer.content.decode()


def test_the_log_is_searched_by_everything_that_an_entry_has(desk: Desk) -> None:
    world = desk.world
    release = Entry.objects.get(type="dataset:released").resource
    assert release in find(desk, dataset=world.home.dataset.ref)
    assert world.home.request.ref in find(desk, dataset=world.home.dataset.ref)
    assert release in find(desk, purpose=world.purpose.code)
    assert set(find(desk, actor=world.requester.ref)) <= set(
        find(desk, organisation=world.recipient.ref)
    )
    assert find(desk, type="download:given", actor=world.requester.ref) == [release]
    assert find(desk, type="download:given", actor=world.home.steward.ref) == []
    now = timezone.now()
    assert find(desk, until=now - timedelta(days=2)) == []
    assert find(desk, since=now - timedelta(hours=1), type="dataset:released") == [release]
    assert find(desk, reason="package", type="download:given") == [release]


def test_a_handle_finds_what_one_person_was_in_and_only_within_its_case(desk: Desk) -> None:
    release = Entry.objects.get(type="dataset:released").resource
    assert set(find(desk, handle=desk.handle.word)) == {release}
    page = looking.find(
        case=desk.case, wanted=Wanted(handle=desk.handle.word), before=None, **hand(desk.auditor)
    )
    assert [row.what for row in page.said] == ["consent:given"]
    elsewhere = looking.find(
        case=desk.other_case,
        wanted=Wanted(handle=desk.handle.word),
        before=None,
        **hand(desk.auditor),
    )
    assert (elsewhere.rows, elsewhere.said) == ([], [])
    again = cases.issue_handle(
        case=desk.case,
        holder=desk.world.home.organisation,
        number="c-1",
        **hand(desk.world.home.steward),
    )
    assert again == desk.handle, "the same word for the same client, however often"


def test_a_word_whose_row_was_altered_leads_to_nobody(desk: Desk) -> None:
    other = desk.world.subject("c-4")
    with triggers_lifted({"oversight_casehandle"}):
        CaseHandle.objects.filter(pk=desk.handle.pk).update(subject=other)
        found = find(desk, handle=desk.handle.word)
        CaseHandle.objects.filter(pk=desk.handle.pk).update(subject=desk.handle.subject)
    assert found == []
    assert find(desk, handle=desk.handle.word) != []


def test_a_case_about_another_holder_gets_no_word_here(desk: Desk) -> None:
    case = cases.open_case(
        organisation=desk.case.organisation,
        holder=desk.world.recipient,
        title="About Delta",
        reason="Delta alone.",
        **hand(desk.auditor),
    )
    with pytest.raises(RuleBroken, match="another organisation"):
        cases.issue_handle(
            case=case,
            holder=desk.world.home.organisation,
            number="c-1",
            **hand(desk.world.home.steward),
        )
    address = reverse("desk:handle-issue", args=[case.ref])
    assert entered(desk.world.home.steward).get(address).status_code == 404


def test_only_a_steward_gives_a_word_and_the_number_stays_there(desk: Desk) -> None:
    client = entered(desk.world.home.steward)
    address = reverse("desk:handle-issue", args=[desk.other_case.ref])
    answer = client.post(
        address, {"holder": desk.world.home.organisation.ref, "number": "c-3"}
    ).content.decode()
    word = CaseHandle.objects.latest("pk").word
    assert word in answer
    assert "c-3" not in answer
    unknown = client.post(address, {"holder": desk.world.home.organisation.ref, "number": "c-99"})
    assert unknown.status_code == 409
    entry = Entry.objects.filter(type=EntryType.HANDLE_ISSUED).latest("pk")
    assert entry.resource == desk.other_case.ref
    assert word.encode() not in bytes(entry.leaf)
    with pytest.raises(NotPermitted):
        cases.issue_handle(
            case=desk.case,
            holder=desk.world.home.organisation,
            number="c-3",
            **hand(desk.auditor),
        )


def test_a_closed_case_reads_nothing_and_its_words_lead_to_nobody(desk: Desk) -> None:
    case = cases.open_case(
        organisation=desk.case.organisation,
        holder=None,
        title="Short",
        reason="To be closed.",
        **hand(desk.auditor),
    )
    cases.close_case(case=case, **hand(desk.auditor))
    with pytest.raises(RuleBroken, match="closed"):
        looking.find(case=case, wanted=Wanted(), before=None, **hand(desk.auditor))
    with pytest.raises(RuleBroken, match="closed"):
        cases.issue_handle(
            case=case,
            holder=desk.world.home.organisation,
            number="c-1",
            **hand(desk.world.home.steward),
        )
    client = entered(desk.auditor)
    page = shown(client, reverse("desk:audit-search", args=[case.ref]), type="dataset:released")
    assert "This case was closed" in page
    assert client.get(reverse("desk:audit-days", args=[case.ref])).status_code == 409


def test_pages_stay_the_same_pages_however_the_log_grows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "PAGE", 7)
    every = [
        row.seq for row in looking.entries.page(looking.entries.Sought(), before=None, most=1000)
    ]
    seen: list[int] = []
    before = None
    while True:
        page = looking.find(case=desk.case, wanted=Wanted(), before=before, **hand(desk.auditor))
        seen += [row.seq for row in page.rows]
        happened(len(seen))  # the log grows between two pages, by the looks too
        sequence()
        if page.next is None:
            break
        before = page.next
    assert seen == sorted(set(seen), reverse=True), "none twice"
    assert set(every) <= set(seen), "none left out"


def test_the_drawing_says_what_the_table_says(desk: Desk) -> None:
    page = shown(entered(desk.auditor), desk.case_for("audit-days"))
    drawn = re.findall(r'data-day="([\d-]+)" data-entries="(\d+)" data-late="(\d+)" data-compelled="(\d+)"', page)  # fmt: skip
    table = page[page.index('id="days"') :]
    rows = re.findall(r"<tr><th[^>]*>[^<]*</th>" + r"<td[^>]*>(\d+)</td>" * 4 + "</tr>", table)
    assert drawn
    assert [(entries, late, forced) for _day, entries, late, forced in drawn] == [
        (entries, late, forced) for entries, _refused, late, forced in rows
    ]
    heights = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', page)]
    highest = max(int(entries) for _day, entries, *_rest in drawn)
    assert heights == [round(116 * int(entries) / highest, 2) for _day, entries, *_rest in drawn]


def test_a_search_is_kept_and_asked_again_by_its_address(desk: Desk) -> None:
    client = entered(desk.auditor)
    question = {"type": "dataset:released", "since": "2026-01-01", "until": "2030-01-31"}
    asked = shown(client, desk.case_for("audit-search"), **question)
    assert f"{desk.case_for('audit-save')}?type=" in asked
    assert 'value="2026-01-01"' in shown(client, desk.case_for("audit-save"), **question)
    client.post(desk.case_for("audit-save"), {**question, "name": "Prepared"})
    page = shown(client, desk.case_for("audit-search"))
    address = "?type=dataset%3Areleased&amp;since=2026-01-01&amp;until=2030-01-31"
    assert address in page
    found = shown(client, desk.case_for("audit-search") + unescape(address))
    assert "dataset:released</td>" in found
    again = client.post(desk.case_for("audit-save"), {**question, "name": "Prepared"})
    assert again.status_code == 409


def test_what_cannot_be_asked_is_said_at_its_field(desk: Desk) -> None:
    client = entered(desk.auditor)
    before = Reading.objects.count()
    for wrong in ({"type": "nothing"}, {"since": "2026-02-02", "until": "2026-01-01"}):
        answer = client.get(desk.case_for("audit-search"), wrong)
        assert answer.status_code == 400
        assert "Something is missing or not right" in answer.content.decode()
    assert Reading.objects.count() == before
    page = shown(client, desk.case_for("audit-search"), type="hold:placed")
    assert "The log has no such entry." in page


@pytest.mark.django_db
def test_only_auditors_of_the_community_or_a_funder_open_a_case() -> None:
    room = staffroom.build()
    for user in (room.steward, room.convener, room.members[0]):
        with pytest.raises(NotPermitted):
            cases.open_case(
                organisation=room.holder, holder=None, title="x", reason="y", **staffroom.hand(user)
            )
    assert not AuditCase.objects.exists()
