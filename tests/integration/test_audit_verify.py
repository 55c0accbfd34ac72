"""Each way to tamper with the log, and how `verify_log` names it."""

import re
from io import StringIO

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit import queries
from audit.actions import check_head, record_journal, sequence
from audit.models import Checkpoint, Entry, JournalDigest, JournalWaiting, LogEntry, Node
from audit.queries import verification
from audit.tlog.checkpoints import Checkpoint as Head
from audit.tlog.checkpoints import sign_checkpoint
from audit.tlog.notes import Signer
from audit.tlog.tree import leaf_hash, root_of
from common.errors import NotReady
from tests.append_only import triggers_lifted
from tests.integration.audit_log import AT, happened, log_keys, log_of  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("log_keys")]


def journal_rows(count):
    for number in range(count):
        with transaction.atomic():
            LogEntry.objects.create(
                content_type=ContentType.objects.get_for_model(Entry),
                object_pk=str(number),
                object_repr="one",
                action=1,
                changes={"name": ["a", "b"]},
                timestamp=AT,
            )
            record_journal(at=AT, via="task")


@pytest.fixture
def log():
    """Entries 0 to 12, the first three about journal rows; checkpoints at 3, 5, 8 and 13."""
    journal_rows(3)
    sequence()
    log_of(5, 8, 13)
    assert queries.log_size() == 13


def verify():
    out = StringIO()
    call_command("verify_log", stdout=out)
    return out.getvalue()


def signer(settings):
    return Signer(settings.LOG_ORIGIN, queries.key_ring().log_seed())


def change(model, where, **values):
    assert model.objects.filter(**where).update(**values) == 1


def swap_entries(settings):
    first, second = Entry.objects.get(seq=6), Entry.objects.get(seq=7)
    change(Entry, {"pk": first.pk}, seq=100)
    change(Entry, {"pk": second.pk}, seq=6)
    change(Entry, {"pk": first.pk}, seq=7)


def exchange_leaf_wholly(settings):
    """What an owner of the database can do: another leaf, its columns and its hash agreeing."""
    other = happened("other")
    row = {
        field.name: getattr(other, field.name)
        for field in Entry._meta.fields
        if field.name not in {"id", "seq"}
    }
    Entry.objects.filter(pk=other.pk).delete()
    change(Entry, {"seq": 9}, **row)


def drop_journal_row(settings):
    digest_row = JournalDigest.objects.order_by("pk")[0].row_id
    JournalDigest.objects.filter(pk=digest_row).delete()
    LogEntry.objects.filter(pk=digest_row).delete()


def add_uncovered_journal_row(settings):
    row = LogEntry.objects.order_by("pk").first()
    row.pk = None
    row.save(force_insert=True)
    JournalWaiting.objects.all().delete()


def swap_journal_digests(settings):
    first, second = JournalDigest.objects.order_by("pk")[:2]
    one, two = first.entry_id, second.entry_id
    JournalDigest.objects.filter(pk=second.pk).delete()
    change(JournalDigest, {"pk": first.pk}, entry_id=two)
    JournalDigest.objects.create(row_id=second.pk, entry_id=one, salt=second.salt)


def resign(settings, size, **fields):
    checkpoint = Checkpoint.objects.get(size=size)
    head = Head(**({"origin": settings.LOG_ORIGIN, "size": size,
                    "root": bytes(checkpoint.root)} | fields))  # fmt: skip
    change(Checkpoint, {"size": size}, root=head.root, note=sign_checkpoint(head, signer(settings)))


def grow_unsigned(settings):
    happened("more")
    change(Entry, {"seq": None}, seq=13)


def cut_the_tail_entries(settings):
    Entry.objects.filter(seq__gte=11).delete()


TAMPERINGS = {
    "an edited leaf": (
        lambda s: change(Entry, {"seq": 4}, leaf=b'{"version":1}'),
        "entry 4: its leaf is not the one of its leaf hash",
    ),
    "an edited leaf with its hash": (
        lambda s: change(Entry, {"seq": 4}, leaf=b"{}", leaf_hash=leaf_hash(b"{}")),
        "entry 4: its columns and its leaf do not say the same",
    ),
    "an edited leaf hash": (
        lambda s: change(Entry, {"seq": 4}, leaf_hash=b"x" * 32),
        "entry 4: its leaf is not the one of its leaf hash",
    ),
    "an exchanged entry": (exchange_leaf_wholly, "entries 8 to 9: their node 1/4 is not over"),
    "a deleted entry": (
        lambda s: Entry.objects.filter(seq=7).delete(),
        "entry 7: is not there",
    ),
    "a deleted first entry": (
        lambda s: (JournalDigest.objects.all().delete(), Entry.objects.filter(seq=0).delete()),
        "entry 0: is not there",
    ),
    "two entries in each other's place": (
        swap_entries,
        "entries 6 to 7: their node 1/3 is not over these leaves",
    ),
    "a renumbered entry": (
        lambda s: change(Entry, {"seq": 7}, seq=77),
        "entry 13: numbered, and under no checkpoint",
    ),
    "a number taken back": (
        lambda s: change(Entry, {"seq": 7}, seq=None),
        "entry 7: is not there",
    ),
    "an edited node": (
        lambda s: change(Node, {"level": 2, "index": 1}, hash=b"x" * 32),
        "entries 4 to 7: their node 2/1 is not over these leaves",
    ),
    "a deleted node": (
        lambda s: Node.objects.filter(level=3).delete(),
        "entries 0 to 7: their node 3/0 is not there",
    ),
    "a node too many": (
        lambda s: Node.objects.create(level=1, index=6, hash=b"x" * 32),
        "node 1/6: no entries reach it",
    ),
    "a node above the tree": (
        lambda s: Node.objects.create(level=9, index=0, hash=b"x" * 32),
        "node 9/0: no entries reach it",
    ),
    "an edited note": (
        lambda s: change(Checkpoint, {"size": 5}, note="text\n"),
        "checkpoint 5: A note is a text",
    ),
    "a checkpoint with an edited root": (
        lambda s: change(Checkpoint, {"size": 5}, root=b"x" * 32),
        "checkpoint 5: its columns and its note do not say the same",
    ),
    "a checkpoint moved to another size": (
        lambda s: change(Checkpoint, {"size": 5}, size=6),
        "checkpoint 6: its columns and its note do not say the same",
    ),
    "a checkpoint signed by a stranger": (
        lambda s: change(
            Checkpoint,
            {"size": 5},
            note=sign_checkpoint(
                Head(s.LOG_ORIGIN, 5, bytes(Checkpoint.objects.get(size=5).root)),
                Signer(s.LOG_ORIGIN, b"s" * 32),
            ),
        ),
        "checkpoint 5: No known key",
    ),
    "a checkpoint of another log, signed with the log's key": (
        lambda s: resign(s, 5, origin="log.example/other"),
        "checkpoint 5: The checkpoint is of another log",
    ),
    "a false root, signed with the log's key": (
        lambda s: resign(s, 8, root=b"x" * 32),
        "checkpoint 8: its root is not the one of the entries before it",
    ),
    "the last checkpoint deleted": (
        lambda s: Checkpoint.objects.filter(size=13).delete(),
        "entry 8: numbered, and under no checkpoint",
    ),
    "all checkpoints deleted": (
        lambda s: Checkpoint.objects.all().delete(),
        "entry 0: numbered, and under no checkpoint",
    ),
    "an entry numbered and not signed": (
        grow_unsigned,
        "entry 13: numbered, and under no checkpoint",
    ),
    "the tail cut off": (cut_the_tail_entries, "entry 11: is not there"),
    "an edited journal row": (
        lambda s: change(LogEntry, {"pk": LogEntry.objects.order_by("pk")[1].pk}, changes={}),
        "it no longer says what entry 1 covers",
    ),
    "a journal row dated otherwise": (
        lambda s: LogEntry.objects.update(timestamp=AT.replace(year=2025)),
        "it no longer says what entry 0 covers",
    ),
    "an edited salt": (
        lambda s: JournalDigest.objects.update(salt=b"x" * 16),
        "it no longer says what entry 0 covers",
    ),
    "a journal row deleted with its digest": (
        drop_journal_row,
        "entry 0: the journal row it covers is gone",
    ),
    "a journal row that nothing covers": (add_uncovered_journal_row, "no entry covers it"),
    "two journal rows under each other's entry": (
        swap_journal_digests,
        "entry 1 is not about it",
    ),
}


def test_an_untouched_log_holds(log):
    text = verify()
    assert "13 entries, 4 checkpoints, 3 journal rows" in text
    assert "0 entries and 0 journal rows still wait" in text


def test_an_empty_log_holds():
    assert "0 entries, 0 checkpoints" in verify()


def test_what_waits_is_counted_and_does_not_harm(log):
    happened("waiting")
    assert "1 entries and 0 journal rows still wait" in verify()


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_named(log, settings, name):
    tamper, words = TAMPERINGS[name]
    with triggers_lifted():
        tamper(settings)
    with pytest.raises(CommandError, match=re.escape(words)) as error:
        verify()
    assert error.value.returncode == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("version", 2), ("type", "release:prepared"), ("time", AT.replace(year=2025)),
        ("actor", "usr-other"), ("via", "api"), ("purpose", "housing"), ("resource", "rel-9"),
        ("decision", "refused"), ("reason", "other"), ("policy", "ab" * 32),
        ("epoch_everyone", 1), ("epoch_scope", 1), ("subjects_root", b"x" * 32),
        ("subjects_band", "2-10"), ("detail_commit", "ab" * 32), ("nonce", b"x" * 16),
    ],
)  # fmt: skip
def test_every_column_of_an_entry_is_held_against_its_leaf(log, column, value):
    with triggers_lifted():
        change(Entry, {"seq": 6}, **{column: value})
    with pytest.raises(CommandError, match="entry 6: its columns and its leaf do not say the same"):
        verify()


@pytest.mark.sqlite_only  # PostgreSQL does not let a referenced row go
def test_a_journal_row_deleted_alone_is_named(log):
    with triggers_lifted(), connection.constraint_checks_disabled():
        row = LogEntry.objects.order_by("pk").first().pk
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM audit_logentry WHERE id = %s", [row])
    with pytest.raises(
        CommandError, match=f"journal row {row}: an entry covers it, and it is gone"
    ):
        verify()
    with triggers_lifted():
        JournalDigest.objects.filter(pk=row).delete()


@pytest.mark.parametrize("page", [1, 2, 3, 4, 5, 13, 14])
def test_the_page_size_makes_no_difference(log, monkeypatch, page):
    monkeypatch.setattr(verification, "PAGE", page)
    assert "13 entries, 4 checkpoints, 3 journal rows" in verify()
    with triggers_lifted():
        change(Node, {"level": 1, "index": 3}, hash=b"x" * 32)
    with pytest.raises(CommandError, match="entries 6 to 7: their node 1/3"):
        verify()


@pytest.fixture
def kept_outside(log, tmp_path):
    """The checkpoint at 8, as someone outside has kept it."""
    path = tmp_path / "checkpoint"
    path.write_text(Checkpoint.objects.get(size=8).note, encoding="utf-8")
    return path


def test_a_checkpoint_kept_outside_is_still_held(kept_outside):
    call_command("verify_log", "--checkpoint", str(kept_outside), stdout=StringIO())


def cut_back_to(size):
    """As an owner of the database would, leaving nothing behind that speaks of the rest."""
    Checkpoint.objects.filter(size__gt=size).delete()
    Entry.objects.filter(seq__gte=size).delete()
    for node in Node.objects.all():
        if (node.index + 1) << node.level > size:
            node.delete()


def test_a_log_cut_back_as_a_whole_is_found_by_the_checkpoint_kept_outside(kept_outside):
    with triggers_lifted():
        cut_back_to(5)
    verify()
    with pytest.raises(CommandError, match="size 8: the log has 5 entries, fewer than once signed"):
        call_command("verify_log", "--checkpoint", str(kept_outside), stdout=StringIO())


def test_a_log_rewritten_as_a_whole_is_found_by_the_checkpoint_kept_outside(kept_outside):
    with triggers_lifted():
        cut_back_to(5)
    log_of(13)
    verify()
    with pytest.raises(CommandError, match="size 8: the checkpoint kept outside has another root"):
        call_command("verify_log", "--checkpoint", str(kept_outside), stdout=StringIO())


def test_a_file_that_is_no_checkpoint_is_refused(log, tmp_path):
    path = tmp_path / "other"
    for content in (b"\xff", b"other"):
        path.write_bytes(content)
        with pytest.raises(CommandError, match="cannot be checked"):
            call_command("verify_log", "--checkpoint", str(path))


def test_the_log_is_checked_with_the_key_that_is_named(log, settings):
    key = queries.log_verifier().render()
    settings.DEMO = False
    settings.SAYSO_KEYS = settings.SAYSO_KEYS / "elsewhere"
    with pytest.raises(CommandError, match="keys of service are not in the key folder"):
        verify()
    call_command("verify_log", "--key", key, stdout=StringIO())
    stranger = Signer(settings.LOG_ORIGIN, b"s" * 32).verifier.render()
    with pytest.raises(CommandError, match="checkpoint 3: No known key"):
        call_command("verify_log", "--key", stranger)
    with pytest.raises(CommandError, match="three parts"):
        call_command("verify_log", "--key", "name")


HEAD_TAMPERINGS = {
    "an edited node on the edge": lambda s: change(
        Node, {"level": 3, "index": 0}, hash=b"x" * 32
    ),
    "a deleted node on the edge": lambda s: Node.objects.filter(level=3).delete(),
    "an edited last leaf": lambda s: change(Entry, {"seq": 12}, leaf_hash=b"x" * 32),
    "a deleted last entry": lambda s: Entry.objects.filter(seq=12).delete(),
    "a deleted last checkpoint": lambda s: Checkpoint.objects.filter(size=13).delete(),
    "an unsigned entry": grow_unsigned,
    "an unreadable last note": lambda s: change(Checkpoint, {"size": 13}, note="text"),
    "another last root": lambda s: change(Checkpoint, {"size": 13}, note=sign_checkpoint(
        Head(s.LOG_ORIGIN, 13, root_of([])), signer(s))),
}  # fmt: skip


@pytest.mark.parametrize("name", HEAD_TAMPERINGS)
def test_nothing_is_numbered_on_top_of_a_log_that_is_not_the_signed_one(log, settings, name):
    with triggers_lifted():
        HEAD_TAMPERINGS[name](settings)
    waiting = happened("next")
    for call in (sequence, check_head):
        with pytest.raises(NotReady) as refusal:
            call()
        assert refusal.value.code == "log_inconsistent"
    waiting.refresh_from_db()
    assert waiting.seq is None
    assert not Checkpoint.objects.filter(size__gt=13).exists()


def test_a_waiting_entry_that_was_altered_is_not_numbered(log):
    waiting = happened("next")
    with triggers_lifted():
        change(Entry, {"pk": waiting.pk}, leaf=b"{}")
    with pytest.raises(NotReady) as refusal:
        sequence()
    assert refusal.value.code == "log_inconsistent"
    assert queries.log_size() == 13
