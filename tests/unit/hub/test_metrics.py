"""The figures for Prometheus: read back by Prometheus' own parser, and closed to those without the scope."""

from prometheus_client.parser import text_string_to_metric_families

from hub.access import Role
from hub.api.shapes import CameraOut, EdgeHealth, Health, SinkHealth
from hub.metrics import Figures
from hub.response_times import Spread
from tests.unit.hub.kit import NOW, PLATE, FakeEdge, HubBench, at, entry
from tests.unit.hub.test_api import Api, api, application, health  # noqa: F401 - fixtures


def samples(text: str) -> dict[tuple, float]:
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def report() -> Health:
    camera = CameraOut(
        edge="box-1", camera="in", gate="north", state="online", reason="",
        health={"lag_ms": 250.0}, last_seen_at=NOW,
    )  # fmt: skip
    sink = SinkHealth(
        sink="centre", kind="webhook", waiting=2, dead=1, oldest_waiting_at=at(-30),
        last_delivered_at=None, problem="HTTP 503",
    )  # fmt: skip
    edge = EdgeHealth(edge="box-1", site="yard", online=False, version="", last_seen_at=None)
    update = {
        "edges": [edge],
        "cameras": [camera],
        "sinks": [sink],
        "dead_letters": {"not_json": 3},
    }
    return health().model_copy(update=update)


def test_the_figures_are_those_of_the_report() -> None:
    spread = {
        "raised_to_closed_s": Spread(2, 10.0, 20.0, 20.0),
        "raised_to_told_s": Spread(0, None, None, None),
    }
    said = samples(Figures(report(), {("red", "open"): 4}, spread, NOW).text().decode())
    assert said["gatehouse_up",] == 1
    assert said["gatehouse_messages_total", "committed"] == 0
    assert said["gatehouse_edge_online", "box-1", "yard"] == 0
    assert said["gatehouse_camera_online", "box-1", "in"] == 1
    assert said["gatehouse_camera_lag_seconds", "box-1", "in"] == 0.25
    assert said["gatehouse_deliveries", "centre", "waiting"] == 2
    assert said["gatehouse_deliveries", "centre", "dead"] == 1
    assert said["gatehouse_oldest_delivery_seconds", "centre"] == 30
    assert said["gatehouse_dead_letters", "not_json"] == 3
    assert said["gatehouse_alerts", "open", "red"] == 4
    assert said["gatehouse_response_seconds", "0.9", "raised_to_closed"] == 20
    assert ("gatehouse_response_seconds", "0.5", "raised_to_told") not in said


def test_they_are_served_to_who_may_read_them(api: Api, bench: HubBench, edge: FakeEdge) -> None:  # noqa: F811
    bench.watch(entry())
    bench.run(edge.plate())
    bench.now = at(5)
    assert api.client.get("/metrics").status_code == 401
    for role, status in ((Role.GUARD, 403), (Role.METRICS, 200), (Role.ADMIN, 200)):
        headers = {"authorization": f"Bearer {api.token(role.value, role)}"}
        answer = api.client.get("/metrics", headers=headers)
        assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert samples(answer.text)["gatehouse_alerts", "open", "red"] == 1
    assert PLATE not in answer.text
    assert api.call("GET", "/alerts", who="metrics", role=Role.METRICS).status_code == 403
