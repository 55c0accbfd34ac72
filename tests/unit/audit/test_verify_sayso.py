"""The script that anybody checks a proof with: what it believes, what it says, and how it refuses."""

import time

import pytest
import verify_sayso as script
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.tlog.checkpoints import Checkpoint, sign_checkpoint
from audit.tlog.cosignatures import CosigningKey, QuantumCosigningKey
from audit.tlog.notes import Signer, key_id, parse_note
from audit.tlog.proofs import LogProof
from audit.tlog.texts import to_base64
from audit.tlog.tree import inclusion_proof, leaf_hash, root_of
from tests.unit.audit.test_script_ed25519 import SMALL

ORIGIN = "log.example/one"
LOG = Signer(ORIGIN, b"\x01" * 32)
OTHER = Signer(ORIGIN, b"\x03" * 32)
AT = 1_764_000_000
W1 = CosigningKey("witness.example/w1", b"\x02" * 32, AT)
W2 = CosigningKey("witness.example/w2", b"\x04" * 32, AT)
QUANTUM = QuantumCosigningKey("witness.example/q", b"\x05" * 32, AT)
ENTRIES = [b'{"actor":"usr-2","type":"release:asked"}', *(b"%d" % number for number in range(6))]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def read(places):
    return {
        (level, index): root_of(LEAVES[index << level : (index + 1) << level])
        for level, index in places
    }


def head(*witnesses, signer=LOG, origin=ORIGIN):
    note = sign_checkpoint(Checkpoint(origin, len(LEAVES), root_of(LEAVES)), signer)
    for each in witnesses:
        note = each.sign(parse_note(note)).render()
    return note


def proof(index=0, note=None, *, bare=False):
    path = tuple(inclusion_proof(index, len(LEAVES), read))
    extra = None if bare else ENTRIES[index]
    return LogProof(index, path, note or head(), extra).render()


@pytest.fixture
def run(tmp_path, capsys):
    def run(text, *words, policy=None, entry=None, keys=(LOG,)):
        file = tmp_path / "a.tlog-proof"
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        given = [str(file), *words]
        for key in keys:
            given += ["--log-key", key.verifier.render()]
        for name, data in (("policy", policy), ("entry", entry)):
            if data is not None:
                (tmp_path / name).write_bytes(data)
                given += [f"--{name}", str(tmp_path / name)]
        code = script.main(given)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def policy_of(*witnesses, least="all"):
    lines = [f"witness w{n} {each.cosigner.render()}" for n, each in enumerate(witnesses)]
    names = " ".join(f"w{n}" for n in range(len(witnesses)))
    return "\n".join([*lines, f"group g {least} {names}", "quorum g", ""]).encode()


# --- what holds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(len(ENTRIES)))
def test_a_proof_that_holds_is_said_to_hold_in_plain_words(run, index):
    code, out, err = run(proof(index))
    assert (code, err) == (0, "")
    assert out.startswith(f"The proof holds.\nEntry {index} of the log log.example/one is: ")
    assert f"head of {len(ENTRIES)} entries" in out
    assert LOG.verifier.key_id.hex() in out
    assert "It does not show that the log holds everything" in out
    if index == 0:
        assert "actor usr-2, type release:asked." in out
        assert "You have named no witness" in out


def test_the_entry_may_be_given_beside_the_proof(run):
    assert run(proof(2, bare=True), entry=ENTRIES[2])[0] == 0
    assert run(proof(2), entry=ENTRIES[2])[0] == 0
    assert run(proof(2), entry=ENTRIES[3])[0] == 1
    assert run(proof(2, bare=True), entry=ENTRIES[3])[0] == 1
    assert run(proof(2, bare=True))[0] == 3


def test_a_proof_under_a_former_key_holds_with_that_key(run):
    assert run(proof(0, head(signer=OTHER)), keys=[LOG, OTHER])[0] == 0
    assert run(proof(0, head(signer=OTHER)))[0] == 1


def test_signatures_of_kinds_it_does_not_know_are_passed_over(run):
    note = head(QUANTUM, W1) + f"\u2014 {ORIGIN} {to_base64(b'abcd' + b'?' * 5000)}\n"
    assert run(proof(0, note))[0] == 0


# --- witnesses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signed", "least", "code"),
    [
        ([W1, W2], "all", 0),
        ([W1], "all", 4),
        ([W1], "any", 0),
        ([W1], "1", 0),
        ([W1], "2", 4),
        ([], "any", 4),
    ],
)
def test_as_many_witnesses_as_the_policy_demands(run, signed, least, code):
    found, out, _ = run(proof(0, head(*signed)), policy=policy_of(W1, W2, least=least))
    assert found == code
    assert ("That is enough." in out) is (code == 0)
    assert ("THAT IS NOT ENOUGH" in out) is (code == 4)
    assert out.count("2025-11-24 16:00:00 UTC") == len(signed)


def test_a_false_signature_of_a_named_witness_spoils_the_proof(run):
    other = CosigningKey(W1.name, W1.seed, AT + 1).sign(parse_note(head()))
    line = head(W1).splitlines(keepends=True)[-1]
    spoilt = other.signatures[1].line()[:40] + line[40:]
    for note in (head() + spoilt, head(W1) + spoilt, head() + spoilt + line):
        code, _, err = run(proof(0, note), policy=policy_of(W1))
        assert (code, err) == (
            1, "The proof does not hold: the signature of witness.example/w1 is false.\n",
        )  # fmt: skip
    assert run(proof(0, head(W1) + spoilt), policy=policy_of(W2))[0] == 4  # nobody it knows


def test_a_witness_with_a_key_it_cannot_check_is_named_and_does_not_count(run):
    code, out, _ = run(proof(0, head(QUANTUM)), policy=policy_of(QUANTUM))
    assert code == 4
    assert "Not checked here, because of their kind of key: w0." in out


def test_the_log_may_stand_in_the_policy(run):
    policy = f"# ours\nlog {LOG.verifier.render()} https://x/\n".encode() + policy_of(W1)
    assert run(proof(0, head(W1)), policy=policy, keys=())[0] == 0
    assert run(proof(0, head(W1)), keys=())[0] == 3


@pytest.mark.parametrize(
    "policy",
    [
        b"", b"quorum\n", b"quorum none\nquorum none\n", b"quorum x\n", b"nothing\n", b"\xff\n",
        b"witness none x\nquorum none\n", b"log x\nquorum none\n", b"group g 1 g\nquorum g\n",
        policy_of(W1) + b"group h all w0\n", policy_of(W1, W1), policy_of(W1, least="0"),
        policy_of(W1, least="2"), policy_of(W1, least="+1"), policy_of(W1, least="\u0661"),
        policy_of(W1).replace(b"group g all w0", b"group g all none"),
        f"witness a {LOG.verifier.render()}\nquorum a\n".encode(),
        f"log {W1.cosigner.render()}\nquorum none\n".encode(),
    ],
)  # fmt: skip
def test_a_policy_that_is_none_is_one_sentence(run, policy):
    code, out, err = run(proof(), policy=policy)
    assert (code, out, err.count("\n")) == (3, "", 1)


# --- what does not hold ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (proof(0, head(signer=OTHER)), "the log's key has not signed it"),
        (proof(0, head(origin="log.example/two")), "another log"),
        (proof(0).replace("index 0", "index 1"), "no way leads"),
        (proof(0).replace("\n7\n", "\n8\n"), "the log's signature is false"),
        (proof(0).replace("extra eyJhY3", "extra eyJhY2"), "no way leads"),
        (proof(0).replace(to_base64(LEAVES[1]) + "\n", ""), "no way leads"),
        (proof(0).replace(to_base64(LEAVES[1]), to_base64(LEAVES[2])), "no way leads"),
        (proof(0).replace("index 0\n", f"index 0\n{to_base64(LEAVES[0])}\n"), "no way leads"),
    ],
)  # fmt: skip
def test_a_proof_that_does_not_hold_is_said_not_to(run, text, says):
    code, out, err = run(text)
    assert (code, out) == (1, "")
    assert says in err
    assert err.startswith("The proof does not hold: ")
    assert err.count("\n") == 1


def test_a_path_that_ends_too_soon_is_not_taken_though_its_hash_fits(run):
    """A log that signs its first leaf as the root of two."""
    note = sign_checkpoint(Checkpoint(ORIGIN, 2, LEAVES[0]), LOG)
    code, _, err = run(LogProof(0, (), note, ENTRIES[0]).render())
    assert (code, "no way leads" in err) == (1, True)


# --- what is no proof -----------------------------------------------------------------------------

GOOD = proof(0, head(W1))
HASH = to_base64(LEAVES[1])
OTHER_BITS = HASH[:-2] + SIGNS[SIGNS.index(HASH[-2]) + 1] + "="
MALFORMED = {
    "nothing": (b"", "does not begin"),
    "a page": (b"<html>\n", "does not begin"),
    "cut after the first line": (GOOD[:23], "which entry"),
    "cut in the path": (GOOD.split("\n\n")[0], "breaks off before its checkpoint"),
    "cut before the signatures": (GOOD[: GOOD.rindex("\n\n")] + "\n", "before the signatures"),
    "no signature": (GOOD[: GOOD.rindex("\n\n") + 2], "no signature"),
    "cut in its last line": (GOOD[:-1], "last line"),
    "a line behind": (GOOD + "more\n", "no signature (a dash"),
    "an empty line behind": (GOOD + "\n", "an empty one"),
    "a line in between": (GOOD.replace("index 0", "note\nindex 0"), "which entry"),
    "two indexes": (GOOD.replace("index 0", "index 0\nindex 0"), "hash is not base64"),
    "wrong base64": (GOOD.replace(HASH, HASH[:-2] + "*="), "not base64"),
    "base64 with other bits": (GOOD.replace(HASH, OTHER_BITS), "not spelled"),
    "base64 without its end": (GOOD.replace(HASH, HASH[:-1]), "not base64"),
    "a short hash": (GOOD.replace(HASH, HASH[:-4]), "bytes, not 32"),
    "CRLF": (GOOD.replace("\n", "\r\n"), "Windows"),
    "one CR": (GOOD.replace("index 0\n", "index 0\r\n"), "Windows"),
    "a byte order mark": ("\ufeff" + GOOD, "byte order mark"),
    "a control character": (GOOD.replace("index 0", "index 0\x00"), "control character"),
    "UTF-16": (GOOD.encode("utf-16"), "UTF-8"),
    "half a character": (GOOD.encode()[:-9] + b"\xff\n", "UTF-8"),
    "index as large as the tree": (GOOD.replace("index 0", "index 7"), "not below"),
    "a larger index": (GOOD.replace("index 0", "index 99"), "not below"),
    "a leading zero": (GOOD.replace("index 0", "index 00"), "plain number"),
    "a zero before the size": (GOOD.replace("\n7\n", "\n07\n"), "plain number"),
    "a sign": (GOOD.replace("index 0", "index +0"), "plain number"),
    "a space": (GOOD.replace("index 0", "index  0"), "plain number"),
    "other digits": (GOOD.replace("index 0", "index \u0660"), "plain number"),
    "a number without end": (GOOD.replace("index 0", "index " + "9" * 900_000), "plain number"),
    "a size above 2^63": (GOOD.replace("\n7\n", f"\n{2**63}\n"), "plain number"),
    "sixty-four hashes": (GOOD.replace(HASH, "\n".join([HASH] * 64)), "more than 63"),
    "ten thousand signatures": (
        GOOD + head(W1).splitlines(keepends=True)[-1] * 10_000, "larger than any proof",
    ),
    "a hundred signatures": (
        GOOD + head(W1).splitlines(keepends=True)[-1] * 100, "more than 64",
    ),
    "ten thousand short signatures": (GOOD + "\u2014 a AAAAAAA=\n" * 10_000, "more than 64"),
    "a file without end": (b"x" * 3_000_000, "larger than any proof"),
    "another version": (GOOD.replace("@v1", "@v2"), "does not begin"),
    "a name with a plus": (GOOD.replace("\u2014 log", "\u2014 l+g"), "no signature"),
    "a short signature": (GOOD + "\u2014 a AAAAAA==\n", "too short"),
} | {
    f"a dash that is none ({ord(dash):04x})": (
        GOOD.replace("\u2014 log", f"{dash} log"), "only looks like its dash",
    )
    for dash in script.LOOK_ALIKE
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_proof_is_one_sentence_and_soon(run, name):
    text, says = MALFORMED[name]
    began = time.process_time()
    code, out, err = run(text, policy=policy_of(W1))
    assert time.process_time() - began < 2
    assert (code, out) == (2, ""), err
    assert err.startswith("This is not a proof: ")
    assert says in err
    assert err.count("\n") == 1
    assert len(err) < 200


@settings(max_examples=150, deadline=None)
@given(
    at=st.integers(0, len(GOOD.encode()) - 1),
    put=st.binary(max_size=4),
    cut=st.integers(0, 4),
)
def test_a_proof_changed_anywhere_never_holds_as_another(at, put, cut):
    data = GOOD.encode()
    changed = data[:at] + put + data[at + cut :]
    policy = script.Policy()
    policy.logs = [script.key_of(LOG.verifier.render(), [script.LOG_KEY])]
    try:
        said = script.check(changed, policy)
    except script.Trouble:
        return
    assert said == script.check(data, policy)  # only below the log's own line


def test_what_a_stranger_wrote_into_an_entry_does_nothing_to_the_screen(run):
    entry = b'{"a":"\\u001b[2J\\u202e","\\u0007":"x"}'
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(entry)), LOG)
    _, out, _ = run(LogProof(0, (), note, entry).render())
    assert all(sign == "\n" or " " <= sign <= "~" for sign in out)
    for odd in (b"[]", b"5", b"\xff", b"[" * 100_000, b'{"a":'):
        note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(odd)), LOG)
        code, out, _ = run(LogProof(0, (), note, odd).render())
        assert code == 0
        assert "not one of Sayso's entries" in out


@pytest.mark.parametrize("words", [[], ["a", "b"], ["none", "--log-key", "x"], ["--nothing"]])
def test_whoever_asks_wrongly_is_told_so(words, capsys):
    assert script.main(words) == 3
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "key",
    [
        "", "x", "x+y+z", "+00000000+AAAA", LOG.verifier.render()[:-2],
        LOG.verifier.render().replace("log", "lag"), W1.cosigner.render(),
    ],
)  # fmt: skip
def test_a_key_that_is_none_is_one_sentence(run, key):
    code, _, err = run(proof(), "--log-key", key)
    assert (code, err.count("\n")) == (3, 1)


def test_a_key_that_is_no_point_is_refused(run):
    for data in (b"\x02" + bytes(31), b"\xff" * 32, bytes.fromhex(SMALL[0])):
        name = "log.example/one"
        identity = key_id(name, b"\x01", data).hex()
        key = f"{name}+{identity}+{to_base64(bytes([1]) + data)}"
        code, _, err = run(proof(), "--log-key", key)
        assert (code, err.count("\n")) == (3, 1)
