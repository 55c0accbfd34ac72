"""Every deed leaves an entry in the log, says who and when, and takes its arguments by name."""

import ast

import pytest

from tests.architecture.source import Module, actions, modules, reached

RECORDS = ("audit.actions.record", "governance.actions.trail.record")

# Public functions in actions that leave no entry of their own, each with its reason.
NO_ENTRY: dict[str, str] = {
    "consent.actions.sets.added_later": "a question asked while a yes is given",
    "consent.actions.hiding.hide": "what her own pages show; that she hides something is hers alone",
    "consent.actions.hiding.show": "the same",
    "consent.actions.replaying.to_shred": "a reading of the file of noes, before they are replayed",
    "consent.actions.survivors.finish": "a row inside the deeds that leave the entry",
    "consent.actions.survivors.lock": "a row inside the deeds that leave the entry",
    "consent.actions.tagging.leave": "part of shredding, whose deed leaves the entry",
    "consent.actions.tagging.wait": "part of what is said without a key, which leaves the entry",
    "consent.actions.subjects.hold": "a lock; the deed that takes it leaves the entry",
    "consent.actions.sets.versions_at": "a reading; the sets are written with the yes",
    "consent.actions.sets.category_set": "part of giving a yes, whose entry covers it",
    "consent.actions.sets.category_sets": "a reading; the sets are written with the yes",
    "consent.actions.subjects.client_digest": "arithmetic",
    "consent.actions.subjects.digest_key": "fetches a key for arithmetic",
    "consent.actions.subjects.find": "looks up slots for loading and imports, which leave entries",
    "governance.actions.details.sealed": "words beside an entry, which the deed leaves",
    "governance.actions.details.committed_to": "marks beside an entry, which the deed leaves",
    "governance.actions.filing.write_anew": "part of shredding, whose deed leaves the entry",
    "governance.actions.memberships.check_can_hold": "a question and a lock inside the deeds",
    "governance.actions.memberships.hold": "a lock; the deed that takes it leaves the entry",
    "governance.actions.people.hold_beginning": "a lock; the deed that takes it leaves the entry",
    "governance.actions.people.insert": "a row inside the deeds that leave the entry",
    "governance.actions.people.set_password": "a hash on a row that the deed saves",
    "governance.actions.resets.expires": "arithmetic",
    "governance.actions.sittings.begin": "somebody signed in, which is no deed; a burst of failures is",
    "governance.actions.sittings.leave": "a session ended; who leaves in a hurry leaves no trace",
    "governance.actions.sittings.see": "somebody is still there",
    "governance.actions.filing.file": "copies a no into its file; the no's deed leaves the entry",
    "governance.actions.filing.file_waiting": "the same, later",
    "governance.actions.filing.keep": "part of a no, whose deed leaves the entry",
    "governance.actions.organisations.insert": "a row inside the deeds that leave the entry",
    "governance.actions.scopes.closing": "opens the transaction of a way in that ends; the deed "
    "inside it leaves the entry",
    "governance.actions.scopes.ensure": "makes the row a lock hangs on; nothing happens to anybody",
    "governance.actions.scopes.gate": "a lock; the deed inside it leaves the entry",
    "governance.actions.scopes.narrowing": "opens the transaction of a no; the deed inside it "
    "leaves the entry",
    "governance.actions.scopes.repeating": "opens the transaction of a no that is said again; what "
    "is inside it leaves the entry",
    "governance.actions.scopes.plain": "a transaction; the deed inside it leaves the entry",
    "governance.actions.scopes.steady": "a lock; the deed inside it leaves the entry",
    "governance.actions.scopes.steady_beside": "the same lock; the deed inside leaves the entry",
    "governance.actions.repeats.forget": "removes answers that nobody may ask for again",
    "governance.actions.repeats.once": "a transaction; the deed inside it leaves the entry",
    "governance.actions.trail.actor": "says who acts; it is what entries are written with",
    "oversight.actions.cases.locked": "a lock; the deed that takes it leaves the entry",
    "oversight.actions.working.wipe": "deletes copies of entries that have lain for a day",
    "release.actions.gate.asking": "the same question, asked beside others",
    "release.actions.gate.check": "what the answer to that question means",
    "release.actions.gate.check_open": "a question asked before deeds, which leave entries",
    "release.actions.handing.whole_manifest": "words for a hand-over, which leaves the entry",
    "release.actions.keeping.beat": "notes that the clock lives; nothing happens to anybody",
    "release.actions.keeping.sweep": "deletes sealed drafts that belong to no release",
    "release.actions.recalls.people": "keys that stand in what the recipient has; nothing new leaves",
    "release.actions.profiles.draft": "looks through a file that nobody loads; keeps nothing of it",
    "release.actions.receiving.receive": "a file waits; loading it leaves the entry, either way",
    "release.actions.uploads.sweep": "deletes sealed pieces that wait for nothing",
    "release.actions.versions.quiet": "does nothing, on purpose",
    "release.actions.versions.sweep_staging": "deletes sealed leftovers that belong to no version",
}
# Modules that are the inside of one deed: nothing in them is called from a door.
INSIDE: dict[str, str] = {
    "consent.actions.found_again": "the steps of replaying.replay, which leaves the entry",
    "governance.actions.repeating": "the steps of replaying.replay, which leaves the entry",
    "governance.actions.rotated": "the entry of a change of keys",
    "consent.actions.carrying": "the steps of shredding.carry_out_due, which leaves the entry",
    "consent.actions.helped": "the steps of what is said of helpers, whose deeds leave the entries",
    "consent.actions.helped_again": "the steps of replaying.replay, which leave their entries",
    "consent.actions.opening": "the steps of deeds with codes, which leave the entries",
    "consent.actions.noes_of_both": "the step of links.join: each no that it carries leaves its entry",
    "consent.actions.parting": "the step of links.split, which leaves the entry",
    "consent.actions.wiping": "the steps of shredding and of holds, which leave the entries",
    "consent.actions.drafts": "the steps of what she is asked for, which leave the entries",
    "consent.actions.giving": "the steps of every yes, whose deeds leave the entries",
    "consent.actions.standing": "the steps of every standing no, which leave the entries",
    "consent.actions.happenings": "what the deeds of consents write, which leave the entries",
    "consent.actions.contested_again": "a step of replaying.replay, which leaves the entry",
    "consent.actions.contesting": "the step of contests.ask, which leaves the entry",
    "consent.actions.speaking_again": "the steps of replaying.replay, which leaves the entry",
    "consent.actions.spoken": "the steps of deeds about who speaks for her, which leave the entries",
    "consent.actions.papers": "the steps of imports.consents, which leaves the entry",
    "release.actions.answers": "the last step of releases.run: the answer and its entry",
    "release.actions.leases": "who is at it in releases.run, and until when",
    "release.actions.preparing": "the steps of releases.run, which holds the lease",
    "release.actions.loading": "the steps of versions.ingest, which leaves the entry",
}
# Deeds of nobody in particular: the clock's, or the very first one. They say when, not who.
NO_BY: dict[str, str] = {
    "consent.actions.afresh.ask_due": "the clock does it",
    "consent.actions.endings.note_due": "the clock does it",
    "consent.actions.liftings.settle_due": "the clock does it",
    "consent.actions.proposals.ask_renewals": "the clock does it",
    "consent.actions.proposals.settle_due": "the clock does it",
    "consent.actions.questions.erase_due": "the clock does it",
    "consent.actions.tagging.catch_up": "the clock does it",
    "consent.actions.enrolment.recover": "whoever has the code is known by nothing else",
    "consent.actions.enrolment.redeem": "the newcomer is nobody yet when it begins",
    "consent.actions.survivors.come_back": "whoever has the code is known by nothing else",
    "consent.actions.survivors.shut_by_paper": "whoever has the code may do it, whoever that is",
    "governance.actions.invitations.accept": "the newcomer is nobody yet when it begins",
    "governance.actions.invitations.begin": "nobody is there yet to do it",
    "governance.actions.people.create_first_administrator": "nobody is there yet to do it",
    "governance.actions.reviews.lapse_unanswered": "the clock does it",
    "oversight.actions.working.run": "the clock goes on in the name of who asked",
    "release.actions.keeping.remake": "the clock does it",
    "release.actions.recalls.mark_overdue": "the clock does it",
    "release.actions.recalls.open_due": "the clock does it",
    "release.actions.backups.restore": "on a new machine nobody is known yet",
    "release.actions.keeping.wipe": "the clock does it",
    "release.actions.releases.run": "the clock answers releases",
    "release.actions.shredding.carry_out_due": "the clock does it",
    "release.actions.uploads.run": "the clock loads in the name of who sent it",
}


def public(module: Module) -> list[str]:
    return [name for name in module.functions if not name.startswith("_")]


def deeds() -> dict[str, tuple[Module, str]]:
    return {
        f"{module.name}.{name}": (module, name)
        for module in actions()
        for name in public(module)
        if not module.name.startswith(("audit.", *INSIDE))  # the log does not log that it logs
    }


def leaves_an_entry(module: Module, name: str) -> bool:
    return any(found in RECORDS for found in reached(module, name))


def test_there_are_deeds_to_look_at():
    assert len(deeds()) > 5


@pytest.mark.parametrize("deed", sorted(deeds()))
def test_every_deed_leaves_an_entry_or_is_listed_with_a_reason(deed):
    assert leaves_an_entry(*deeds()[deed]) != (deed in NO_ENTRY)


def test_no_listed_exception_is_stale():
    assert set(NO_ENTRY) <= set(deeds())
    assert set(NO_BY) <= set(deeds()) - set(NO_ENTRY)
    assert all(any(module.name.startswith(inside) for module in actions()) for inside in INSIDE)


@pytest.mark.parametrize("inside", INSIDE)
def test_the_inside_of_a_deed_is_entered_by_deeds_only(inside):
    users = {
        name
        for name, module in modules().items()
        if not name.startswith(inside)
        and any(meaning.startswith(inside) for meaning in module.names.values())
    }
    assert users <= {module.name for module in actions()}


@pytest.mark.parametrize("deed", sorted(set(deeds()) - set(NO_ENTRY)))
def test_every_deed_takes_its_arguments_by_name_with_who_and_when(deed):
    module, name = deeds()[deed]
    arguments = module.functions[name].args
    assert [one.arg for one in arguments.posonlyargs + arguments.args] == []
    wanted = {"at"} if deed in NO_BY else {"by", "at", "via"}
    assert wanted <= {one.arg for one in arguments.kwonlyargs}


def test_only_the_trail_and_the_log_itself_write_entries():
    writers = {
        module.name
        for module in actions()
        for name in module.functions
        if "audit.actions.record" in module.mentions(name)
    }
    assert writers <= {"governance.actions.trail"} | {
        name for name in writers if name.startswith("audit.")
    }


def test_the_reader_of_source_sees_a_deed_without_an_entry(tmp_path):
    text = "from governance.actions import trail\ndef good():\n    trail.record()\ndef bad():\n    ...\n"
    functions = {
        node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)
    }
    module = Module(
        name="planted",
        path=tmp_path,
        names={"trail": "governance.actions.trail"},
        functions=functions,
    )
    assert leaves_an_entry(module, "good")
    assert not leaves_an_entry(module, "bad")
