"""C2SP tlog-policy: which cosignatures are enough."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.tlog.checkpoints import Checkpoint
from audit.tlog.cosignatures import CosigningKey, QuantumCosigningKey
from audit.tlog.notes import Note, Signer
from audit.tlog.policy import parse_policy
from audit.tlog.texts import Malformed

AT = 1_764_000_000
HEAD = Checkpoint("log.example/one", 7, b"r" * 32).render()
LOG = Signer("log.example/one", b"\x01" * 32).verifier.render()
KEYS = [CosigningKey(f"witness.example/{n}", bytes([n]) * 32, AT) for n in range(2, 8)]
VKEYS = [key.cosigner.render() for key in KEYS]
QUANTUM = QuantumCosigningKey("witness.example/q", b"\x09" * 32, AT)


def policy(text):
    return parse_policy(text.format(*VKEYS, log=LOG, quantum=QUANTUM.cosigner.render()).encode())


# The example of the specification, with six keys.
EXAMPLE = """log {log}

witness X1 {0}
witness X2 {1}
\twitness  X3\t{2}  https://witness.example/x3/
group X-witnesses 2 X1 X2 X3

# the others
witness Y1 {3}
witness Y2 {4}
witness Y3 {5}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("signed", "enough"),
    [
        ("", False),
        ("X1 X2", False),
        ("X1 Y1", False),
        ("Y1 Y2 Y3", False),
        ("X1 X2 X3", False),
        ("X1 X3 Y2", True),
        ("X1 X2 X3 Y1 Y2 Y3", True),
        ("X1 Z Y1", False),
    ],
)
def test_the_example_of_the_specification(signed, enough):
    found = policy(EXAMPLE)
    assert found.satisfied(signed.split()) is enough
    assert [log.render() for log in found.logs] == [LOG]
    assert found.witnesses["X3"].url == "https://witness.example/x3"


@pytest.mark.parametrize("many", range(1, 4))
def test_a_number_of_a_group_is_how_many_are_needed(many):
    names = ["a", "b", "c"]
    found = policy(
        f"witness a {{0}}\nwitness b {{1}}\nwitness c {{2}}\ngroup g {many} a b c\nquorum g\n"
    )
    for signed in ([], names[:1], names[:2], names):
        assert found.satisfied(signed) is (len(signed) >= many)


def test_one_witness_can_be_the_quorum_and_nobody_can():
    assert policy("witness a {quantum}\nquorum a\n").satisfied(["a"])
    assert not policy("witness a {quantum}\nquorum a\n").satisfied([])
    assert policy("quorum none\n").satisfied([])


def test_only_true_cosignatures_of_known_witnesses_count():
    found = policy("witness a {0}\nwitness b {1}\nwitness q {quantum}\nquorum a\n")
    note = Note(HEAD)
    for key in (KEYS[0], QUANTUM, KEYS[3]):
        note = key.sign(note)
    assert found.signed_by(HEAD, note.signatures) == {"a", "q"}
    assert found.signed_by(HEAD.replace("\n7\n", "\n8\n"), note.signatures) == set()
    assert found.signed_by(HEAD, ()) == set()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no quorum"),
        ("witness a {0}\n", "no quorum"),
        ("quorum none", "newline"),
        ("quorum none\nquorum none\n", "one quorum"),
        ("quorum a\nwitness a {0}\n", "line before"),
        ("quorum\n", "line before"),
        ("quorum none none\n", "line before"),
        ("Quorum none\n", "none of log"),
        ("quorum none\r\n", "control"),
        ("quorum none\n\x7f", "control"),
        ("quorum none # so\n", "line before"),
        ("log {0}\nquorum none\n", "Ed25519 kind"),
        ("log {log}\nlog {log}\nquorum none\n", "twice"),
        ("log\nquorum none\n", "verifier key"),
        ("witness a {log}\nquorum none\n", "cosigner"),
        ("witness a {0}x\nquorum none\n", "base64"),
        ("witness a {0}\nwitness a {1}\nquorum none\n", "taken"),
        ("witness none {0}\nquorum none\n", "taken"),
        ("witness a {0}\nwitness b {0}\nquorum none\n", "twice"),
        ("witness a {0} ftp://x\nquorum none\n", "address"),
        ("witness a {0} https://u:p@x/\nquorum none\n", "address"),
        ("witness a {0} https://x/?a\nquorum none\n", "address"),
        ("witness a {0} https://x:99999/\nquorum none\n", "address"),
        ("witness a {0} x y\nquorum none\n", "perhaps an address"),
        ("witness a\nquorum none\n", "perhaps an address"),
        ("witness a {0}\ngroup g 0 a\nquorum g\n", "leading zeros"),
        ("witness a {0}\ngroup g 01 a\nquorum g\n", "leading zeros"),
        ("witness a {0}\ngroup g 2 a\nquorum g\n", "members"),
        ("witness a {0}\ngroup g -1 a\nquorum g\n", "number"),
        ("witness a {0}\ngroup g all a a\nquorum g\n", "once"),
        ("witness a {0}\ngroup g all a\ngroup h all a\nquorum g\n", "once"),
        ("group g all g\nquorum g\n", "line before"),
        ("group g all none\nquorum g\n", "line before"),
        ("group g all\nquorum none\n", "members"),
        ("witness a {0}\ngroup a all a\nquorum a\n", "taken"),
    ],
)
def test_a_policy_that_says_something_else_is_refused_with_its_line(text, says):
    with pytest.raises(Malformed, match=says):
        policy(text)


def test_names_are_octets():
    key = VKEYS[0].encode()
    kelvin = b"witness K " + key + b"\nquorum \xe2\x84\xaa\n"
    with pytest.raises(Malformed, match="line before"):
        parse_policy(kelvin)
    assert parse_policy(b"witness \xff " + key + b"\nquorum \xff\n").satisfied(["\xff"])


def test_thirty_two_of_each_are_taken_and_no_end_of_them_is_not():
    many = [CosigningKey(f"w/{n}", n.to_bytes(32), AT).cosigner.render() for n in range(1, 66)]
    lines = [f"witness w{n} {key}" for n, key in enumerate(many)]
    for number in (32, 64):
        assert len(parse_policy("\n".join([*lines[:number], "quorum none\n"]).encode()).witnesses)
    with pytest.raises(Malformed, match="64"):
        parse_policy("\n".join([*lines, "quorum none\n"]).encode())
    with pytest.raises(Malformed, match="bytes at most"):
        parse_policy(b"#" * 300_000)


@given(data=st.binary(max_size=200) | st.text(alphabet="log witnesgrpquma12\n\t", max_size=200))
def test_whatever_stands_there_is_read_or_refused(data):
    with contextlib.suppress(Malformed):
        parse_policy(data.encode("latin-1") if isinstance(data, str) else data)
