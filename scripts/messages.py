"""The message catalogues: gather texts, compile, and check that both are current.

`check` gathers into a copy and compares, so it changes nothing. English is the source language:
its catalogue only has to exist; every other language must have each text, none doubtful.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polib

BASE = Path(__file__).resolve().parent.parent
SOURCES = [
    *("audit", "common", "config", "consent", "governance", "interop", "oversight", "release"),
    *("portal", "desk", "api", "templates", "locale"),
]
TRANSLATED = ["es"]


def catalogue(base: Path, language: str) -> Path:
    return base / "locale" / language / "LC_MESSAGES" / "django.po"


def gather(base: Path) -> None:
    """Let Django's own command read every source and template under `base`."""
    for language in ["en", *TRANSLATED]:
        catalogue(base, language).parent.mkdir(parents=True, exist_ok=True)
    languages = [part for language in ["en", *TRANSLATED] for part in ("-l", language)]
    command = [
        *(sys.executable, "-m", "django", "makemessages", *languages),
        *("--no-obsolete", "--no-location", "--no-wrap", "--ignore=var", "--ignore=.venv"),
    ]
    ended = subprocess.run(command, cwd=base, check=False, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"The texts could not be gathered.\n{ended.stderr}")


@contextmanager
def gathered() -> Iterator[Path]:
    """A copy of the sources with freshly gathered catalogues."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder)
        for name in SOURCES:
            if (BASE / name).is_dir():
                shutil.copytree(BASE / name, fresh / name)
        gather(fresh)
        yield fresh


def write(source: Path, kept: Path, language: str) -> None:
    """The catalogue with a header that says nothing of the day or the machine."""
    catalogue_file = polib.pofile(str(source), wrapwidth=0)
    catalogue_file.header = f"Texts of Sayso, {language}."
    catalogue_file.metadata_is_fuzzy = False
    catalogue_file.metadata = {
        "Project-Id-Version": "Sayso",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    catalogue_file.save(str(kept))


def compile_catalogue(source: Path) -> bytes:
    return bytes(polib.pofile(str(source)).to_binary())


def texts(source: Path) -> set[tuple[str, str, str]]:
    return {(e.msgctxt or "", e.msgid, e.msgid_plural or "") for e in polib.pofile(str(source))}


def faults(fresh: Path) -> list[str]:
    """What is wrong with the catalogues in the tree, compared with freshly gathered ones."""
    found: list[str] = []
    for language in ["en", *TRANSLATED]:
        kept = catalogue(BASE, language)
        if not kept.exists():
            found.append(f"{language}: there is no catalogue.")
            continue
        wanted, held = texts(catalogue(fresh, language)), texts(kept)
        found += [f"{language}: not gathered yet: {entry[1]!r}" for entry in sorted(wanted - held)]
        found += [f"{language}: used nowhere: {entry[1]!r}" for entry in sorted(held - wanted)]
        if language in TRANSLATED:
            entries = polib.pofile(str(kept))
            found += [
                f"{language}: not translated: {e.msgid!r}" for e in entries.untranslated_entries()
            ]
            found += [f"{language}: doubtful: {e.msgid!r}" for e in entries.fuzzy_entries()]
        compiled = kept.with_suffix(".mo")
        if not compiled.exists() or compiled.read_bytes() != compile_catalogue(kept):
            found.append(f"{language}: the compiled catalogue is not current.")
    return found


def check() -> int:
    if shutil.which("xgettext") is None:
        print("Message catalogues: not checked, gettext is not installed.")
        return 0
    with gathered() as fresh:
        found = faults(fresh)
    for fault in found:
        print(fault)
    print("Message catalogues: " + ("run `make messages`." if found else "current."))
    return 1 if found else 0


def update() -> int:
    if shutil.which("xgettext") is None:
        sys.exit("gettext is not installed (Debian: apt-get install gettext).")
    with gathered() as fresh:
        for language in ["en", *TRANSLATED]:
            kept = catalogue(BASE, language)
            kept.parent.mkdir(parents=True, exist_ok=True)
            write(catalogue(fresh, language), kept, language)
            kept.with_suffix(".mo").write_bytes(compile_catalogue(kept))
            missing = len(polib.pofile(str(kept)).untranslated_entries())
            print(f"{language}: {len(texts(kept))} texts, {missing} without a translation")
    return 0


if __name__ == "__main__":
    sys.exit({"check": check, "update": update}[sys.argv[1]]())
