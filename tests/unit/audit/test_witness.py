"""A witness against C2SP tlog-witness, status by status, and against those who would turn it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http import HTTPStatus
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.tlog.asking import Request, parse_request
from audit.tlog.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from audit.tlog.cosignatures import CosigningKey, QuantumCosigningKey, cosignatures, stamp
from audit.tlog.notes import Signer
from audit.tlog.texts import Malformed
from audit.tlog.tree import EMPTY_ROOT, consistency_proof, leaf_hash, root_of
from audit.witness import store
from audit.witness.judging import SIZE, Witness
from audit.witness.store import Head, Store

ORIGIN = "log.example/one"
LOG = Signer(ORIGIN, b"\x01" * 32)
NEXT = Signer(ORIGIN, b"\x09" * 32)
STRANGER = Signer(ORIGIN, b"\x03" * 32)
KEY = CosigningKey("witness.example/w1", b"\x02" * 32)
SECOND = QuantumCosigningKey("witness.example/w1", b"\x02" * 32)
AT = 1_764_000_000
LEAVES = [leaf_hash(number.to_bytes(2)) for number in range(40)]
OTHERS = [leaf_hash(b"other" + number.to_bytes(2)) for number in range(40)]


@pytest.fixture
def witness(tmp_path):
    return watching(tmp_path / "witness.sqlite3")


def watching(file, *keys):
    place = Store(file)
    place.create()
    with place.writing() as database:
        store.add_key(database, LOG.verifier)
    return Witness(keys or [KEY], place)


def read(leaves):
    def at(places):
        return {
            (level, index): root_of(leaves[index << level : (index + 1) << level])
            for level, index in places
        }

    return at


def head(size, leaves=LEAVES, signer=LOG, origin=ORIGIN):
    return sign_checkpoint(Checkpoint(origin, size, root_of(leaves[:size])), signer)


def body(old, size, leaves=LEAVES, **given):
    path = consistency_proof(old, size, read(leaves)) if old <= size else []
    fields = {"old": old, "path": tuple(path), "note": head(size, leaves)}
    return Request(**(fields | given)).render().encode()


def send(witness, *given, at=AT, **fields):
    return witness.add_checkpoint(body(*given, **fields), at=at)


def held(witness):
    with witness.store.reading() as database:
        found = store.head(database, ORIGIN)
    return found.size if found else 0


def test_the_body_of_the_specification_is_read_and_written_byte_for_byte():
    """C2SP tlog-witness, Example request body."""
    text = (
        "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
        "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    request = parse_request(text.encode())
    assert (request.old, len(request.path)) == (20852014, 4)
    assert request.render() == text


def test_a_checkpoint_that_goes_on_is_cosigned(witness):
    for old, size in [(0, 5), (5, 6), (6, 40)]:
        answer = send(witness, old, size)
        assert answer.status == HTTPStatus.OK
        text = Checkpoint(ORIGIN, size, root_of(LEAVES[:size])).render()
        (found,) = cosignatures(text, answer.body, [KEY.cosigner])
        assert stamp(found) == AT
        assert held(witness) == size


def test_a_witness_with_two_keys_answers_a_line_of_each(tmp_path):
    witness = watching(tmp_path / "w", KEY, SECOND)
    text = Checkpoint(ORIGIN, 5, root_of(LEAVES[:5])).render()
    answer = send(witness, 0, 5)
    assert len(cosignatures(text, answer.body, [KEY.cosigner, SECOND.cosigner])) == 2


def test_the_same_checkpoint_may_come_again_and_is_cosigned_anew(witness):
    send(witness, 0, 5)
    again = send(witness, 5, 5, at=AT + 7)
    text = Checkpoint(ORIGIN, 5, root_of(LEAVES[:5])).render()
    assert stamp(cosignatures(text, again.body, [KEY.cosigner])[0]) == AT + 7


def test_a_log_that_begins_empty_may_be_watched_from_the_first_moment(witness):
    assert send(witness, 0, 0).status == HTTPStatus.OK
    assert send(witness, 0, 3).status == HTTPStatus.OK


def with_two_lines(note, other):
    return note + other.split("\n\n")[1]


REFUSED = {
    "no body at all": (lambda: b"", 400),
    "no empty line": (lambda: b"old 5\n", 400),
    "not UTF-8": (lambda: body(5, 6).replace(b"old", b"old\xff"), 400),
    "no old size": (lambda: body(5, 6).replace(b"old 5\n", b""), 400),
    "an old size with a leading zero": (lambda: body(5, 6).replace(b"old 5", b"old 05"), 400),
    "a negative old size": (lambda: body(5, 6).replace(b"old 5", b"old -5"), 400),
    "an old size above 2^63": (lambda: body(5, 6).replace(b"old 5", b"old %d" % 2**63), 400),
    "two spaces": (lambda: body(5, 6).replace(b"old 5", b"old  5"), 400),
    "CRLF": (lambda: body(5, 6).replace(b"\n", b"\r\n"), 400),
    "a hash of another length": (lambda: body(5, 6, path=(b"x" * 31,)), 400),
    "sixty-four hashes": (lambda: body(5, 6, path=(b"x" * 32,) * 64), 400),
    "no signature": (lambda: body(5, 6, note="text\n"), 400),
    "a note cut off": (lambda: body(5, 6)[:-1], 400),
    "a hyphen for a dash": (lambda: body(5, 6).replace("\u2014".encode(), b"-"), 400),
    "ten thousand signatures": (
        lambda: body(5, 6, note=head(6) + head(6).split("\n\n")[1] * 10_000),
        400,
    ),
    "no checkpoint": (lambda: body(5, 6, note=head(6).replace(f"{ORIGIN}\n6\n", "6\n")), 400),
    "an old size above the checkpoint's": (lambda: body(6, 5), 400),
    "a log nobody told it of": (
        lambda: body(5, 6, note=head(6, origin="log.example/two")), 404,
    ),
    "a stranger's signature": (lambda: body(5, 6, note=head(6, signer=STRANGER)), 403),
    "a signature over another text": (
        lambda: body(5, 6, note=head(6).replace("\n6\n", "\n7\n")), 403,
    ),
    "one good and one false signature of the log's": (
        lambda: body(5, 6, note=with_two_lines(head(6), head(7))), 403,
    ),
    "an old size that is not the held one": (lambda: body(4, 6), 409),
    "nothing known of an old size": (lambda: body(0, 6), 409),
    "a path that is missing": (lambda: body(5, 6, path=()), 422),
    "a path with one step altered": (
        lambda: body(5, 6, path=(b"x" * 32, *consistency_proof(5, 6, read(LEAVES))[1:])), 422,
    ),
    "another tree that goes on from another beginning": (lambda: body(5, 9, OTHERS), 422),
    "another tree of the same size": (lambda: body(5, 5, OTHERS), 422),
    "a path where none is needed": (lambda: body(5, 5, path=(b"x" * 32,)), 422),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_has_its_status_and_changes_nothing(witness, name):
    send(witness, 0, 5)
    make, status = REFUSED[name]
    answer = witness.add_checkpoint(make(), at=AT)
    assert answer.status == status, answer.body
    assert held(witness) == 5
    if status == 409:
        assert (answer.body, answer.kind) == ("5\n", SIZE)
    else:
        assert answer.body.count("\n") == 1
        assert ORIGIN not in answer.body or status == 403


@pytest.mark.parametrize(
    ("old", "size", "fields"),
    [
        (0, 5, {"path": (b"x" * 32,)}),
        (0, 0, {"note": sign_checkpoint(Checkpoint(ORIGIN, 0, b"x" * 32), LOG)}),
    ],
)
def test_of_a_log_never_seen_no_path_is_taken_and_no_false_empty_root(witness, old, size, fields):
    assert send(witness, old, size, **fields).status == 422
    assert held(witness) == 0
    assert root_of([]) == EMPTY_ROOT


def test_what_speaks_against_a_log_is_kept_with_what_was_held(witness):
    send(witness, 0, 5)
    sent = body(5, 9, OTHERS)
    witness.add_checkpoint(sent, at=AT)
    witness.add_checkpoint(body(4, 6), at=AT)  # a 409 speaks against nobody
    with witness.store.reading() as database:
        (found,) = store.disputes(database)
    assert found.body.encode() == sent
    assert (found.origin, found.at) == (ORIGIN, AT)
    kept = open_checkpoint(found.held, origin=ORIGIN, verifiers=[LOG.verifier])
    assert (kept.size, kept.root) == (5, root_of(LEAVES[:5]))


def test_only_so_much_is_kept_against_one_log(witness, monkeypatch):
    monkeypatch.setattr(store, "MOST_DISPUTES", 2)
    send(witness, 0, 5)
    for number in range(4):
        witness.add_checkpoint(body(5, 9, OTHERS), at=AT + number)
    with witness.store.reading() as database:
        assert [found.at for found in store.disputes(database)] == [AT, AT + 1]


def test_a_log_may_have_a_next_key_and_lose_its_former(witness):
    send(witness, 0, 5)
    later = {"note": head(6, signer=NEXT)}
    assert send(witness, 5, 6, **later).status == 403
    with witness.store.writing() as database:
        store.add_key(database, NEXT.verifier)
    assert send(witness, 5, 6, **later).status == 200
    with witness.store.writing() as database:
        assert store.drop_key(database, LOG.verifier)
        assert not store.drop_key(database, LOG.verifier)
    assert send(witness, 6, 7).status == 403
    assert send(witness, 6, 7, note=head(7, signer=NEXT)).status == 200


def test_whoever_asks_is_shown_the_largest_head_with_both_signatures(witness):
    name = sha256(ORIGIN.encode()).hexdigest()
    assert witness.checkpoint(name).status == 404
    noise = head(5, signer=STRANGER).split("\n\n")[1]
    send(witness, 0, 5, note=head(5) + noise)
    answer = witness.checkpoint(name)
    assert answer.status == 200
    for key in (LOG.verifier, KEY.cosigner):
        assert open_checkpoint(answer.body, origin=ORIGIN, verifiers=[key]).size == 5
    assert noise not in answer.body
    assert witness.checkpoint(name.upper()).status == 404
    assert witness.checkpoint("x" * 9000).status == 404


# --- at once, and for ever ------------------------------------------------------------------------


def test_of_two_requests_from_one_size_one_wins_and_nothing_goes_back(tmp_path):
    """C2SP tlog-witness: the race in which K leaves would be rolled back."""
    for run in range(5):
        witness = watching(tmp_path / f"w{run}")
        send(witness, 0, 5)
        sizes = [6, 9, 20, 40]
        together = Barrier(len(sizes))

        def race(size, witness=witness, together=together):
            together.wait()
            return send(witness, 5, size)

        with ThreadPoolExecutor(len(sizes)) as threads:
            answers = dict(zip(sizes, threads.map(race, sizes), strict=True))
        (won,) = [size for size, answer in answers.items() if answer.status == HTTPStatus.OK]
        assert held(witness) == won
        for answer in answers.values():
            assert answer.status == 200 or (answer.status, answer.body) == (409, f"{won}\n")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moves=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=25)
)
def test_whatever_is_sent_the_held_head_only_grows_along_one_tree(tmp_path, moves):
    file = tmp_path / f"{sha256(repr(moves).encode()).hexdigest()}"
    file.unlink(missing_ok=True)
    witness = watching(file)
    tree = None
    for old, size, other in moves:
        leaves = OTHERS if other else LEAVES
        before = held(witness)
        answer = send(witness, old, size, leaves)
        now = held(witness)
        assert now >= before
        if answer.status == 200:
            assert (before, now) == (old, size)
            tree = tree if before else None  # an empty tree is the beginning of every one
            assert tree in (None, other)
            tree = other if size else None
        else:
            assert now == before


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE log SET size = 4", "never replaced by a smaller"),
        ("UPDATE log SET root = zeroblob(32)", "never replaced by another of its size"),
        ("UPDATE log SET origin = 'x'", "never replaced"),
        ("DELETE FROM log", "never forgotten"),
        ("UPDATE log SET size = -1", "never replaced"),
    ],
)
def test_the_file_itself_lets_no_head_go_back(witness, statement, says):
    send(witness, 0, 5)
    with pytest.raises(sqlite3.IntegrityError, match=says), witness.store.writing() as database:
        database.execute(statement)
    with pytest.raises(sqlite3.IntegrityError), witness.store.writing() as database:
        store.keep(database, ORIGIN, Head(4, b"x" * 32, "note"))
    assert held(witness) == 5


def test_nothing_is_answered_before_it_is_kept(witness, monkeypatch):
    monkeypatch.setattr(store, "keep", full)
    with pytest.raises(sqlite3.OperationalError):
        send(witness, 0, 5)
    assert held(witness) == 0


def full(*given):
    raise sqlite3.OperationalError("database or disk is full")


@given(data=st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(data):
    try:
        request = parse_request(data)
    except Malformed:
        return
    assert request.render().encode() == data
