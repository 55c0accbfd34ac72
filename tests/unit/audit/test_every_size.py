"""Every inclusion and every consistency proof of every tree up to 130 entries.

The reference here is RFC 6962, sections 2.1 to 2.1.2, written down once more as it stands there:
PATH and PROOF by recursion, sharing nothing with the code under test but SHA-256.
"""

from functools import cache
from hashlib import sha256

import pytest

from audit.tlog.texts import Unproven
from audit.tlog.tree import (
    Edge,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    stored_root,
)

MOST = 130
LEAVES = [leaf_hash(number.to_bytes(2)) for number in range(MOST)]


@cache
def head(first, last):
    """MTH(D[first:last])."""
    if last - first == 0:
        return sha256(b"").digest()
    if last - first == 1:
        return LEAVES[first]
    middle = first + split(last - first)
    return sha256(b"\x01" + head(first, middle) + head(middle, last)).digest()


def split(length):
    power = 1
    while power * 2 < length:
        power *= 2
    return power


def path(index, first, last):
    """PATH(index, D[first:last])."""
    if last - first == 1:
        return []
    middle = first + split(last - first)
    if index < middle - first:
        return [*path(index, first, middle), head(middle, last)]
    return [*path(index - (middle - first), middle, last), head(first, middle)]


def proof(old, first, last, *, whole):
    """SUBPROOF(old, D[first:last], whole)."""
    if old == last - first:
        return [] if whole else [head(first, last)]
    half = split(last - first)
    middle = first + half
    if old <= half:
        return [*proof(old, first, middle, whole=whole), head(middle, last)]
    return [*proof(old - half, middle, last, whole=False), head(first, middle)]


def stored(places):
    return {(level, index): head(index << level, (index + 1) << level) for level, index in places}


def test_every_root_is_the_one_of_the_rfc():
    edge = Edge()
    for size in range(MOST + 1):
        assert edge.root() == root_of(LEAVES[:size]) == stored_root(size, stored) == head(0, size)
        if size < MOST:
            edge.append(LEAVES[size])


# Roots over the same entries, by pymerkle 7.0.0 (`InmemoryTree`, SHA-256): SHA-256 over those of the
# sizes 1 to 130 in a row, and the last one. The library itself is no dependency, not even of tests: it
# is under the GPL 3 or later where this project is under Apache 2.0, it pins one exact version of
# another library, and its consistency proofs are not those of RFC 6962; its roots are.
PYMERKLE_ALL = "a1f3c71794e6af290ec5305b8f82334a7116625c536d1c831b3db483a0146d32"
PYMERKLE_LAST = "6a24d05c0a48bc46e7f07e1d26a8c374a80a7e4db945118ea80775c63721cd07"


def test_every_root_is_the_one_that_pymerkle_gives():
    roots = [root_of(LEAVES[:size]) for size in range(1, MOST + 1)]
    assert roots[-1].hex() == PYMERKLE_LAST
    assert sha256(b"".join(roots)).hexdigest() == PYMERKLE_ALL


def test_every_inclusion_proof_is_the_one_of_the_rfc_and_proves_its_leaf():
    for size in range(1, MOST + 1):
        for index in range(size):
            found = inclusion_proof(index, size, stored)
            assert found == path(index, 0, size)
            check_inclusion(
                leaf=LEAVES[index], index=index, size=size, path=found, root=head(0, size)
            )


def test_every_consistency_proof_is_the_one_of_the_rfc_and_proves_its_beginning():
    for new in range(1, MOST + 1):
        for old in range(1, new + 1):
            found = consistency_proof(old, new, stored)
            assert found == proof(old, 0, new, whole=True)
            check_consistency(
                old=old, new=new, old_root=head(0, old), new_root=head(0, new), path=found
            )


@pytest.mark.parametrize("size", [2, 3, 64, 65, 127, 128, 129, 130])
def test_no_proof_proves_another_place_or_another_root(size):
    for index in range(size):
        found = inclusion_proof(index, size, stored)
        wrong = {"leaf": LEAVES[index], "size": size, "path": found, "root": head(0, size)}
        for other in {0, index ^ 1, size - 1} - {index}:
            if other < size:
                with pytest.raises(Unproven):
                    check_inclusion(index=other, **wrong)
        with pytest.raises(Unproven):
            check_inclusion(index=index, **{**wrong, "root": head(0, size - 1)})
