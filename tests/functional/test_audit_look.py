"""How the auditors' desk looks, and that its journey needs no script."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from audit.models import Entry
from governance.models import User
from oversight import tasks
from oversight.actions import findings, jobs, worksheets
from oversight.models import AuditCase
from oversight.vocabulary import Format, Paper
from tests import auditing, staffroom
from tests.factories import consent as said
from tests.factories import oversight as checked
from tests.functional.conftest import Visit, picture, pressed
from tests.functional.test_desk_look import SIZES, looked_at, signed_in
from tests.integration.audit_log import happened
from tests.staffroom import Staffroom, hand

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture(autouse=True)
def _clean_slate(settings: Any, tmp_path: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SAYSO_DATA = tmp_path / "data"
    cache.clear()


def world() -> tuple[Staffroom, User, AuditCase]:
    """A room in which something was decided, and an auditor who has asked for everything."""
    room = staffroom.build()
    decided = staffroom.approved(room)
    case = auditing.case_in(room)
    now = timezone.now()
    for days, many in enumerate((4, 1, 7, 2, 12)):
        for number in range(many):
            at = now - timedelta(days=days)
            happened(number, type="release:asked", actor=room.requester.ref, at=at, resource=decided.ref)  # fmt: skip
    happened(0, type="release:compelled", resource="rel-x", actor=room.requester.ref, at=now)
    auditing.finding_in(room)
    jobs.ask_verification(case=case, **hand(case.opened_by))
    jobs.ask_export(
        case=case,
        format=Format.JSONL,
        reason="The yearly review.",
        first=0,
        last=None,
        **hand(case.opened_by),
    )
    tasks.run_jobs(timezone.now())
    subject = said.subject(holder=room.holder)
    sheet = checked.worksheet(case=case, holder=room.holder)
    given = {"subject": subject, "recipient": room.recipient, "signature": "binder 4, sheet 11"}
    lines = [
        checked.worksheet_line(
            worksheet=sheet,
            number=number,
            consent=said.consent(**given, ended_at=now, ending="withdrawn"),
        )
        for number in (1, 2)
    ]
    worksheets.check(line=lines[1], found=Paper.AGREES, **hand(room.steward))
    return room, case.opened_by, case


@pytest.mark.parametrize(("width", "language"), SIZES)
def test_every_page_of_the_auditors_and_of_those_who_answer_them(
    visit: Visit, live_server: Any, width: int, language: str
) -> None:
    room, auditor, case = world()
    at = f"/desk/audit/{case.ref}/"
    number = Entry.objects.filter(type="release:asked").latest("seq").seq
    sheet, finding = case.worksheets.get(), case.findings.get()
    pages = {
        auditor: {
            "audit": "/desk/audit/",
            "audit-coverage": "/desk/audit/coverage/",
            "audit-search": at,
            "audit-found": f"{at}?type=release:asked",
            "audit-wrong": f"{at}?since=2026-02-02&until=2026-01-01",
            "audit-event": f"{at}entries/{number}/",
            "audit-days": f"{at}days/",
            "audit-unusual": f"{at}unusual/",
            "audit-verify": f"{at}verify/",
            "audit-export": f"{at}export/",
            "audit-roles": f"{at}roles/",
            "audit-role": f"{at}roles/{room.steward.memberships.get().pk}/",
            "audit-samples": f"{at}samples/",
            "audit-sample": f"{at}samples/{sheet.ref}/",
            "audit-save": f"{at}save/?type=release:asked",
            "audit-finding-new": f"{at}findings/new/?entry=3",
            "audit-finding": f"/desk/findings/{finding.ref}/",
        },
        room.steward: {
            "audit-for": "/desk/auditors/",
            "audit-handle": f"/desk/auditors/{case.ref}/",
            "audit-papers": f"/desk/auditors/papers/{sheet.ref}/",
            "audit-answer": f"/desk/findings/{finding.ref}/",
        },
        room.members[0]: {"audit-findings": "/desk/findings/", "audit-looks": "/desk/findings/readings/"},
    }  # fmt: skip
    faults = []
    for user, theirs in pages.items():
        page = visit(width=width, language=language, guarded=False)
        signed_in(page, user, live_server)
        for name, path in theirs.items():
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == (400 if name == "audit-wrong" else 200), (name, answer.status)
            faults += looked_at(page, "", name, width, language)
    assert faults == []


def test_an_auditor_finds_an_entry_and_opens_a_finding_without_any_script(
    visit: Visit, live_server: Any
) -> None:
    room, auditor, case = world()
    page = visit(javascript=False, width=1280)
    signed_in(page, auditor, live_server)
    page.goto(f"/desk/audit/{case.ref}/")
    page.locator("select[name=type]").select_option("release:asked")
    pressed(page, "form[method=get] button")
    page.locator("tbody th a").first.click()
    page.get_by_role("link", name="Open a finding about it").click()
    page.locator("select[name=organisation]").select_option(room.holder.ref)
    page.locator("input[name=title]").fill("Who asked?")
    page.locator("textarea[name=text]").fill("Nobody remembers.")
    pressed(page, "main form.wide button")
    assert page.locator("h1").inner_text() == "Who asked?"
    picture(page, "audit-journey")
    assert case.findings.count() == 2
    assert findings.Finding.objects.latest("pk").number is not None
