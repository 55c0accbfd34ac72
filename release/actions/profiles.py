"""A file is looked through before anybody maps it."""

from pathlib import Path

from release.actions.loading.limits import LIMITS, Limits
from release.actions.loading.profiling import look_through
from release.actions.loading.sources import opened
from release.queries import versions
from release.rules import drafts


def draft(*, file: Path, limits: Limits = LIMITS) -> str:
    """A mapping file for this file, as text, with what is not certain as comments.

    Reads the file once and keeps nothing of it. Raises BadInput where it could not be loaded.
    """
    with opened(file) as given:
        facts, columns = look_through(given, limits)
    return drafts.draft(facts, columns, versions.standard_shapes())
