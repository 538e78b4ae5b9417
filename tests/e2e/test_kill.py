"""Edge, broker and hub are killed while observations are under way: nothing is lost, nothing doubled."""

import random
import time

import pytest

from tests.e2e.replay_edge import observation_id, plate_of
from tests.e2e.sites import Site, wait_until

OBSERVATIONS, LISTED_EVERY = 2000, 20
RATE_HZ, KILLS = 100.0, 10
DRAINED_WITHIN_S = 10.0
LISTED = [number for number in range(OBSERVATIONS) if number % LISTED_EVERY == 7]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1])
def test_nothing_is_lost_and_no_alert_doubled(tmp_path, seed):
    chance = random.Random(seed)
    with ReplaySite(tmp_path, refuse=0.1, seed=seed, face_pack="") as site:
        for number in LISTED:
            site.list_plate(plate_of(number))
        _start_edge(site)
        for due in sorted(chance.sample(range(60, OBSERVATIONS - 200), KILLS)):
            wait_until(lambda due=due: site.produced >= due, 60, f"observation {due} was not made")
            victims = chance.sample(["edge", "hub", "broker"], chance.choice([1, 1, 2, 3]))
            for victim in victims:
                site.broker.kill() if victim == "broker" else site.kill(victim)
            time.sleep(chance.uniform(0.1, 0.8))
            for victim in chance.sample(victims, len(victims)):
                _start(site, victim)
        restarted_at, produced = time.monotonic(), site.produced
        wait_until(lambda: site.produced >= OBSERVATIONS, 60, "not all were made")
        produced_all_at = time.monotonic()
        wait_until((site.plan.folder / "edge" / "drained").exists, 30, "the outbox was not drained")
        wait_until(lambda: len(site.centre.deliveries) >= len(LISTED), 30, "alerts are missing")
        # Measured from the last restart, less the time in which more was still being made.
        making_s = produced_all_at - restarted_at if produced < OBSERVATIONS else 0.0
        assert time.monotonic() - restarted_at - making_s <= DRAINED_WITHIN_S
        time.sleep(2.0)  # would there be one too many?
        _check(site)


class ReplaySite(Site):
    """A site whose edge is the replayer."""

    @property
    def produced(self) -> int:
        """How many observations the edge has made."""
        try:
            return (self.plan.folder / "edge" / "progress").read_text().count("\n")
        except FileNotFoundError:
            return 0


def _check(site: Site) -> None:
    seen = site.all("/observations", kind="plate")
    assert {row["id"] for row in seen} == {observation_id(n) for n in range(OBSERVATIONS)}
    assert len(seen) == OBSERVATIONS
    plates = sorted(delivery.alert["match"]["read"] for delivery in site.centre.deliveries)
    assert plates == sorted(plate_of(number) for number in LISTED)
    alerts = site.all("/alerts")
    assert len(alerts) == len(LISTED)
    assert {alert["id"] for alert in alerts} == {
        delivery.alert["alert_id"] for delivery in site.centre.deliveries
    }
    assert site.centre.refused > 0
    assert site.centre.forged == 0
    assert site.all("/dead-letters") == []


def _start_edge(site: Site) -> None:
    site.start(
        "edge",
        "tests.e2e.replay_edge",
        str(site.plan.edge_file),
        str(OBSERVATIONS),
        str(RATE_HZ),
    )


def _start(site: Site, name: str) -> None:
    if name == "edge":
        _start_edge(site)
    elif name == "hub":
        site.start_hub(wait=False)
    else:
        site.broker.start()
