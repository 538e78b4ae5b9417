import shutil
from pathlib import Path

import pytest

from hub.gallery import FaceFinding, FaceReason
from hub.identify import FaceSighting, PlateSighting, Sighting, Watched, identify_plate
from hub.plate_match import PlateIndex
from hub.rules import FaceWatchlist, PlateWatchlist, Why, load_rules
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


def decide_plate(rule: dict, reading=None, entries=None, **where: object):
    listed = [entry()] if entries is None else entries
    watched = Watched(None, PlateIndex(e.target for e in listed), {e.target: [e] for e in listed})
    seen = sighting(identify_plate(reading or plate_text(), watched, NOW), **where)
    document = PlateWatchlist(kind="plate_watchlist", **BASE, **rule)
    return document.decide(seen, seen.what)


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
    decision = document.decide(sighting(what), what)
    assert decision.why is why
    if why is Why.MATCH:
        assert (decision.match.similarity, decision.match.label) == (0.7, listed.label)
        assert decision.match.threshold == max(0.5, rule.get("min_similarity", 0))


def test_the_shipped_rules_are_sound() -> None:
    book = load_rules(ROOT / "configs" / "rules")
    assert not book.broken
    assert {rule.kind for rule in book.rules} == {"face_watchlist", "plate_watchlist"}


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
    assert "a.toml" in a
    assert "colour: there is no such key" in a
    assert "title: Field required" in a
    assert "weather" in b
    assert "c.toml cannot be read" in c
    assert "another file has a rule 'watched-vehicles'" in z
    with pytest.raises(ConfigError, match="there is no folder"):
        load_rules(tmp_path / "nowhere")
