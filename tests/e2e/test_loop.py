"""The loop, whole: somebody tries car doors at night, and it is followed to its close.

A real edge tells of it, through a real broker, to a real hub, which is killed and started again twice on
the way. Nobody takes the red alert up; it goes to the station and to the command centre, which acknowledges,
verifies, dispatches, and reports from the spot. Each step reaches the command centre's webhook and the view
library of the police (GA/T 1400) once, in order.
"""

import itertools
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from demo.site import SITE
from tests.e2e.prowling_edge import OBSERVATION_ID
from tests.e2e.replay_edge import CAMERA
from tests.e2e.sites import Site, wait_until
from tests.viid_server import ViidServer

PATIENCE_S = 4
RULE = """\
id = "car-doors"
title = "Somebody tries car doors 拉车门"
kind = "vehicle_prowling"
owner = "test"
severity = "red"
vehicles = 2
"""
POLICY = f"""
[escalation.red]
acknowledge_within_s = {PATIENCE_S}
close_within_s = 3600
"""
REGISTER = {
    "sites": f"id,title\n{SITE},玫瑰园\n",
    "cells": "id,title,polygon\nc1,一格,120.0 29.0; 120.1 29.0; 120.1 29.1; 120.0 29.1\n",
    "cameras": f"site,id,title,longitude,latitude\n{SITE},{CAMERA},北门,120.05,29.05\n",
    "people": (
        "id,name,role,level,cells\nli,李军,网格员,grid,c1\nchen,陈警官,社区民警,station,\n"
        "zhou,周值班,指挥员,centre,\n"
    ),
}
#: The way of the alert as the command centre is told: what happened, to which state, at which level, whose.
WAY = [
    ("raised", "open", "grid", "li"),
    ("escalated", "open", "station", "chen"),
    ("escalated", "open", "centre", "zhou"),
    ("moved", "acknowledged", "centre", "zhou"),
    ("moved", "verified", "centre", "zhou"),
    ("moved", "dispatched", "centre", "zhou"),
    ("moved", "on_scene", "centre", "zhou"),
    ("noted", "on_scene", "centre", "zhou"),
    ("moved", "closed", "centre", "zhou"),
]
#: The same as the police are told: their standard has no word for a note.
TITLES = [
    "未核实·报警", "未核实·升级", "未核实·升级", "未核实·已签收", "已核实", "已派警", "已到场", "已办结",
]  # fmt: skip


class LoopSite(Site):
    """A site with a register, the rule, and little patience."""

    def __post_init__(self) -> None:
        super().__post_init__()
        rules = self.plan.folder / "rules"
        for path in rules.iterdir():
            path.unlink()
        (rules / "car-doors.toml").write_text(RULE, encoding="utf-8")
        self.police = ViidServer()
        (self.plan.folder / "police.password").write_text(self.police.password, encoding="utf-8")
        with self.plan.hub_file.open("a", encoding="utf-8") as file:
            file.write(POLICY)
            file.write(
                f'[[sinks]]\nid = "police"\nkind = "gat1400"\nurl = "{self.police.start()}"\n'
                'allow_networks = ["127.0.0.0/8"]\npassword_file = "police.password"\n'
                f'organ = "330782000000"\nusername = "{self.police.username}"\n'
                f'device_id = "{self.police.device_id}"\n'
            )

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.police.stop()

    def register(self) -> None:
        for kind, text in REGISTER.items():
            headers = {"content-type": "text/csv"}
            path = f"/register/{kind}/all/csv"
            done = self.api("POST", path, content=text.encode(), headers=headers)
            assert done["problems"] == [], done

    def kill_and_start_hub(self) -> None:
        self.kill("hub")
        self.start_hub()

    def told(self) -> list[dict]:
        """The alert in each event that the command centre has taken, in the order in which they came."""
        return [delivery.alert for delivery in self.centre.deliveries]

    def told_police(self) -> list[dict]:
        """Each notification that the police have, once, in the order in which they came."""
        return list({one["NotificationID"]: one for one in self.police.notifications}.values())

    def wait_for(self, steps: int) -> None:
        """Wait until both have been told of this many steps of `WAY`."""
        words = sum(kind != "noted" for kind, *_ in WAY[:steps])
        wait_until(
            lambda: len(self.told()) >= steps and len(self.told_police()) >= words,
            60,
            f"{len(self.told())} and {len(self.told_police())} of {steps} steps told",
        )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_loop_closes(tmp_path: Path) -> None:
    with LoopSite(tmp_path, face_pack="") as site:
        site.register()
        site.start("edge", "tests.e2e.prowling_edge", str(site.plan.edge_file))
        site.wait_for(1)
        site.kill_and_start_hub()  # its timers are stored: it goes up all the same
        site.wait_for(3)
        (alert,) = site.all("/alerts")
        path = f"/alerts/{alert['id']}"

        site.api("POST", f"{path}/acknowledge", json={"note": "the centre takes it"})
        site.api("POST", f"{path}/transitions", json={"to": "verified"})
        site.api("POST", f"{path}/transitions", json={"to": "dispatched", "note": "patrol 3"})
        site.kill_and_start_hub()  # what was answered is done, and is told
        site.wait_for(6)
        site.api("POST", f"{path}/transitions", json={"to": "on_scene"})
        site.api("POST", f"{path}/notes", json={"note": "two people with a bag of tools"})
        close = {"to": "closed", "disposition": "confirmed", "note": "two arrested"}
        site.api("POST", f"{path}/transitions", json=close)
        site.wait_for(len(WAY))
        time.sleep(2 * PATIENCE_S)  # would anything be told twice, or escalate once it is closed?
        _check_what_was_told(site)
        _check_what_the_police_were_told(site)
        _check_the_record(site, path)


def _check_what_was_told(site: LoopSite) -> None:
    told = site.told()
    assert [
        (one.get("change", "raised"), one["state"], one["level"], one["assignee"]) for one in told
    ] == WAY
    assert [one["number"] for one in told[1:]] == list(range(1, len(WAY)))
    assert {one["alert_id"] for one in told} == {told[0]["alert_id"]}
    assert len({delivery.webhook_id for delivery in site.centre.deliveries}) == len(WAY)
    assert site.centre.forged == 0
    first = told[0]
    assert (first["severity"], first["certainty"], first["cell"]) == ("red", "unverified", "c1")
    assert first["observation_id"] == OBSERVATION_ID
    assert first["match"]["rule_kind"] == "vehicle_prowling"
    assert first["match"]["facts"]["vehicles"] == 3
    assert [one["certainty"] for one in told[3:5]] == ["unverified", "confirmed"]
    assert (told[-1]["disposition"], told[-1]["note"]) == ("confirmed", "two arrested")
    moments = [_at(first["raised_at"]), *(_at(one["changed_at"]) for one in told[1:])]
    assert moments == sorted(moments)
    for before, after in itertools.pairwise(moments[:3]):
        assert after - before >= timedelta(seconds=PATIENCE_S)


def _check_what_the_police_were_told(site: LoopSite) -> None:
    told = site.told_police()
    assert [one["Title"].partition("]")[0].removeprefix("[") for one in told] == TITLES
    assert len({one["DispositionID"] for one in told}) == 1
    moments = [one["TriggerTime"] for one in told]
    assert moments == sorted(moments)
    assert site.police.refused == []
    (seen,) = site.police.taken.values()  # the prowler, sent once more at most after each restart
    assert {one["CntObjectID"] for one in told} == {seen["PersonID"]}
    assert site.police.registrations >= 3  # at each start


def _check_the_record(site: LoopSite, path: str) -> None:
    shown = site.api("GET", path)
    assert [change["kind"] for change in shown["changes"]] == [step[0] for step in WAY[1:]]
    times = shown["response_times"]
    raised = _at(shown["raised_at"])
    by_state = {
        c["to_state"]: _at(c["at"]) for c in reversed(shown["changes"]) if c["kind"] == "moved"
    }
    expected = {
        "seen_to_raised_s": raised - _at(shown["captured_at"]),
        "raised_to_told_s": _at(shown["told_at"]) - raised,
        "raised_to_acknowledged_s": by_state["acknowledged"] - raised,
        "acknowledged_to_on_scene_s": by_state["on_scene"] - by_state["acknowledged"],
        "raised_to_on_scene_s": by_state["on_scene"] - raised,
        "raised_to_closed_s": by_state["closed"] - raised,
    }
    assert times == {name: pytest.approx(span.total_seconds()) for name, span in expected.items()}
    assert times["raised_to_acknowledged_s"] >= 2 * PATIENCE_S
    first_heard = site.centre.deliveries[0].received_at
    assert abs(_at(shown["told_at"]) - first_heard) < timedelta(seconds=30)
    span = {
        "since": (raised - timedelta(hours=1)).isoformat(),
        "until": datetime.max.isoformat() + "Z",
    }
    (group,) = site.all("/response-times", **span, by="cell")
    assert (group["group"], group["alerts"]) == ("c1", 1)
    assert group["times"]["raised_to_closed_s"]["median_s"] == pytest.approx(
        times["raised_to_closed_s"]
    )
    assert [row["id"] for row in site.all("/observations")] == [OBSERVATION_ID]
    assert site.all("/dead-letters") == []
    assert site.api("GET", "/audit/chain")["first_break"] is None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
