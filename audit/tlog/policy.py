"""C2SP tlog-policy, whose cosignatures make a checkpoint count: https://c2sp.org/tlog-policy."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from audit.tlog.cosignatures import AnyCosigner, parse_cosigner
from audit.tlog.notes import Signature, Verifier, parse_verifier
from audit.tlog.texts import Malformed, Unproven

NONE = "none"
MOST = 64  # of each: logs, witnesses, groups
LARGEST_POLICY = 262_144


@dataclass(frozen=True)
class Witness:
    """One witness: the policy's own name for it, its key, and where it answers (may be empty)."""

    name: str
    cosigner: AnyCosigner
    url: str = ""


@dataclass(frozen=True)
class Group:
    """Counts as having signed once `least` of its members have; members are witnesses or groups."""

    least: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Logs, witnesses, groups of them, and the one whose word is needed (`none`: nobody's)."""

    logs: tuple[Verifier, ...] = ()
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    def satisfied(self, signed: Collection[str]) -> bool:
        """Whether the witnesses of these names are enough."""
        return self.quorum == NONE or self._counts(self.quorum, frozenset(signed))

    def signed_by(self, text: str, signatures: Collection[Signature]) -> set[str]:
        """The names of the witnesses who truly cosigned `text` with one of these signatures.

        A line of a known witness that is not over this text counts for nothing here.
        """
        return {
            name
            for name, witness in self.witnesses.items()
            if any(_holds(witness.cosigner, text, each) for each in signatures)
        }

    def _counts(self, name: str, signed: frozenset[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in signed
        return sum(self._counts(member, signed) for member in group.members) >= group.least


def _holds(cosigner: AnyCosigner, text: str, signature: Signature) -> bool:
    if (signature.name, signature.key_id) != (cosigner.name, cosigner.key_id):
        return False
    try:
        cosigner.check(text, signature.value)
    except (Malformed, Unproven):
        return False
    return True


def parse_policy(data: bytes) -> Policy:
    """Reads a policy file. Names are octets to the specification; here they stand as Latin-1."""
    if len(data) > LARGEST_POLICY:
        raise Malformed(f"A policy has {LARGEST_POLICY} bytes at most.")
    if any((byte < 0x20 and byte not in b"\t\n") or byte == 0x7F for byte in data):
        raise Malformed("A policy holds no control character but tab and newline.")
    if data and not data.endswith(b"\n"):
        raise Malformed("Each line of a policy ends with a newline.")
    reading = _Reading()
    for number, line in enumerate(data.decode("latin-1").split("\n"), start=1):
        items = [item for item in line.replace("\t", " ").split(" ") if item]
        if items and not items[0].startswith("#"):
            try:
                reading.take(items[0], items[1:])
            except Malformed as error:
                raise Malformed(f"Line {number} of the policy: {error}") from None
    if reading.quorum is None:
        raise Malformed("The policy has no quorum line.")
    return Policy(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.logs: list[Verifier] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self.members: set[str] = set()

    def take(self, word: str, rest: list[str]) -> None:
        lines = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if word not in lines:
            raise Malformed("it begins with none of log, witness, group, quorum.")
        lines[word](rest)

    def _log(self, rest: list[str]) -> None:
        if len(rest) not in {1, 2}:
            raise Malformed("write log, a verifier key, and perhaps an address.")
        log = parse_verifier(_utf8(rest[0]))
        if any(log.public_key == other.public_key for other in self.logs):
            raise Malformed("this log's key stands there twice.")
        _room(self.logs)
        self.logs.append(log)

    def _witness(self, rest: list[str]) -> None:
        if len(rest) not in {2, 3}:
            raise Malformed("write witness, a name, a verifier key, and perhaps an address.")
        name, key, *url = rest
        self._new(name)
        cosigner = parse_cosigner(_utf8(key))
        if any(
            cosigner.public_key == other.cosigner.public_key for other in self.witnesses.values()
        ):
            raise Malformed("this witness's key stands there twice.")
        _room(self.witnesses)
        self.witnesses[name] = Witness(name, cosigner, _address(url[0]) if url else "")

    def _group(self, rest: list[str]) -> None:
        if len(rest) < 3:
            raise Malformed("write group, a name, all, any or a number, and its members.")
        name, many, *members = rest
        self._new(name)
        if len(set(members)) != len(members) or self.members & set(members):
            raise Malformed("each name is a member once, of one group.")
        if not set(members) <= {*self.witnesses, *self.groups}:
            raise Malformed("each member is a witness or a group of a line before.")
        _room(self.groups)
        self.groups[name] = Group(_least(many, len(members)), tuple(members))
        self.members |= set(members)

    def _quorum(self, rest: list[str]) -> None:
        if self.quorum is not None:
            raise Malformed("there is one quorum line.")
        if len(rest) != 1 or rest[0] not in {NONE, *self.witnesses, *self.groups}:
            raise Malformed("write quorum and none, or a witness or a group of a line before.")
        self.quorum = rest[0]

    def _new(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise Malformed("this name is taken.")


def _least(many: str, of: int) -> int:
    if many in {"all", "any"}:
        return of if many == "all" else 1
    if not (many.isascii() and many.isdigit()) or many.startswith("0") or len(many) > 4:
        raise Malformed("write all, any or a number without leading zeros.")
    if int(many) > of:
        raise Malformed("no more can be asked for than there are members.")
    return int(many)


def _room(already: Collection[object]) -> None:
    if len(already) >= MOST:
        raise Malformed(f"{MOST} of a kind are the most.")


def _utf8(octets: str) -> str:
    """A key's name is a note's, and a note is UTF-8."""
    try:
        return octets.encode("latin-1").decode()
    except UnicodeDecodeError:
        raise Malformed("the key's name is not UTF-8.") from None


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Malformed("its address is none.") from None
    plain = not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not plain or port == 0:
        raise Malformed("its address is one of https:// or http://, without query or password.")
    return text.rstrip("/")
