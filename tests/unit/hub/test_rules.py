import json
import shutil
from pathlib import Path

import pytest

from hub.gallery import FaceFinding, FaceReason
from hub.identify import FaceSighting, PlateSighting, Sighting, Watched, identify_plate
from hub.plate_match import PlateIndex
from hub.rules import (
    KINDS,
    Context,
    FaceWatchlist,
    PlateWatchlist,
    RuleBook,
    Why,
    dump_rule,
    load_rules,
    parse_rule,
)
from hub.watchlist import Category, ListKind
from tests.conftest import ROOT
from tests.unit.hub.kit import NOW, PLATE, at, entry, plate_text
from wire.errors import ConfigError

MATCH = FaceFinding(FaceReason.MATCH, "s1", 0.7, 0.2)
BASE = {"id": "r", "title": "R", "owner": "o", "severity": "red"}


def sighting(what: FaceSighting | PlateSighting, **changes: object) -> Sighting:
    values = {
        "observation_id": "x", "site": "rosegarden", "gate": "north", "edge": "box-1",
        "camera": "gate-in", "first_seen_at": at(-1), "captured_at": NOW, "last_seen_at": NOW,
        "quality": 0.75, "what": what,
    }  # fmt: skip
    return Sighting(**{**values, **changes})


def context() -> Context:
    """What no rule in this file asks: a past and a register that are not there."""
    return Context(None, None, NOW)


def decide_plate(rule: dict, reading=None, entries=None, **where: object):
    listed = [entry()] if entries is None else entries
    watched = Watched(None, PlateIndex(e.target for e in listed), {e.target: [e] for e in listed})
    seen = sighting(identify_plate(reading or plate_text(), watched, NOW), **where)
    return PlateWatchlist(kind="plate_watchlist", **BASE, **rule).consider(seen, context())


def test_a_listed_plate_matches_and_says_why() -> None:
    decision = decide_plate({})
    assert decision.why is Why.MATCH
    assert decision.sentence == f"read exactly as listed: {PLATE}"
    assert (decision.key, decision.match.how) == (f"plate:{PLATE}", "exact")


@pytest.mark.parametrize(
    ("rule", "case", "why"),
    [
        ({}, {"entries": []}, Why.NOT_LISTED),
        ({}, {"entries": [entry("京B00000")]}, Why.NOT_LISTED),
        ({}, {"entries": [entry(expires_at=NOW)]}, Why.NOT_LISTED),  # inert at that second
        ({}, {"entries": [entry(expires_at=at(1))]}, Why.MATCH),
        ({"categories": ["banned_vehicle"]}, {}, Why.OTHER_CATEGORY),
        ({"categories": ["stolen_vehicle"]}, {}, Why.MATCH),
        ({"min_confidence": 0.97}, {}, Why.UNCERTAIN_READING),
        ({"sites": ["elsewhere"]}, {}, Why.ELSEWHERE),
        ({"gates": ["south"]}, {}, Why.ELSEWHERE),
        ({"gates": ["north"], "cameras": ["gate-in"]}, {}, Why.MATCH),
        ({"cameras": ["gate-in"]}, {"camera": "gate-out"}, Why.ELSEWHERE),
        ({}, {"reading": plate_text("京A1234S", weak={6: 0.6})}, Why.MATCH),
        ({"suspected": False}, {"reading": plate_text("京A1234S", weak={6: 0.6})}, Why.NOT_LISTED),
        ({}, {"reading": plate_text("京A1234S")}, Why.NOT_LISTED),  # read surely: another car
    ],
)
def test_plate_watchlist(rule: dict, case: dict, why: Why) -> None:
    assert decide_plate(rule, **case).why is why


def test_a_suspected_plate_is_called_so() -> None:
    decision = decide_plate({}, plate_text("京A1234S", confidence=0.5, weak={6: 0.6}))
    assert decision.match.how == "suspected"
    assert decision.match.cost > 0
    assert "suspected 京A12345" in decision.sentence
    assert decision.key == f"plate:{PLATE}"  # joins what was read exactly


@pytest.mark.parametrize(
    ("rule", "finding", "why"),
    [
        ({}, MATCH, Why.MATCH),
        ({}, FaceFinding(FaceReason.BELOW_THRESHOLD, None, 0.4, 0.2), Why.NOT_LISTED),
        ({}, FaceFinding(FaceReason.NO_MARGIN, None, 0.7, 0.01), Why.NOT_LISTED),
        ({}, FaceFinding(FaceReason.OTHER_PACK), Why.NOT_LISTED),
        ({"min_similarity": 0.71}, MATCH, Why.NOT_LIKE_ENOUGH),
        ({"min_similarity": 0.3}, MATCH, Why.MATCH),
        ({"min_quality": 0.8}, MATCH, Why.LOW_QUALITY),
        ({"categories": ["banned_person"]}, MATCH, Why.OTHER_CATEGORY),
        ({"sites": ["elsewhere"]}, MATCH, Why.ELSEWHERE),
    ],
)  # fmt: skip
def test_face_watchlist(rule: dict, finding: FaceFinding, why: Why) -> None:
    listed = entry("s1", ListKind.FACE, Category.MISSING_PERSON)
    entries = (listed,) if finding.subject_id else ()
    what = FaceSighting(finding, entries, "test-pack", 0.5)
    document = FaceWatchlist(kind="face_watchlist", **BASE, **rule)
    decision = document.consider(sighting(what), context())
    assert decision.why is why
    if why is Why.MATCH:
        assert (decision.match.similarity, decision.match.label) == (0.7, listed.label)
        assert decision.match.threshold == max(0.5, rule.get("min_similarity", 0))


def test_the_shipped_rules_are_sound_and_show_every_kind() -> None:
    book = load_rules(ROOT / "configs" / "rules")
    assert not book.broken
    assert {rule.kind for rule in book.rules} == set(KINDS)


def test_a_broken_rule_is_named_and_takes_no_other_down(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs" / "rules", tmp_path, dirs_exist_ok=True)
    good = len(load_rules(tmp_path).rules)
    (tmp_path / "a.toml").write_text('id = "a"\nkind = "face_watchlist"\ncolour = "red"\n')
    (tmp_path / "b.toml").write_text('id = "b"\nkind = "weather"\n')
    (tmp_path / "c.toml").write_text("id = ")
    duplicate = (tmp_path / "watched-vehicles.toml").read_text()
    (tmp_path / "z.toml").write_text(duplicate)
    book = load_rules(tmp_path)
    assert len(book.rules) == good
    assert len(book.broken) == 4
    a, b, c, z = book.broken
    assert "a.toml: rule 'a':" in a
    assert "colour: there is no such key" in a
    assert "title: Field required" in a
    assert "weather" in b
    assert "c.toml cannot be read" in c
    assert "another file has a rule 'watched-vehicles'" in z
    with pytest.raises(ConfigError, match="there is no folder"):
        load_rules(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zones": ["x"]}, "zones: a plate_watchlist rule is not told of zones"),
        ({"schedule": {"zone": "Asia/Yiwu"}}, "schedule.zone: there is no time zone 'Asia/Yiwu'"),
        (
            {"schedule": {"hours": [{"since": "25:00", "until": "06:00"}]}},
            "schedule.hours[0].since",
        ),
        ({"min_confidence": 2}, "min_confidence: Input should be less than or equal to 1"),
        ({"severity": "purple"}, "severity: Input should be 'blue', 'yellow' or 'red'"),
        ({"kind": "restricted_zone"}, "zones: Field required"),
    ],
)
def test_a_message_names_the_place_the_rule_and_the_field(change: dict, message: str) -> None:
    document = {"kind": "plate_watchlist", **BASE, **change}
    with pytest.raises(ConfigError) as refused:
        parse_rule(document, "configs/rules/x.toml")
    text = str(refused.value)
    assert text.startswith("configs/rules/x.toml: rule 'r':\n")
    assert message in text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_document_says_what_it_said_after_a_round_through_the_store(kind: str) -> None:
    shipped = load_rules(ROOT / "configs" / "rules").rules
    rule = next(rule for rule in shipped if rule.kind == kind)
    assert parse_rule(json.loads(json.dumps(dump_rule(rule))), "store") == rule


def test_whoever_is_missing_is_told_of_first() -> None:
    listed = FaceWatchlist(kind="face_watchlist", **BASE)
    missing = parse_rule({"kind": "missing_person", "id": "m", "title": "M", "owner": "o"}, "x")
    what = FaceSighting(
        MATCH, (entry("s1", ListKind.FACE, Category.MISSING_PERSON),), "test-pack", 0.5
    )
    book = RuleBook((listed, missing))
    assert [rule.id for rule, _ in book.decide(sighting(what), context())] == ["m", "r"]


def test_a_rule_of_another_place_or_category_is_not_even_asked() -> None:
    rules = [
        PlateWatchlist(kind="plate_watchlist", **{**BASE, "id": f"r{n}"}, **where)
        for n, where in enumerate(
            ({}, {"sites": ["rosegarden"]}, {"cameras": ["gate-in"]}, {"gates": ["south"]})
        )
    ]
    other = PlateWatchlist(
        kind="plate_watchlist", **{**BASE, "id": "other"}, categories=["banned_vehicle"]
    )
    off = PlateWatchlist(kind="plate_watchlist", **{**BASE, "id": "off"}, enabled=False)
    watched = Watched(None, PlateIndex([PLATE]), {PLATE: [entry()]})
    listed = sighting(identify_plate(plate_text(), watched, NOW))
    stranger = sighting(identify_plate(plate_text("京B00001"), watched, NOW))
    book = RuleBook((*rules, other, off))
    assert [rule.id for rule, _ in book.decide(listed, context())] == ["r0", "r1", "r2"]
    assert list(book.decide(stranger, context())) == []
