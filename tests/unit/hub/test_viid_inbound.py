"""A command centre's dispositions, from its client to the alert: requested, approved, changed, withdrawn."""

import base64
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from hub.access import Role
from hub.store import dispositions
from hub.viid.desk import make_desk
from hub.viid.ids import write_time
from hub.viid.messages import disposition_id
from hub.viid.section import ViidSection
from hub.watchlist import EntryState
from tests.unit.hub.kit import NOW, FakeEdge, at, unit
from tests.unit.hub.notices import a_notice
from tests.unit.hub.test_api import Api, problem
from tests.unit.hub.test_viid_dispositions import ID, item
from tests.unit.hub.test_visits import clean

ME, OTHER, HUB = "33078200005030000009", "33078200005030000008", "33078200005030000001"
PLATE = "浙GD1234"
MEDIA = {"content-type": "application/VIID+JSON;charset=UTF-8"}


@dataclass
class Centre:
    """A conforming client: registers with Digest, names itself, sends the standard's envelopes."""

    client: httpx.Client
    device: str = ME
    username: str = "city"
    password: str = "secret-of-city"

    def call(self, method: str, path: str, body: object = None, **arguments) -> httpx.Response:
        headers = {"user-identify": self.device, **MEDIA, **arguments.pop("headers", {})}
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        return self.client.request(
            method, f"/VIID{path}", content=content, headers=headers, **arguments
        )

    def register(self) -> httpx.Response:
        auth = httpx.DigestAuth(self.username, self.password)
        return self.call(
            "POST", "/System/Register", {"RegisterObject": {"DeviceID": self.device}}, auth=auth
        )

    def named(self, what: str) -> httpx.Response:
        return self.call("POST", f"/System/{what}", {f"{what}Object": {"DeviceID": self.device}})

    def send(self, *items: dict, method: str = "POST") -> list[tuple[int, str]]:
        body = {"DispositionListObject": {"DispositionObject": list(items)}}
        return statuses(self.call(method, "/Dispositions", body))


def statuses(answer: httpx.Response) -> list[tuple[int, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].lower().startswith("application/viid+json")
    items = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
    for one in items:
        assert set(one) == {"Id", "RequestURL", "StatusCode", "StatusString", "LocalTime"}
        assert re.fullmatch(r"\d{14}", one["LocalTime"])
    return [(one["StatusCode"], one["StatusString"]) for one in items]


def one_status(answer: httpx.Response, http: int) -> tuple[int, str]:
    assert answer.status_code == http, answer.text
    found = answer.json()["ResponseStatusObject"]
    return found["StatusCode"], found["StatusString"]


@pytest.fixture
def hub(api: Api, tmp_path: Path) -> Iterator[Api]:
    peers = []
    for name, device in (("city", ME), ("other", OTHER)):
        (tmp_path / name).write_text(f"secret-of-{name}\n")
        peers.append(
            {"id": name, "device_id": device, "username": name, "password_file": tmp_path / name}
        )
    section = ViidSection(device_id=HUB, peers=tuple(peers))
    bench, state = api.bench, api.client.app.state
    api.desk = make_desk(section, bench.store, lambda: bench.now)
    state.services = replace(state.services, viid=api.desk)
    yield api
    state.services = None


@pytest.fixture
def centre(hub: Api) -> Centre:
    made = Centre(TestClient(hub.client.app))
    assert one_status(made.register(), 200) == (0, "OK")
    return made


def entries(hub: Api) -> list[tuple[str, str]]:
    rows = sorted(hub.bench.rows("watchlist_entries"), key=lambda row: row["requested_at"])
    return [(row["target"], row["state"]) for row in rows]


def approve(hub: Api, kind: str = "plates") -> httpx.Response:
    waiting = [row for row in hub.bench.rows("watchlist_entries") if row["state"] == "pending"]
    return hub.approve(f"/watchlists/{kind}/{waiting[0]['id']}")


class TestSession:
    def test_registered_kept_alive_and_ended(self, hub: Api, centre: Centre) -> None:
        assert one_status(centre.named("Keepalive"), 200) == (0, "OK")
        clock = centre.call("GET", "/System/Time").json()["SystemTimeObject"]
        assert (clock["VIIDServerID"], clock["LocalTime"]) == (HUB, write_time(NOW))
        assert one_status(centre.named("UnRegister"), 200) == (0, "OK")
        assert one_status(centre.named("Keepalive"), 401) == (4, "register first")

    def test_it_lapses_in_silence_and_any_request_renews_it(self, hub: Api, centre: Centre) -> None:
        for minute in (2, 4):
            hub.bench.now = at(60 * minute)
            assert centre.call("GET", "/System/Time").status_code == 200
        hub.bench.now = at(60 * 4 + 181)
        assert centre.call("GET", "/System/Time").status_code == 401
        assert one_status(centre.register(), 200) == (0, "OK")

    def test_who_is_not_registered_is_challenged_and_changes_nothing(self, hub: Api) -> None:
        stranger = Centre(TestClient(hub.client.app))
        for method, path in (
            ("POST", "/Dispositions"),
            ("DELETE", f"/Dispositions/{ID}"),
            ("GET", "/System/Time"),
        ):
            answer = stranger.call(method, path, {})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Digest realm=")
        assert hub.bench.rows("dispositions") == []

    @pytest.mark.parametrize(
        "changes",
        [{"password": "wrong"}, {"username": "nobody"}, {"device": OTHER}, {"device": "1" * 20}],
    )
    def test_a_wrong_name_or_password(self, hub: Api, changes: dict[str, str]) -> None:
        wrong = Centre(TestClient(hub.client.app), **changes)
        assert wrong.register().status_code == 401
        assert wrong.named("Keepalive").status_code == 401

    def test_a_session_is_of_the_address_that_registered(self, hub: Api, centre: Centre) -> None:
        elsewhere = Centre(TestClient(hub.client.app, client=("192.0.2.9", 5)))
        assert elsewhere.named("Keepalive").status_code == 401
        assert centre.named("Keepalive").status_code == 200

    def test_passwords_cannot_be_tried_without_end(self, hub: Api) -> None:
        wrong = Centre(TestClient(hub.client.app), password="wrong")
        codes = [wrong.register().status_code for _ in range(25)]
        assert codes == [401] * 20 + [429] * 5
        right = Centre(TestClient(hub.client.app))
        assert right.register().status_code == 429
        hub.bench.now = at(700)
        assert right.register().status_code == 200

    def test_where_every_request_must_prove_its_sender(self, hub: Api, centre: Centre) -> None:
        strict = replace(hub.desk, section=hub.desk.section.model_copy(update={"digest": "always"}))
        state = hub.client.app.state
        state.services = replace(state.services, viid=strict)
        assert centre.named("Keepalive").status_code == 401
        auth = httpx.DigestAuth("city", "secret-of-city")
        body = {"DispositionListObject": {"DispositionObject": [item()]}}
        taken = centre.call("POST", "/Dispositions", body, auth=auth)
        assert statuses(taken)[0][0] == 0
        gone = centre.call("DELETE", f"/Dispositions?IDList={ID}", auth=auth)
        assert statuses(gone) == [(0, "withdrawn")]

    @pytest.mark.parametrize(
        ("body", "media", "code"),
        [
            (b"no json", {}, 7), (b'{"RegisterObject":1}', {}, 7),
            (b'{"KeepaliveObject":{"DeviceID":"x"}}', {}, 8),
            (b"{}", {"content-type": "text/xml"}, 7), (b" " * (5 << 20), {}, 8),
        ],
    )  # fmt: skip
    def test_a_bad_body(self, centre: Centre, body: bytes, media, code: int) -> None:
        headers = {"user-identify": ME, **MEDIA, **media}
        answer = centre.client.post("/VIID/System/Keepalive", content=body, headers=headers)
        assert one_status(answer, 400)[0] == code

    def test_without_the_section_there_is_nothing(self, api: Api) -> None:
        for method, path in (("POST", "/VIID/System/Register"), ("POST", "/VIID/Dispositions")):
            problem(api.client.request(method, path, content=b"{}"), 404, "not_found")


class TestVehicles:
    def test_it_matches_once_a_person_here_has_approved_it(
        self, hub: Api, centre: Centre, edge: FakeEdge
    ) -> None:
        assert centre.send(item()) == [
            (0, "requested: it counts once a person here has approved it")
        ]
        (entry,) = hub.bench.rows("watchlist_entries")
        assert (entry["target"], entry["category"], entry["reference"]) == (
            PLATE,
            "wanted_vehicle",
            ID,
        )
        assert (entry["requester"], entry["expires_at"]) == ("viid:city", at(86400))
        hub.bench.run(edge.plate(PLATE, at(1)))
        assert hub.bench.rows("alerts") == []
        assert approve(hub).status_code == 200
        hub.bench.run(edge.plate(PLATE, at(2)))
        (alert,) = hub.bench.rows("alerts")
        assert disposition_id(a_notice(basis=alert["basis"]), "330782000000") == ID
        acts = [(row["actor"], row["action"]) for row in hub.bench.rows("audit")]
        assert acts[:3] == [
            ("viid:city", "disposition.received"), ("viid:city", "entry.requested"),
            ("bob", "entry.approved"),
        ]  # fmt: skip

    def test_sent_again_it_changes_nothing(self, hub: Api, centre: Centre) -> None:
        centre.send(item())
        assert centre.send(item(), item(Title="other words")) == [(0, "known")] * 2
        approve(hub)
        assert centre.send(item(), method="PUT") == [(0, "known")]
        assert entries(hub) == [(PLATE, "approved")]

    def test_withdrawn_in_each_way_and_not_brought_back(self, hub: Api, centre: Centre) -> None:
        ids = [f"{ID[:-1]}{n}" for n in range(4)]
        assert {code for code, _ in centre.send(*(item(DispositionID=i) for i in ids))} == {0}
        approve(hub)
        assert centre.send({"DispositionID": ids[0], "OperateType": 1}) == [(0, "withdrawn")]
        removed = item(
            DispositionID=ids[1], DispositionRemoveTime=write_time(NOW), DispositionRemoveOrg="x"
        )
        assert centre.send(removed, method="PUT") == [(0, "withdrawn")]
        both = centre.call("DELETE", f"/Dispositions?IDList={ids[2]},{ids[0]}")
        assert statuses(both) == [(0, "withdrawn"), (0, "known")]
        assert statuses(centre.call("DELETE", f"/Dispositions/{ids[3]}")) == [(0, "withdrawn")]
        assert entries(hub) == [(PLATE, "removed")] * 4
        assert centre.send(item(DispositionID=ids[0]))[0][0] == 4
        assert "被盗车辆" not in str(hub.bench.rows("dispositions"))
        assert statuses(centre.call("DELETE", f"/Dispositions/{ID[:-1]}9")) == [
            (4, "there is no such disposition")
        ]
        assert one_status(centre.call("DELETE", "/Dispositions"), 400)[0] == 8

    def test_what_a_person_here_has_removed_stays_removed(self, hub: Api, centre: Centre) -> None:
        centre.send(item())
        (entry,) = hub.bench.rows("watchlist_entries")
        assert hub.call("DELETE", f"/watchlists/plates/{entry['id']}").status_code == 200
        assert centre.send(item()) == [(4, "it was removed here: a new one needs an id of its own")]
        assert entries(hub) == [(PLATE, "removed")]

    def test_an_earlier_end_holds_at_once_a_later_one_needs_approval(
        self, hub: Api, centre: Centre
    ) -> None:
        centre.send(item())
        approve(hub)
        assert centre.send(item(EndTime=write_time(at(3600)))) == [(0, "it ends earlier")]
        assert hub.bench.rows("watchlist_entries")[0]["expires_at"] == at(3600)
        assert centre.send(item(EndTime=write_time(at(86400 * 9))))[0][1].startswith("requested")
        assert sorted(entries(hub)) == [(PLATE, "approved"), (PLATE, "pending")]
        assert centre.send(item(EndTime=write_time(at(86400 * 10))))[0][1].startswith("requested")
        assert sorted(state for _, state in entries(hub)) == ["approved", "pending", "removed"]

    def test_another_plate_is_another_request_and_the_old_one_ends(
        self, hub: Api, centre: Centre
    ) -> None:
        centre.send(item())
        approve(hub)
        assert centre.send(item(TargetFeature="浙G00001"), method="PUT")[0][0] == 0
        assert sorted(entries(hub)) == [("浙G00001", "pending"), (PLATE, "removed")]

    def test_it_cannot_be_approved_before_it_begins(self, hub: Api, centre: Centre) -> None:
        centre.send(item(BeginTime=write_time(at(600))))
        problem(approve(hub), 409, "not_begun")
        hub.bench.now = at(600)
        assert approve(hub).status_code == 200

    def test_one_bad_item_stops_no_other(self, hub: Api, centre: Centre) -> None:
        bad = item(DispositionID=f"{ID[:-1]}2", TargetFeature="nonsense")
        assert [code for code, _ in centre.send(bad, item(), item(DispositionID=None))] == [8, 0, 8]
        assert entries(hub) == [(PLATE, "pending")]

    def test_one_sender_cannot_touch_anothers(self, hub: Api, centre: Centre) -> None:
        centre.send(item())
        other = Centre(
            TestClient(hub.client.app, client=("192.0.2.8", 5)), OTHER, "other", "secret-of-other"
        )
        assert other.register().status_code == 200
        for answer in (other.send(item()), other.send({"DispositionID": ID, "OperateType": 1})):
            assert answer == [(4, "this DispositionID is another sender's")]
        assert entries(hub) == [(PLATE, "pending")]

    def test_all_that_it_said_is_erased_when_its_time_is_over(
        self, hub: Api, centre: Centre
    ) -> None:
        centre.send(item())
        clean(hub, 86400)
        assert hub.bench.rows("dispositions") == []
        assert entries(hub) == [(PLATE, EntryState.EXPIRED)]
        for path in hub.bench.folder.rglob("hub.sqlite*"):
            assert "案件 2026-118".encode() not in path.read_bytes()


class TestPersons:
    def person(self, **changes) -> dict:
        picture = {"SubImageInfoObject": [{"Data": base64.b64encode(b"\xff\xd8face").decode()}]}
        return item(
            DispositionCategory="1",
            Title="走失老人 王某",
            TargetFeature="",
            SubImageList=picture,
            **changes,
        )

    def waiting(self, hub: Api) -> list[dict]:
        return hub.call("GET", "/dispositions", params={"state": "waiting"}).json()["items"]

    def test_it_waits_until_somebody_here_has_enrolled_them(
        self, hub: Api, centre: Centre, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        ((code, said),) = centre.send(self.person())
        assert code == 0
        assert "no picture is fetched" in said
        assert "10.0.0.1" not in caplog.text
        (waits,) = self.waiting(hub)
        assert (waits["peer"], waits["title"], waits["entries"]) == ("city", "走失老人 王某", [])
        subject = hub.bench.enrol(unit(1))
        path = f"/dispositions/{ID}/subject"
        problem(hub.call("POST", path, json={"subject_id": "x"}), 404, "not_found")
        problem(
            hub.call("POST", path, who="g", role=Role.GUARD, json={"subject_id": subject}),
            403,
            "forbidden",
        )
        made = hub.call("POST", path, json={"subject_id": subject})
        assert made.status_code == 201, made.text
        assert (made.json()["requester"], made.json()["reference"]) == ("ann", ID)
        assert self.waiting(hub) == []
        problem(hub.call("POST", path, json={"subject_id": subject}), 409, "illegal_move")
        assert approve(hub, "faces").status_code == 200

    def test_withdrawing_erases_the_templates(self, hub: Api, centre: Centre) -> None:
        centre.send(self.person())
        subject = hub.bench.enrol(unit(1))
        (listed,) = hub.bench.rows("watchlist_entries")
        hub.call("POST", f"/dispositions/{ID}/subject", json={"subject_id": subject})
        hub.call("DELETE", f"/watchlists/faces/{listed['id']}")
        assert len(hub.bench.rows("templates")) == 1
        assert centre.send({"DispositionID": ID, "OperateType": "1"}) == [(0, "withdrawn")]
        assert hub.bench.rows("templates") == []
        assert [state for _, state in entries(hub)] == ["removed"] * 2

    def test_a_longer_time_is_requested_anew_by_a_person(self, hub: Api, centre: Centre) -> None:
        centre.send(self.person())
        assert centre.send(self.person(EndTime=write_time(at(86400 * 2))))[0][0] == 0
        subject = hub.bench.enrol(unit(1))
        hub.call("POST", f"/dispositions/{ID}/subject", json={"subject_id": subject})
        said = centre.send(self.person(EndTime=write_time(at(86400 * 3))))
        assert said == [(0, "changed: it waits until somebody here has requested it anew")]
        assert len(self.waiting(hub)) == 1
        assert len(hub.bench.rows("templates")) == 1
        with hub.bench.store.read() as tx:
            assert len(dispositions.entries_of(tx, ID)) == 1
