"""Make every secret of a new installation, each in a file of its own; what is there stays.

    python3 scripts/make_secrets.py FOLDER [--database-host HOST] [--owner UID]

Needs nothing but Python. The files: django (signs sessions), metrics (the token of /metrics),
superuser, owner, app, sequencer, auditor (passwords of the database) and owner_url, app_url,
sequencer_url, auditor_url, superuser_url (the addresses that hold them).
"""

import argparse
import os
import secrets
from pathlib import Path

ROLES = ("owner", "app", "sequencer", "auditor")


def keep(path: Path, text: str, owner: int | None) -> str:
    """The file's text; written first where there is none, for its owner's eyes only."""
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
        print(f"{path.name}: made")
    else:
        print(f"{path.name}: already there, left as it is")
    if owner is not None:
        os.chown(path, owner, owner)
    return path.read_text(encoding="ascii").strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database-host", default="127.0.0.1")
    parser.add_argument("--database-port", type=int, default=5432)
    parser.add_argument("--database", default="sayso", help="the database's name")
    parser.add_argument("--prefix", default="sayso", help="what the roles' names begin with")
    parser.add_argument("--owner", type=int, help="the user number the files shall belong to")
    options = parser.parse_args()
    folder, owner = options.folder, options.owner
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if owner is not None:
        os.chown(folder, owner, owner)
    for name in ("django", "metrics"):
        keep(folder / name, secrets.token_urlsafe(50), owner)
    names = {"superuser": "postgres"} | {role: f"{options.prefix}_{role}" for role in ROLES}
    for role, name in names.items():
        word = keep(folder / role, secrets.token_urlsafe(32), owner)
        where = f"{options.database_host}:{options.database_port}/{options.database}"
        keep(folder / f"{role}_url", f"postgres://{name}:{word}@{where}", owner)


if __name__ == "__main__":
    main()
