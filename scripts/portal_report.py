"""The survivors' pages and the helpers' beside them, measured against their goals.

Prints one line for each goal: what it is, what was measured, and whether it was met. Ends with 1 where
one was missed or could not be measured to its end, and says which.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
MET, MISSED, ABSENT = "met", "missed", "not measured"


def measured(report: Path) -> list[dict[str, str]]:
    """What the measuring wrote down, one object in each line."""
    if not report.exists():
        return []
    return [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


def table(rows: list[dict[str, str]]) -> str:
    head = {"name": "goal", "goal": "asked for", "ours": "ours", "verdict": ""}
    widths = {key: max(len(row[key]) for row in [head, *rows]) for key in head}
    lines = [
        "  ".join(row[key].ljust(width) for key, width in widths.items()).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "goals.jsonl"
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", "goals", "tests/functional"],
            cwd=BASE,
            env={**os.environ, "PORTAL_REPORT": str(report)},
            check=False,
        )
        rows = measured(report)
    print("\n" + table(rows))
    missed = [row["name"] for row in rows if row["verdict"] == MISSED]
    absent = [row["name"] for row in rows if row["verdict"] == ABSENT]
    print(f"\n{len(rows) - len(missed) - len(absent)} of {len(rows)} goals met", end="")
    print(f"; missed: {', '.join(missed)}" if missed else "", end="")
    print(f"; not measured: {', '.join(absent)}" if absent else "")
    return 0 if rows and not missed and ended.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
