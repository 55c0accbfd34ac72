"""One `add-checkpoint`: every check of C2SP tlog-witness in its order, and then a cosignature."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus

from audit.tlog.asking import Request, parse_request
from audit.tlog.checkpoints import Checkpoint, parse_checkpoint
from audit.tlog.notes import Note, open_note, parse_note
from audit.tlog.texts import Malformed, Unproven
from audit.tlog.tree import EMPTY_ROOT, check_consistency
from audit.witness import store
from audit.witness.keys import AnyKey, signing
from audit.witness.store import Dispute, Head, Store

PLAIN = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


@dataclass(frozen=True)
class Answer:
    """What goes back: a status, and a body of this kind."""

    status: HTTPStatus
    body: str
    kind: str = PLAIN


@dataclass(frozen=True)
class Witness:
    """Its keys, all of one operator, and what it remembers."""

    keys: Sequence[AnyKey]
    store: Store

    def add_checkpoint(self, body: bytes, *, at: int) -> Answer:
        """200 with the cosignature lines; 400, 403, 404, 409 or 422 as the specification says.

        Checked and kept in one transaction: of two requests from the same old size one is signed,
        the other is told the new size. `at`: POSIX seconds.
        """
        try:
            request = parse_request(body)
            checkpoint = parse_checkpoint(parse_note(request.note).text)
        except Malformed as error:
            return _refused(HTTPStatus.BAD_REQUEST, str(error))
        with self.store.writing() as database:
            return self._judged(database, request, checkpoint, at)

    def _judged(
        self, database: sqlite3.Connection, request: Request, checkpoint: Checkpoint, at: int
    ) -> Answer:
        verifiers = store.verifiers(database, checkpoint.origin)
        if not verifiers:
            return _refused(HTTPStatus.NOT_FOUND, "This witness does not watch this log.")
        try:
            open_note(request.note, verifiers)
        except Unproven as error:
            return _refused(HTTPStatus.FORBIDDEN, str(error))
        if request.old > checkpoint.size:
            return _refused(HTTPStatus.BAD_REQUEST, "The old size is larger than the checkpoint's.")
        held = store.head(database, checkpoint.origin) or Head(0, EMPTY_ROOT, "")
        if request.old != held.size:
            return Answer(HTTPStatus.CONFLICT, f"{held.size}\n", SIZE)
        try:
            # Also of an empty tree: its root is known, and the held one of a log never seen.
            check_consistency(
                old=held.size,
                new=checkpoint.size,
                old_root=held.root,
                new_root=checkpoint.root,
                path=request.path,
            )
        except Unproven as error:
            # The log's own key has signed it: that is worth keeping.
            found = Dispute(checkpoint.origin, at, str(error), held.note, request.render())
            store.dispute(database, found)
            return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        return self._signed(database, request, checkpoint, at)

    def _signed(
        self, database: sqlite3.Connection, request: Request, checkpoint: Checkpoint, at: int
    ) -> Answer:
        received = parse_note(request.note)
        trusted = {
            (each.name, each.key_id) for each in store.verifiers(database, checkpoint.origin)
        }
        # Of what stood below, the log's own lines: nobody else's are kept or shown here.
        own = tuple(one for one in received.signatures if (one.name, one.key_id) in trusted)
        note = Note(received.text, own)
        for key in self.keys:
            note = signing(key, at).sign(note)
        kept = Head(checkpoint.size, checkpoint.root, note.render())
        store.keep(database, checkpoint.origin, kept)
        lines = (one.line() for one in note.signatures[len(own) :])
        return Answer(HTTPStatus.OK, "".join(lines))

    def checkpoint(self, origin_hash: str) -> Answer:
        """The largest head of one log, with the log's signature and this witness's."""
        with closing(self.store.reading()) as database:
            for origin in store.origins(database):
                if sha256(origin.encode()).hexdigest() == origin_hash:
                    found = store.head(database, origin)
                    if found is not None:
                        return Answer(HTTPStatus.OK, found.note)
        return _refused(HTTPStatus.NOT_FOUND, "Nothing of such a log was signed here.")


def _refused(status: HTTPStatus, says: str) -> Answer:
    return Answer(status, f"{says}\n")
