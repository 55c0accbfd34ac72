"""No address, method, role, renderer, command or error page gives one cell of one row in clear."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.core.management import CommandError, call_command, get_commands
from django.http.response import HttpResponseBase
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.vocabulary import EntryType
from common.keyring import KeyRing
from consent.actions import contests, deaths, proposals, subjects
from consent.vocabulary import Contested, Speaker
from governance import models as g
from governance.actions import people
from governance.queries import factors
from governance.vocabulary import OrganisationKind, Role, UserKind
from release.actions import recalls
from release.models import Download, Recall, Release
from release.vocabulary import ReleaseState
from tests import auditing, sheets, shredding, speaking, staffroom, survivors, worlds
from tests.architecture.test_doors import addresses
from tests.backups import OPENER
from tests.factories import consent as said
from tests.factories import governance as arrivals
from tests.factories import questions
from tests.factories.sittings import sitting
from tests.integration import api_world
from tests.lengths import LONG, share
from tests.sent import refused_upload
from tests.worlds import World, hand, lasting_world

pytestmark = pytest.mark.database
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
FORMS = [{}, {"HTTP_ACCEPT": "text/html"}, {"HTTP_ACCEPT": "text/csv"}, {"HTTP_RANGE": "bytes=0-9"}]
QUERIES = ["", "?page=2", "?format=api", "?format=csv&fields=region", "?q=canary", "?limit=9999999"]
FURTHEST = {"requester", "steward", "survivor"}
SIGNS = ("-violet", "canary-c-")  # in every cell of text of every row, and in every story

# What stands in each address's place for a reference. An address that is not here fails the test.
STEPS_OF_AN_ASK = ("first", "check", "sign", "no", "later", "now", "back", "done")
CASES: dict[str, dict[str, str]] = {
    "healthz": {},
    "readyz": {},
    "metrics": {},
    "portal:home": {},
    "portal:start": {},
    "portal:sign_in": {},
    "portal:sign_out": {},
    "portal:leave": {},
    "portal:language": {"code": "language"},
    "portal:details": {"ref": "consent"},
    "portal:stop": {"ref": "consent"},
    "portal:pause": {"ref": "consent"},
    "portal:resume": {"ref": "consent"},
    "portal:done": {"ref": "consent"},
    "portal:change": {"ref": "consent"},
    "portal:slip": {"ref": "consent"},
    "portal:slip_copy": {"ref": "consent"},
    **{
        f"portal:asked{step}": {"ref": "proposal"}
        for step in ("", *(f"_{each}" for each in STEPS_OF_AN_ASK))
    },
    "portal:never": {},
    **{f"portal:never_{deed}": {"ref": "objection"} for deed in ("undo", "keep", "now")},
    "portal:begin": {},
    "portal:choose_name": {},
    "portal:first_words": {},
    "portal:lost": {},
    "portal:lost_words": {},
    "portal:paper": {},
    "portal:second": {},
    "portal:lost_second": {},
    "portal:seconds": {},
    "portal:second_app": {},
    "portal:second_passkey": {},
    "portal:second_off": {"number": "factor"},
    "portal:shut": {},
    "portal:words": {},
    "portal:speak": {},
    "portal:places": {},
    "portal:end_others": {},
    "portal:end_all": {},
    "portal:paper_anew": {},
    "portal:close": {},
    "portal:join": {},
    "portal:part": {"ref": "link"},
    "portal:hide": {"ref": "consent"},
    "portal:hidden": {},
    "portal:show": {"ref": "recipient"},
    "portal:ask": {},
    "portal:ask_words": {},
    "portal:helpers": {},
    "portal:keep_away": {"ref": "worker"},
    "portal:let_back": {"ref": "worker"},
    "desk:clients": {},
    "desk:client-begin": {},
    "desk:clients-waiting": {},
    "desk:client": {"ref": "assignment"},
    "desk:client-hand-on": {"ref": "assignment"},
    "desk:stop-checked": {"ref": "assignment", "stop": "stop"},
    "desk:yes": {"ref": "assignment"},
    "desk:yes-check": {"ref": "assignment"},
    "desk:yes-sign": {"ref": "assignment"},
    "desk:block": {},
    "desk:fetching": {},
    "desk:work": {},
    "desk:contest": {},
    "desk:contest-decide": {"ref": "contest"},
    "desk:question": {"ref": "question"},
    "desk:codes": {},
    "desk:shutting": {},
    "desk:shutting-done": {},
    "desk:places": {},
    "desk:places-end-others": {},
    "desk:places-end-all": {},
    "portal:refuse": {"ref": "code"},
    "portal:end_place": {"ref": "sitting"},
    "desk:code-cancel": {"ref": "code"},
    "desk:place-end": {"ref": "sitting"},
    "portal:record": {},
    "portal:mend": {},
    "portal:keep": {"ref": "shredding"},
    "portal:history": {},
    "portal:copy": {},
    "portal:own_key": {},
    "portal:names": {},
    "portal:hide_names": {},
    "portal:settings": {},
    "account_login": {},
    "account_logout": {},
    "mfa_authenticate": {},
    "mfa_activate_totp": {},
    "desk-invited": {},
    "desk-invited-account": {},
    "desk-anew": {},
    "desk-anew-set": {},
    "desk-language": {"code": "language"},
    "desk-provider": {},
    "desk-provider-back": {},
    "desk:provider-link": {},
    "desk:provider-unlink": {},
    "desk:home": {},
    "desk:recovery-codes": {},
    "desk:replace-device": {},
    "desk:requests": {},
    "desk:request-choose": {},
    "desk:request-draft": {"agreement": "agreement", "dataset": "dataset"},
    "desk:request": {"ref": "request"},
    "desk:request-submit": {"ref": "request"},
    "desk:request-end": {"ref": "request"},
    "desk:release-ask": {"ref": "request"},
    "desk:vote": {"ref": "request"},
    "desk:recuse": {"ref": "request"},
    "desk:decide": {"ref": "request"},
    "desk:agreements": {},
    "desk:agreement": {"ref": "agreement"},
    "desk:agreement-sign": {"ref": "agreement"},
    "desk:agreement-suspend": {"ref": "agreement"},
    "desk:agreement-resume": {"ref": "agreement"},
    "desk:agreement-end": {"ref": "agreement"},
    "desk:releases": {},
    "desk:release": {"ref": "release"},
    "desk:release-proof": {"ref": "release"},
    "desk:release-package": {"ref": "release"},
    "desk:recalls": {},
    "desk:recall": {"ref": "recall"},
    "desk:recall-people": {"ref": "recall"},
    "desk:recall-acknowledge": {"ref": "recall"},
    "desk:recall-report": {"ref": "recall"},
    "desk:keys": {},
    "desk:texts": {},
    "desk:text-write": {},
    "desk:key-register": {"ref": "recipient"},
    "desk:key-end": {"ref": "recipient"},
    "desk:people": {},
    "desk:invite": {"ref": "recipient"},
    "desk:invitation-withdraw": {"ref": "invitation"},
    "desk:reset-ask": {"ref": "person"},
    "desk:reset-agree": {"ref": "reset"},
    "desk:reset-withdraw": {"ref": "reset"},
    "desk:reset-read": {"ref": "reset"},
    "desk:off-board": {"ref": "person"},
    "desk:off-board-here": {"ref": "person", "organisation": "recipient"},
    "desk:join": {},
    "desk:datasets": {},
    "desk:ask": {},
    "desk:ask-done": {},
    "desk:stop": {},
    "desk:stop-done": {},
    "desk:speaking": {},
    "desk:speaking-note": {},
    "desk:speaking-record": {},
    "desk:speaking-yes": {"ref": "speaker"},
    "desk:speaking-stop": {"ref": "speaker"},
    "desk:speaking-end": {"ref": "speaker"},
    "desk:dispute-settle": {"ref": "dispute"},
    "desk:death-agree": {"ref": "death"},
    "desk:death-take-back": {"ref": "death"},
    "desk:wiping": {},
    "desk:wipe-ask": {},
    "desk:wipe-agree": {"ref": "shredding"},
    "desk:wipe-call-off": {"ref": "shredding"},
    "desk:hold-place": {},
    "desk:hold-lift": {"ref": "hold"},
    "desk:auditors": {},
    "desk:handle-issue": {"ref": "case"},
    "desk:papers": {"ref": "sheet"},
    "desk:paper-check": {"ref": "sheet", "number": "number"},
    "desk:audit": {},
    "desk:audit-coverage": {},
    "desk:audit-search": {"ref": "case"},
    "desk:audit-save": {"ref": "case"},
    "desk:audit-close": {"ref": "case to close"},
    "desk:audit-event": {"ref": "case", "number": "number"},
    "desk:audit-days": {"ref": "case"},
    "desk:audit-hints": {"ref": "case"},
    "desk:audit-verify": {"ref": "case"},
    "desk:audit-checkpoint": {"ref": "case"},
    "desk:audit-export": {"ref": "case"},
    "desk:audit-take": {"ref": "case", "job": "job", "place": "level"},
    "desk:audit-access": {"ref": "case"},
    "desk:audit-review": {"ref": "case", "number": "number"},
    "desk:audit-worksheets": {"ref": "case"},
    "desk:audit-worksheet": {"ref": "case", "sheet": "sheet"},
    "desk:finding-new": {"ref": "case"},
    "desk:findings": {},
    "desk:readings": {},
    "desk:finding": {"ref": "finding"},
    "desk:finding-answer": {"ref": "finding"},
    "desk:finding-close": {"ref": "finding"},
    "api:oauth-token": {},
    "api:datasets": {},
    "api:requests": {},
    "api:request": {"ref": "request"},
    "api:request-releases": {"ref": "request"},
    "api:releases": {},
    "api:release": {"ref": "release"},
    "api:proof": {"ref": "release"},
    "api:manifest": {"ref": "release"},
    "api:part": {"ref": "release", "number": "number"},
    "api:package": {"ref": "release"},
    "api:recalls": {},
    "api:recall": {"ref": "recall"},
    "api:recall-people": {"ref": "recall"},
    "api:recall-acknowledgement": {"ref": "recall"},
    "api:recall-report": {"ref": "recall"},
    "api:decisions": {},
    "api:decision-proof": {"ref": "inquiry"},
    "api:dataset-uploads": {"ref": "dataset"},
    "api:uploads": {},
    "api:upload": {"ref": "upload"},
    "api:upload-report": {"ref": "upload"},
    "api:schema": {},
    "api:checkpoint": {},
    "api:verifier": {},
    "api:tile": {"level": "level", "tile": "tile"},
    "api:entries": {"tile": "tile"},
    "api:unknown": {},
}


@dataclass
class Stage:
    """The world, one package in it, and how each role comes to a door."""

    world: World
    values: dict[str, str]
    clients: dict[str, Client]

    def path(self, name: str) -> str:
        if name == "api:unknown":
            return "/api/rows/c-1/"
        return reverse(name, kwargs={key: self.values[of] for key, of in CASES[name].items()})


@pytest.fixture(scope="module")
def stage(django_db_setup, django_db_blocker) -> Iterator[Stage]:
    with django_db_blocker.unblock(), lasting_world(4, yes=["c-1", "c-2"]) as world:
        yield staged(world)


def staged(world: World) -> Stage:
    her = people.create_user(username="amber-willow-4", kind=UserKind.SURVIVOR, **hand(world.chair))
    advocate = hand(world.home.advocate)
    subjects.give_account(subject=world.subject("c-1"), account=her, **advocate)
    survivor = Client(raise_request_exception=False)
    survivor.force_login(her, "django.contrib.auth.backends.ModelBackend")
    auditor = auditing.auditor(world)
    staff = {
        "steward": world.home.steward,
        "advocate": world.home.advocate,
        "holder's administrator": world.home.warden,
        "requester": world.requester,
        "recipient's administrator": world.recipient_admin,
        "board member": world.member,
        "community's administrator": world.chair,
        "auditor": _auditor(world),
        "log's auditor": auditor,
    }
    survivors.said_again(survivor)
    clients = {"nobody": Client(raise_request_exception=False), "survivor": survivor}
    clients |= {role: _entered(user) for role, user in staff.items()}
    clients["staff without a second factor"] = Client(raise_request_exception=False)
    clients["staff without a second factor"].force_login(
        world.home.steward, "django.contrib.auth.backends.ModelBackend"
    )
    clients["machine"] = _machine(world.recipient, world.recipient_admin, "delta-engine-9")
    clients["steward's machine"] = _machine(
        world.home.organisation, world.home.warden, "river-engine-9", Role.STEWARD
    )
    clients["another's machine"] = _machine(
        *worlds._organisation("Brook", OrganisationKind.RESEARCH, world.chair), "brook-engine-9"
    )
    recall = _recall(world)
    elsewhere = arrivals.organisation(kind="health")
    release = world.prepare()
    assert release.state == ReleaseState.PREPARED
    return Stage(
        world,
        {
            "language": "es",
            "consent": world.consent("c-1").ref,
            "proposal": proposals.ask(
                subject=world.subject("c-1"),
                recipient=elsewhere,
                purpose=world.purpose,
                categories=world.categories,
                terms=world.text,
                **worlds.hand(world.home.advocate),
            ).ref,
            "objection": world.object("c-1", recipient=elsewhere).ref,
            **_speaking(world),
            "contest": _contest(world),
            "link": questions.link(subject=world.subject("c-3")).ref,
            "question": _question(world),
            "shredding": shredding.ask(world, "c-1").ref,
            "hold": shredding.hold(world, "c-1").ref,
            "agreement": world.home.agreement.ref,
            "dataset": world.home.dataset.ref,
            "request": world.home.request.ref,
            "release": release.ref,
            "recipient": world.recipient.ref,
            "person": world.requester.ref,
            "invitation": arrivals.invitation(organisation=world.recipient).ref,
            "assignment": world.subject("c-1").assignments.get().ref,
            "stop": said.spoken_stop(subject=world.subject("c-1")).ref,
            "worker": world.home.advocate.ref,
            "code": said.enrolment_code(subject=world.subject("c-4")).ref,
            "sitting": sitting().ref,
            "factor": _factor(her),
            "reset": arrivals.account_reset(user=world.requester).ref,
            "number": "1",
            "level": "0",
            "tile": "000.p/1",
            "upload": refused_upload(world),
            "recall": recall.ref,
            "inquiry": world.inquire("c-1").ref,
            **auditing.references(world, auditor),
        },
        clients,
    )


def _factor(her: g.User) -> str:
    """What she shows besides her words."""
    staffroom.secret_of(her)
    return str(factors.of(her).get().pk)


def _recall(world: World) -> Recall:
    """Somebody's yes ended after a package was picked up; today she shares again."""
    world.yes("c-3")
    world.fetch(world.prepare())
    world.no("c-3")
    recalls.open_due(at=timezone.now())
    return Recall.objects.get()


def _question(world: World) -> str:
    """What the last client asks; beside an entry that the log has, so that it can be numbered."""
    found = questions.question(
        subject=world.subject("c-4"), words=b"", entry=Entry.objects.order_by("pk")[0]
    )
    return found.ref


def _contest(world: World) -> str:
    """What the last client says is wrong."""
    found = contests.ask(
        subject=world.subject("c-4"),
        category=world.categories[1],
        kind=Contested.CORRECTION,
        **worlds.hand(world.home.advocate),
    )
    return found.ref


def _speaking(world: World) -> dict[str, str]:
    """Of the last client: who may speak for her, that it is disputed, and that one says she died."""
    about = {
        "holder": world.home.organisation,
        "number": "c-4",
        **worlds.hand(world.home.advocate),
    }
    said.helped_by(world.home.advocate, world.subject("c-4"))
    return {
        "speaker": speaking.speaker(kind=Speaker.GUARDIAN, **about).ref,
        "dispute": speaking.dispute(**about).ref,
        "death": deaths.report(**about).ref,
    }


def _auditor(world: World) -> g.User:
    holder, warden = world.home.organisation, world.home.warden
    return worlds._worker("river-ash-8", holder, Role.AUDITOR, warden)


def _entered(user: g.User) -> Client:
    user.set_password(staffroom.PASSWORD)
    user.save(update_fields=["password"])
    client = staffroom.enter(Client(raise_request_exception=False), user)
    assert client.get("/desk/").status_code == 200
    return client


def _machine(
    organisation: g.Organisation, by: g.User, name: str, role: Role = Role.REQUESTER
) -> Client:
    secret = api_world.machine(organisation, by, name, role).secret
    return Client(raise_request_exception=False, HTTP_AUTHORIZATION=f"Bearer {secret}")


def told(response: HttpResponseBase) -> str:
    """Everything the caller is given: status line, headers, cookies and the whole body."""
    try:
        body = b"".join(response) if response.streaming else response.content
    except Exception as error:  # noqa: BLE001 - a stream that is cut ends the connection
        body = str(error).encode()
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    return f"{response.status_code} {head} {response.cookies.output()}\n{body.decode('latin-1')}"


def leaks(text: str) -> bool:
    """Whether a cell is in it."""
    return any(sign in text for sign in SIGNS)


def test_every_address_has_a_case_here():
    """Also: no case is stale."""
    assert {address.name for address in addresses()} == set(CASES)


@override_settings(ROOT_URLCONF="tests.planted_urls")
def test_an_address_without_a_case_is_noticed():
    planted = {address.name for address in addresses()} - set(CASES)
    assert planted == {"planted", "planted-header", "broken"}


def test_there_is_something_to_leak(stage):
    """The package holds canaries, once it is opened with the recipient's own key."""
    client = stage.clients["machine"]
    before = given()
    response = client.get(stage.path("api:package"))
    zipped = b"".join(response)
    assert stage.world.inside(stage.world.open_package(zipped)) == {"c-1", "c-2"}
    assert not leaks(zipped.decode("latin-1"))
    part = client.get(stage.path("api:part"), HTTP_RANGE="bytes=0-9")
    assert (part.status_code, len(b"".join(part))) == (206, 10)
    desk = stage.clients["requester"].post(stage.path("desk:release-package"))
    assert b"".join(desk)[:2] == b"PK"
    assert given() == before + 3  # and each of them has its entry


def given() -> int:
    entries = Entry.objects.filter(type=EntryType.DOWNLOAD_GIVEN).count()
    assert entries == Download.objects.count()
    return entries


# How a page is read and sent everywhere; the other methods at every fifth address, each at another.
ASKED = [
    (name, method)
    for at, name in enumerate(CASES)
    for method in ("GET", "POST", *share(sorted({*METHODS} - {"GET", "POST"}), at))
]


@pytest.mark.parametrize(("name", "method"), ASKED)
def test_no_answer_to_anybody_has_a_cell_of_a_row(stage, name, method, caplog):
    path = stage.path(name)
    often = LONG or method in {"GET", "POST"}
    for role, client in stage.clients.items():
        if not (often or role in FURTHEST or role.endswith("machine")):
            continue
        cache.clear()
        # A page is asked in every way by who comes furthest; an address for machines by everybody.
        every_way = method == "GET" and (name.startswith("api:") or role in FURTHEST)
        for form in FORMS if every_way else FORMS[:1]:
            response = client.generic(method, path, **form)
            assert not leaks(told(response)), f"{method} {name} as {role}"
        if every_way:
            for query in QUERIES[1:]:
                assert not leaks(told(client.get(path + query))), f"{name}{query} as {role}"
    assert not leaks(caplog.text)


BODIES = [
    ("application/x-www-form-urlencoded", "a=1&ref=%00&fields=region&client=c-1"),
    ("application/json", json.dumps({"fields": ["region", "story"], "dataset": "x"})),
    ("application/json", "{"),
    ("text/csv", "region\n"),
]


@pytest.mark.parametrize("name", CASES)
def test_no_answer_to_something_odd_has_a_cell_of_a_row(stage, name, caplog):
    path = stage.path(name)
    for role, client in stage.clients.items():
        cache.clear()
        for kind, body in BODIES:
            response = client.generic("POST", path, body, content_type=kind)
            assert not leaks(told(response)), f"{name} as {role}"
    assert not leaks(caplog.text)


@override_settings(ROOT_URLCONF="tests.planted_urls")
@pytest.mark.parametrize("path", ["/portal-leak/", "/header-leak/"])
def test_a_planted_leak_is_seen(stage, path):
    found = [role for role, client in stage.clients.items() if leaks(told(client.get(path)))]
    assert found


@override_settings(ROOT_URLCONF="tests.planted_urls")
def test_an_error_page_tells_nothing_of_what_went_wrong(stage):
    for role, client in stage.clients.items():
        answer = client.get("/broken/")
        assert not leaks(told(answer)), role
    assert stage.clients["survivor"].get("/broken/").status_code == 500


@pytest.mark.parametrize(
    "path", ["/none/", "/desk/none/", "/api/none/", "/%00/", "/api/releases/'/"]
)
def test_no_page_for_what_is_not_there_has_a_cell_of_a_row(stage, path):
    for client in stage.clients.values():
        assert not leaks(told(client.get(path)))


# --- commands -------------------------------------------------------------------------------------

OURS = {"api", "audit", "consent", "governance", "oversight", "release", "portal", "desk"}
# What each command is called with; None: with nothing. A command that is not here fails the test.
COMMANDS: dict[str, list[str] | None] = {
    "issue_token": ["{recipient}", "delta-engine-9", "nightly", "--by", "delta-birch-1"],
    "machine": [
        "register",
        "{recipient}",
        "delta-engine-9",
        "nightly",
        "--scope=read",
        "--by=delta-birch-1",
    ],
    "auditlogflush": ["-y"],
    "log_key": None,
    "reconcile": ["--by", "north-hazel-7"],
    "export_log": ["{new}", "--by", "north-hazel-7", "--reason", "canary"],  # refused: no auditor
    "sequencer": ["--tick", "0"],  # refused: it would go on for ever
    "verify_log": None,
    "import_consents": ["{bad}", "--holder", "River", "--by", "river-linden-5"],
    "drawtransitions": None,
    "loadcatalogue": ["--by", "north-hazel-7"],
    "makekeys": None,
    "doctor": ["--url", "http://127.0.0.1:9"],
    "dbroles": ["--prefix", "canary_world"],
    "ingest": ["river-cases", "{bad}", "--mapping", "{mapping}", "--by", "river-maple-41"],
    "profile": ["{bad}"],
    "backup": ["{new}", "--by", "north-hazel-7"],
    "restore": [
        "{bad}",
        "--identity",
        "{bad}",
    ],  # refused: it would take the world away from the others
    "replay_noes": ["--by", "north-hazel-7"],
    "rotate_key": ["sealing", "--organisation", "{holder}", "--by", "river-birch-1"],
    "seal_second_factors": ["--by", "north-hazel-7"],
    "sweep_staging": None,
    "work": ["--once"],
    "createfirstadmin": ["--organisation", "canary"],  # refused: there is an administrator
    "resetstaff": ["delta-fern-2"],  # refused: there are administrators enough
    "demo": ["--data", "{bad}"],  # refused: it wants a world of its own
}


def commands() -> set[str]:
    return {name for name, app in get_commands().items() if app in OURS}


def spoken(name: str, arguments: list[str]) -> str:
    """Everything a command says, whether it ends well or not."""
    out = StringIO()
    try:
        call_command(name, *arguments, stdout=out, stderr=out)
    except (CommandError, SystemExit) as refusal:
        out.write(str(refusal))
    return out.getvalue()


def test_every_command_has_a_case_here():
    assert commands() == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_speaks_of_a_cell_of_a_row(stage, name, tmp_path, capfd):
    world = stage.world
    (tmp_path / "bad.csv").write_text(
        "\n".join([*sheets.rows(["c-1"]), f"c-9,,31/02,{sheets.canary('c-9')},x,many,y", ""])
    )
    about, helped = (category.code for category in world.categories)
    (tmp_path / "mapping.toml").write_text(
        sheets.MAPPING.format(about=about, helped=helped, columns='"client", "other"')
    )
    places = {
        "recipient": world.recipient.ref,
        "holder": world.home.organisation.ref,
        "new": str(tmp_path / "backup"),
        "bad": str(tmp_path / "bad.csv"),
        "mapping": str(tmp_path / "mapping.toml"),
    }
    if name == "backup":
        KeyRing(live.SAYSO_KEYS).add_backup_recipient(str(OPENER.to_public()))
    said = spoken(name, [each.format(**places) for each in COMMANDS[name] or []])
    captured = capfd.readouterr()
    reports = "".join(path.read_text() for path in tmp_path.rglob("*report*"))
    assert not leaks(said + captured.out + captured.err + reports)
    assert said or captured.out or captured.err or name in QUIET


QUIET = {"loadcatalogue", "makekeys", "sweep_staging", "drawtransitions", "work"}


@pytest.mark.django_db
def test_no_setting_shows_pages_for_programmers(settings):
    assert settings.DEBUG is False
    assert not Release.objects.filter(manifest__contains=b"violet").exists()
