"""A hub with something of everything in it, for tests that try its API as a whole.

`World` is the hub as the composition root makes it, on a real SQLite store, not started: no broker and no
threads. What edges send is put through its pipeline. `WRITES` says of every operation that writes how it is
called with success: each call is made for the occasion, so that it can be carried out whatever was done.
"""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hub.access import Role, token_hash
from hub.api import create_app
from hub.app import Hub, first_token
from hub.config import load_config
from hub.duplicates import DuplicateFinder
from hub.edges import EdgeBook
from hub.enrolment import Enroller
from hub.gallery import Gallery
from hub.incoming import Incoming
from hub.register import KINDS
from hub.store import access, deliveries
from hub.store.tables import metadata
from hub.viid.ids import write_time
from hub.viid.peers import Peer
from models.faces import FacePack
from tests.servers import free_port, wait_for_port
from tests.unit.hub.kit import CAMERA, PACK_SHA, SITE, FakeEdge, accept, write_config
from tests.unit.hub.test_api import OneFacePerBrightness, photo
from tests.unit.hub.test_pipeline import SCENE_ITEM

PREFIX = "/api/v1"
PEER = Peer("city", "33078200005030000009", "city")
#: What is off unless the file says otherwise: the visitors' page, and a command centre's dispositions.
SECTIONS = f"""[visitors]
base_url = "https://visit.example"
controller = "office"
contact = "1"
[viid]
device_id = "33078200005030000001"
[[viid.peers]]
id = "{PEER.id}"
device_id = "{PEER.device_id}"
username = "{PEER.username}"
password_file = "peer-password"
"""
UNIT, PERSON, CELL, RULE = "3-1502", "li", "c1", "stored"
CROWD = {"title": "Crowds", "kind": "crowding", "owner": "office", "severity": "blue"}
STRANGERS = {
    "id": RULE, "title": "Strangers' cars", "kind": "unregistered_vehicle", "owner": "office",
    "severity": "blue",
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """One request. `other` is what to change of its body to make it another request."""

    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    files: tuple[tuple[str, tuple[str, bytes, str]], ...] = ()
    content: bytes | None = None
    other: Mapping[str, Any] | bytes | None = None
    role: Role = Role.ADMIN

    def changed(self) -> "Call":
        """The same with another body."""
        if isinstance(self.other, bytes):
            return replace(self, content=self.other)
        assert self.other is not None
        if self.form is not None:
            return replace(self, form={**self.form, **self.other})
        return replace(self, json={**(self.json or {}), **self.other})


class World:
    """The hub, its application, and what is in it."""

    def __init__(self, folder: Path) -> None:
        self.edge = FakeEdge()
        path, _ = write_config(folder, self.edge, more=SECTIONS)
        (folder / "peer-password").write_text("secret-of-city", encoding="utf-8")
        self.hub = Hub(load_config(path))
        networks = OneFacePerBrightness()
        vault = self.hub.services.vault
        self.services = replace(
            self.hub.services,
            enroller=Enroller(FacePack("test-pack", networks, networks, 0.5, 0.05, "MIT", True)),
            duplicates=DuplicateFinder(vault, Gallery("test-pack", PACK_SHA, 128, accept)),
            stopping=lambda: True,  # an event stream ends with what is there
        )
        self.app: FastAPI = create_app(self.services)
        self.client = TestClient(self.app, raise_server_exceptions=False)
        token = first_token(self.hub.store, self.now)
        assert token is not None
        self.tokens = {Role.ADMIN: token}
        self._book = EdgeBook({}, {})
        self._numbers = itertools.count(10_000)
        self._fill()

    def close(self) -> None:
        self.hub.store.close()

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def later(self, **span: float) -> str:
        return (self.now + timedelta(**span)).isoformat()

    def headers(self, role: Role = Role.ADMIN, key: str = "") -> dict[str, str]:
        if role not in self.tokens:
            self.tokens[role] = f"token-of-the-{role}"
            with self.hub.store.write() as tx:
                access.add_token(tx, str(role), role, token_hash(self.tokens[role]), self.now)
        return {
            "authorization": f"Bearer {self.tokens[role]}",
            **({"idempotency-key": key} if key else {}),
        }

    def send(self, method: str, path: str, call: Call, key: str = "") -> httpx.Response:
        """Make one request; `path` is the template of its operation."""
        more: dict[str, Any] = {}
        headers = self.headers(call.role, key)
        if call.content is not None:
            more["content"], headers["content-type"] = call.content, "text/csv"
        if call.json is not None:
            more["json"] = call.json
        if call.form is not None:
            more["data"], more["files"] = dict(call.form), list(call.files)
        url = path.format(**call.path)
        return self.client.request(method, url, params=call.query, headers=headers, **more)

    def done(self, method: str, path: str, call: Call) -> Any:
        """Make a request that is carried out; returns its answer."""
        answer = self.send(method, PREFIX + path, call)
        assert answer.is_success, (method, path, answer.text)
        return answer.json()

    def count(self, table: str) -> int:
        return len(self.rows(table))

    def rows(self, table: str) -> list[dict[str, Any]]:
        with self.hub.store.read() as tx:
            return [dict(row) for row in tx.execute(metadata.tables[table].select()).mappings()]

    def see(self, *messages: Incoming) -> None:
        """What an edge has sent."""
        outcome = self.hub.ingest.pipeline.run(messages, self._book, self.now)
        self._book = outcome.book

    def number(self) -> int:
        """One that was not given out before."""
        return next(self._numbers)

    # What can be made, as often as is wanted; each returns its id.

    def alert(self) -> str:
        plate = f"京A{self.number()}"
        self.entry(plate)
        self.see(self.edge.plate(plate, self.now, pictures=(SCENE_ITEM,)))
        (alert,) = (
            row
            for row in self.rows("alerts")
            if row["target"] == f"plate:{plate}" and row["rule_id"] == "plates"
        )
        return str(alert["id"])

    def entry(self, plate: str = "", *, approve: bool = True) -> str:
        made = self.done("POST", "/watchlists/plates", self.plate_entry(plate))
        if approve:
            path = f"/watchlists/plates/{made['id']}/approve"
            self.done("POST", path, Call(role=Role.APPROVER))
        return str(made["id"])

    def plate_entry(self, plate: str = "") -> Call:
        return Call(
            json={
                "plate": plate or f"京B{self.number()}", "label": "white van",
                "category": "stolen_vehicle", "basis": "case", "reference": "2026-118",
                "expires_at": self.later(days=20),
            },
            other={"label": "red van"},
        )  # fmt: skip

    def subject(self) -> str:
        return str(self.done("POST", "/subjects", self.enrolment())["id"])

    def enrolment(self) -> Call:
        return Call(
            form={
                "label": "Wang", "purpose": "resident", "basis": "consent", "reference": "7",
                "expires_at": self.later(days=20), "consent_text": "v3",
                "consent_given_at": self.later(minutes=-5), "allow_duplicate": "true",
            },
            files=(("photo", ("a.png", photo(), "image/png")),),
            other={"label": "Li"},
        )  # fmt: skip

    def missing_person(self) -> str:
        """A command centre's disposition of a person."""
        wanted = {
            "DispositionID": f"3307820000000120261105170000{self.number()}",
            "DispositionCategory": "1", "Title": "missing", "OperateType": "0",
            "EndTime": write_time(self.now + timedelta(days=2)),
        }  # fmt: skip
        desk = self.hub.services.viid
        assert desk is not None
        (status,) = desk.dispositions.take(PEER, [wanted])
        assert status.taken, status
        return wanted["DispositionID"]

    def silence(self) -> Call:
        return Call(
            json={"gate": "south", "reason": "building works", "ends_at": self.later(hours=1)},
            other={"gate": "west"},
        )

    def visit(self, role: Role = Role.ADMIN, unit: str = UNIT) -> Call:
        return Call(
            json={
                "site": SITE, "unit": unit, "kind": "visit", "name": "Zhao", "plate": "京C00001",
                "valid_from": self.later(), "valid_until": self.later(hours=2), "consent": "v1",
            },
            other={"name": "Qian"},
            role=role,
        )  # fmt: skip

    def waiting_pass(self) -> str:
        unit = self.key("units").partition(":")[2]  # few may wait for one unit
        made = self.done("POST", "/passes", self.visit(Role.GUARD, unit))
        assert made["state"] == "pending"
        return str(made["id"])

    def draft(self, rule: str = "") -> Call:
        document = {**CROWD, "id": rule or f"rule-{self.number()}"}
        return Call(
            {"rule_id": document["id"]},
            json={"document": document},
            other={"document": {**document, "severity": "red"}},
        )

    def rule(self, document: Mapping[str, Any] | None = None) -> str:
        call = self.draft() if document is None else Call(json={"document": document})
        rule_id = str((call.json or {})["document"]["id"])
        self.done("PUT", f"/rules/{rule_id}", call)
        self.done("POST", f"/rules/{rule_id}/enable", Call(json={}))
        return rule_id

    def dead_delivery(self) -> int:
        self.alert()
        with self.hub.store.write() as tx:
            waiting = deliveries.due(tx, "mqtt", self.now, 100)[0]
            deliveries.settle(tx, waiting, "dead", self.now, "it was refused")
        return waiting.position

    def row(self, kind: str) -> dict[str, Any]:
        """A row of the register that no other names."""
        return {**ROWS[kind], **({"plate": f"京D{self.number()}"} if kind == "vehicles" else
                                 {"id": f"n-{self.number()}"})}  # fmt: skip

    def key(self, kind: str) -> str:
        row = self.row(kind)
        self.done("PUT", f"/register/{kind}", Call(json=row))
        return ":".join(row[name] for name in KINDS[kind].KEY)

    def _fill(self) -> None:
        self.hub.ticker.look(self.now)  # the rules in files have a history too
        for kind, row in ROWS.items():
            self.done("PUT", f"/register/{kind}", Call(json=row))
        self.rule(STRANGERS)  # two rules see a stolen car that is a stranger's: an incident
        for _ in range(3):
            self.alert()
            self.subject()
            self.entry(approve=False)
            self.waiting_pass()
            self.missing_person()
            self.done("POST", "/silences", self.silence())
            self.rule()
        self.dead_delivery()
        self.see(Incoming(self.edge.topics.status, b"no message"))
        self.see(self.edge.status(), self.edge.camera_state("offline", self.now))
        self.done("POST", "/watchlists/faces", WRITES["POST /watchlists/faces"](self))


@contextlib.contextmanager
def served(world: World) -> Iterator[str]:
    """The hub's API on a port of its own; its URL."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


#: One row of each kind of the register, each after those that it names.
ROWS: Mapping[str, dict[str, Any]] = {
    "sites": {"id": SITE, "title": "玫瑰园"},
    "gates": {"site": SITE, "id": "north", "title": "北门"},
    "cells": {"id": CELL, "title": "一格"},
    "cameras": {"site": SITE, "id": CAMERA, "title": "北门", "cell": CELL},
    "people": {"id": PERSON, "name": "李军", "role": "网格员", "level": "grid", "cells": [CELL]},
    "shifts": {"id": "s1", "person": PERSON, "days": ["mon"], "since": "08:00", "until": "20:00"},
    "buildings": {"site": SITE, "id": "3", "title": "三号楼"},
    "units": {"site": SITE, "id": UNIT, "building": "3"},
    "residents": {
        "site": SITE, "id": "r1", "unit": UNIT, "name": "Wang", "consent_reference": "c-1",
    },
    "vehicles": {"site": SITE, "plate": "京D00001", "unit": UNIT},
}  # fmt: skip
_CHANGES: Mapping[str, dict[str, Any]] = {
    "people": {"name": "王军"}, "shifts": {"until": "21:00"}, "units": {"title": "corner"},
    "residents": {"name": "Li"}, "vehicles": {"unit": ""},
}  # fmt: skip


def _put_row(kind: str) -> Callable[[World], Call]:
    return lambda world: Call(json=world.row(kind), other=_CHANGES.get(kind, {"title": "another"}))


def _remove_row(kind: str) -> Callable[[World], Call]:
    return lambda world: Call({"key": world.key(kind)})


def _back_test(world: World) -> Call:
    period = {"since": world.later(days=-1), "until": world.later(), "purpose": "tuning"}
    return Call(json={"rule_id": world.rule(), **period}, other={"purpose": "tuning again"})


def _on_alert(body: dict[str, Any], other: dict[str, Any]) -> Callable[[World], Call]:
    return lambda world: Call({"alert_id": world.alert()}, json=body, other=other)


def _on_pass(world: World) -> Call:
    return Call({"pass_id": world.waiting_pass()})


def _passes_csv(world: World) -> Call:
    wanted = world.visit().json or {}
    header = ",".join(wanted)
    rows = [",".join({**wanted, "name": name}.values()) for name in ("Sun", "Zhou")]
    return Call(content=f"{header}\n{rows[0]}\n".encode(), other=f"{header}\n{rows[1]}\n".encode())


def _approved_pass(world: World) -> Call:
    return Call({"pass_id": world.done("POST", "/passes", world.visit())["id"]})


def _picture(world: World) -> Call:
    files = (("picture", ("a.png", photo(), "image/png")),)
    return Call({"alert_id": world.alert()}, form={"note": "n"}, files=files, other={"note": "m"})


def _face_entry(world: World) -> Call:
    wanted = {**(world.plate_entry().json or {}), "category": "missing_person"}
    del wanted["plate"]
    return Call(json={**wanted, "subject_id": world.subject()}, other={"label": "another"})


def _disposition(world: World) -> Call:
    path = {"disposition_id": world.missing_person()}
    return Call(path, json={"subject_id": world.subject()}, other={"subject_id": "another"})


def _second_version(world: World) -> Call:
    rule = world.rule()
    draft = world.draft(rule).changed()
    world.done("PUT", f"/rules/{rule}", draft)
    return Call({"rule_id": rule}, json={"version": 1}, other={"version": 2})


def _replay(world: World) -> Call:
    position = world.dead_delivery()
    return Call({"sink": "mqtt"}, json={"position": position}, other={"position": 1})


WRITES: Mapping[str, Callable[[World], Call]] = {
    "POST /alerts/{alert_id}/acknowledge": _on_alert({"note": "seen"}, {"note": "other"}),
    "POST /alerts/{alert_id}/transitions": _on_alert({"to": "acknowledged"}, {"note": "other"}),
    "POST /alerts/{alert_id}/assign": _on_alert({"person": PERSON}, {"note": "other"}),
    "POST /alerts/{alert_id}/notes": _on_alert({"note": "two people"}, {"note": "other"}),
    "POST /alerts/{alert_id}/pictures": _picture,
    "POST /silences": World.silence,
    "POST /silences/{silence_id}/end": lambda world: Call(
        {"silence_id": world.done("POST", "/silences", world.silence())["id"]}
    ),
    **{f"PUT /register/{kind}": _put_row(kind) for kind in ROWS},
    **{f"DELETE /register/{kind}/{{key}}": _remove_row(kind) for kind in ROWS},
    "POST /register/{kind}/all/csv": lambda world: Call(
        {"kind": "sites"},
        content=f"id,title\nsite-{world.number()},A\n".encode(),
        other=b"id,title\nanother,A\n",
    ),
    "POST /rules/backtest": _back_test,
    "PUT /rules/{rule_id}": World.draft,
    "POST /rules/{rule_id}/enable": _second_version,
    "POST /rules/{rule_id}/disable": lambda world: Call({"rule_id": world.rule()}),
    "POST /rules/{rule_id}/rollback": _second_version,
    "POST /passes": World.visit,
    "POST /passes/all/csv": _passes_csv,
    "POST /passes/{pass_id}/approve": _on_pass,
    "POST /passes/{pass_id}/decline": _on_pass,
    "POST /passes/{pass_id}/end": _approved_pass,
    "POST /units/{key}/code/rotate": lambda _: Call({"key": f"{SITE}:{UNIT}"}),
    "POST /dispositions/{disposition_id}/subject": _disposition,
    "POST /watchlists/plates": World.plate_entry,
    "POST /watchlists/faces": _face_entry,
    "POST /watchlists/{name}/{entry_id}/approve": lambda world: Call(
        {"name": "plates", "entry_id": world.entry(approve=False)}, role=Role.APPROVER
    ),
    "DELETE /watchlists/{name}/{entry_id}": lambda world: Call(
        {"name": "plates", "entry_id": world.entry()}
    ),
    "POST /subjects": World.enrolment,
    "POST /subjects/{subject_id}/templates": lambda world: Call(
        {"subject_id": world.subject()},
        form={"allow_duplicate": "true"},
        files=(("photo", ("a.png", photo(), "image/png")),),
        other={"allow_duplicate": "false"},
    ),
    "POST /subjects/{subject_id}/withdraw": lambda world: Call(
        {"subject_id": world.subject()}, json={"note": "moved away"}, other={"note": "other"}
    ),
    "DELETE /subjects/{subject_id}": lambda world: Call({"subject_id": world.subject()}),
    "POST /sinks/{sink}/replay": _replay,
}
"""Every operation that writes, and how it is called with success."""


def known_ids(world: World) -> dict[str, str]:
    """What path parameters can name, as it is now; no box, which without a broker nobody reaches (503)."""
    alert = next(row for row in world.rows("alerts") if row["incident_id"])
    return {
        "alert_id": alert["id"],
        "incident_id": alert["incident_id"],
        "observation_id": alert["observation_id"],
        "subject_id": world.rows("subjects")[-1]["id"],
        "entry_id": world.rows("watchlist_entries")[0]["id"],
        "disposition_id": world.rows("dispositions")[-1]["id"],
        "rule_id": RULE,
        "key": f"{SITE}:{UNIT}",
        "kind": "vehicles",
    }
