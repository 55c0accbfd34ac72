"""Notes, checkpoints and proofs: what goes out can be read back, and only in one spelling."""

import base64

import pytest

from audit.tlog.checkpoints import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from audit.tlog.notes import (
    MOST_SIGNATURES,
    Note,
    Signer,
    Verifier,
    open_note,
    parse_note,
    parse_verifier,
)
from audit.tlog.proofs import LogProof, check_proof, parse_proof
from audit.tlog.texts import Malformed, Unproven, to_base64
from audit.tlog.tree import leaf_hash, node_hash

# The example note and keys that the Go project's note package publishes.
EXAMPLE_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
EXAMPLE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
EXAMPLE_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
EXAMPLE_NOTE = (
    EXAMPLE_TEXT
    + "\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

ORIGIN = "log.example/one"
LOG = Signer(ORIGIN, b"\x01" * 32)
WITNESS = Signer("witness.example", b"\x02" * 32)
ROOT = leaf_hash(b"root")
HEAD = Checkpoint(ORIGIN, 7, ROOT)


def test_the_published_example_is_signed_and_opened_byte_for_byte():
    signer = Signer("PeterNeumann", EXAMPLE_SEED)
    assert signer.verifier.render() == EXAMPLE_KEY
    assert signer.sign(Note(EXAMPLE_TEXT)).render() == EXAMPLE_NOTE
    assert open_note(EXAMPLE_NOTE, [parse_verifier(EXAMPLE_KEY)]).text == EXAMPLE_TEXT


def test_the_example_of_the_specification_is_opened():
    """C2SP signed-note, Example."""
    note = (
        "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfX"
        "ppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    )
    key = parse_verifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert open_note(note, [key]).text == "This is an example message.\n"


def test_a_key_never_shows_its_seed():
    assert "01" not in repr(LOG)
    assert ORIGIN in repr(LOG)


def test_a_second_signature_is_added_and_the_first_one_kept():
    note = WITNESS.sign(LOG.sign(Note("text\n"))).render()
    assert [one.name for one in parse_note(note).signatures] == [ORIGIN, "witness.example"]
    for keys in ([LOG.verifier], [WITNESS.verifier], [LOG.verifier, WITNESS.verifier]):
        assert open_note(note, keys).render() == note


def test_a_text_may_hold_empty_lines_and_ends_at_the_last_one():
    note = LOG.sign(Note("first\n\nsecond\n")).render()
    assert open_note(note, [LOG.verifier]).text == "first\n\nsecond\n"


def test_a_note_that_no_known_key_signed_is_not_believed():
    with pytest.raises(Unproven, match="No known key"):
        open_note(LOG.sign(Note("text\n")).render(), [WITNESS.verifier])


def test_a_name_alone_does_not_make_a_key_known():
    stranger = Signer(ORIGIN, b"\x03" * 32)
    with pytest.raises(Unproven, match="No known key"):
        open_note(stranger.sign(Note("text\n")).render(), [LOG.verifier])


def test_one_false_signature_of_a_known_key_spoils_the_note():
    note = WITNESS.sign(LOG.sign(Note("text\n"))).render().replace("text", "next")
    with pytest.raises(Unproven, match="not over this text"):
        open_note(note, [WITNESS.verifier])


def signed(line):
    return f"text\n\n{line}\n"


GOOD_LINE = LOG.sign(Note("text\n")).signatures[0].line()[:-1]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "each ended"),
        ("text\n", "each ended"),
        ("text\n\n", "no signature"),
        (f"text\n\n{GOOD_LINE}", "each ended"),
        (signed(GOOD_LINE.replace("\u2014", "-")), "signature line"),
        (signed(GOOD_LINE.replace("\u2014 ", "\u2014  ")), "signature line"),
        (signed(GOOD_LINE + " more"), "signature line"),
        (signed(GOOD_LINE).replace("\n", "\r\n"), "control character"),
        (signed(GOOD_LINE).replace("text", "te\txt"), "control character"),
        (signed(GOOD_LINE).replace("text", "te\ud800xt"), "UTF-8"),
        (signed(f"\u2014 a+b {to_base64(b'12345')}"), "key name"),
        (signed(f"\u2014 a\u00a0b {to_base64(b'12345')}"), "key name"),
        (signed(f"\u2014  {to_base64(b'12345')}"), "key name"),
        (signed("\u2014 name ****"), "base64"),
        (signed("\u2014 name MTIzNDV="), "base64"),
        (signed("\u2014 name MTIzNDU"), "base64"),
        (signed(f"\u2014 name {to_base64(b'1234')}"), "key id"),
        (signed("\n".join([GOOD_LINE] * (MOST_SIGNATURES + 1))), "signatures"),
        (signed("x" * 1_000_001), "too long"),
    ],
)
def test_a_malformed_note_is_refused(text, word):
    with pytest.raises(Malformed, match=word):
        parse_note(text)


def test_sixteen_signatures_and_more_are_taken():
    assert len(parse_note(signed("\n".join([GOOD_LINE] * 16))).signatures) == 16


def test_base64_with_other_bits_in_its_padding_is_refused():
    line = "\u2014 name MTIzNDV="  # decodes, but is not how its bytes are spelled
    assert base64.b64decode("MTIzNDV=", validate=True) == b"12345"
    with pytest.raises(Malformed, match="canonical"):
        parse_note(signed(line))


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("name", "three parts"),
        ("name+00000000+AQ==", "id"),
        ("name+13a2baa9+AQ==", "32 bytes"),
        (
            "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
            "Ed25519 kind",
        ),
        (EXAMPLE_KEY.replace("c74f20a3", "c74f20a4"), "id"),
        (EXAMPLE_KEY.replace("c74f20a3", "C74F20A3"), "id"),
        (EXAMPLE_KEY.replace("PeterNeumann", "Peter Neumann"), "key name"),
        (EXAMPLE_KEY.replace("+ARpc", "+BRpc"), "id"),
        (EXAMPLE_KEY[:-1], "base64"),
    ],
)
def test_a_malformed_verifier_key_is_refused(key, word):
    with pytest.raises(Malformed, match=word):
        parse_verifier(key)


@pytest.mark.parametrize("seed", [b"", b"1" * 31, b"1" * 33])
def test_a_seed_or_key_of_the_wrong_length_is_refused(seed):
    with pytest.raises(Malformed):
        Signer("name", seed)
    with pytest.raises(Malformed):
        Verifier("name", seed)


def test_a_text_that_does_not_end_in_a_newline_is_not_signed():
    with pytest.raises(Malformed, match="ends with a newline"):
        LOG.sign(Note("text"))


@pytest.mark.parametrize("extensions", [(), ("one",), ("one", "two words")])
def test_a_checkpoint_can_be_read_back(extensions):
    head = Checkpoint(ORIGIN, 7, ROOT, extensions)
    note = sign_checkpoint(head, LOG)
    assert open_checkpoint(note, origin=ORIGIN, verifiers=[LOG.verifier]) == head
    assert note.startswith(f"{ORIGIN}\n7\n{to_base64(ROOT)}\n")


def test_a_checkpoint_of_another_log_is_not_believed():
    note = sign_checkpoint(Checkpoint("log.example/two", 7, ROOT), LOG)
    with pytest.raises(Unproven, match="another log"):
        open_checkpoint(note, origin=ORIGIN, verifiers=[LOG.verifier])


R = to_base64(ROOT)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (f"{ORIGIN}\n7\n{R}", "newline"),
        (f"{ORIGIN}\n7\n", "three lines"),
        (f"\n7\n{R}\n", "three lines"),
        (f"{ORIGIN}\n7\n{R}\n\nmore\n", "three lines"),
        (f"{ORIGIN}\n07\n{R}\n", "tree size"),
        (f"{ORIGIN}\n+7\n{R}\n", "tree size"),
        (f"{ORIGIN}\n-7\n{R}\n", "tree size"),
        (f"{ORIGIN}\n7 \n{R}\n", "tree size"),
        (f"{ORIGIN}\n\u0667\n{R}\n", "tree size"),
        (f"{ORIGIN}\n{2**63}\n{R}\n", "tree size"),
        (f"{ORIGIN}\n7\n{R[:-4]}\n", "root hash"),
        (f"{ORIGIN}\n7\n{R.rstrip('=')}\n", "root hash"),
        (f"{ORIGIN}\n7\n{R}\r\n", "root hash"),
    ],
)
def test_a_malformed_checkpoint_is_refused(text, word):
    with pytest.raises(Malformed, match=word):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"origin": ""},
        {"origin": "two\nlines"},
        {"extensions": ("",)},
        {"size": -1},
        {"root": b"short"},
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_cannot_be_made(fields):
    with pytest.raises(Malformed):
        Checkpoint(**({"origin": ORIGIN, "size": 7, "root": ROOT} | fields))


LEAF, SIBLING = leaf_hash(b"leaf"), leaf_hash(b"sibling")
PAIR = sign_checkpoint(Checkpoint(ORIGIN, 2, node_hash(SIBLING, LEAF)), LOG)
PROOF = LogProof(index=1, path=(SIBLING,), checkpoint=PAIR).render()


@pytest.mark.parametrize("extra", [None, b"", b"more"])
def test_a_proof_can_be_read_back_and_checked(extra):
    proof = LogProof(index=1, path=(SIBLING,), checkpoint=PAIR, extra=extra)
    assert parse_proof(proof.render()) == proof
    head = check_proof(proof.render(), leaf=LEAF, origin=ORIGIN, verifiers=[LOG.verifier])
    assert head.size == 2


def test_a_proof_of_a_log_of_one_entry_has_no_path():
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, LEAF), LOG)
    text = LogProof(index=0, path=(), checkpoint=note).render()
    assert check_proof(text, leaf=LEAF, origin=ORIGIN, verifiers=[LOG.verifier]).root == LEAF


def test_a_proof_shows_only_its_own_leaf():
    with pytest.raises(Unproven, match="does not lead"):
        check_proof(PROOF, leaf=SIBLING, origin=ORIGIN, verifiers=[LOG.verifier])


def test_a_proof_with_a_stranger_s_checkpoint_is_not_believed():
    with pytest.raises(Unproven, match="No known key"):
        check_proof(PROOF, leaf=LEAF, origin=ORIGIN, verifiers=[WITNESS.verifier])


S = to_base64(SIBLING)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty line"),
        (PROOF.replace("@v1", "@v2"), "begins with"),
        (PROOF.replace("index 1\n", ""), "index"),
        (PROOF.replace("index 1", "index  1"), "index"),
        (PROOF.replace("index 1", "index 01"), "index"),
        (PROOF.replace("index 1", "index -1"), "index"),
        (PROOF.replace("index 1", "index 2"), "not below"),
        (PROOF.replace("index 1", "extra ***\nindex 1"), "extra"),
        (PROOF.replace("index 1", "index 1\nextra AA=="), "path"),
        (PROOF.replace(S, S[:-4]), "path"),
        (PROOF.replace(S, S.rstrip("=")), "path"),
        (PROOF.replace(S, "\n".join([S] * 64)), "any tree"),
        (PROOF.replace("\n", "\r\n"), "empty line"),
        (PROOF.replace("index 1\n", "index 1\r\n"), "index"),
        (PROOF.replace("\u2014", "-"), "signature line"),
    ],
)
def test_a_malformed_proof_is_refused(text, word):
    with pytest.raises(Malformed, match=word):
        parse_proof(text)
