"""The rules of auditing: a person's word in one case, what looks unusual, samples, roles, states."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules import tag
from audit.vocabulary import EntryType
from governance.vocabulary import AgreementState, Role
from oversight.rules import access, anomalies, handles, sampling, standing
from oversight.rules.anomalies import Deeds, Spoken
from oversight.vocabulary import Flag, Hint

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)
keys, nonces = st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16)


# a person's word -------------------------------------------------------------------------------


@given(keys, nonces, nonces)
def test_a_word_is_the_same_in_one_case_and_another_in_another(key, here, there):
    word = handles.word(tag(key, here))
    assert word == handles.word(tag(key, here))
    assert (word == handles.word(tag(key, there))) == (here == there)


@given(keys, keys, nonces)
def test_two_people_never_have_the_same_word(one, other, nonce):
    assert (handles.word(tag(one, nonce)) == handles.word(tag(other, nonce))) == (one == other)


@given(keys, nonces)
def test_a_word_can_stand_in_an_address(key, nonce):
    word = handles.word(tag(key, nonce))
    assert word.startswith("hdl-")
    assert len(word) == 17
    assert word[4:].isalnum()


# what looks unusual ------------------------------------------------------------------------------


def days(*counts: int, actor: str = "usr-a") -> list[Deeds]:
    return [Deeds(actor, DAY + timedelta(days=n), count) for n, count in enumerate(counts)]


VOLUMES = [
    ("a quiet past and a loud day", [2] * 7 + [30], [30]),
    ("three times the usual, exactly", [4] * 7 + [12], [12]),
    ("just below it", [4] * 7 + [11], []),
    ("too little to matter, whatever was before", [1] * 7 + [9], []),
    ("no past to know what is usual by", [2] * 6 + [30], []),
    ("one loud day does not make loud days usual", [2] * 7 + [30, 30], [30, 30]),
    ("always loud is usual", [30] * 9, []),
    ("nobody did anything", [], []),
]


@pytest.mark.parametrize(("why", "counts", "spoken"), VOLUMES, ids=[row[0] for row in VOLUMES])
def test_volume_is_held_against_ones_own_past(why, counts, spoken):
    found = anomalies.volume(days(*counts))
    assert [each.found for each in found] == spoken, why
    assert all(each.hint == Hint.VOLUME for each in found)


@given(st.lists(st.integers(0, 200), max_size=30), st.randoms())
def test_volume_depends_on_the_days_and_not_on_the_order_they_come_in(counts, random):
    given_days = days(*counts)
    shuffled = random.sample(given_days, len(given_days))
    assert anomalies.volume(given_days) == anomalies.volume(shuffled)


@given(st.lists(st.integers(0, 200), min_size=8, max_size=30), st.integers(0, 500))
def test_a_louder_day_is_never_less_unusual(counts, more):
    before = anomalies.volume(days(*counts))
    louder = anomalies.volume(days(*counts[:-1], counts[-1] + more))
    last = DAY + timedelta(days=len(counts) - 1)
    assert any(each.day == last for each in louder) or not any(each.day == last for each in before)


REFUSED = [(5, 10, True), (5, 11, False), (4, 4, False), (9, 9, True), (0, 0, False)]


@pytest.mark.parametrize(("refused", "count", "speaks"), REFUSED)
def test_many_refusals_are_five_and_half(refused, count, speaks):
    found = anomalies.refusals([Deeds("usr-a", DAY, count, refused)])
    assert found == ([Spoken(Hint.REFUSALS, "usr-a", DAY, refused, count)] if speaks else [])


@pytest.mark.parametrize(
    ("moment", "late"),
    [
        ("2026-11-02 06:59", True),
        ("2026-11-02 07:00", False),
        ("2026-11-02 18:59", False),
        ("2026-11-02 19:00", True),
        ("2026-11-07 12:00", True),
        ("2026-11-08 12:00", True),
        ("2026-11-09 12:00", False),
    ],
)
def test_the_working_day_has_exact_borders(moment, late):
    assert anomalies.off_hours(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is late


def test_every_kind_of_hint_is_spoken_and_the_gravest_comes_first():
    deeds = [*days(*[2] * 7, 40), Deeds("usr-b", DAY, 6, 6, 2)]
    spoken = anomalies.hints(deeds, {"hdl-x": 6, "hdl-y": 5}, {DAY: 1, DAY + timedelta(days=1): 0})
    assert [each.hint for each in spoken] == [
        Hint.COMPELLED, Hint.CROWDED, Hint.VOLUME, Hint.REFUSALS, Hint.OFF_HOURS,
    ]  # fmt: skip
    assert {each.hint for each in spoken} == set(Hint), "no kind is forgotten"
    assert spoken[1].about == "hdl-x"


# samples ---------------------------------------------------------------------------------------


@given(st.sets(st.text(max_size=8), max_size=40), st.text(max_size=8), st.integers(1, 50))
def test_a_sample_can_be_drawn_again_by_anybody_who_has_the_seed(population, seed, size):
    drawn = sampling.drawn(population, seed=seed, size=size)
    assert drawn == sampling.drawn(sorted(population), seed=seed, size=size)
    assert len(drawn) == min(size, len(population))
    assert set(drawn) <= population
    assert sampling.drawn(population, seed=seed, size=size + 1)[: len(drawn)] == drawn


def test_each_line_comes_up_about_as_often_as_every_other():
    population = [f"con-{n}" for n in range(20)]
    times = dict.fromkeys(population, 0)
    for seed in range(400):
        for each in sampling.drawn(population, seed=str(seed), size=5):
            times[each] += 1
    assert sum(times.values()) == 2000
    assert all(60 <= count <= 140 for count in times.values()), "100 on average"


# roles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "others", "active", "since_days", "last_days", "flags"),
    [
        (Role.STEWARD, set(), True, 10, None, ()),
        (Role.STEWARD, set(), False, 10, None, (Flag.LEAVER,)),
        (Role.STEWARD, set(), True, 90, None, (Flag.IDLE,)),
        (Role.STEWARD, set(), True, 300, 89, ()),
        (Role.STEWARD, set(), True, 300, 90, (Flag.IDLE,)),
        (Role.STEWARD, set(), True, 10, 300, ()),
        (Role.STEWARD, {Role.ADVOCATE}, True, 10, 1, ()),
        (Role.STEWARD, {Role.REQUESTER}, True, 10, 1, (Flag.CONFLICT,)),
        (Role.REQUESTER, {Role.BOARD_MEMBER}, True, 10, 1, (Flag.CONFLICT,)),
        (Role.AUDITOR, {Role.ADMINISTRATOR}, True, 10, 1, (Flag.CONFLICT,)),
        (Role.ADVOCATE, {Role.AUDITOR, Role.STEWARD}, True, 10, 1, ()),
        (Role.AUDITOR, {Role.STEWARD}, False, 400, None, tuple(Flag)),
    ],
)
def test_a_role_is_flagged_for_these_reasons(role, others, active, since_days, last_days, flags):
    held = access.Holding(
        role=role,
        roles=frozenset({role, *others}),
        active=active,
        since=NOW - timedelta(days=since_days),
        last=None if last_days is None else NOW - timedelta(days=last_days),
    )
    assert access.flags(held, NOW) == flags


# how things stood --------------------------------------------------------------------------------

STEPS = [
    (EntryType.AGREEMENT_DRAFTED, ""),
    (EntryType.AGREEMENT_SIGNED, ""),
    (EntryType.AGREEMENT_SIGNED, "countersigned"),
    (EntryType.AGREEMENT_SUSPENDED, ""),
    (EntryType.AGREEMENT_RESUMED, ""),
    (EntryType.AGREEMENT_NARROWED, ""),
    (EntryType.AGREEMENT_ENDED, ""),
]
STATES = [
    None,
    AgreementState.DRAFT,
    AgreementState.DRAFT,
    AgreementState.IN_FORCE,
    AgreementState.SUSPENDED,
    AgreementState.IN_FORCE,
    AgreementState.IN_FORCE,
    AgreementState.ENDED,
]


@pytest.mark.parametrize("step", range(len(STATES)))
def test_an_agreement_stands_as_the_entries_before_the_instant_say(step):
    entries = [(kind, NOW + timedelta(hours=n), why) for n, (kind, why) in enumerate(STEPS)]
    period = (NOW - timedelta(days=1), NOW + timedelta(days=1))
    at = NOW + timedelta(hours=step, minutes=-1)
    assert standing.agreement(entries, *period, at) == STATES[step]


def test_an_agreement_is_in_force_within_its_period_only():
    entries = [(kind, NOW, why) for kind, why in STEPS[:3]]
    starts, ends = NOW + timedelta(days=1), NOW + timedelta(days=2)
    assert standing.agreement(entries, starts, ends, NOW) == AgreementState.DRAFT
    assert standing.agreement(entries, starts, ends, starts) == AgreementState.IN_FORCE
    assert standing.agreement(entries, starts, ends, ends) == AgreementState.ENDED
