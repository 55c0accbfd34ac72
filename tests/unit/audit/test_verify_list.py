"""A person's own list: what the script believes of it, what it says, and how it refuses."""

import io
import json
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest
import verify_sayso as script
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.rules import Leaf, leaf_bytes, tag
from audit.tlog import lists, subjects
from audit.tlog.canonical import canonical_bytes
from audit.tlog.checkpoints import Checkpoint, sign_checkpoint
from audit.tlog.notes import parse_note
from audit.tlog.subjects import Step, climbed, steps, subject_path, subjects_root
from audit.tlog.texts import to_base64
from audit.tlog.tree import inclusion_proof, leaf_hash, root_of
from tests.unit.audit.test_verify_sayso import GOOD as PROOF
from tests.unit.audit.test_verify_sayso import LOG, ORIGIN, OTHER, SIGNS, W1, W2, policy_of

HERS, ANOTHER = b"\x11" * 32, b"\x12" * 32
OTHERS = [bytes([number]) * 32 for number in range(0x20, 0x29)]
DETAIL = canonical_bytes({"columns": "visits,needs", "decision": "permitted"})


def leaf(number, type, root=None, **given):
    return Leaf(
        **{
            "type": type,
            "time": datetime(2026, 5, 3, 14, number, tzinfo=UTC),
            "actor": "system",
            "via": "task",
            "purpose": "research",
            "resource": "rel-7",
            "decision": "permitted",
            "reason": "",
            "policy": "",
            "epoch_everyone": None,
            "epoch_scope": None,
            "subjects_root": root,
            "subjects_band": "1",
            "detail_commit": "",
            "nonce": bytes([number]) * 16,
            **given,
        }
    )


def way(parts, nonce, own=HERS):
    """Her way through the parts of one entry; parts are keys of the people in each."""
    tags = [[tag(key, nonce) for key in part] for part in parts]
    roots = [subjects_root(each) for each in tags]
    ((at, hers),) = [(n, each) for n, each in enumerate(tags) if tag(own, nonce) in each]
    lower = steps(subject_path(hers, tag(own, nonce)))
    upper = steps(subject_path(roots, roots[at]))
    return lists.Way(tag(own, nonce), (lower, upper)), subjects_root(roots)


def alone(nonce):
    return lists.Way(tag(HERS, nonce), ((),)), subjects_root([tag(HERS, nonce)])


RELEASED, ROOT = way([OTHERS[:5], [*OTHERS[5:8], HERS], OTHERS[8:]], bytes([1]) * 16)
ASKED, ASKED_ROOT = alone(bytes([4]) * 16)
SAID, SAID_ROOT = alone(bytes([5]) * 16)
LEAVES = [
    leaf(0, "release:asked"),
    leaf(1, "dataset:released", ROOT),
    leaf(2, "download:given", reason="part-1"),
    leaf(3, "dataset:refused", decision="refused", reason="no_yes"),
    leaf(4, "inquiry:answered", ASKED_ROOT, detail_commit=sha256(DETAIL).hexdigest()),
    leaf(5, "consent:given", SAID_ROOT, resource=SAID.tag.hex()),
    leaf(6, "release:asked"),
]
ENTRIES = [leaf_bytes(each) for each in LEAVES]
HASHES = [leaf_hash(entry) for entry in ENTRIES]


def read(places):
    return {
        (level, index): root_of(HASHES[index << level : (index + 1) << level])
        for level, index in places
    }


def head(*witnesses, signer=LOG):
    note = sign_checkpoint(Checkpoint(ORIGIN, len(HASHES), root_of(HASHES)), signer)
    for each in witnesses:
        note = each.sign(parse_note(note)).render()
    return note


def event(index, way=None, detail=None):
    path = inclusion_proof(index, len(HASHES), read)
    return lists.Event(index, ENTRIES[index], path, way, detail)


EVENTS = [
    event(5, SAID),
    event(4, ASKED, DETAIL),
    event(3),
    event(2),
    event(1, RELEASED),
]


def written(events=EVENTS, note=None, count=None):
    number = len(events) if count is None else count
    return "".join(lists.rendered(number, events, note or head(W1)))


GOOD = written()
KEY = lists.rendered_keys([ANOTHER, HERS])


@pytest.fixture
def run(tmp_path, capsys):
    def run(text, *words, policy=None, key=None, keys=(LOG,)):
        file = tmp_path / "a-list"
        file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        asked = [str(file), *words]
        for each in keys:
            asked += ["--log-key", each.verifier.render()]
        for name, data in (("policy", policy), ("own-key", key)):
            if data is not None:
                (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
                asked += [f"--{name}", str(tmp_path / name)]
        code = script.main(asked)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def packed(text, name="proofs.txt", kind=zipfile.ZIP_DEFLATED):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", kind) as folder:
        folder.writestr("list.txt", "for people")
        folder.writestr(name, text)
    return data.getvalue()


# --- ways that tell no count ----------------------------------------------------------------------


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=70))
def test_a_way_without_numbers_leads_where_the_numbered_path_does(tags):
    root = subjects_root(tags)
    for each in subjects.sorted_tags(tags):
        found = steps(subject_path(tags, each))
        assert climbed(leaf_hash(each), found) == root
        assert script.climbed(each, [[script.Step(s.left, s.hash) for s in found]]) == root
    assert climbed(leaf_hash(b"\x00" * 32), (Step(left=True, hash=root),)) != root


# --- what holds -----------------------------------------------------------------------------------


def test_a_list_that_holds_is_said_to_hold_in_plain_words(run):
    code, out, err = run(GOOD)
    assert (code, err) == (0, "")
    assert out.splitlines()[:7] == [
        "The list holds.",
        "5 of 5 events are in the log log.example/one as the list says, under the head of 7 entries "
        f"that the log has signed with its key {LOG.verifier.key_id.hex()}:",
        "1. 2026-05-03 14:05 UTC, a yes was said, permitted, research (entry 5; with a person's tag).",
        "2. 2026-05-03 14:04 UTC, somebody asked about one person, columns visits,needs, rel-7, "
        "permitted, research (entry 4; with a person's tag).",
        "3. 2026-05-03 14:03 UTC, what was asked for was refused, rel-7, refused, no_yes, research "
        "(entry 3).",
        "4. 2026-05-03 14:02 UTC, it was handed over, rel-7, permitted, part-1, research (entry 2).",
        "5. 2026-05-03 14:01 UTC, a package was made ready, rel-7, permitted, research (entry 1; with "
        "a person's tag).",
    ]
    assert "only your own key can tell" in out
    assert "It does not show that this list is all that happened" in out


def test_with_her_own_key_it_says_which_are_hers(run):
    code, out, err = run(GOOD, key=KEY)
    assert (code, err) == (0, "")
    assert out.count("; it is yours)") == 3
    assert "Your key makes the tag of 3 of them" in out
    assert run(GOOD, key=lists.rendered_keys([ANOTHER])) == (
        1,
        "",
        "The list does not hold: 2 of its 5 events are in the log as it says; this one is not, "
        "event 1 (entry 5): the tag in it is not made with your key.\n",
    )


def test_a_list_in_its_zip_file_is_read_as_it_is(run):
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert run(packed(GOOD, kind=kind)) == run(GOOD)


def test_a_list_without_events_holds_too(run):
    code, out, _ = run(written([]))
    assert (code, "0 of 0 events" in out) == (0, True)


@pytest.mark.parametrize(("least", "code"), [("any", 0), ("all", 4)])
def test_as_many_witnesses_as_the_policy_demands_have_signed_its_one_head(run, least, code):
    found, out, _ = run(GOOD, policy=policy_of(W1, W2, least=least))
    assert (found, "witness.example" in out or "w0 at" in out) == (code, True)


# --- what does not hold ---------------------------------------------------------------------------


def changed(at, **given):
    return written([replace(each, **given) if n == at else each for n, each in enumerate(EVENTS)])


OTHER_WAY = lists.Way(RELEASED.tag, tuple(reversed(RELEASED.trees)))
FALSE = {
    "another key of the log": (written(note=head(W1, signer=OTHER)), "key has not signed it"),
    "another entry": (changed(0, leaf=ENTRIES[6]), "event 1 (entry 5): from it no way leads"),
    "another place": (changed(2, index=0), "event 3 (entry 0): from it no way leads"),
    "a shorter path": (changed(1, path=EVENTS[1].path[1:]), "event 2 (entry 4): from it no way"),
    "somebody else's tag": (
        changed(4, way=replace(RELEASED, tag=tag(ANOTHER, bytes([1]) * 16))), "tag is not among",
    ),
    "a way cut short": (changed(4, way=replace(RELEASED, trees=RELEASED.trees[:1])), "not among"),
    "a way in another order": (changed(4, way=OTHER_WAY), "tag is not among"),
    "a tag on an entry about nobody": (changed(2, way=SAID), "tag is not among"),
    "another answer beside it": (changed(1, detail=DETAIL[:-1] + b" }"), "not what the entry"),
    "an answer beside what has none": (changed(0, detail=DETAIL), "not what the entry"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_a_list_that_does_not_hold_names_the_first_event_that_does_not(run, name):
    text, says = FALSE[name]
    code, out, err = run(text, key=KEY)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert says in err
    if "event" in says:
        assert "4 of its 5 events are in the log" in err


def test_a_tag_is_not_taken_for_the_owner_s_though_it_stands_in_the_entry(run):
    """Another person of the same package, shown with her way: not with this key."""
    nonce = bytes([1]) * 16
    other, root = way([OTHERS[:5], [*OTHERS[5:8], HERS], OTHERS[8:]], nonce, OTHERS[0])
    assert root == ROOT
    text = changed(4, way=other)
    assert run(text)[0] == 0
    assert run(text, key=KEY)[0] == 1


# --- what is no list ------------------------------------------------------------------------------

HASH = to_base64(EVENTS[0].path[0])
STEP = to_base64(RELEASED.trees[0][0].hash)
OTHER_BITS = HASH[:-2] + SIGNS[SIGNS.index(HASH[-2]) + 1] + "="
SIGNATURE = head(W1).splitlines(keepends=True)[-1]
MALFORMED = {
    "its first line alone": (GOOD[: GOOD.index("\n") + 1], "how many events"),
    "cut in its first line": (GOOD[:9], "does not begin"),
    "cut between events": (GOOD[: GOOD.index("index 3")], "breaks off before its end"),
    "cut in an event": (GOOD[: GOOD.index("leaf", 200) + 9], "breaks off before its end"),
    "cut before the signatures": (GOOD[: GOOD.rindex("\n\n") + 1], "breaks off before its end"),
    "no signature": (GOOD[: GOOD.rindex("\n\n") + 2], "no signature"),
    "cut in its last line": (GOOD[:-1], "last line"),
    "an event taken out": (written(EVENTS[1:], count=5), "breaks off before its end"),
    "an event put in": (written(EVENTS, count=4), "more stands in it"),
    "the same event twice": (written([*EVENTS, EVENTS[0]]), "twice"),
    "a line behind": (GOOD + "more\n", "no signature (a dash"),
    "an empty line behind": (GOOD + "\n", "more stands in it"),
    "a line in its top": (GOOD.replace("events 5\n", "events 5\nmore\n"), "how many events"),
    "a line in an event": (GOOD.replace("\nleaf", "\nnote\nleaf", 1), "index and its entry"),
    "a line at the end of an event": (GOOD.replace("\n\nindex 4", "\nx\n\nindex 4"), "in another order"),
    "lines in another order": (GOOD.replace(f"hash {HASH}\n", "", 1).replace(
        "\n\nindex 4", f"\nhash {HASH}\n\nindex 4"), "in another order"),
    "a way without a tag": (GOOD.replace(f"tag {to_base64(RELEASED.tag)}\n", ""), "another order"),
    "three trees": (GOOD.replace("tree\n", "tree\ntree\n"), "another order"),
    "wrong base64": (GOOD.replace(HASH, HASH[:-2] + "*="), "not base64"),
    "base64 with other bits": (GOOD.replace(HASH, OTHER_BITS), "not spelled"),
    "a short hash": (GOOD.replace(HASH, HASH[:-4]), "bytes, not 32"),
    "a short tag": (GOOD.replace(to_base64(RELEASED.tag), HASH[:-4]), "bytes, not 32"),
    "a short step": (GOOD.replace(STEP, STEP[:-4]), "bytes, not 32"),
    "a detail that is none": (GOOD.replace("\ndetail ", "\ndetail *"), "detail is not base64"),
    "CRLF": (GOOD.replace("\n", "\r\n"), "Windows"),
    "a byte order mark": ("\ufeff" + GOOD, "byte order mark"),
    "a control character": (GOOD.replace("index 4", "index 4\x00"), "control character"),
    "half a character": (GOOD.encode()[:-9] + b"\xff\n", "UTF-8"),
    "index as large as the tree": (GOOD.replace("index 5", "index 7"), "not below"),
    "a leading zero": (GOOD.replace("index 5", "index 05"), "plain number"),
    "a zero before the count": (GOOD.replace("events 5", "events 05"), "plain number"),
    "other digits": (GOOD.replace("index 5", "index \u0665"), "plain number"),
    "a count without end": (GOOD.replace("events 5", "events " + "9" * 900_000), "plain number"),
    "a count above all": (GOOD.replace("events 5", "events 100001"), "more than 100000 events"),
    "sixty-four hashes": (GOOD.replace(f"hash {HASH}\n", f"hash {HASH}\n" * 64, 1), "more than 63"),
    "sixty-four steps": (GOOD.replace(f"{STEP}\n", f"{STEP}\n" + f"left {HASH}\n" * 64), "more than 63"),
    "a million hashes": (GOOD.replace(f"hash {HASH}\n", f"hash {HASH}\n" * 1_000_000, 1), "than 63"),
    "ten thousand signatures": (GOOD + SIGNATURE * 10_000, "more than 64"),
    "too large a file": (GOOD + "x" * 64_000_000, "larger than any proof"),
    "another version": (GOOD.replace("@v1", "@v2", 1), "does not begin"),
    "a zip file of something else": (packed(GOOD, "other.txt"), "holds neither proofs.txt nor a slip"),
    "a zip file packed otherwise": (packed(GOOD, kind=zipfile.ZIP_LZMA), "not used here"),
    "a zip file that breaks off": (packed(GOOD)[:-30], "changed or broke off"),
    "a zip file changed inside": (packed(GOOD).replace(b"proofs.txt", b"proofs.tx\xff", 1), "changed or"),
    "a zip file of too much": (packed(GOOD + "x" * 64_000_001), "larger than any proof"),
    "two letters": (b"PK", "changed or broke off"),
} | {
    f"a dash that is none ({ord(dash):04x})": (
        GOOD.replace("\u2014 log", f"{dash} log"), "only looks like its dash",
    )
    for dash in script.LOOK_ALIKE
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_list_is_one_sentence_and_soon(run, name):
    text, says = MALFORMED[name]
    began = time.process_time()
    code, out, err = run(text, policy=policy_of(W1))
    assert time.process_time() - began < 20  # what grows with the square takes minutes
    assert (code, out) == (2, ""), err
    assert err.startswith("This is not a proof: ")
    assert says in err
    assert err.count("\n") == 1
    assert len(err) < 200


POLICY = script.Policy()
POLICY.logs = [script.key_of(LOG.verifier.render(), [script.LOG_KEY])]
OWN = script.own_keys(KEY.encode())


def said_of(data):
    try:
        return script.check(data, POLICY, keys=OWN)
    except script.Trouble as trouble:
        return trouble


@settings(max_examples=250, deadline=None)
@given(
    which=st.sampled_from([GOOD.encode(), packed(GOOD), packed(GOOD, kind=zipfile.ZIP_STORED)]),
    at=st.integers(0, 10**9),
    put=st.binary(max_size=4),
    cut=st.integers(0, 4),
)
def test_a_list_changed_anywhere_never_holds_as_another(which, at, put, cut):
    at %= len(which)
    found = said_of(which[:at] + put + which[at + cut :])
    assert isinstance(found, script.Trouble) or found == said_of(GOOD.encode())


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.sampled_from(sorted({*GOOD.split("\n")})), max_size=30))
def test_any_lines_of_a_list_in_any_order_are_a_verdict(lines):
    text = f"{script.LIST}\n" + "\n".join(lines)
    assert isinstance(said_of(text.encode()), script.Trouble)


@pytest.mark.parametrize(
    "key",
    [
        b"", b"sayso-keys@v1\n", b"sayso-keys@v1\nAAAA\n", KEY.encode()[:-1], KEY.encode()[1:],
        KEY.encode() + b"x\n", b"\xff\xfe", KEY.replace("\n", "\r\n").encode(),
    ],
)  # fmt: skip
def test_a_key_file_that_is_none_is_one_sentence(run, key):
    code, out, err = run(GOOD, key=key)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "your own key" in err


def test_what_belongs_to_the_other_kind_of_proof_is_not_taken(run):
    assert run(GOOD, "--entry", __file__)[0] == 3
    assert run(PROOF, key=KEY)[0] == 3


def test_entries_that_are_none_of_ours_are_told_and_carry_no_tag(run):
    for odd in (b"[]", b"5", b"\xff", b"[" * 100_000, b'{"nonce":5,"subjects_root":[]}'):
        note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(odd)), LOG)
        assert run(written([lists.Event(0, odd, ())], note))[0] == 0
        assert run(written([lists.Event(0, odd, (), SAID)], note), key=KEY)[0] == 1


def test_what_a_stranger_wrote_into_an_entry_does_nothing_to_the_screen(run):
    odd = json.dumps(
        {"type": "\u001b[2J\u202e", "time": "\u0007", "resource": "rel-\u2066"}
    ).encode()
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf_hash(odd)), LOG)
    _, out, _ = run(written([lists.Event(0, odd, ())], note))
    assert all(sign == "\n" or " " <= sign <= "~" for sign in out)
