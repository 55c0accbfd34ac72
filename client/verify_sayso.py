#!/usr/bin/env python3
"""Checks a proof that something stands in a signed log, without asking anybody.

    python3 verify_sayso.py PROOF.tlog-proof --log-key KEY [--policy FILE]
    python3 verify_sayso.py MY-LIST.zip --log-key KEY [--policy FILE] [--own-key FILE]

The second form checks a person's own list: every event in it, and that her tag is in its entry; and
every slip of a yes that lies beside the list, or alone in the zip file: that the log's key signed it.

One file, nothing but Python's standard library and the one Ed25519 routine below; read it before
you trust it. The formats are not ours: https://c2sp.org/tlog-proof, /tlog-checkpoint, /signed-note,
/tlog-cosignature, /tlog-policy, and RFC 6962 for the tree.

Exit codes: 0 the proof holds; 1 it does not; 2 the file is not a proof; 3 it was asked wrongly;
4 it holds, but fewer witnesses have signed than you asked for.
"""

from __future__ import annotations  # it runs with any Python from 3.8 on

import argparse
import base64
import binascii
import hmac
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from datetime import datetime, timezone
from hashlib import sha256, sha512
from typing import Any, Iterator, NamedTuple, NoReturn, Sequence, Tuple  # noqa: UP035 - 3.8

HEADER = "c2sp.org/tlog-proof@v1"
LIST, KEYS = "sayso-list@v1", "sayso-keys@v1"
IN_ZIP = "proofs.txt"
SLIPS, SIGNED_AS = "slips/", "receipt"
MOST_SLIPS = 10_000
DASH = "\u2014"
LOOK_ALIKE = "-\u2010\u2011\u2012\u2013\u2015\u2212\uff0d\ufe58"
LARGEST_FILE = 1_000_000
LARGEST_LIST = 64_000_000
MOST_EVENTS = 100_000
MOST_SIGNATURES = 64
MOST_HASHES = 63
DECIMAL = re.compile(r"(0|[1-9][0-9]{0,18})\Z", re.ASCII)
LOG_KEY, WITNESS_KEY, QUANTUM_KEY = b"\x01", b"\x04", b"\x06"
HOLDS, FALSE, MALFORMED, USAGE, TOO_FEW = range(5)


class Trouble(Exception):
    """Why there is no proof here: an exit code and one sentence."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


# --- Ed25519 (RFC 8032), verification only --------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)
Point = Tuple[int, int, int, int]  # noqa: UP006 - 3.8


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    found = NEUTRAL
    while number:
        if number & 1:
            found = _add(found, point)
        point = _add(point, point)
        number >>= 1
    return found


def _point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for, or None."""
    value = int.from_bytes(data, "little")
    y, sign = (value & ((1 << 255) - 1)) % P, value >> 255
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P:
        x = x * ROOT % P
    if (v * x * x - u) % P:
        return None
    if x & 1 != sign:
        x = -x % P
    return x, y, 1, x * y % P


def _bytes(point: Point) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or NEUTRAL


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is this key's over this message, as Go's crypto/ed25519 decides it."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, s = _point(public), int.from_bytes(signature[32:], "little")
    if key is None or s >= L:  # a second spelling of the same signature is none
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    minus = (-key[0] % P, key[1], key[2], -key[3] % P)
    return _bytes(_add(_times(s, BASE), _times(k, minus))) == signature[:32]


def usable(public: bytes) -> bool:
    """Whether a key binds its signatures to a message: spelled in the one way, not of small order."""
    point = _point(public) if len(public) == 32 else None
    return (
        point is not None
        and _bytes(point) == public
        and _bytes(_times(8, point)) != _bytes(NEUTRAL)
    )


# --- the formats ----------------------------------------------------------------------------------


def malformed(says: str) -> Trouble:
    return Trouble(MALFORMED, f"This is not a proof: {says}.")


def number(text: str, what: str) -> int:
    if not DECIMAL.match(text) or int(text) >= 2**63:
        raise malformed(f"the {what} is not a plain number (digits only, no zero in front)")
    return int(text)


def unbase64(text: str, what: str) -> bytes:
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise malformed(f"the {what} is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise malformed(f"the {what} is not spelled as base64 is")
    return value


def hash_of(text: str, what: str) -> bytes:
    value = unbase64(text, what)
    if len(value) != 32:
        raise malformed(f"the {what} has {len(value)} bytes, not 32")
    return value


def text_of(data: bytes) -> str:
    most = LARGEST_LIST if data.startswith(LIST.encode()) else LARGEST_FILE
    if len(data) > most:
        raise malformed("the file is larger than any proof")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed("the file is not text in UTF-8") from None
    if text.startswith("\ufeff"):
        raise malformed("a byte order mark stands in front; a program has changed the file")
    if "\r" in text:
        raise malformed("its lines end as Windows ends them; a program has changed the file")
    if any(sign < " " and sign != "\n" for sign in text):
        raise malformed("there is a control character in it")
    return text


class Line(NamedTuple):
    """One signature below a checkpoint."""

    name: str
    key_id: bytes
    value: bytes


class Head(NamedTuple):
    """A head of a log with the lines below it, not yet believed."""

    body: str
    origin: str
    size: int
    root: bytes
    lines: Sequence[Line]


class Proof(NamedTuple):
    """What a proof says, not yet believed."""

    leaf: bytes | None
    place: int
    path: Sequence[bytes]
    head: Head


class Step(NamedTuple):
    """One hash on the way from a tag to what an entry covers."""

    left: bool
    hash: bytes


class Later(NamedTuple):
    """A later entry that bears the tag of one that was written while the person's key was away."""

    place: int
    leaf: bytes
    path: Sequence[bytes]


class Event(NamedTuple):
    """One event of a person's list, not yet believed. `trees`: the way from her tag, tree by tree."""

    place: int
    leaf: bytes
    path: Sequence[bytes]
    tag: bytes | None
    trees: Sequence[Sequence[Step]]
    detail: bytes | None
    later: Later | None = None


class Slip(NamedTuple):
    """A slip of a yes and the note that signs it, not yet believed."""

    name: str
    data: bytes
    note: bytes


class Key(NamedTuple):
    """A key that somebody trusts."""

    name: str
    key_id: bytes
    kind: bytes
    public: bytes

    def signed(self, lines: Sequence[Line]) -> list[bytes]:
        return [each.value for each in lines if each[:2] == (self.name, self.key_id)]


def lines_of(text: str) -> list[Line]:
    if not text.endswith("\n"):
        raise malformed("it breaks off in its last line" if text else "no signature is below it")
    rows = text[:-1].split("\n")
    if len(rows) > MOST_SIGNATURES:
        raise malformed(f"it has more than {MOST_SIGNATURES} signatures")
    return [line_of(row) for row in rows]


def line_of(row: str) -> Line:
    if row and row[0] in LOOK_ALIKE:
        raise malformed("a signature line begins with a sign that only looks like its dash")
    parts = row.split(" ")
    if len(parts) != 3 or parts[0] != DASH or not parts[1] or "+" in parts[1]:
        raise malformed("a line at its end is no signature (a dash, a name and base64)")
    value = unbase64(parts[2], "signature")
    if len(value) < 5:
        raise malformed("a signature is too short")
    return Line(parts[1], value[:4], value[4:])


def proof_of(text: str) -> Proof:
    top, border, note = text.partition("\n\n")
    leaf, index, path = top_of(top.split("\n"))
    if not border:
        raise malformed("it breaks off before its checkpoint")
    head = head_of(note)
    if index >= head.size:
        raise malformed("the index is not below the tree size")
    return Proof(leaf, index, path, head)


def top_of(lines: list[str]) -> tuple[bytes | None, int, list[bytes]]:
    if lines.pop(0) != HEADER:
        raise malformed(f"it does not begin with the line {HEADER}, nor with {LIST}")
    leaf = None
    if lines and lines[0].startswith("extra "):
        leaf = unbase64(lines.pop(0)[6:], "entry")
    if not lines or not lines[0].startswith("index "):
        raise malformed("it does not say which entry it is about")
    index = number(lines.pop(0)[6:], "index")
    if len(lines) > MOST_HASHES:
        raise malformed(f"it has more than {MOST_HASHES} hashes")
    return leaf, index, [hash_of(line, "hash") for line in lines]


def head_of(note: str) -> Head:
    middle = note.rfind("\n\n")
    if middle < 0:
        raise malformed("its checkpoint breaks off before the signatures")
    body = note[: middle + 1]
    rows = body[:-1].split("\n")
    if len(rows) < 3 or not all(rows):
        raise malformed("its checkpoint has fewer than three lines, or an empty one")
    size, root = number(rows[1], "tree size"), hash_of(rows[2], "root")
    return Head(body, rows[0], size, root, lines_of(note[middle + 2 :]))


def list_of(text: str) -> tuple[list[Event], Head]:
    """Reads a person's list: how many events, a block for each, and one head for all."""
    blocks = text.split("\n\n")
    top = blocks[0].split("\n")
    if len(top) != 2 or not top[1].startswith("events "):
        raise malformed("it does not say, in its second line, how many events it holds")
    count = number(top[1][7:], "number of events")
    if count > MOST_EVENTS:
        raise malformed(f"it has more than {MOST_EVENTS} events")
    if len(blocks) < count + 3:
        raise malformed(f"it says that it holds {count} events, and breaks off before its end")
    if len(blocks) > count + 3:
        raise malformed(f"it says that it holds {count} events, and more stands in it")
    head = head_of("\n\n".join(blocks[-2:]))
    events = [event_of(block.split("\n"), head) for block in blocks[1:-2]]
    if len({(event.place, event.tag) for event in events}) < count:
        raise malformed("the same event stands in it twice")
    return events, head


def event_of(lines: list[str], head: Head) -> Event:
    lines = lines[::-1]  # taken from the end, which is quick however many there are

    def taken(word: str) -> str | None:
        if lines and lines[-1].startswith(f"{word} "):
            return lines.pop()[len(word) + 1 :]
        return None

    entry = stands(taken, "index", head)
    if entry is None:
        raise malformed("an event does not begin with its index and its entry")
    later = stands(taken, "later", head)
    tag = taken("tag")
    if later is not None and tag is None:
        raise malformed("a later entry stands in an event that has no tag")
    trees: list[list[Step]] = []
    while tag is not None and len(trees) < 2:
        trees.append([Step(word == "left", value) for word, value in hashes(taken, SIDES)])
        if not lines or lines[-1] != "tree" or len(trees) == 2:
            break
        lines.pop()
    detail = taken("detail")
    if lines:
        raise malformed("an event has a line that no event has, or one in another order")
    return Event(
        entry.place,
        entry.leaf,
        entry.path,
        None if tag is None else hash_of(tag, "tag"),
        trees,
        None if detail is None else unbase64(detail, "detail"),
        later,
    )


def stands(taken: Any, word: str, head: Head) -> Later | None:
    """An entry and its path, where they stand next."""
    index = taken(word)
    leaf = None if index is None else taken("leaf")
    if index is None or leaf is None:
        return None
    place = number(index, "index")
    if place >= head.size:
        raise malformed("the index of an event is not below the tree size")
    path = [value for _, value in hashes(taken, ["hash"])]
    return Later(place, unbase64(leaf, "entry"), path)


SIDES = ["left", "right"]


def hashes(taken: Any, words: Sequence[str]) -> list[tuple[str, bytes]]:
    """The lines that follow and begin with one of these words."""
    found: list[tuple[str, bytes]] = []
    while True:
        for word in words:
            value = taken(word)
            if value is not None:
                break
        else:
            return found
        if len(found) == MOST_HASHES:
            raise malformed(f"an event has more than {MOST_HASHES} hashes")
        found.append((word, hash_of(value, "hash")))


def unzipped(data: bytes) -> tuple[bytes, list[Slip]]:
    """The proofs in the zip file that a person takes home, and the slips in it; one may be missing."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as folder:
            names = [each.filename for each in folder.infolist()]
            if len({*names}) < len(names):
                raise malformed("the zip file holds a name twice")
            if any(
                each.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
                for each in folder.infolist()
            ):
                raise malformed("the zip file is packed in a way that is not used here")
            slips = [
                Slip(shown(name), unpacked(folder, name), unpacked(folder, f"{name[:-5]}.note"))
                for name in names[:MOST_SLIPS]
                if name.startswith(SLIPS) and name.endswith(".json")
            ]
            if IN_ZIP not in names and not slips:
                raise malformed(f"the zip file holds neither {IN_ZIP} nor a slip")
            proofs = unpacked(folder, IN_ZIP, LARGEST_LIST) if IN_ZIP in names else b""
            return proofs, slips
    except ZIP_TROUBLE:
        raise malformed("the zip file cannot be read; it was changed or broke off") from None


def unpacked(folder: zipfile.ZipFile, name: str, most: int = LARGEST_FILE) -> bytes:
    try:
        with folder.open(name) as file:
            return file.read(most + 1)
    except KeyError:
        raise malformed(f"the zip file lacks {shown(name)}") from None


ZIP_TROUBLE = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, EOFError, OSError,
    RuntimeError, ValueError, LookupError, OverflowError, MemoryError,
)  # fmt: skip


def own_keys(data: bytes) -> list[bytes]:
    """The keys of the file that a person was given on her wish."""
    lines = data.decode("latin-1").split("\n")
    try:
        keys = [base64.b64decode(line, validate=True) for line in lines[1:-1]]
    except ValueError:
        keys = []
    if lines[0] != KEYS or lines[-1] or not keys or any(len(key) < 32 for key in keys):
        raise Trouble(USAGE, "That is no file of your own key, or it is not whole.")
    return keys


def key_of(text: str, kinds: Sequence[bytes]) -> Key:
    """Reads a verifier key, `name+id+base64`."""
    parts = text.split("+", 2)
    try:
        material = base64.b64decode(parts[2], validate=True)
        name, identity = parts[0], bytes.fromhex(parts[1])
    except (ValueError, IndexError):
        raise Trouble(USAGE, "A key has the form name+id+base64.") from None
    if not name or sha256(name.encode() + b"\n" + material).digest()[:4] != identity:
        raise Trouble(USAGE, "A key does not agree with its own id: copy it again, whole.")
    key = Key(name, identity, material[:1], material[1:])
    if key.kind not in kinds:
        raise Trouble(USAGE, f"The key of {shown(name)} is of another kind than is needed here.")
    if key.kind != QUANTUM_KEY and not usable(key.public):
        raise Trouble(USAGE, f"The key of {shown(name)} is none that anything can be signed with.")
    return key


# --- who has to have signed -----------------------------------------------------------------------


class Policy:
    """Whose keys count, and how many witnesses are enough (C2SP tlog-policy)."""

    def __init__(self) -> None:
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum: str | None = None

    def read(self, data: bytes) -> None:
        for line in data.decode("latin-1").replace("\t", " ").split("\n"):
            items = [item for item in line.split(" ") if item]
            if items and not items[0].startswith("#"):
                self._line(items[0], items[1:])
        publics = [key.public for key in self.witnesses.values()]
        members = [each for _, group in self.groups.values() for each in group]
        if self.quorum is None or len({*publics}) < len(publics) or len({*members}) < len(members):
            raise Trouble(USAGE, "The policy has no quorum, or names something twice.")

    def _line(self, word: str, rest: list[str]) -> None:
        if word == "log" and len(rest) in (1, 2):
            self.logs.append(key_of(rest[0], [LOG_KEY]))
        elif word == "witness" and len(rest) in (2, 3) and self._new(rest[0]):
            self.witnesses[rest[0]] = key_of(rest[1], [WITNESS_KEY, QUANTUM_KEY])
        elif word == "group" and len(rest) > 2 and self._new(rest[0]):
            self.groups[rest[0]] = self._group(rest[1], rest[2:])
        elif word == "quorum" and len(rest) == 1 and self.quorum is None:
            if rest[0] != "none" and self._new(rest[0]):
                no_such_line()
            self.quorum = rest[0]
        else:
            no_such_line()

    def _new(self, name: str) -> bool:
        return name != "none" and name not in self.witnesses and name not in self.groups

    def _group(self, many: str, members: list[str]) -> tuple[int, list[str]]:
        if "none" in members or any(self._new(member) for member in members):
            no_such_line()
        if many in ("any", "all"):
            return (1 if many == "any" else len(members)), members
        if not re.match(r"[1-9][0-9]{0,3}\Z", many, re.ASCII) or int(many) > len(members):
            no_such_line()
        return int(many), members

    def satisfied(self, signed: dict[str, int], name: str | None = None) -> bool:
        name = self.quorum if name is None else name
        if name in (None, "none"):
            return True
        if name not in self.groups:
            return name in signed
        least, members = self.groups[name]
        return sum(self.satisfied(signed, member) for member in members) >= least


def no_such_line() -> NoReturn:
    raise Trouble(USAGE, "The policy has a line that no policy has.")


def check(
    data: bytes, policy: Policy, entry: bytes | None = None, keys: Sequence[bytes] = ()
) -> tuple[list[str], int]:
    """The sentences of a proof that holds, and an exit code. Raises Trouble where it does not."""
    slips: list[str] = []
    if data.startswith(b"PK"):
        data, found = unzipped(data)
        slips = check_slips(found, policy) if found else []
        if not data:
            return slips, HOLDS
    says, code = check_text(data, policy, entry, keys)
    return [*says, *slips], code


def check_text(
    data: bytes, policy: Policy, entry: bytes | None, keys: Sequence[bytes]
) -> tuple[list[str], int]:
    text = text_of(data)
    if text.split("\n", 1)[0] == LIST:
        if entry is not None:
            raise Trouble(USAGE, "An entry is given with the proof of one entry, not with a list.")
        return check_list(text, policy, keys)
    if keys:
        raise Trouble(USAGE, "Your own key is given with your list, not with another proof.")
    return check_proof(text, policy, entry)


def check_proof(text: str, policy: Policy, entry: bytes | None) -> tuple[list[str], int]:
    proof = proof_of(text)
    leaf = proof.leaf if entry is None else entry
    if leaf is None:
        raise Trouble(USAGE, "The proof does not carry its entry: give the entry's file (--entry).")
    if proof.leaf is not None and leaf != proof.leaf:
        raise Trouble(FALSE, "The proof does not hold: it is about another entry than your file.")
    key = signed_by_log(proof.head, policy.logs)
    if root_of(leaf, proof.place, proof.path, proof.head.size) != proof.head.root:
        raise Trouble(
            FALSE,
            "The proof does not hold: from this entry no way leads to the head the log has signed.",
        )
    signed, unchecked = cosigned(proof.head, policy)
    says = [
        "The proof holds.",
        f"Entry {proof.place} of the log {shown(proof.head.origin)} is: {told(leaf)}",
        f"It stands under the head of {proof.head.size} entries that the log has signed with its key "
        f"{key.key_id.hex()}.",
        *witnessed(policy, signed, unchecked),
        "It does not show that the log holds everything that happened; for that an auditor reads it.",
    ]
    return says, HOLDS if policy.satisfied(signed) else TOO_FEW


def check_list(text: str, policy: Policy, keys: Sequence[bytes]) -> tuple[list[str], int]:
    events, head = list_of(text)
    key = signed_by_log(head, policy.logs)
    signed, unchecked = cosigned(head, policy)
    false = [
        f"event {number} (entry {event.place}): {why}"
        for number, event in enumerate(events, start=1)
        for why in [wrong(event, head, keys)]
        if why
    ]
    if false:
        raise Trouble(
            FALSE,
            f"The list does not hold: {len(events) - len(false)} of its {len(events)} events are in "
            f"the log as it says; this one is not, {false[0]}.",
        )
    says = [
        "The list holds.",
        f"{len(events)} of {len(events)} events are in the log {shown(head.origin)} as the list says, "
        f"under the head of {head.size} entries that the log has signed with its key "
        f"{key.key_id.hex()}:",
        *(f"{number}. {line(event, keys)}" for number, event in enumerate(events, start=1)),
        about(events, keys),
        *witnessed(policy, signed, unchecked),
        "It does not show that this list is all that happened; for that an auditor reads the log.",
    ]
    return says, HOLDS if policy.satisfied(signed) else TOO_FEW


def check_slips(slips: Sequence[Slip], policy: Policy) -> list[str]:
    """That a log's key signed each slip, under the name that it signs slips with."""
    if not policy.logs:
        raise Trouble(USAGE, "Say which log you trust: --log-key KEY, or a log line in the policy.")
    trusted = []
    for key in policy.logs:
        name = f"{key.name}/{SIGNED_AS}"
        identity = sha256(name.encode() + b"\n" + key.kind + key.public).digest()[:4]
        trusted.append(key._replace(name=name, key_id=identity))
    for slip in slips:
        note = text_of(slip.note)
        middle = note.rfind("\n\n")
        if middle < 0:
            raise malformed(f"the note beside {slip.name} breaks off before its signatures")
        body, lines = note[: middle + 1], lines_of(note[middle + 2 :])
        values = [
            (key, value)
            for key in trusted
            for value in key.signed(lines)
            if body == f"{key.name}\n{sha256(slip.data).hexdigest()}\n"
        ]
        if not values:
            raise Trouble(
                FALSE,
                f"The slip {slip.name} does not hold: the note beside it is about another text.",
            )
        if not all(ed25519(key.public, body.encode(), value) for key, value in values):
            raise Trouble(FALSE, f"The slip {slip.name} does not hold: its signature is false.")
    return [
        f"{len(slips)} of {len(slips)} slips of a yes are as the log's key signed them.",
        "That shows what was recorded when a slip was made, not what happened to the yes afterwards.",
    ]


def wrong(event: Event, head: Head, keys: Sequence[bytes]) -> str | None:
    """Why one event is not as the list says; None where it is."""
    if root_of(event.leaf, event.place, event.path, head.size) != head.root:
        return "from it no way leads to the head the log has signed"
    fields = fields_of(event.leaf)
    covers = fields if event.later is None else fields_of(event.later.leaf)
    if event.later is not None and not bears(event.later, event.place, head):
        return "the later entry beside it is not in the log, or bears no tags of earlier ones"
    if event.tag is not None:
        if climbed(event.tag, event.trees).hex() != covers.get("subjects_root"):
            return "the person's tag is not among those that the entry covers"
        if keys and event.tag not in tags_of(fields, keys):
            return "the tag in it is not made with your key"
    if event.detail is not None and sha256(event.detail).hexdigest() != fields.get("detail_commit"):
        return "what stands beside it is not what the entry commits to"
    return None


def bears(later: Later, place: int, head: Head) -> bool:
    """Whether it is an entry of the log that bears tags of others before it, such as this one."""
    if root_of(later.leaf, later.place, later.path, head.size) != head.root:
        return False
    return fields_of(later.leaf).get("type") == LATE and later.place > place


def climbed(tag: bytes, trees: Sequence[Sequence[Step]]) -> bytes:
    """Where the way from a tag leads; the root of one tree is a leaf of the next."""
    value = tag
    for tree in trees:
        value = sha256(b"\0" + value).digest()
        for step in tree:
            pair = step.hash + value if step.left else value + step.hash
            value = sha256(b"\x01" + pair).digest()
    return value


def tags_of(fields: dict[str, Any], keys: Sequence[bytes]) -> list[bytes]:
    """What stands for the owner of these keys in an entry."""
    try:
        nonce = bytes.fromhex(fields["nonce"])
    except (KeyError, TypeError, ValueError):
        return []
    return [hmac.new(key, nonce, sha256).digest() for key in keys]


def signed_by_log(head: Head, logs: list[Key]) -> Key:
    if not logs:
        raise Trouble(USAGE, "Say which log you trust: --log-key KEY, or a log line in the policy.")
    if all(key.name != head.origin for key in logs):
        raise Trouble(
            FALSE, "The proof does not hold: it is from another log than the one you trust."
        )
    found = None
    for key in logs:
        for value in key.signed(head.lines) if key.name == head.origin else ():
            if not ed25519(key.public, head.body.encode(), value):
                raise Trouble(FALSE, "The proof does not hold: the log's signature is false.")
            found = found or key
    if found is None:
        raise Trouble(FALSE, "The proof does not hold: the log's key has not signed it.")
    return found


def root_of(leaf: bytes, place: int, path: Sequence[bytes], size: int) -> bytes | None:
    """Where the path leads (RFC 9162, section 2.1.3.2); None where it is too short or too long."""
    value, edge = sha256(b"\0" + leaf).digest(), size - 1
    for sibling in path:
        if not edge:
            return None
        if place & 1 or place == edge:
            value = sha256(b"\x01" + sibling + value).digest()
            while place and not place & 1:
                place, edge = place >> 1, edge >> 1
        else:
            value = sha256(b"\x01" + value + sibling).digest()
        place, edge = place >> 1, edge >> 1
    return None if edge else value


def cosigned(head: Head, policy: Policy) -> tuple[dict[str, int], list[str]]:
    """{name: second} of the witnesses who signed this head, and those whom this cannot check."""
    signed: dict[str, int] = {}
    unchecked = []
    for label, key in policy.witnesses.items():
        for value in key.signed(head.lines):
            if key.kind == QUANTUM_KEY:
                unchecked.append(label)
                continue
            at = int.from_bytes(value[:8], "big")
            message = f"cosignature/v1\ntime {at}\n{head.body}".encode()
            if not 0 < at < 2**63 or not ed25519(key.public, message, value[8:]):
                raise Trouble(
                    FALSE, f"The proof does not hold: the signature of {shown(key.name)} is false."
                )
            signed[label] = at
    return signed, unchecked


# --- plain words ----------------------------------------------------------------------------------


def shown(text: str) -> str:
    """As it can be shown on any screen: nothing in it turns, hides or rings."""
    return "".join(sign if " " < sign < "\x7f" else f"\\u{ord(sign):04x}" for sign in text)[:200]


def told(leaf: bytes) -> str:
    fields = fields_of(leaf)
    words = [
        f"{shown(name)} {shown(str(value))}"
        for name, value in sorted(fields.items())
        if value not in ("", None) and isinstance(value, (str, int))
    ]
    if not words:
        return f"{len(leaf)} bytes that are not one of Sayso's entries."
    return ", ".join(words) + "."


def fields_of(data: bytes) -> dict[str, Any]:
    """What stands in an entry, or in what it commits to; nothing where it is none of Sayso's."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


LATE = "subject:tagged"
WHAT = {
    "dataset:released": "a package was made ready",
    "dataset:refused": "what was asked for was refused",
    "download:given": "it was handed over",
    "inquiry:answered": "somebody asked about one person",
    "consent:given": "a yes was said",
    "consent:requested": "somebody was asked for a yes",
    "consent:deferred": "the answer comes later",
    "consent:refused": "the answer was no",
    "consent:signed": "a yes was signed that starts later",
    "consent:cancelled": "an ask, or a yes that had not started, was taken back",
    "consent:lapsed": "an ask ran out without a yes",
    "consent:renewed": "a yes was said again",
    "consent:narrowed": "a yes was made smaller",
    "consent:imported": "yeses on paper were taken in",
    "consent:paused": "a yes was paused",
    "consent:resumed": "a paused yes goes on",
    "consent:superseded": "a newer yes replaced an older one",
    "consent:withdrawn": "a yes was stopped",
    "consent:invalidated": "a yes was found not to count",
    "objection:made": "a no was said",
    "objection:narrowed": "a no was made smaller",
    "objection:lifting": "a no is to be taken back",
    "objection:kept": "a no stays after all",
    "objection:lifted": "a no was taken back",
    "correction:asked": "something was said to be wrong, or not to be shared for now",
    "correction:decided": "that was decided",
    "subject:assigned": "somebody began to help a person",
    "subject:transferred": "somebody helps her no more",
    "subject:read": "somebody looked at her list",
    "worker:blocked": "she keeps somebody away",
    "worker:unblocked": "she lets somebody see her list again",
    "speaker:recorded": "another person may speak for her",
    "speaker:ended": "that one may speak for her no more",
    "subject:linked": "she joined this record to another of hers",
    "subject:unlinked": "she took them apart again",
    "dispute:reported": "it is disputed who may speak for her",
    "dispute:resolved": "that was settled",
    "question:asked": "she asked something",
    "question:answered": "she was answered",
    "question:erased": "what she asked and was answered was erased",
    "shredding:asked": "somebody asked to cut a record from its person",
    "shredding:agreed": "a second person agreed to that",
    "shredding:halted": "that was called off",
}


def line(event: Event, keys: Sequence[bytes]) -> str:
    """One event that holds, in one line."""
    fields = fields_of(event.leaf)

    def said(name: str) -> str:
        value = fields.get(name)
        return shown(value) if isinstance(value, str) else ""

    words = [f"{said('time')[:16].replace('T', ' ')} UTC, {WHAT.get(said('type'), said('type'))}"]
    if event.detail is not None:
        found = fields_of(event.detail).get("columns")
        words.append(
            f"columns {shown(found)}" if isinstance(found, str) and found else "no columns"
        )
    if said("resource").startswith(("rel-", "inq-")):
        words.append(said("resource"))
    words += [each for each in (said("decision"), said("reason"), said("purpose")) if each]
    whose = "" if event.tag is None else ("; it is yours" if keys else "; with a person's tag")
    if event.later is not None:
        whose += f", which entry {event.later.place} bears: it was written while a key was away"
    return f"{', '.join(words)} (entry {event.place}{whose})."


def about(events: Sequence[Event], keys: Sequence[bytes]) -> str:
    """Of how many events it is shown that they are about the person, and of which it cannot be."""
    tagged = sum(event.tag is not None for event in events)
    if keys:
        return (
            f"Your key makes the tag of {tagged} of them: they are about you. The other "
            f"{len(events) - tagged} name no person in the log."
        )
    return (
        f"{tagged} of them have a person's tag. Whether that person is you only your own key can tell "
        f"(--own-key FILE). The other {len(events) - tagged} name no person in the log."
    )


def witnessed(policy: Policy, signed: dict[str, int], unchecked: list[str]) -> Iterator[str]:
    if unchecked:
        yield f"Not checked here, because of their kind of key: {', '.join(map(shown, unchecked))}."
    if not policy.witnesses:
        yield "You have named no witness: the log could show others another head (--policy FILE)."
        return
    names = [f"{shown(name)} at {moment(at)}" for name, at in sorted(signed.items())]
    yield (
        f"Of the {len(policy.witnesses)} witnesses you named these have signed the same head: "
        + (f"{', '.join(names)}." if names else "none.")
    )
    yield "That is enough." if policy.satisfied(signed) else "THAT IS NOT ENOUGH for your policy."


def moment(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")  # noqa: UP017 - 3.8
    except (OverflowError, ValueError, OSError):
        return "no time that there is"


def read(path: str, most: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise Trouble(USAGE, f"{shown(path)} cannot be read: {error.strerror}.") from None


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("proof", help="a .tlog-proof file, or a person's own list (zip)")
    parser.add_argument(
        "--log-key",
        action="append",
        default=[],
        metavar="KEY",
        help="the log's verifier key, name+id+base64; again for former keys",
    )
    parser.add_argument("--policy", metavar="FILE", help="logs, witnesses and how many are enough")
    parser.add_argument("--own-key", metavar="FILE", help="your own key, if you asked for it")
    parser.add_argument("--entry", metavar="FILE", help="the entry itself, if you have it")
    try:
        options = parser.parse_args(words)
    except SystemExit as ended:
        return USAGE if ended.code else HOLDS
    try:
        policy = Policy()
        if options.policy:
            policy.read(read(options.policy, LARGEST_FILE))
        policy.logs += [key_of(text, [LOG_KEY]) for text in options.log_key]
        entry = read(options.entry, LARGEST_FILE) if options.entry else None
        keys = own_keys(read(options.own_key, LARGEST_FILE)) if options.own_key else []
        says, code = check(read(options.proof, LARGEST_LIST), policy, entry, keys)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return trouble.code
    print("\n".join(says))
    return code


if __name__ == "__main__":
    sys.exit(main())
