"""How the hub is, in figures for Prometheus.

In: a health report, the alerts by colour and state, the response times of the last day. Out: the text
format of Prometheus. Holds no state of its own, names no person and no plate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from hub.api.shapes import Health
from hub.response_times import Spread


@dataclass(frozen=True, slots=True, eq=False)
class Figures(Collector):
    """The figures of one moment. `alerts` are counts by severity and state."""

    health: Health
    alerts: Mapping[tuple[str, str], int]
    responses: Mapping[str, Spread]
    now: datetime

    def text(self) -> bytes:
        """What Prometheus reads."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        yield from self._hub()
        yield from self._sinks()
        yield from self._alerts()

    def _hub(self) -> Iterable[Metric]:
        health, ingest = self.health, self.health.ingest
        yield _gauge("up", "1 while nothing is wrong with the hub.", [((), health.status == "ok")])
        yield _gauge("broker_connected", "1 while the broker is.", [((), health.broker.connected)])
        yield _gauge("ingest_waiting", "Messages that wait.", [((), ingest.waiting)])
        outcomes = ("committed", "repeated", "rejected", "dropped")
        yield _counter(
            "messages", "What became of messages since the start.", ["outcome"],
            [((name,), getattr(ingest, name)) for name in outcomes],
        )  # fmt: skip
        yield _gauge(
            "edge_online", "1 while an edge box is.",
            [((edge.site, edge.edge), edge.online) for edge in health.edges], ["site", "edge"],
        )  # fmt: skip
        yield _gauge(
            "camera_online", "1 while all is well with a camera.",
            [((c.edge, c.camera), c.state == "online") for c in health.cameras], ["edge", "camera"],
        )  # fmt: skip
        lags = [(c.edge, c.camera, (c.health or {}).get("lag_ms")) for c in health.cameras]
        yield _gauge(
            "camera_lag_seconds", "From the camera to the end of the analysis, as its edge measures it.",
            [((edge, camera), lag / 1000) for edge, camera, lag in lags if lag is not None],
            ["edge", "camera"],
        )  # fmt: skip
        yield _gauge(
            "dead_letters", "Messages that can never be processed.",
            [((reason,), count) for reason, count in sorted(health.dead_letters.items())], ["reason"],
        )  # fmt: skip

    def _sinks(self) -> Iterable[Metric]:
        sinks = self.health.sinks
        oldest = [(sink.sink, sink.oldest_waiting_at) for sink in sinks]
        yield _gauge(
            "deliveries", "Deliveries that wait, and that were given up.",
            [((s.sink, state), getattr(s, state)) for s in sinks for state in ("waiting", "dead")],
            ["sink", "state"],
        )  # fmt: skip
        yield _gauge(
            "oldest_delivery_seconds", "How long the oldest delivery waits.",
            [((sink,), (self.now - since).total_seconds()) for sink, since in oldest if since],
            ["sink"],
        )  # fmt: skip

    def _alerts(self) -> Iterable[Metric]:
        yield _gauge(
            "alerts", "Alerts in the store.", sorted(self.alerts.items()), ["severity", "state"]
        )
        yield _gauge(
            "response_seconds", "Response times of the alerts of the last 24 hours.",
            [((name.removesuffix("_s"), quantile), value)
             for name, spread in self.responses.items()
             for quantile, value in (("0.5", spread.median_s), ("0.9", spread.p90_s))
             if value is not None],
            ["step", "quantile"],
        )  # fmt: skip


Samples = Sequence[tuple[tuple[str, ...], float]]


def _gauge(name: str, help_: str, samples: Samples, labels: Sequence[str] = ()) -> Metric:
    family = GaugeMetricFamily(f"gatehouse_{name}", help_, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counter(name: str, help_: str, labels: Sequence[str], samples: Samples) -> Metric:
    family = CounterMetricFamily(f"gatehouse_{name}", help_, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
