"""What may stand in a leaf, and that the same fields always make the same bytes."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules import (
    Leaf,
    band,
    check_leaf,
    journal_digest,
    leaf_bytes,
    network,
    policy_digest,
    tag,
)
from audit.tlog.canonical import Flat, canonical_bytes, parse_canonical
from audit.tlog.subjects import check_subject, sorted_tags, subject_path, subjects_root
from audit.tlog.texts import Malformed, Unproven
from audit.tlog.tree import EMPTY_ROOT, leaf_hash, root_of
from audit.vocabulary import LARGEST_EPOCH, EntryType

LEAF = Leaf(
    type="consent:given",
    time=datetime(2026, 11, 1, 9, 30, 0, 5, tzinfo=UTC),
    actor="person",
    via="portal",
    purpose="housing",
    resource="ab" * 32,
    decision="done",
    reason="",
    policy="",
    epoch_everyone=3,
    epoch_scope=None,
    subjects_root=b"\x01" * 32,
    subjects_band="1",
    detail_commit="",
    nonce=bytes(range(16)),
)


def test_a_leaf_is_canonical_json_of_all_its_fields():
    data = leaf_bytes(LEAF)
    assert set(parse_canonical(data)) == {field.name for field in fields(Leaf)}
    assert data == (
        b'{"actor":"person","decision":"done","detail_commit":"","epoch_everyone":3,'
        b'"epoch_scope":null,"nonce":"000102030405060708090a0b0c0d0e0f","policy":"",'
        b'"purpose":"housing","reason":"","resource":"' + b"ab" * 32 + b'","subjects_band":"1",'
        b'"subjects_root":"' + b"01" * 32 + b'","time":"2026-11-01T09:30:00.000005Z",'
        b'"type":"consent:given","version":1,"via":"portal"}'
    )


def test_the_same_moment_in_another_time_zone_makes_the_same_leaf():
    there = LEAF.time.astimezone(timezone(timedelta(hours=-5)))
    assert leaf_bytes(replace(LEAF, time=there)) == leaf_bytes(LEAF)


@pytest.mark.parametrize("field", [field.name for field in fields(Leaf)])
def test_every_field_changes_the_leaf(field):
    others: dict[str, Any] = {"time": LEAF.time + timedelta(microseconds=1), "version": 2}
    value = getattr(LEAF, field)
    if isinstance(value, str):
        others[field] = value + "x"
    elif isinstance(value, bytes):
        others[field] = value[::-1] if value != value[::-1] else value[1:] + b"\x02"
    elif field.startswith("epoch"):
        others[field] = 4
    assert leaf_bytes(replace(LEAF, **{field: others[field]})) != leaf_bytes(LEAF)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "consent:guessed"},
        {"via": "window"},
        {"decision": "perhaps"},
        {"time": datetime(2026, 11, 1)},  # noqa: DTZ001 - without a time zone, on purpose
        {"actor": ""},
        {"actor": "River Maple"},
        {"actor": "river@example.org"},
        {"purpose": "to help her"},
        {"resource": "a\nb"},
        {"resource": "x" * 201},
        {"reason": "because of \u00e9"},
        {"reason": "ends\n"},
        {"policy": "ab"},
        {"policy": "AB" * 32},
        {"detail_commit": "secret"},
        {"epoch_everyone": -1},
        {"epoch_scope": LARGEST_EPOCH + 1},
        {"subjects_root": b"short"},
        {"nonce": b"short"},
    ],
)
def test_a_leaf_holds_no_sentence_no_address_and_nothing_out_of_range(wrong):
    check_leaf(LEAF)
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ, the refusal does not
        check_leaf(replace(LEAF, **wrong))


def test_the_longest_allowed_leaf_stays_below_4096_bytes():
    long: dict[str, Any] = dict.fromkeys(("actor", "purpose", "resource", "reason"), "x" * 200)
    digests: dict[str, Any] = {"policy": "ab" * 32, "detail_commit": "ab" * 32}
    epochs: dict[str, Any] = {"epoch_everyone": LARGEST_EPOCH, "epoch_scope": LARGEST_EPOCH}
    largest = replace(LEAF, **long, **digests, **epochs)
    check_leaf(largest)
    assert len(leaf_bytes(largest)) < 2048
    with pytest.raises(ValueError, match="4096"):
        leaf_bytes(replace(LEAF, resource="x" * 4096))


@pytest.mark.parametrize("entry_type", EntryType.values)
def test_every_entry_type_follows_the_grammar_subject_action(entry_type):
    subject, action = entry_type.split(":")
    assert subject.isalpha()
    assert action.isalpha()
    assert entry_type == entry_type.lower()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"), (1, "1"), (2, "2-10"), (10, "2-10"), (11, "11-100"), (100, "11-100"),
        (101, "101-1000"), (1000, "101-1000"), (1001, "1001-10000"), (5_000_000, "1000001-10000000"),
    ],
)  # fmt: skip
def test_a_count_is_told_as_a_band(count, text):
    assert band(count) == text


def test_a_count_below_zero_is_refused():
    with pytest.raises(ValueError, match="below zero"):
        band(-1)


@given(st.integers(2, 10**12))
def test_a_band_holds_its_count(count):
    least, most = map(int, band(count).split("-"))
    assert least <= count <= most


def test_a_tag_hangs_on_the_key_and_on_the_nonce():
    key, other, nonce = b"k" * 32, b"o" * 32, bytes(16)
    inner, outer = (bytes(sign ^ pad for sign in key.ljust(64, b"\0")) for pad in (0x36, 0x5C))
    assert tag(key, nonce) == sha256(outer + sha256(inner + nonce).digest()).digest()
    assert len({tag(key, nonce), tag(other, nonce), tag(key, b"n" * 16)}) == 3
    assert len(tag(key, nonce)) == 32


@pytest.mark.parametrize(("key", "nonce"), [(b"k" * 31, bytes(16)), (b"k" * 32, bytes(15))])
def test_a_tag_is_not_made_of_a_short_key_or_another_nonce(key, nonce):
    with pytest.raises(ValueError, match="tag"):
        tag(key, nonce)


def test_digests_do_not_hang_on_the_order_of_fields():
    assert policy_digest({"a": 1, "b": 2}) == policy_digest({"b": 2, "a": 1})
    assert policy_digest({"a": 1, "b": 2}) != policy_digest({"a": 1, "b": 3})
    assert journal_digest(b"1" * 16, {"a": 1}) != journal_digest(b"2" * 16, {"a": 1})


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":true}',
        b'{"a":[]}',
        b'{"a":9007199254740993}',
        b'{"a":"\\u0041"}',
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_json_in_any_other_spelling_is_refused(data):
    with pytest.raises(Malformed):
        parse_canonical(data)


def test_canonical_json_can_be_read_back():
    value: dict[str, Flat] = {"b": "\u20ac\n", "a": -1, "c": None}
    assert parse_canonical(canonical_bytes(value)) == value


TAGS = st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40)


@given(data=st.data(), tags=TAGS)
def test_each_person_s_path_leads_to_the_entry_s_root_and_no_one_else_s_does(data, tags):
    root = subjects_root(tags)
    assert root == root_of(leaf_hash(each) for each in sorted(tags))
    mine = data.draw(st.sampled_from(sorted(tags)))
    path = subject_path(tags, mine)
    check_subject(tag=mine, path=path, root=root)
    with pytest.raises(Unproven):
        check_subject(tag=bytes(32) if mine != bytes(32) else b"\x01" * 32, path=path, root=root)


def test_the_tree_of_people_counts_each_tag_once_and_in_order():
    one, two = b"\x01" * 32, b"\x02" * 32
    assert sorted_tags([two, one, two]) == [one, two]
    assert subjects_root([two, one, two]) == subjects_root([one, two])
    assert subjects_root([]) == EMPTY_ROOT


def test_a_tag_that_is_not_in_the_entry_has_no_path():
    with pytest.raises(KeyError):
        subject_path([b"\x01" * 32], b"\x02" * 32)
    with pytest.raises(ValueError, match="32 bytes"):
        subjects_root([b"short"])


@given(st.ip_addresses(v=4))
def test_an_older_address_is_one_place_however_it_comes(found):
    assert network(str(found)) == network(f" ::ffff:{found} ") == str(IPv4Address(found))


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_newer_address_is_its_network_of_64_bits(found, low, other):
    first = int(found) >> 64
    if first == 0:  # among these lie the older addresses, written as newer ones
        return
    one, two = (str(IPv6Address(first << 64 | rest)) for rest in (low, other))
    elsewhere = str(IPv6Address((first ^ 1) << 64 | low))
    assert network(one) == network(two)
    assert first == 1 or network(one) != network(elsewhere)


@given(st.text())
def test_what_is_no_address_is_taken_as_it_is(text):
    assert network(f"#{text}") == f"#{text}".strip()
