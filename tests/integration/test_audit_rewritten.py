"""The log rewritten as far as somebody can who owns the database: how far, and who names it then.

`test_audit_verify` has each single change; here the rewriting is carried through: leaves, columns,
hashes, nodes, roots, signatures. What the log itself can no longer show, a witness does.
"""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from audit import queries as log
from audit.actions import feed, feeding, sequence
from audit.models import Checkpoint, Cosignature, Entry, JournalDigest, Node, WitnessState
from audit.queries import verification
from audit.rules import Leaf, leaf_bytes
from audit.tlog.checkpoints import Checkpoint as Head
from audit.tlog.checkpoints import sign_checkpoint
from audit.tlog.notes import Signer
from audit.tlog.tree import Edge, leaf_hash
from audit.vocabulary import WitnessTrouble
from tests import watchers
from tests.append_only import triggers_lifted
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401
from tests.integration.test_audit_verify import change, journal_rows, verify
from tests.integration.test_feeding import later, now, state, watched_by

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


@pytest.fixture
def grown():
    """Entries 0 to 22; checkpoints at 8, 13 and 23."""
    log_of(8, 13, 23)


# --- how the rows are changed ---------------------------------------------------------------------


def flip_a_byte():
    """One bit of one leaf, as a failing disk would."""
    leaf = bytearray(Entry.objects.get(seq=9).leaf)
    leaf[40] ^= 1
    change(Entry, {"seq": 9}, leaf=bytes(leaf))


def say_otherwise():
    """Another decision in entry 9: its column, its leaf and its leaf hash agree."""
    entry = Entry.objects.get(seq=9)
    fields = {name: getattr(entry, name) for name in Leaf.__dataclass_fields__}
    told = {**fields, "decision": "refused", "nonce": bytes(entry.nonce)}
    data = leaf_bytes(Leaf(**told))
    change(Entry, {"seq": 9}, decision="refused", leaf=data, leaf_hash=leaf_hash(data))


def take_one_out():
    """Entry 9 goes, and those after it move up."""
    Entry.objects.filter(seq=9).delete()
    for entry in Entry.objects.filter(seq__gt=9).order_by("seq"):
        change(Entry, {"pk": entry.pk}, seq=entry.seq - 1)


def put_one_in():
    """One more stands at 9, dated before its neighbours, and those from there on move down."""
    added = happened("later", at=AT.replace(year=2025))
    for entry in Entry.objects.filter(seq__gte=9).order_by("-seq"):
        change(Entry, {"pk": entry.pk}, seq=entry.seq + 1)
    change(Entry, {"pk": added.pk}, seq=9)


def swap_two():
    first, second = Entry.objects.get(seq=9), Entry.objects.get(seq=10)
    change(Entry, {"pk": first.pk}, seq=999)
    change(Entry, {"pk": second.pk}, seq=9)
    change(Entry, {"pk": first.pk}, seq=10)


def cut_ten():
    Entry.objects.filter(seq__gte=13).delete()


CHANGES = {
    "an entry that says otherwise": say_otherwise,
    "a middle entry removed and the rest renumbered": take_one_out,
    "an entry back-dated in": put_one_in,
    "two entries swapped": swap_two,
    "the last ten entries cut": cut_ten,
}


# --- how far the rest is made to fit --------------------------------------------------------------


def mend_nodes(signer=None):
    """Every node and root anew from the leaves as they are now; signed anew where a key is given."""
    Node.objects.all().delete()
    size, edge = Entry.objects.exclude(seq=None).count(), Edge()
    heads = {min(row.size, size) for row in Checkpoint.objects.all()} | {size}
    notes = dict(Checkpoint.objects.values_list("size", "note"))
    Checkpoint.objects.all().delete()
    for entry in Entry.objects.exclude(seq=None).order_by("seq"):
        for level, index, value in edge.append(bytes(entry.leaf_hash)):
            Node.objects.create(level=level, index=index, hash=value)
        if edge.size in heads:
            head = Head(log.log_verifier().name, edge.size, edge.root())
            note = sign_checkpoint(head, signer) if signer else notes.get(edge.size, "none")
            Checkpoint.objects.create(size=head.size, root=head.root, note=note, signed_at=AT)


def true_key():
    return Signer(log.log_verifier().name, log.key_ring().log_seed())


def found():
    with pytest.raises(CommandError) as error:
        verify()
    return str(error.value)


def test_a_flipped_byte_is_found(grown):
    with triggers_lifted():
        flip_a_byte()
    assert "entry 9: its leaf is not the one of its leaf hash" in found()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("an entry that says otherwise", "entries 8 to 9: their node 1/4 is not over"),
        ("a middle entry removed and the rest renumbered", "entry 22: is not there"),
        ("an entry back-dated in", "entry 23: numbered, and under no checkpoint"),
        ("two entries swapped", "entries 8 to 9: their node 1/4 is not over"),
        ("the last ten entries cut", "entry 13: is not there"),
    ],
)
def test_rows_that_were_changed_are_named(grown, name, says):
    with triggers_lifted():
        CHANGES[name]()
    assert re.search(f"{says}|entries 8 to 9: their node 1/4 is not over", found())


@pytest.mark.parametrize("name", [name for name in CHANGES if "cut" not in name])
def test_with_all_nodes_and_roots_made_to_fit_the_signature_does_not(grown, name):
    with triggers_lifted():
        CHANGES[name]()
        mend_nodes()
    assert re.search(r"checkpoint (13|22|24): (its columns and its note|A note is a text)", found())


@pytest.mark.parametrize("name", CHANGES)
def test_signed_anew_with_another_key_nobody_knows_the_key(grown, name):
    with triggers_lifted():
        CHANGES[name]()
        mend_nodes(Signer(log.log_verifier().name, b"s" * 32))
    assert "checkpoint 8: No known key has signed this note" in found()


WITNESSED = {
    "an entry that says otherwise": WitnessTrouble.DOES_NOT_GO_ON,
    "a middle entry removed and the rest renumbered": WitnessTrouble.HOLDS_MORE,
    "an entry back-dated in": WitnessTrouble.DOES_NOT_GO_ON,
    "two entries swapped": WitnessTrouble.DOES_NOT_GO_ON,
    "the last ten entries cut": WitnessTrouble.HOLDS_MORE,
}


@pytest.mark.parametrize("name", CHANGES)
def test_signed_anew_with_the_true_key_only_a_witness_or_a_kept_head_names_it(
    grown, name, settings, tmp_path, monkeypatch
):
    """Also: the paper, the mail, the file somewhere else. Any of them is enough."""
    monkeypatch.setattr(feeding, "PATIENCE", 0.5)
    kept = tmp_path / "checkpoint"
    kept.write_text(log.latest_checkpoint().note, encoding="utf-8")
    with watchers.witness(tmp_path, 1, log.log_verifier()) as url:
        watched_by(settings, url)
        assert feed(at=now()) == 1
        with triggers_lifted():
            Cosignature.objects.all().delete()
            CHANGES[name]()
            mend_nodes(true_key())
            WitnessState.objects.update(size=0)
        verify()  # the log itself holds together
        if WITNESSED[name] == WitnessTrouble.DOES_NOT_GO_ON:
            happened("more")
            sequence()
        assert feed(at=later()) == 0
    assert state().trouble == WITNESSED[name]
    with pytest.raises(CommandError, match=r"fewer than once signed|kept outside has another root"):
        call_command("verify_log", "--checkpoint", str(kept), stdout=StringIO())


def test_a_cosignature_left_behind_tells_of_a_rewriting_as_well(grown, settings, tmp_path):
    with watchers.witness(tmp_path, 1, log.log_verifier()) as url:
        watched_by(settings, url)
        feed(at=now())
    with triggers_lifted():
        say_otherwise()
        mend_nodes(true_key())
    assert "cosignature of witness.example/w1 at size 23: " in found()
    with triggers_lifted():
        cut_ten()
        mend_nodes(true_key())
    assert "cosignature of witness.example/w1 at size 23: the checkpoint" in found()


@pytest.mark.sqlite_only  # PostgreSQL does not let a referenced row go
def test_a_waiting_entry_that_was_deleted_leaves_its_journal_row_uncovered(grown):
    journal_rows(1)
    digest = JournalDigest.objects.get()
    assert digest.entry.seq is None
    with triggers_lifted(), connection.constraint_checks_disabled():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_entry WHERE id = %s", [digest.entry_id])
        assert f"journal row {digest.pk}: no entry covers it" in found()
        JournalDigest.objects.all().delete()


# --- the quick look -------------------------------------------------------------------------------


def quick(*words):
    out = StringIO()
    call_command("verify_log", "--root", *words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("block", [1, 2, 4, 8, 16, 32])
def test_the_quick_look_finds_the_signed_root_whatever_the_size_of_a_block(
    grown, tmp_path, monkeypatch, block
):
    monkeypatch.setattr(verification, "BLOCK", block)
    monkeypatch.setattr(verification, "PAGE", 3)
    assert "23 entries" in quick()
    for size in (8, 13, 23):
        kept = tmp_path / str(size)
        kept.write_text(Checkpoint.objects.get(size=size).note, encoding="utf-8")
        quick("--checkpoint", str(kept))


def test_the_quick_look_at_an_empty_log_finds_nothing_wrong():
    assert "0 entries" in quick()


@pytest.mark.parametrize("name", CHANGES)
def test_the_quick_look_sees_every_change_of_an_entry(grown, name, tmp_path):
    kept = tmp_path / "checkpoint"
    kept.write_text(Checkpoint.objects.get(size=23).note, encoding="utf-8")
    with triggers_lifted():
        CHANGES[name]()
    with pytest.raises(CommandError, match=r"its root is not|is not there"):
        quick()
    with triggers_lifted():
        mend_nodes(Signer(log.log_verifier().name, b"s" * 32))
    with pytest.raises(CommandError, match="No known key"):
        quick()
    with triggers_lifted():
        mend_nodes(true_key())
    quick()
    with pytest.raises(CommandError, match=r"fewer than once signed|kept outside has another root"):
        quick("--checkpoint", str(kept))
