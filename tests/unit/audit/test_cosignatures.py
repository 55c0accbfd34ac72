"""Cosignatures of both kinds: what is signed, who signed, and what is kept though nobody knows it."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from audit.tlog.cosignatures import (
    Cosigner,
    CosigningKey,
    QuantumCosigner,
    QuantumCosigningKey,
    cosignatures,
    ed25519_message,
    mldsa44_message,
    parse_cosigner,
    stamp,
)
from audit.tlog.notes import Note, Signer, open_note, parse_note, parse_signature_lines
from audit.tlog.texts import Malformed, Unproven, to_base64

ORIGIN = "log.example/one"
LOG = Signer(ORIGIN, b"\x01" * 32)
HEAD = Checkpoint(ORIGIN, 7, b"r" * 32)
NOTE = sign_checkpoint(HEAD, LOG)
AT = 1_764_000_000
ED = CosigningKey("witness.example/w1", b"\x02" * 32, AT)
MLDSA = QuantumCosigningKey("witness.example/w2", b"\x03" * 32, AT)
KINDS = [ED, MLDSA]
# The examples of C2SP tlog-cosignature; it publishes no key for them, so their frame is compared.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_LINE = (
    "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
    "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
# A witness that is public, in the form in which it gives its key.
PUBLIC_KEY = "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"


def cosigned(key, note=NOTE):
    return key.sign(parse_note(note)).render()


def lines_of(key):
    return "".join(one.line() for one in parse_note(cosigned(key)).signatures[1:])


def test_the_line_and_the_message_of_the_specification_are_ours_byte_for_byte():
    (line,) = parse_signature_lines(SOFA_LINE)
    assert (line.name, len(line.value), stamp(line)) == ("witness.example.com/w1", 72, 1679315147)
    assert line.line() == SOFA_LINE
    assert ed25519_message(SOFA, stamp(line)) == f"cosignature/v1\ntime 1679315147\n{SOFA}".encode()


def test_the_message_of_an_ml_dsa_cosigner_is_laid_out_as_the_specification_says():
    message = mldsa44_message("w", SOFA, 5)
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert message == (
        b"subtree/v1\n\0" + b"\x01w" + (5).to_bytes(8) + b"\x1bexample.com/behind-the-sofa"
        + (0).to_bytes(8) + (20852163).to_bytes(8) + root
    )  # fmt: skip
    assert mldsa44_message("w", SOFA + "more\n", 5) == message  # extension lines are not signed


def test_a_key_that_a_public_witness_gives_is_read_with_its_id():
    assert parse_cosigner(PUBLIC_KEY).render() == PUBLIC_KEY


@pytest.mark.parametrize("key", KINDS)
def test_a_cosignature_is_added_below_what_stood_there_and_holds(key):
    note = cosigned(key)
    assert note.startswith(NOTE)
    assert open_note(note, [key.cosigner]).text == HEAD.render()
    assert open_checkpoint(note, origin=ORIGIN, verifiers=[LOG.verifier]) == HEAD
    assert parse_cosigner(key.cosigner.render()) == key.cosigner
    (found,) = cosignatures(HEAD.render(), lines_of(key), [key.cosigner])
    assert stamp(found) == AT


@pytest.mark.parametrize("key", KINDS)
def test_a_cosignature_is_over_the_whole_checkpoint_and_its_own_time(key):
    line = parse_note(cosigned(key)).signatures[1]
    other = Checkpoint(ORIGIN, 8, b"r" * 32).render()
    later = (AT + 1).to_bytes(8) + line.value[8:]
    for text, value in ((other, line.value), (HEAD.render(), later)):
        with pytest.raises(Unproven, match="not over this text"):
            key.cosigner.check(text, value)


@pytest.mark.parametrize("key", KINDS)
@pytest.mark.parametrize("value", [b"", bytes(8), bytes(8) + b"x" * 64, b"\xff" * 72, b"x" * 2428])
def test_a_cosignature_without_a_time_or_of_another_length_is_refused(key, value):
    with pytest.raises((Malformed, Unproven)):
        key.cosigner.check(HEAD.render(), value)


@pytest.mark.parametrize("at", [0, 2**63, 2**64 - 1])
def test_a_true_signature_over_no_time_or_one_that_cannot_be_is_refused(at):
    """C2SP tlog-cosignature: the timestamp must not exceed 2^63 - 1, and a witness's is not zero."""
    key = Ed25519PrivateKey.from_private_bytes(ED.seed)
    value = at.to_bytes(8) + key.sign(ed25519_message(HEAD.render(), at))
    with pytest.raises(Malformed, match="no time"):
        ED.cosigner.check(HEAD.render(), value)


def test_the_same_key_has_another_id_for_another_kind_of_signature():
    seed = b"\x05" * 32
    log, witness = Signer("name", seed).verifier, CosigningKey("name", seed, AT).cosigner
    assert log.public_key == witness.public_key
    assert log.key_id != witness.key_id
    with pytest.raises(Unproven, match="No known key"):
        open_note(sign_checkpoint(HEAD, Signer("name", seed)), [witness])


def test_lines_of_unknown_kinds_are_carried_through_and_believed_in_nothing():
    unknown = f"\u2014 {ORIGIN} {to_base64(b'abcd' + b'?' * 5000)}\n"
    note = NOTE + unknown + lines_of(MLDSA)
    assert open_note(note, [LOG.verifier]).render() == note
    with pytest.raises(Unproven, match="No known key"):
        open_note(HEAD.render() + "\n" + unknown, [LOG.verifier])


def test_the_log_may_sign_with_a_second_key_of_another_kind():
    second = QuantumCosigningKey(ORIGIN, b"\x06" * 32, AT)
    note = sign_checkpoint(HEAD, LOG, second)
    assert note.startswith(NOTE)
    for keys in ([LOG.verifier], [second.cosigner], [LOG.verifier, second.cosigner]):
        assert open_checkpoint(note, origin=ORIGIN, verifiers=keys) == HEAD


def test_of_what_a_witness_answers_only_its_own_lines_are_taken():
    answer = lines_of(MLDSA) + lines_of(ED)
    assert [each.name for each in cosignatures(HEAD.render(), answer, [ED.cosigner])] == [ED.name]
    assert cosignatures(HEAD.render(), answer, []) == ()
    with pytest.raises(Unproven):
        cosignatures(Checkpoint(ORIGIN, 8, b"r" * 32).render(), answer, [ED.cosigner])


@pytest.mark.parametrize("answer", ["", "no\n", lines_of(ED)[:-1], "\n" + lines_of(ED), "- a b\n"])
def test_an_answer_that_is_no_signature_line_is_refused(answer):
    with pytest.raises(Malformed):
        cosignatures(HEAD.render(), answer, [ED.cosigner])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Cosigner("w", b"1" * 31), "32 bytes"),
        (lambda: QuantumCosigner("w", b"1" * 32), "1312 bytes"),
        (lambda: parse_cosigner(LOG.verifier.render()), "cosigner"),
        (lambda: cosigned(CosigningKey("w", b"1" * 32, 0)), "after 1970"),
        (lambda: CosigningKey("w", b"1" * 32, AT).sign(Note("text\n")), "three lines"),
        (lambda: mldsa44_message("", SOFA, 1), "255 bytes"),
        (lambda: mldsa44_message("w" * 256, SOFA, 1), "255 bytes"),
    ],
)
def test_what_is_no_cosigner_s_is_refused(make, word):
    with pytest.raises(Malformed, match=word):
        make()


@pytest.mark.parametrize("key", KINDS)
def test_a_cosigning_key_never_shows_its_seed(key):
    assert "seed" not in repr(key)
