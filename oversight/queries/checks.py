"""Everything that is compared, in the order in which it is told."""

from oversight.queries import (
    agreed,
    asked,
    asks,
    contested,
    handed,
    order,
    policies,
    releases,
    roots,
    said,
    tagged,
    texts,
    wiped,
    words,
)
from oversight.queries.looks import Check

CHECKS: tuple[tuple[str, Check], ...] = (
    *releases.CHECKS,
    *roots.CHECKS,
    *handed.CHECKS,
    *asked.CHECKS,
    *agreed.CHECKS,
    *policies.CHECKS,
    *said.CHECKS,
    *words.CHECKS,
    *asks.CHECKS,
    *contested.CHECKS,
    *tagged.CHECKS,
    *order.CHECKS,
    *wiped.CHECKS,
    *texts.CHECKS,
)
