"""The main job from end to end, told while it happens; every figure is of this run."""

import random
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from audit.actions import sequence
from audit.queries import log_size
from audit.vocabulary import Via
from common.days import day_of
from common.errors import Void
from consent.actions import consents, subjects
from consent.models import Consent, Subject
from consent.queries import keys, sharing
from governance.actions import agreements
from governance.models import Dataset, Organisation
from governance.vocabulary import PackageFormat
from release.actions import handing, releases
from release.management.demo import agreed, check, props, world
from release.management.demo.facts import Facts
from release.management.demo.papers import PaperPlan, Sharing
from release.management.demo.people import DemoFiles, generate
from release.management.demo.world import HARBOR, UNIVERSITY, VIA, World
from release.models import Release
from release.queries import uses
from release.rules.bands import band
from release.rules.bits import slots_of
from release.vocabulary import DownloadPart, Ground, ReleaseState

HERE = Path(__file__).parent


class Story:
    """Plays the main job. `data` and `mapping` replace the generated dataset by a real file."""

    def __init__(
        self,
        *,
        console: Console,
        folder: Path,
        seed: int,
        data: Path | None,
        mapping: Path | None,
        progress: props.Progress,
    ) -> None:
        self.console = console
        self.folder = folder
        self.facts = Facts(seed)
        self.random = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
        self.data = data
        self.mapping = mapping
        self.progress = progress
        self.now = timezone.now()
        self.known_to_both: int | None = (
            None  # who says yes at one place only, as she is known there
        )

    def play(self) -> Facts:
        """The whole line; the facts say whether all of it held."""
        here = self._founded()
        files = self._generated(here)
        stage = self._loaded(here, files)
        first, package, verdict = self._first_release(here, stage)
        person = self._chosen(first, verdict)
        self._withdrawal(here, stage, person, package)
        self._suspension(here, stage)
        if files is not None:
            self._other_dataset(here, files, verdict)
        self._verified()
        self._her_page(person)
        return self.facts

    def say(self, text: str) -> None:
        self.console.print(text)

    def head(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/bold]")

    def _founded(self) -> World:
        self.head("1  Who is here")
        here = world.found(now=self.now, folder=self.folder, keyring=keys.ring())
        for name, organisation in here.organisations.items():
            self.say(f"   {name} — {organisation.get_kind_display()}")
        return here

    def _generated(self, here: World) -> DemoFiles | None:
        if self.data is not None:
            return None
        legal = Sharing(here.organisation(world.LEGAL_AID).name, "legal-help", 90)
        research = Sharing(here.organisation(UNIVERSITY).name, "research", 730)
        evaluation = Sharing(here.organisation(UNIVERSITY).name, "statistics", 730)
        return generate(
            seed=self.facts.seed,
            folder=self.folder / "input",
            today=day_of(self.now),
            cases_plan=PaperPlan(main=research, others=(legal, evaluation)),
            health_plan=PaperPlan(main=legal, others=(research,)),
            recipient_staff="university-requester",
        )

    def _loaded(self, here: World, files: DemoFiles | None) -> props.Stage:
        self.head("2  A dataset is loaded, people's words are recorded")
        board = world.seated_board(here)
        file = files.cases if files else self.data
        mapping_path = (HERE / "mapping-cases.toml") if files else self.mapping
        assert file is not None  # noqa: S101 - the command gives both or none
        assert mapping_path is not None  # noqa: S101
        mapping = mapping_path.read_bytes()
        data = world.dataset(
            here, board, holder=HARBOR, name="clients", title="People we walk beside"
        )
        loading = props.ingest(data, file, mapping, self.progress)
        version = loading.version
        self.facts.values["dataset_rows"] = version.rows
        self.say(
            f"   {version.rows:,} rows about {version.people:,} people, sealed in "
            f"{version.parts.count()} parts; {version.rejected} rows refused."
        )
        papers = (
            files.consents_cases
            if files
            else props.drawn_papers(here, self.folder, self.facts.seed, file, mapping)
        )
        scope = f"row:{data.ref}" if props.by_row(mapping) else ""
        done = props.import_papers(here, HARBOR, papers, scope=scope)
        self.say(
            f"   {done.recorded:,} yeses on paper recorded, {done.superseded} replaced by newer "
            f"ones, {len(done.rejected)} refused."
        )
        if files is not None:
            self._bad_papers(here, files)
        if files is not None:
            self.known_to_both = self._slot(here.organisation(HARBOR), files.yes_at_cases_only[0])
        said = props.say_aloud(here, HARBOR, self.facts.seed, never=self.known_to_both)
        self.say("   Said aloud: " + ", ".join(f"{n} {what}" for what, n in said.items()) + ".")
        agreement = agreed.signed_agreement(
            here,
            data,
            recipient=UNIVERSITY,
            purposes=["research"],
            signers=["harbor-admin", "university-admin"],
        )
        request = agreed.drafted_request(
            here,
            agreement,
            data,
            purpose="research",
            by="university-requester",
            format=PackageFormat.PARQUET,
            fields=agreed.sharable(data, world.CLEAR_CATEGORIES),
        )
        request = agreed.approved(here, request)
        self.say(
            f"   {UNIVERSITY} asks for {request.fields.count()} fields for research under a signed "
            "agreement; the board (two survivor seats, one community seat) says yes."
        )
        return props.Stage(
            data, file, mapping, agreement, request, props.rejected_lines(loading.report)
        )

    def _bad_papers(self, here: World, files: DemoFiles) -> None:
        done = props.import_papers(here, HARBOR, files.consents_bad, most_bad=1.0)
        self.say(
            f"   {len({each.line for each in done.rejected})} incomplete papers are refused, "
            f"{done.recorded} taken: no element may be missing."
        )

    @staticmethod
    def _release(here: World, stage: props.Stage) -> Release:
        asked = releases.ask(
            request=stage.request,
            by=here.user("university-requester"),
            at=timezone.now(),
            via=VIA,
        )
        return releases.run(release=asked, at=timezone.now(), worker="demo")

    def _fetch(self, here: World, release: Release) -> check.Package:
        handed = handing.hand_over(
            release=release,
            part=DownloadPart.PACKAGE,
            by=here.user("university-requester"),
            at=timezone.now(),
            via=VIA,
        )
        return check.opened(b"".join(handed.chunks), here.recipient_identity(UNIVERSITY))

    def _first_release(
        self, here: World, stage: props.Stage
    ) -> tuple[Release, check.Package, check.Verdict]:
        self.head("3  A package is prepared and picked up")
        release = self._release(here, stage)
        if release.state != ReleaseState.PREPARED:
            raise RuntimeError(f"The first release was refused: {release.grounds}")
        package = self._fetch(here, release)
        verdict = self._checked(release, stage, package)
        self.facts.values |= {
            "released_rows": release.rows,
            "withheld_rows": release.rows_withheld,
            "independent_check": verdict.holds,
            "file_sha256_matches": package.digests_match,
        }
        self.say(
            f"   {release.rows:,} rows of {release.people:,} people left, "
            f"{release.rows_withheld:,} rows stayed. A plain-Python check over file and tables "
            f"expects {verdict.expected_rows:,} rows: {verdict.missing} missing, "
            f"{verdict.unexpected} too many."
        )
        table = Table("people", "why their record stayed", title=None)
        for ground, count in sorted(release.grounds.items(), key=lambda each: -each[1]):
            table.add_row(band(count), str(Ground(ground).label))
        self.console.print(table)
        return release, package, verdict

    def _checked(
        self, release: Release, stage: props.Stage, package: check.Package
    ) -> check.Verdict:
        return check.compare(
            release=release,
            package=package,
            file=stage.file,
            plan=props.plan(stage.mapping, stage.dataset),
            rejected=stage.rejected,
            root=keys.ring().root(release.holder.ref),
        )

    def _chosen(self, release: Release, verdict: check.Verdict) -> Consent:
        """Somebody in the package, with two rows of her own or more where the data has one."""
        others = {s: rows for s, rows in verdict.own.items() if s != self.known_to_both}
        several = sorted(slot for slot, rows in others.items() if rows >= 2)
        slot = self.random.choice(several or sorted(others))
        self.facts.values["withdrawn_person_rows"] = verdict.naming[slot]
        return Consent.objects.select_related("subject__holder", "recipient", "purpose").get(
            subject_id=slot,
            recipient=release.recipient,
            purpose=release.purpose,
            ended_at__isnull=True,
        )

    def _withdrawal(
        self, here: World, stage: props.Stage, consent: Consent, package: check.Package
    ) -> None:
        self.head("4  One person stops sharing")
        slot = consent.subject_id
        account = world.survivor_account(
            here, consent.subject, name="river-maple-41", holder=HARBOR
        )
        waiting = self._release(here, stage)
        before = self._present(waiting, slot)
        consents.withdraw(consent=consent, by=account, at=timezone.now(), via=Via.PORTAL)
        void = False
        try:
            self._fetch(here, waiting)
        except Void as reason:
            void = True
            self.say(f"   The package that waited is void: {reason.message}")
        replacement = Release.objects.get(replaces=waiting)
        again = releases.run(release=replacement, at=timezone.now(), worker="demo")
        second = self._fetch(here, again)
        verdict = self._checked(again, stage, second)
        person = check.person_key(again, keys.ring().root(again.holder.ref), slot)
        self.facts.values |= {
            "void_after_withdrawal": void,
            "released_after_withdrawal": again.rows,
            "withdrawn_person_present_before": before
            and any(row[0] == person for row in package.rows),
            "withdrawn_person_present_after": self._present(again, slot)
            or any(row[0] == person for row in second.rows),
        }
        self.facts.values["independent_check"] &= verdict.holds
        self.facts.values["file_sha256_matches"] &= second.digests_match
        self.say(
            f"   The next package has {again.rows:,} rows: without her "
            f"{self.facts.values['withdrawn_person_rows']}."
        )

    @staticmethod
    def _present(release: Release, slot: int) -> bool:
        return slot in set(slots_of(release.uses.values_list("block", "bits")).tolist())

    def _suspension(self, here: World, stage: props.Stage) -> None:
        self.head("5  The agreement is suspended")
        holder_admin = here.user("harbor-admin")
        agreements.suspend(agreement=stage.agreement, by=holder_admin, at=timezone.now(), via=VIA)
        refused = self._release(here, stage)
        self.facts.values["refused_after_suspension"] = (
            refused.state == ReleaseState.REFUSED and Ground.AGREEMENT_SUSPENDED in refused.grounds
        )
        self.say(f"   Asked again: {refused.state}, because {Ground.AGREEMENT_SUSPENDED.label}.")
        stage.agreement.refresh_from_db()
        agreements.resume(agreement=stage.agreement, by=holder_admin, at=timezone.now(), via=VIA)

    def _other_dataset(self, here: World, files: DemoFiles, verdict: check.Verdict) -> None:
        """A second holder, requests at other stages, and a yes that was said at the first only."""
        self.head("6  Another organisation knows some of the same people")
        first = Dataset.objects.select_related("board").get(name="clients")
        data = world.dataset(
            here, first.board, holder=world.CLINIC, name="visits", title="Visits to the clinic"
        )
        mapping = (HERE / "mapping-health.toml").read_bytes()
        loading = props.ingest(data, files.health, mapping, self.progress)
        done = props.import_papers(here, world.CLINIC, files.consents_health)
        self.say(f"   {loading.version.rows:,} rows and {done.recorded:,} yeses of its own.")
        agreed.requests_at_other_stages(here, data)
        asked = agreed.research_at_the_clinic(here, data)
        stage = props.Stage(
            data,
            files.health,
            mapping,
            asked.agreement,
            asked,
            props.rejected_lines(loading.report),
        )
        release = self._release(here, stage)
        package = self._fetch(here, release)
        there = self._checked(release, stage, package)
        self.facts.values["independent_check"] &= there.holds
        self.facts.values["file_sha256_matches"] &= package.digests_match
        self._yes_at_one_place(here, files, verdict, release, package)

    def _yes_at_one_place(
        self,
        here: World,
        files: DemoFiles,
        verdict: check.Verdict,
        release: Release,
        package: check.Package,
    ) -> None:
        """She is in what the first holder sent to this recipient, and not in what the second did."""
        slot = self._slot(here.organisation(world.CLINIC), files.yes_at_cases_only[1])
        person = check.person_key(release, keys.ring().root(release.holder.ref), slot)
        assert self.known_to_both is not None  # noqa: S101 - given in step 2
        sent_here = verdict.own.get(self.known_to_both, 0)
        sent_there = sum(row[0] == person for row in package.rows)
        self.facts.values["yes_stays_where_it_was_given"] = (
            sent_here > 0
            and sent_there == 0
            and release.rows > 0
            and not self._present(release, slot)
        )
        self.say(
            f"   {len(files.in_both)} people are known to both. One of them said yes to "
            f"{UNIVERSITY} at {HARBOR} only: {sent_here} rows of hers were sent from there, "
            f"{sent_there} among the {release.rows:,} rows from {world.CLINIC}."
        )

    @staticmethod
    def _slot(holder: Organisation, number: str) -> int:
        digest = subjects.client_digest(subjects.digest_key(holder), number)
        return subjects.find(holder, [digest])[digest]

    def _verified(self) -> None:
        self.head("7  The log proves it")
        while sequence():
            pass
        out = StringIO()
        try:
            call_command("verify_log", stdout=out, stderr=out)
            verified = True
        except SystemExit as ended:
            verified = not ended.code
        self.facts.values |= {"log_size": log_size(), "log_verified": verified}
        self.say(f"   {log_size()} entries, every hash and signature recomputed: {verified}.")

    def _her_page(self, consent: Consent) -> None:
        self.head("8  She sees it")
        account = Subject.objects.select_related("account").get(pk=consent.subject_id).account
        assert account is not None  # noqa: S101 - given in step 4
        for each in sharing.of(account, timezone.now()):
            self.say(f"   {each.recipient.name}: {each.standing.label}")
        for went in uses.of(account):
            if went.picked_up_at:
                said = f"sent to, and picked up {len(went.picked_up_at)}× by"
            elif went.void:
                said = "made ready, then stopped before anybody picked it up, for"
            elif went.sent:
                said = "made ready for"
            else:
                said = f"kept back ({went.ground.label if went.ground else ''}) from"
            self.say(f"   {went.at:%d %B %H:%M:%S}  {said} {went.recipient.name}")
