import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.wire.test_codec import identifiers
from wire.topics import EdgeTopics, Topic, check_identifier, parse


@given(identifiers, identifiers, identifiers, st.sampled_from(["face", "plate", "camera"]))
def test_what_is_built_is_parsed(site, edge, camera, kind):
    topics = EdgeTopics(site, edge)
    assert parse(topics.status) == Topic(site, edge, "status")
    assert parse(topics.health(camera)) == Topic(site, edge, "health", camera=camera)
    assert parse(topics.observation(camera, kind)) == Topic(
        site, edge, "observation", camera=camera, name=kind
    )
    assert parse(topics.evidence("0192", "scene")) == Topic(
        site, edge, "evidence", name="scene", subject="0192"
    )
    assert parse(topics.reply("evidence")) == Topic(site, edge, "reply", name="evidence")


@given(st.text(max_size=80))
def test_any_topic_is_parsed_or_none(text):
    assert parse(text) is None or text.startswith("gatehouse/v1/")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "gatehouse/v1/",
        "gatehouse/v1/a/b",
        "gatehouse/v2/site/box/status",
        "x/gatehouse/v1/site/box/status",
        "gatehouse/v1/site//status",
        "gatehouse/v1/site/box/evidence/health",
    ],
)
def test_other_topics_are_none(topic):
    assert parse(topic) is None


@pytest.mark.parametrize("bad", ["", "A", "-a", "a b", "a/b", "a+", "hub", "evidence", "x" * 64])
def test_identifiers_keep_the_topic_tree_unambiguous(bad):
    with pytest.raises(ValueError, match=r"identifier|reserved"):
        check_identifier(bad)
