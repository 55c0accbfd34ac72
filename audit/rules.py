"""What a leaf of the log is made of. Pure: the same fields always give the same bytes."""

import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.tlog.canonical import Flat, canonical_bytes
from audit.tlog.subjects import subjects_root
from audit.vocabulary import LARGEST_EPOCH, LARGEST_LEAF, Burst, Decision, EntryType, Via

VERSION = 1
NONCE_SIZE = 16
HASH_SIZE = 32
SEALING = 12  # random bytes before a sealed detail
MASK = "(not kept)"
SALT_SIZE = 32  # bytes, of what a row said when its entry was written
_SPELLED = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # quick: of many rows
SAID, MARK = "said:", 16  # before the name of each thing; bytes of each thing's mark

WINDOW = timedelta(minutes=15)
# How many failed sign-ins within the window are a burst: more than somebody needs who has forgotten
# her words, or than a shelter needs whose people share one address; and how many bursts at one door
# are too many to be written one by one.
BURST: Mapping[Burst, int] = {Burst.ONE_ACCOUNT: 10, Burst.ONE_ADDRESS: 30, Burst.MANY: 10}
PREFIX = 64  # of an IPv6 address; the rest of it one caller can change at will

# A leaf is read by strangers: it holds opaque words, never a sentence, an address or a mail.
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/,+=-]{0,199}\Z", re.ASCII)
DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


@dataclass(frozen=True)
class Leaf:
    """The fields of one entry, as they stand in its leaf."""

    type: str
    time: datetime
    actor: str
    via: str
    purpose: str
    resource: str
    decision: str
    reason: str
    policy: str
    epoch_everyone: int | None
    epoch_scope: int | None
    subjects_root: bytes | None
    subjects_band: str
    detail_commit: str
    nonce: bytes
    version: int = VERSION


def check_leaf(leaf: Leaf) -> None:
    """Raises `ValueError` naming the first field that has no place in a leaf."""
    EntryType(leaf.type), Via(leaf.via), Decision(leaf.decision)
    if leaf.time.tzinfo is None:
        raise ValueError("The time of an entry has a time zone.")
    _check_words(leaf)
    for name, digest in {"policy": leaf.policy, "detail_commit": leaf.detail_commit}.items():
        if digest and not DIGEST.match(digest):
            raise ValueError(f"The {name} of an entry is empty or 64 hexadecimal digits.")
    for epoch in (leaf.epoch_everyone, leaf.epoch_scope):
        if epoch is not None and not 0 <= epoch <= LARGEST_EPOCH:
            raise ValueError("An epoch of an entry lies between 0 and 2^53 - 1.")
    if leaf.subjects_root is not None and len(leaf.subjects_root) != HASH_SIZE:
        raise ValueError(f"The subjects' root of an entry has {HASH_SIZE} bytes.")
    if len(leaf.nonce) != NONCE_SIZE:
        raise ValueError(f"The nonce of an entry has {NONCE_SIZE} bytes.")


def _check_words(leaf: Leaf) -> None:
    if not WORD.match(leaf.actor):
        raise ValueError("The actor of an entry is one opaque word.")
    words = {"purpose": leaf.purpose, "resource": leaf.resource, "reason": leaf.reason}
    for name, word in words.items():
        if word and not WORD.match(word):
            raise ValueError(f"The {name} of an entry is empty or one opaque word.")


def leaf_bytes(leaf: Leaf) -> bytes:
    """The canonical JSON that goes into the tree."""
    fields: dict[str, Flat] = {
        "version": leaf.version,
        "type": str(leaf.type),
        "time": spelled_time(leaf.time),
        "actor": leaf.actor,
        "via": str(leaf.via),
        "purpose": leaf.purpose,
        "resource": leaf.resource,
        "decision": str(leaf.decision),
        "reason": leaf.reason,
        "policy": leaf.policy,
        "epoch_everyone": leaf.epoch_everyone,
        "epoch_scope": leaf.epoch_scope,
        "subjects_root": None if leaf.subjects_root is None else leaf.subjects_root.hex(),
        "subjects_band": leaf.subjects_band,
        "detail_commit": leaf.detail_commit,
        "nonce": leaf.nonce.hex(),
    }
    data = canonical_bytes(fields)
    if len(data) > LARGEST_LEAF:
        raise ValueError(f"A leaf has at most {LARGEST_LEAF} bytes.")
    return data


def spelled_time(moment: datetime) -> str:
    """UTC with microseconds, always of the same length."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def band(count: int) -> str:
    """A count as the log tells it: 0, 1, 2-10, 11-100, 101-1000 and on by tens."""
    if count < 0:
        raise ValueError("A count is not below zero.")
    if count < 2:
        return str(count)
    upper = 10
    while count > upper:
        upper *= 10
    return f"{max(upper // 10 + 1, 2)}-{upper}"


def tag(subject_key: bytes, nonce: bytes) -> bytes:
    """How one person stands in one entry: nothing to anyone without the person's key."""
    if len(subject_key) < 32 or len(nonce) != NONCE_SIZE:
        raise ValueError("A tag is made of a key of 32 bytes or more and an entry's nonce.")
    return hmac.digest(subject_key, nonce, "sha256")


def sealed_detail(own_key: bytes, nonce: bytes, randomness: bytes, text: str) -> bytes:
    """Words beside an entry, under a key of one person's own; `nonce` is the entry's.

    `randomness`: 12 bytes that were never used before. AES-256-GCM with the nonce as additional
    data: it opens beside no other entry.
    """
    cipher = AESGCM(_detail_key(own_key))
    return randomness + cipher.encrypt(randomness, text.encode(), nonce)


def opened_detail(own_key: bytes, nonce: bytes, sealed: bytes) -> str:
    """Raises ValueError where it is another key, another entry's, or was altered."""
    try:
        cipher = AESGCM(_detail_key(own_key))
        return cipher.decrypt(sealed[:SEALING], sealed[SEALING:], nonce).decode()
    except InvalidTag as error:
        raise ValueError("This detail does not open.") from error


def _detail_key(own_key: bytes) -> bytes:
    return hmac.digest(own_key, b"sayso detail", "sha256")


def committed(salt: bytes, said: Mapping[str, str]) -> bytes:
    """What is kept beside an entry about one row: each thing the row says, under a salt of its own.

    It says nothing of any of them to whoever has not got the row; with the row, it names what in it
    was changed. `salt`: 32 bytes that were never used before. The leaf holds the digest of it all.
    """
    marks: dict[str, Flat] = {
        f"{SAID}{name}": _mark(salt, {name: value})[:MARK].hex() for name, value in said.items()
    }
    return canonical_bytes({"salt": salt.hex(), **marks})


def committed_together(salt: bytes, rows: Iterable[Mapping[str, str]]) -> bytes:
    """The same of many rows in whatever order: one root over them, and how many they are."""
    marks = [_mark(salt, said) for said in rows]
    root = subjects_root(marks).hex()
    return canonical_bytes({"salt": salt.hex(), "root": root, "count": len(marks)})


def said_otherwise(kept: bytes, said: Mapping[str, str]) -> tuple[str, ...]:
    """What of a row is not as it was committed to; what was not committed to is passed over.

    Raises ValueError where it is not about one row.
    """
    beside: Mapping[str, str] = json.loads(kept)
    if is_together(kept):
        raise ValueError("This is about many rows.")
    salt = bytes.fromhex(beside["salt"])
    return tuple(
        name
        for name, value in said.items()
        if beside.get(f"{SAID}{name}", "") not in {"", _mark(salt, {name: value})[:MARK].hex()}
    )


def is_together(kept: bytes) -> bool:
    """Whether it was kept beside an entry about many rows."""
    return "root" in json.loads(kept)


def said_together(kept: bytes, rows: Iterable[Mapping[str, str]]) -> bool:
    """Whether these are exactly the rows that it was made of."""
    return kept == committed_together(bytes.fromhex(json.loads(kept)["salt"]), rows)


def _mark(salt: bytes, said: Mapping[str, str]) -> bytes:
    return hmac.digest(salt, _SPELLED(said).encode(), "sha256")


def policy_digest(policy: Mapping[str, Flat]) -> str:
    """The digest of the rules a decision was made by."""
    return sha256(canonical_bytes(policy)).hexdigest()


def journal_digest(salt: bytes, row: Mapping[str, Flat]) -> str:
    """The digest of one change-journal row; the salt keeps it from being guessed."""
    return sha256(salt + canonical_bytes(row)).hexdigest()


def masked(value: str) -> str:
    """What the change journal keeps of a value that is nobody's to read: that it changed.

    Always the same, since half a value, or its length, would tell on it.
    """
    return MASK


def network(address: str) -> str:
    """The part of an address that one caller cannot easily change; the text itself where it is
    no address."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return address.strip()
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Network((int(found), PREFIX), strict=False))
    return str(found)
