"""Who invites whom, what nobody does at once, whose two hands count: the tables, line by line."""

import hashlib
import subprocess
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrage import x25519

from common import codes
from governance.rules import (
    ANYWHERE,
    IN_ONE_PLACE,
    INVITERS,
    Around,
    Hands,
    combination_fault,
    fingerprint,
    hands,
    pair_fault,
)
from governance.vocabulary import Role

HERE, THERE = 1, 2
# Every two different roles: apart "anywhere", apart "here" (in one organisation), or "" (together).
APART = {
    ("administrator", "advocate"): "",
    ("administrator", "auditor"): "here",
    ("administrator", "board_member"): "",
    ("administrator", "requester"): "",
    ("administrator", "steward"): "",
    ("advocate", "auditor"): "here",
    ("advocate", "board_member"): "",
    ("advocate", "requester"): "anywhere",
    ("advocate", "steward"): "",
    ("auditor", "board_member"): "here",
    ("auditor", "requester"): "here",
    ("auditor", "steward"): "here",
    ("board_member", "requester"): "anywhere",
    ("board_member", "steward"): "",
    ("requester", "steward"): "anywhere",
}


def test_the_table_has_every_pair_of_roles_once():
    assert set(APART) == set(combinations(sorted(Role.values), 2))
    assert set(INVITERS) == set(Role)
    assert not set(ANYWHERE) & set(IN_ONE_PLACE)


@pytest.mark.parametrize(("pair", "where"), APART.items())
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_two_roles_go_together_or_not_as_the_table_says(pair, where, turned, elsewhere):
    held, wanted = reversed(pair) if turned else pair
    fault = combination_fault([(THERE if elsewhere else HERE, held)], HERE, [wanted])
    assert bool(fault) == (where == "anywhere" or (where == "here" and not elsewhere))


@pytest.mark.parametrize(("pair", "where"), APART.items())
def test_two_roles_wanted_at_once_are_held_to_the_same_table(pair, where):
    assert bool(combination_fault([], HERE, pair)) == bool(where)


def test_a_role_goes_with_itself_elsewhere():
    assert not any(combination_fault([(THERE, role)], HERE, [role]) for role in Role)


PERSON = 1
users = st.frozensets(st.integers(1, 6), max_size=6)


@given(users, users, users)
def test_the_person_is_never_one_of_the_hands_and_nearer_ones_come_first(own, community, verified):
    found = hands(Around(PERSON, own, community, verified))
    assert PERSON not in found.users
    near = own - {PERSON}
    wide = (own | community) - {PERSON}
    if len(near) >= 2:
        assert found == Hands(near, operator=False)
    elif len(wide) >= 2:
        assert found == Hands(wide, operator=False)
    else:
        assert found.operator
        assert found.users == (wide or verified - {PERSON})


@given(users, st.booleans())
def test_two_hands_are_two_and_both_count(members, operator):
    allowed = Hands(members, operator)
    everybody = [None, *range(1, 8)]
    for first, second in product(everybody, repeat=2):
        good = not pair_fault(first, second, allowed)
        humans = {first, second} - {None}
        assert good == (
            first != second and humans <= members and (None in (first, second)) == operator
        )
        if good:
            assert humans, "the operator alone is never enough"


def test_a_code_is_read_whatever_its_dress():
    code = codes.fresh()
    assert len(code) == 19
    kept = codes.digest(code, "x")
    for dressed in (code.upper(), code.replace("-", " "), f" {code.replace('-', '')}\t"):
        assert codes.digest(dressed, "x") == kept
    assert codes.digest(code, "y") != kept
    assert codes.digest(codes.fresh(), "x") != kept
    assert code not in kept


def test_a_fingerprint_is_what_the_recipients_own_computer_shows():
    key = str(x25519.Identity.generate().to_public())
    shown = subprocess.run(
        ["sha256sum"], input=f"{key}\n", capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[0] == fingerprint(f"  {key.upper()} ")
    assert fingerprint(key) == hashlib.sha256(f"{key}\n".encode()).hexdigest()
