"""What we publish is accepted by Go's own packages, and what is not true is refused by them too.

`tests/go/verify.go` is built once with golang.org/x/mod as Debian ships it (golang-go,
golang-golang-x-mod-dev). Their limits: notes with Ed25519 log keys only, so cosignatures are held
against the specification's own examples elsewhere.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import verify_sayso as script

from audit.tlog.checkpoints import Checkpoint, sign_checkpoint
from audit.tlog.cosignatures import CosigningKey, QuantumCosigningKey
from audit.tlog.notes import Signer, parse_note
from audit.tlog.texts import to_base64
from audit.tlog.tiles import tiles_of
from audit.tlog.tree import Edge, consistency_proof, inclusion_proof, leaf_hash
from tests.architecture.source import BASE
from tests.unit.audit.test_script_ed25519 import SMALL, VECTORS

GOPATH = Path("/usr/share/gocode")
ORIGIN = "log.example/one"
LOG = Signer(ORIGIN, b"\x01" * 32)
SIZE = 700  # two whole tiles, a partial one, and a partial one above
LEAVES = [leaf_hash(number.to_bytes(2)) for number in range(SIZE)]


def grown():
    stored = {(0, number): leaf for number, leaf in enumerate(LEAVES)}
    edge, roots = Edge(), [Edge().root()]
    for leaf in LEAVES:
        stored |= {(level, index): value for level, index, value in edge.append(leaf)}
        roots.append(edge.root())
    return stored, roots


STORED, ROOTS = grown()


def read(places):
    return {place: STORED[place] for place in places}


def b64(data):
    return to_base64(data)


def inclusion(index, size, **changes):
    found = {
        "Size": size,
        "Index": index,
        "Root": b64(ROOTS[size]),
        "Leaf": b64(LEAVES[index]),
        "Path": [b64(each) for each in inclusion_proof(index, size, read)],
    }
    return found | changes


def consistency(old, new, **changes):
    found = {
        "New": new,
        "Old": old,
        "NewRoot": b64(ROOTS[new]),
        "OldRoot": b64(ROOTS[old]),
        "Path": [b64(each) for each in consistency_proof(old, new, read)],
    }
    return found | changes


SIZES = [1, 2, 3, 4, 7, 8, 9, 64, 65, 127, 128, 129, 130, 255, 256, 257, 511, 512, 513, SIZE]
GOOD_INCLUSIONS = [
    inclusion(index, size)
    for size in SIZES
    for index in sorted({0, 1, size // 3, size // 2, size - 2, size - 1})
    if 0 <= index < size
]
BAD_INCLUSIONS = [
    inclusion(5, 130, Index=6),
    inclusion(5, 130, Size=128),
    inclusion(5, 130, Leaf=b64(LEAVES[6])),
    inclusion(5, 130, Root=b64(ROOTS[129])),
    inclusion(5, 130, Path=inclusion(5, 130)["Path"][:-1]),
    inclusion(5, 130, Path=[*inclusion(5, 130)["Path"], b64(LEAVES[0])]),
]
GOOD_CONSISTENCY = [consistency(old, new) for new in SIZES for old in SIZES if old < new]
BAD_CONSISTENCY = [
    consistency(64, 130, OldRoot=b64(ROOTS[65])),
    consistency(64, 130, NewRoot=b64(ROOTS[129])),
    consistency(64, 130, Old=65),
    consistency(64, 130, Path=consistency(64, 130)["Path"][:-1]),
]
NOTE = sign_checkpoint(Checkpoint(ORIGIN, SIZE, ROOTS[SIZE]), LOG)
AT = 1_764_000_000
COSIGNED = NOTE
for each in (
    CosigningKey("witness.example/w1", b"\x02" * 32, AT),
    QuantumCosigningKey(ORIGIN, b"\x03" * 32, AT),
):
    COSIGNED = each.sign(parse_note(COSIGNED)).render()
KEY = LOG.verifier.render()
OPENINGS = [
    {"Key": KEY, "Note": NOTE},
    {"Key": KEY, "Note": COSIGNED},
    {"Key": KEY, "Note": NOTE.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n")},
    {"Key": Signer(ORIGIN, b"\x04" * 32).verifier.render(), "Note": NOTE},
    {"Key": KEY, "Note": NOTE.replace("\u2014", "-")},
    {"Key": KEY, "Note": NOTE.replace("\n", "\r\n")},
]


def signatures():
    """The vectors, each also with S spelled a second time, and what small keys may be made to sign."""
    for public, message, signature in VECTORS:
        key, text, value = (bytes.fromhex(each) for each in (public, message, signature))
        yield key, text, value
        yield key, text + b"x", value
        second = int.from_bytes(value[32:], "little") + script.L
        yield key, text, value[:32] + second.to_bytes(32, "little")
    for small in SMALL:
        key = bytes.fromhex(small)
        for value in (key + bytes(32), bytes(64), b"\x01" + bytes(63)):
            for text in (b"", b"m", b"n"):
                yield key, text, value


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb").is_dir():
        pytest.skip("needs Go and golang.org/x/mod (Debian: golang-go, golang-golang-x-mod-dev)")
    asked = {
        "Openings": OPENINGS,
        "Inclusions": GOOD_INCLUSIONS + BAD_INCLUSIONS,
        "Consistency": GOOD_CONSISTENCY + BAD_CONSISTENCY,
        "Tiles": {
            f"{tile.level}/{tile.index}/{tile.width}": b64(
                b"".join(STORED[place] for place in tile.places())
            )
            for tile in tiles_of(SIZE)
        },
        "Size": SIZE,
        "Signatures": [
            {"Public": b64(key), "Message": b64(text), "Signature": b64(value)}
            for key, text, value in signatures()
        ],
    }
    cache = tmp_path_factory.mktemp("go")
    ended = subprocess.run(
        ["go", "run", str(BASE / "tests" / "go" / "verify.go")],
        input=json.dumps(asked),
        env={
            "PATH": os.environ["PATH"],
            "GO111MODULE": "off",
            "GOPATH": str(GOPATH),
            "GOCACHE": str(cache),
            "GOFLAGS": "-p=2",
            "HOME": str(cache),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_go_opens_our_checkpoints_and_passes_over_lines_of_kinds_it_does_not_know(told):
    root = to_base64(ROOTS[SIZE])
    assert told["Openings"][:2] == [f"{SIZE} {root} 0", f"{SIZE} {root} 2"]


def test_go_refuses_checkpoints_that_are_not_ours(told):
    changed, stranger, dash, crlf = told["Openings"][2:]
    assert "invalid signature" in changed
    assert "no verifiable signatures" in stranger
    assert dash == crlf == "malformed note"


def test_go_takes_our_inclusion_proofs_and_no_others(told):
    good = len(GOOD_INCLUSIONS)
    assert told["Inclusions"] == [True] * good + [False] * len(BAD_INCLUSIONS)


def test_go_takes_our_consistency_proofs_and_no_others(told):
    good = len(GOOD_CONSISTENCY)
    assert told["Consistency"] == [True] * good + [False] * len(BAD_CONSISTENCY)


def test_go_comes_from_our_tiles_alone_to_our_root_and_our_proofs(told):
    assert told["Root"] == to_base64(ROOTS[SIZE])
    for number, path in enumerate(told["Paths"]):
        found = inclusion_proof(37 * number, SIZE, read)
        assert path == [to_base64(step) for step in found]


def test_the_script_s_ed25519_decides_as_go_s_does(told):
    ours = [script.ed25519(*each) for each in signatures()]
    assert ours == told["Signatures"]
    assert True in ours[3 * len(VECTORS) :]  # why a key of small order is refused as a key
