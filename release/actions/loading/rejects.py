"""Rows that are refused: counted, and reported without a single value of theirs."""

import csv
import io
from dataclasses import dataclass

from common.errors import BadInput
from release.rules.values import Problem


class TooManyBadRows(BadInput):
    """More rows are bad than the mapping allows; `report` is the report's name in the store."""

    def __init__(self, report: str, message: str) -> None:
        super().__init__("too_many_bad_rows", message)
        self.report = report


@dataclass(frozen=True)
class Fault:
    """What was wrong at one place of the file; `column` is empty where it is the whole row."""

    line: int
    column: str
    problem: Problem


class Rejects:
    """The refused rows of one load; the report names the first `most` faults."""

    def __init__(self, most: int) -> None:
        self.rows = 0
        self._most = most
        self._faults: list[Fault] = []
        self._more = 0

    def add(self, faults: list[Fault]) -> None:
        """The faults of some more of the file; each refused row stands on a line of its own."""
        self.rows += len({fault.line for fault in faults})
        room = self._most - len(self._faults)
        self._faults.extend(sorted(faults, key=lambda fault: fault.line)[:room])
        self._more += max(0, len(faults) - room)

    def render(self) -> bytes:
        """The report as CSV in UTF-8."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["line", "column", "problem", "hint"])
        for fault in self._faults:
            hint = fault.problem.hint
            writer.writerow([fault.line, fault.column, fault.problem.trouble.value, hint])
        if self._more:
            writer.writerow(["", "", f"and {self._more} more", "correct these first"])
        return text.getvalue().encode()
