"""Plays a timeline, written as text, through the real pipeline and store: at 01:25:00 this, expect that.

    01:25:00 person prowls 3 cars in parking for 90 s
    expect red alert "a person went to 3 parked vehicles within 90 s at parking of camera gate-in"

Times are of the clock in Shanghai, of one night from noon on; each line comes to the hub at its time,
timers are asked before and after it. `expect` lines take the alerts that were raised since the last one,
in order.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from hub.passes import PassKind, PassState
from hub.register import Resident, Row, Unit, Vehicle
from hub.store import passes, register, watchlists
from hub.ticker import Ticker
from hub.watchlist import Category, ListKind
from tests.unit.hub.kit import (
    CAMERA,
    PACK_SHA,
    SITE,
    FakeEdge,
    HubBench,
    entry,
    unit,
)
from wire.messages import (
    BehaviourObservation,
    EvidenceItem,
    MeterObservation,
    ObjectObservation,
    PassageMember,
    PassageObservation,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 5, 12, tzinfo=ZONE)
SCENE = EvidenceItem(name="scene", media_type="image/jpeg", size_bytes=10, sha256="ab" * 32)
CAMERAS = {"gate-out": "north", "south-in": "south", "yard": "yard"}
_MORE = "".join(
    f'[[cameras]]\nid = "{camera}"\nedge = "box-1"\ngate = "{gate}"\n'
    for camera, gate in CAMERAS.items()
)


class Timeline:
    """One hub with one rule, on a store with a register."""

    def __init__(self, folder: Path, edge: FakeEdge, database: Path, rule: str) -> None:
        self.bench = HubBench(folder, edge, database=database, more=_MORE)
        self.edge = edge
        for path in self.bench.config.rules_dir.glob("*.toml"):
            path.unlink()
        head = 'id = "rule"\ntitle = "Rule"\nowner = "o"\n'
        (self.bench.config.rules_dir / "rule.toml").write_text(head + rule, encoding="utf-8")
        self.people: dict[str, str] = {}
        self.residents: dict[str, Resident] = {}
        self.now = NOON
        self.told = 0
        self.passages: list[str] = []
        self.bench.restart()
        assert not self._ticker().keeper.broken
        self.look()

    def look(self) -> None:
        """Read the rules; they are sound."""
        with self.bench.store.read() as tx:
            self.bench.rules.current(tx)
        assert self.bench.rules.broken == ()

    def play(self, text: str) -> None:
        for line in text.strip().splitlines():
            words = line.strip()
            if words and not words.startswith("#"):
                self._line(words)

    def _line(self, line: str) -> None:
        if line.startswith("expect "):
            self._expect(line.removeprefix("expect "))
            return
        clock, _, does = line.partition(" ")
        days, _, clock = clock.rpartition("d+") if "d+" in clock else ("0", "", clock)
        hour, minute, second = map(int, clock.split(":"))
        at = NOON.replace(hour=hour, minute=minute, second=second) + timedelta(days=int(days))
        at += timedelta(days=1) if at < NOON else timedelta(0)
        assert at >= self.now, f"{line}: time runs backwards"
        self.now = at
        self._tick()
        for pattern, act in _ACTS.items():
            if found := re.fullmatch(pattern, does):
                act(self, *found.groups())
                break
        else:
            raise AssertionError(f"nobody knows how to play {does!r}")
        self._tick()

    def _expect(self, what: str) -> None:
        rows = sorted(self.bench.rows("alerts"), key=lambda row: (row["raised_at"], row["id"]))
        fresh = rows[self.told :]
        self.told = len(rows)
        shown = [f"{row['severity']} alert {row['reason']!r}" for row in fresh]
        if what == "nothing":
            assert not fresh, shown
            return
        found = re.fullmatch(r'(\w+) alert "(.*)"', what)
        assert found, what
        assert [(row["severity"], row["reason"]) for row in fresh] == [found.groups()], shown

    def _ticker(self) -> Ticker:
        bench = self.bench
        return Ticker(
            bench.store, bench.rules, bench.pipeline.raiser,
            lambda: self.now, lambda: None,
        )  # fmt: skip

    def _tick(self) -> None:
        self._ticker().ask(self.utc)

    @property
    def utc(self) -> datetime:
        return self.now.astimezone(UTC)

    def _send(self, data, camera: str | None = None) -> str:
        event_id = str(uuid.uuid4())
        self.bench.now = self.utc
        message = self.edge.observation(
            data, when=self.utc, camera=camera or CAMERA, event_id=event_id
        )
        outcome = self.bench.run(message)
        assert outcome.committed == 1, outcome
        return event_id

    def track(self) -> dict:
        return self.edge._track(self.utc, (SCENE,))

    # What can happen.

    def restart(self) -> None:
        self.bench.restart()

    def wait(self) -> None:
        pass

    def plate(self, text: str, camera: str | None, confidence: str | None) -> None:
        self.bench.now = self.utc
        sure = float(confidence or 0.96)
        self.bench.run(self.edge.plate(text, self.utc, camera=camera or CAMERA, confidence=sure))

    def put(self, kind: str, row: Row) -> None:
        with self.bench.store.write() as tx:
            register.put(tx, kind, [row])

    def registered(self, plate: str) -> None:
        self.put("vehicles", Vehicle(site=SITE, plate=plate))

    def visitor(self, plate: str, unit: str, until: str) -> None:
        hour, minute = map(int, until.split(":"))
        end = self.now.replace(hour=hour, minute=minute).astimezone(UTC)
        row = {
            "id": str(uuid.uuid4()), "site": SITE, "unit": unit, "kind": PassKind.VISIT.value,
            "state": PassState.APPROVED.value, "name": "Zhao", "plate": plate,
            "valid_from": self.utc, "valid_until": end, "requested_at": self.utc,
            "consent": "v1", "decided_by": "office", "decided_at": self.utc,
        }  # fmt: skip
        with self.bench.store.write() as tx:
            passes.add(tx, row)

    def listed_plate(self, plate: str) -> None:
        self.bench.watch(entry(plate))

    def enrol(self, name: str, flat: str | None) -> None:
        """A resident of a flat, or, without one, a missing person."""
        subject = str(uuid.uuid4())
        self.people[name] = subject
        embedding, template = self._face(name), str(uuid.uuid4())
        row = {
            "id": subject, "label": name, "purpose": "resident", "basis": "consent",
            "reference": "1", "enrolled_by": "ann", "enrolled_at": self.utc,
            "expires_at": self.utc + timedelta(days=90),
        }  # fmt: skip
        sealed = self.bench.vault.seal(embedding, template, subject, PACK_SHA)
        kept = {
            "id": template, "subject_id": subject, "pack": "test-pack", "pack_sha256": PACK_SHA,
            "quality": 0.9, "created_at": self.utc, "sealed": sealed,
        }  # fmt: skip
        with self.bench.store.write() as tx:
            watchlists.add_subject(tx, row, [kept])
            watchlists.changed(tx)
        if flat:
            self.residents[name] = Resident(
                id=f"r-{name.lower()}", site=SITE, unit=flat, name=name, consent_reference="c-1",
                subject_id=subject,
            )  # fmt: skip
            self.put("residents", self.residents[name])
        else:
            category = Category.MISSING_PERSON
            self.bench.watch(entry(subject, ListKind.FACE, category, label=name))

    def lives_alone(self, name: str) -> None:
        asked = {"lives_alone": True, "welfare_since": self.utc, "welfare_hours": 24}
        self.put("residents", self.residents[name].model_copy(update=asked))

    def unit(self, name: str, occupancy: str) -> None:
        self.put("units", Unit(site=SITE, id=name, occupancy=occupancy))

    def meter(self, flat: str, medium: str, value: str) -> None:
        data = MeterObservation(
            meter=f"{medium}-{flat}", unit=flat, medium=medium, value=float(value),
            captured_at=self.utc,
        )  # fmt: skip
        self._send(data)

    def _face(self, name: str) -> np.ndarray:
        return unit(sum(name.encode()) + len(name))

    def face(self, name: str) -> str:
        self.bench.now = self.utc
        message = self.edge.face(
            self._face(name), self.bench.opening.public_key(), self.utc, pictures=(SCENE,)
        )
        assert self.bench.run(message).committed == 1
        newest = max(self.bench.rows("observations"), key=lambda row: row["sequence"])
        return newest["id"]

    def passage(self, direction: str, names: str, grants: str | None) -> None:
        members = []
        for number, name in enumerate(names.split(", ")):
            seen = name != "somebody unseen"
            members.append(
                PassageMember(
                    track_id=f"p{number}",
                    label="person",
                    crossed_at=self.utc,
                    faces=(self.face(name),) if seen else (),
                )
            )
        released = int(grants) if grants else None
        data = PassageObservation(
            **self.track(), line="gate", direction=direction, members=tuple(members),
            grants=released,
        )  # fmt: skip
        self._send(data)

    def object(self, label: str, event: str, zone: str, more: str | None) -> None:
        words = more or ""
        stay = re.search(r"for (\d+) s", words)
        count = re.search(r"making (\d+)", words)
        camera = re.search(r"at ([\w-]+)", words)
        data = ObjectObservation(
            **self.track(), label=label, event={"enters": "entered", "stays in": "dwelt"}[event],
            zone=zone, stay_s=float(stay[1]) if stay else None,
            count=int(count[1]) if count else 1, parked="parked" in words,
        )  # fmt: skip
        self._send(data, camera[1] if camera else None)

    def crosses(self, label: str, line: str, direction: str) -> None:
        data = ObjectObservation(
            **self.track(), label=label, event="crossed", line=line, direction=direction, count=1
        )
        self._send(data)

    def behaves(self, label: str, behaviour: str, zone: str, count: str, stay: str) -> None:
        data = BehaviourObservation(
            **self.track(), behaviour=behaviour, label=label, zone=zone, tracks=("t1",),
            count=int(count), since_at=self.utc - timedelta(seconds=int(stay)), stay_s=float(stay),
            reason="as the edge saw it",
        )  # fmt: skip
        self._send(data)

    def prowls(self, count: str, zone: str, stay: str) -> None:
        self.behaves("person", "vehicle_prowling", zone, count, stay)

    def camera(self, state: str) -> None:
        self.bench.now = self.utc
        self.bench.run(self.edge.camera_state(state, self.utc))

    def clock(self, offset_ms: str) -> None:
        self.edge.clock_offset_ms = int(offset_ms)

    def born(self, online: str) -> None:
        self.bench.now = self.utc
        self.session = getattr(self, "session", str(uuid.uuid4()))
        self.bench.run(self.edge.status(online=online == "online", session=self.session))


_PLATE = r"([\u4e00-\u9fff][A-Z0-9]{6,7})"
_ACTS: dict[str, Callable] = {
    r"the hub is restarted": Timeline.restart,
    r"nothing happens": Timeline.wait,
    rf"car {_PLATE} at ([\w-]+)(?: read with ([\d.]+))?": Timeline.plate,
    rf"{_PLATE} is registered": Timeline.registered,
    rf"{_PLATE} gets a pass of (\S+) until (\d\d:\d\d)": Timeline.visitor,
    rf"{_PLATE} is listed": Timeline.listed_plate,
    r"(\w+) is enrolled as a resident of (\S+)": Timeline.enrol,
    r"(\w+) is missing()": Timeline.enrol,
    r"(\w+) lives alone": Timeline.lives_alone,
    r"flat (\S+) is (vacant|occupied)": Timeline.unit,
    r"flat (\S+): (water|electricity) ([\d.]+)": Timeline.meter,
    r"(\w+)'s face": Timeline.face,
    r"come (in|out) together: ([\w ,]+?)(?: on (\d+) releases?)?": Timeline.passage,
    r"person prowls (\d+) cars in ([\w-]+) for (\d+) s": Timeline.prowls,
    r"(\w+) (enters|stays in) ([\w-]+)(.*)": Timeline.object,
    r"(\w+) crosses ([\w-]+) going (in|out)": Timeline.crosses,
    r"edge says (\w+) (\w+) at ([\w-]+), (\d+), for (\d+) s": Timeline.behaves,
    r"camera is (\w+)": Timeline.camera,
    r"the box's clock is off by (-?\d+) ms": Timeline.clock,
    r"the box is (online|offline)": Timeline.born,
}
