"""Worlds are made once in a run of the tests, and put back wherever the database is empty again.

Making a world by its real deeds takes half a second of processor time, putting its rows, keys and
sealed files back a twentieth of that. What is put back is what the deeds left, byte for byte; nothing
in it says how it came there. Where a test stands in another time, or has put something into the
database before, the deeds are done afresh.
"""

import copy
import sqlite3
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from pyrage import x25519

from governance.queries import noes
from governance.storage import noes_file
from tests.append_only import filled_tables, nothing_looked_at, triggers_lifted

AN_INSTANT = 2.0  # seconds
DO_MORE = {"audit_logentry"}  # its trigger writes down that the row waits for its entry
Row = tuple[Any, ...]
T = TypeVar("T")


@dataclass
class Kept:
    """One world: what stands in each table, the files beside it, and how its maker spoke of it."""

    tables: dict[str, bytes | list[Row]]
    service: dict[str, bytes]  # the service's own keys, under which all of it is sealed
    keys: dict[str, bytes]
    data: dict[str, bytes]
    noes: bytes
    world: Any
    # Tables whose triggers refuse or do more: found out when it is put back for the first time.
    refused: set[str] | None = None


_kept: dict[Hashable, Kept] = {}


def once(name: Hashable, make: Callable[[], T]) -> T:
    """What `make` makes, made by its deeds at most once where the database is empty."""
    name = (connection.vendor, name)
    moved = abs((timezone.now() - datetime.now(UTC)).total_seconds()) > AN_INSTANT
    if moved or filled_tables() or not _owned():
        return make()
    if name in _kept and _same_service(_kept[name]):
        return cast(T, _put_back(_kept[name]))
    keys, data = _names(settings.SAYSO_KEYS), _names(settings.SAYSO_DATA)
    world = make()
    new = _files(settings.SAYSO_KEYS, {each for each in keys if each.startswith("org-")})
    _kept[name] = Kept(
        tables={table: _rows(table) for table in filled_tables()},
        service={each: new[each] for each in new if _of_service(each)},
        keys={each: new[each] for each in new if each.startswith("org-")},
        data=_files(settings.SAYSO_DATA, data),
        noes=noes_file().path.read_bytes() if noes_file().path.exists() else b"",
        world=_copied(world),
    )
    return world


def _owned() -> bool:
    """Whether triggers may be lifted: roles that are not the owner do the deeds, as ever."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class"
            " WHERE oid = to_regclass('audit_detail')"
        )
        return bool(cursor.fetchone()[0])


def _of_service(name: str) -> bool:
    return name.startswith("service.") or name == "noes.recipient"


def _same_service(kept: Kept) -> bool:
    """Whether no key of the service was made or changed since."""
    return all(
        (settings.SAYSO_KEYS / name).exists()
        and (settings.SAYSO_KEYS / name).read_bytes() == content
        for name, content in kept.service.items()
    )


def _put_back(kept: Kept) -> Any:
    if connection.vendor == "sqlite":
        _insert_all(kept)
    else:
        with transaction.atomic(), nothing_looked_at(kept.tables.keys()):
            for table, rows in kept.tables.items():
                _insert(table, rows)
    _write(settings.SAYSO_KEYS, kept.keys)
    for name in _names(settings.SAYSO_DATA) - set(kept.data):
        (settings.SAYSO_DATA / name).unlink()  # of an earlier test in this world
    _write(settings.SAYSO_DATA, kept.data)
    if kept.noes:
        noes_file().path.write_bytes(kept.noes)
    noes._views.clear()
    cache.clear()  # the same people come in anew: no code of theirs was used, no try of theirs counts
    return _copied(kept.world)


def _insert_all(kept: Kept) -> None:
    """To lift one trigger costs as much as to insert a table: only those go that stand in the way."""
    with transaction.atomic():
        if kept.refused is None:
            kept.refused = {
                table for table in kept.tables if table in DO_MORE or not _taken(table, kept)
            }
        else:
            for table in kept.tables:  # in the same order: a trigger looks at what is there already
                if table not in kept.refused:
                    _insert(table, kept.tables[table])
        with triggers_lifted(kept.refused):
            for table in sorted(kept.refused):
                _insert(table, kept.tables[table])


def _taken(table: str, kept: Kept) -> bool:
    try:
        with transaction.atomic():
            _insert(table, kept.tables[table])
    except sqlite3.IntegrityError:
        return False
    return True


def _rows(table: str) -> bytes | list[Row]:
    """All rows, as the database itself spells them."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                return b"".join(bytes(piece) for piece in out)
        columns = cursor.execute(f'PRAGMA table_info("{table}")').fetchall()
        # A column behind a plus has no declared type, by which Django would read it.
        spelled = ", ".join(f'+"{name}"' for _, name, *_ in columns)
        cursor.execute(f'SELECT {spelled} FROM "{table}"')  # noqa: S608 - our own tables
        return [tuple(row) for row in cursor.fetchall()]


def _insert(table: str, rows: bytes | list[Row]) -> None:
    with connection.cursor() as cursor:
        if isinstance(rows, bytes):
            with cursor.copy(f'COPY "{table}" FROM STDIN') as into:
                into.write(rows)
        else:
            places = ", ".join(["?"] * len(rows[0]))
            cursor.connection.executemany(f'INSERT INTO "{table}" VALUES ({places})', rows)  # noqa: S608 - our own tables


def _names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def _files(folder: Path, besides: set[str]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in _names(folder) - besides}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(content)
            path.chmod(0o600)


def _copied(world: Any) -> Any:
    """Another world of the same, so that no test changes what the next one is given."""
    secrets = [each for each in vars(world).values() if isinstance(each, x25519.Identity)]
    return copy.deepcopy(world, {id(each): each for each in secrets})
