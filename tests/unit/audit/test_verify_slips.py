"""The checking program and a slip of a yes: what holds, what does not, and one sentence for each."""

import io
import zipfile
from dataclasses import replace
from hashlib import sha256

import pytest
import verify_sayso as script

from audit.tlog.notes import Note, Signature, Signer

ORIGIN = "log.example/one"
LOG = Signer(ORIGIN, bytes(range(32)))
SLIP = Signer(f"{ORIGIN}/receipt", bytes(range(32)))
OTHER = Signer(f"{ORIGIN}/receipt", bytes(range(1, 33)))
DATA = b'{"@type": "dpv:ConsentReceipt"}\n'


def note(data: bytes = DATA, signer: Signer = SLIP, name: str = SLIP.name) -> str:
    return signer.sign(Note(f"{name}\n{sha256(data).hexdigest()}\n")).render()


def packed(**files: bytes | str) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as folder:
        for name, data in files.items():
            folder.writestr(f"slips/{name.replace('_', '.')}", data)
    return found.getvalue()


def run(tmp_path, capsys, data: bytes, *words: str) -> tuple[int, str]:
    file = tmp_path / "notes.zip"
    file.write_bytes(data)
    code = script.main([str(file), *(words or ("--log-key", LOG.verifier.render()))])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_slip_that_the_logs_key_signed_holds(tmp_path, capsys):
    code, says = run(tmp_path, capsys, packed(con1_json=DATA, con1_note=note()))
    assert code == 0
    assert "1 of 1 slips of a yes are as the log's key signed them" in says
    assert "not what happened to the yes afterwards" in says


FORGED = replace(
    SLIP.sign(Note(f"{SLIP.name}\n{sha256(DATA).hexdigest()}\n")),
    signatures=(Signature(SLIP.name, SLIP.verifier.key_id, bytes(64)),),
).render()
WRONG = {
    "another text": (packed(a_json=DATA + b" ", a_note=note()), 1, "is about another text"),
    "another key": (packed(a_json=DATA, a_note=note(signer=OTHER)), 1, "is about another text"),
    "a head's name": (packed(a_json=DATA, a_note=note(name=ORIGIN)), 1, "is about another text"),
    "the log's own line": (
        packed(a_json=DATA, a_note=note(signer=LOG)),
        *(1, "is about another text"),
    ),
    "a false signature": (packed(a_json=DATA, a_note=FORGED), 1, "its signature is false"),
    "no note": (packed(a_json=DATA), 2, "lacks slips/a.note"),
    "half a note": (packed(a_json=DATA, a_note=SLIP.name), 2, "breaks off before its signatures"),
    "a note as Windows ends lines": (
        packed(a_json=DATA, a_note=note().replace("\n", "\r\n")),
        *(2, "as Windows ends them"),
    ),
    "no slip": (packed(a_txt="x"), 2, "holds neither proofs.txt nor a slip"),
}


@pytest.mark.parametrize("which", WRONG)
def test_whatever_is_wrong_with_a_slip_is_one_sentence(which, tmp_path, capsys):
    data, expected, sentence = WRONG[which]
    code, says = run(tmp_path, capsys, data)
    assert code == expected, says
    assert sentence in says
    assert len(says.strip().splitlines()) == 1


def test_a_slip_needs_a_log_that_is_trusted(tmp_path, capsys):
    policy = tmp_path / "policy"
    policy.write_text("quorum none\n")
    data = packed(a_json=DATA, a_note=note())
    code, says = run(tmp_path, capsys, data, "--policy", str(policy))
    assert (code, "Say which log you trust" in says) == (3, True)


def test_a_slip_is_never_taken_for_a_head_nor_a_head_for_a_slip():
    root = "q" * 43 + "="
    head = LOG.sign(Note(f"{ORIGIN}\n7\n{root}\n"))
    assert head.signatures[0].key_id != SLIP.verifier.key_id
    assert not head.text.startswith(f"{SLIP.name}\n")
    assert not SLIP.sign(Note(f"{SLIP.name}\n{'0' * 64}\n")).text.startswith(f"{ORIGIN}\n")
