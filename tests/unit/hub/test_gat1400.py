"""GA/T 1400 against a view library that refuses what a real one refuses."""

import copy
import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from hub.config import load_config
from hub.sinks.base import Attempt
from hub.sinks.gat1400 import Gat1400Sink
from hub.sinks.network import Guard, GuardedClient
from hub.sinks.shown import ShownReader, read_picture
from hub.viid.messages import Picture, Shown
from hub.viid.session import MEDIA_TYPE, Library, Session
from tests.unit.hub.kit import PLATE, SCENE, FakeEdge, HubBench, entry, plate_text, write_config
from tests.unit.hub.notices import FACE_MATCH, a_change, a_notice
from tests.unit.hub.test_pipeline import SCENE_ITEM
from tests.viid_server import ViidServer, Wrong, check_object
from wire.errors import ConfigError
from wire.messages import ConditionMatch

ME, ORGAN, CAMERA_ID = "33078200005030000001", "330782000000", "33078200001190000001"


def jpeg(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


CROP, WHOLE = read_picture(jpeg(40, 16)), read_picture(jpeg(320, 200))
VEHICLE = Shown("plate", "", (12.4, 40.0, 34.6, 58.2), plate_text(), CROP, WHOLE)
FACE = Shown("face", "", (12.4, 40.0, 34.6, 58.2), None, CROP, WHOLE)
PERSON = Shown("behaviour", "person", (12.4, 40.0, 34.6, 58.2), None, CROP, WHOLE)


@pytest.fixture
def library() -> Iterator[ViidServer]:
    server = ViidServer()
    server.url = server.start()
    yield server
    server.stop()


def session_to(library: ViidServer, password: str = "") -> tuple[Session, GuardedClient]:
    client = GuardedClient(Guard([ip_network("127.0.0.0/8")]), 5)
    who = Library(library.url, ME, library.username, password or library.password)
    return Session(who, client, lambda: datetime.now(UTC)), client


def sink_to(library: ViidServer, shown: Shown | None = VEHICLE, password: str = "") -> Gat1400Sink:
    session, client = session_to(library, password)
    return Gat1400Sink(
        "police", session, client, lambda site, camera: CAMERA_ID, ORGAN, lambda _: shown, 60.0
    )


def test_a_plate_becomes_a_vehicle_and_a_notification(library: ViidServer) -> None:
    assert sink_to(library).deliver(a_notice()) == Attempt("delivered")
    assert library.refused == []
    (vehicle,) = library.taken.values()
    assert vehicle["DeviceID"] == CAMERA_ID
    assert (vehicle["PlateNo"], vehicle["PlateClass"], vehicle["PlateColor"]) == (PLATE, "02", "5")
    assert vehicle["PlateCharReliability"].startswith("京-99,A-99")
    assert (vehicle["LeftTopX"], vehicle["RightBtmX"]) == (12, 35)
    assert [p["Type"] for p in vehicle["SubImageList"]["SubImageInfoObject"]] == ["14", "02"]
    (told,) = library.notifications
    assert told["CntObjectID"] == vehicle["MotorVehicleID"]
    assert told["MotorVehicleObject"] == vehicle
    assert told["Title"] == "[未核实·报警] Plates <listed>"


def test_a_face_becomes_a_face_and_a_person(library: ViidServer) -> None:
    notice = a_notice(match=FACE_MATCH, category="missing_person")
    assert sink_to(library, FACE).deliver(notice) == Attempt("delivered")
    (face,) = library.taken.values()
    (told,) = library.notifications
    assert told["CntObjectID"] == face["FaceID"]
    assert told["PersonObject"]["SubImageList"] == face["SubImageList"]
    assert "王小明" not in json.dumps([face, told], ensure_ascii=False)


def test_what_a_person_did_becomes_a_person(library: ViidServer) -> None:
    match = ConditionMatch(rule_kind="vehicle_prowling", facts={"count": 3})
    assert sink_to(library, PERSON).deliver(a_notice(match=match)) == Attempt("delivered")
    assert next(iter(library.taken.values()))["PersonID"][41:43] == "01"


def test_a_vehicle_without_a_plate_says_so(library: ViidServer) -> None:
    car = replace(PERSON, label="car")
    assert sink_to(library, car).deliver(a_notice()) == Attempt("delivered")
    (vehicle,) = library.taken.values()
    assert (vehicle["HasPlate"], vehicle["PlateNo"]) == ("0", "无车牌")


def test_each_step_is_told_in_words_and_the_object_once(library: ViidServer) -> None:
    sink, notice = sink_to(library), a_notice()
    assert sink.deliver(notice) == Attempt("delivered")
    for number, step in enumerate(("acknowledged", "escalated", "verified", "closed"), 1):
        assert sink.deliver(a_change(step, number)) == Attempt("delivered")
    titles = [told["Title"].partition(" ")[0] for told in library.notifications]
    assert titles == ["[未核实·报警]", "[未核实·已签收]", "[未核实·升级]", "[已核实]", "[已办结]"]
    assert library.calls.count("/MotorVehicles") == 1
    ids = [told["NotificationID"] for told in library.notifications]
    assert len(set(ids)) == 5
    assert len({told["DispositionID"] for told in library.notifications}) == 1
    assert sink.deliver(notice) == Attempt("delivered")  # again, after a crash: the same id
    assert library.notifications[-1]["NotificationID"] == ids[0]


def test_the_centres_own_disposition_is_named(library: ViidServer) -> None:
    theirs = "330700000000" + "01" + "20261101080000" + "00042"
    sink_to(library).deliver(a_notice(basis=f"GA/T 1400 disposition: {theirs}"))
    assert library.notifications[0]["DispositionID"] == theirs


@pytest.mark.parametrize(
    "shown", [None, replace(PERSON, label=""), replace(PERSON, label="bicycle")]
)
def test_what_the_standard_has_no_object_for_is_skipped(library: ViidServer, shown) -> None:
    assert sink_to(library, shown).deliver(a_notice()).result == "skipped"
    assert library.calls == []


def test_a_note_of_the_guards_stays_here(library: ViidServer) -> None:
    assert sink_to(library).deliver(a_change("noted")).result == "skipped"


@pytest.mark.parametrize("style", ["list_object", "list", "bare"])
def test_every_spelling_of_the_reply_is_understood(library: ViidServer, style: str) -> None:
    library.style = style
    assert sink_to(library).deliver(a_notice()) == Attempt("delivered")


def test_one_item_that_was_not_taken_is_seen(library: ViidServer) -> None:
    ok, bad = ({"Id": "a", "StatusCode": code, "StatusString": "s"} for code in (0, "8"))
    library.answer_with = [(200, {"ResponseStatusListObject": {"ResponseStatusObject": [ok, bad]}})]
    assert sink_to(library).deliver(a_notice()) == Attempt(
        "refused", "StatusCode 8 (JSON content): s"
    )


def test_a_busy_library_is_asked_again_and_gets_the_object_once_it_takes_it(library) -> None:
    sink = sink_to(library)
    library.answer_with = [(200, {"ResponseStatusObject": {"StatusCode": 2}}), (503, {})]
    assert sink.deliver(a_notice()).result == "retry"
    assert sink.deliver(a_notice()) == Attempt("retry", "HTTP 503")
    assert sink.deliver(a_notice()) == Attempt("delivered")
    assert len(library.notifications) == 1


def test_an_answer_that_is_none_is_no_yes(library: ViidServer) -> None:
    library.answer_with = [(200, [])]
    assert sink_to(library).deliver(a_notice()).result == "retry"


def test_a_session_that_has_lapsed_is_taken_up_again(library: ViidServer) -> None:
    sink = sink_to(library)
    assert sink.deliver(a_notice()) == Attempt("delivered")
    library.forget_sessions()
    assert sink.deliver(a_notice(position=2)) == Attempt("delivered")
    assert library.registrations == 2
    library.session_s = 0.0
    assert sink.deliver(a_notice(position=3)).result == "retry"  # a library that knows nobody
    library.session_s = 60.0
    assert sink.deliver(a_notice(position=4)) == Attempt("delivered")


def test_a_wrong_password_is_a_problem_and_no_loss(library: ViidServer) -> None:
    sink = sink_to(library, password="wrong")
    assert sink.deliver(a_notice()) == Attempt("retry", "registration: HTTP 401")
    assert sink.problem == "registration: HTTP 401"


def test_the_session_is_kept_and_ended(library: ViidServer) -> None:
    sink = sink_to(library)
    sink.start()
    for _ in range(200):
        if "/System/Keepalive" in library.calls:
            break
        __import__("time").sleep(0.02)
    assert library.sessions == {ME}
    assert sink.problem == ""
    sink.stop()
    assert library.sessions == set()
    assert library.calls[-1] == "/System/UnRegister"


def test_a_keepalive_that_fails_is_a_problem_until_it_does_not(library: ViidServer) -> None:
    session, client = session_to(library)
    library.stop()
    session.keep_alive()
    assert "Connect" in session.problem
    library.url = library.start(int(library.url.rpartition(":")[2]))
    session.keep_alive()
    assert session.problem == ""
    client.close()


def test_a_clock_that_is_off_is_a_problem(library: ViidServer) -> None:
    library.clock_off_s = 300.0
    session, client = session_to(library)
    session.keep_alive()
    assert session.problem in (
        "the library's clock is +300 s off",
        "the library's clock is +299 s off",
    )
    client.close()


def test_nothing_that_tells_of_a_trait_can_leave(library: ViidServer) -> None:
    allowed = {
        "FaceID", "PersonID", "MotorVehicleID", "InfoKind", "SourceID", "DeviceID", "LeftTopX",
        "LeftTopY", "RightBtmX", "RightBtmY", "SubImageList", "SubImageInfoObject", "ShotTime",
        "FaceAppearTime", "FaceDisAppearTime", "PersonAppearTime", "PersonDisAppearTime", "PassTime",
        "StorageUrl1", "VehicleColor", "HasPlate", "PlateClass", "PlateColor", "PlateNo",
        "PlateCharReliability", "ImageID", "EventSort", "StoragePath", "Type", "FileFormat", "Width",
        "Height", "Data", "NotificationID", "DispositionID", "Title", "TriggerTime", "CntObjectID",
        "PersonObject", "MotorVehicleObject",
    }  # fmt: skip
    for shown in (VEHICLE, FACE, PERSON):
        sink_to(library, shown).deliver(a_notice())
    sent = [*library.taken.values(), *library.notifications]
    assert {name for body in sent for name in names_of(body)} == allowed


def names_of(body: Any) -> list[str]:
    if isinstance(body, dict):
        return [name for key, value in body.items() for name in (key, *names_of(value))]
    return [name for value in body for name in names_of(value)] if isinstance(body, list) else []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda v: v.pop("PassTime"), "missing: PassTime"),
        (lambda v: v.update(MotorVehicleID="1" * 47), "48 digits"),
        (lambda v: v.update(MotorVehicleID=v["SourceID"] + "0600001"), "kind 06"),
        (lambda v: v.update(SourceID="1" * 41), "SourceID"),
        (lambda v: v.update(PassTime="2026-11-06"), "no time"),
        (lambda v: v.update(LeftTopX=99999), "no area"),
        (lambda v: v["SubImageList"]["SubImageInfoObject"][0].update(Data="x"), "no JPEG"),
        (
            lambda v: v["SubImageList"]["SubImageInfoObject"][0].update(Width=1),
            "not what it is said",
        ),
        (lambda v: v["SubImageList"]["SubImageInfoObject"][0].update(Type="01"), "SourceID is not"),
    ],
)
def test_the_library_of_these_tests_refuses_what_a_real_one_does(
    library: ViidServer, change, complaint: str
) -> None:
    sink_to(library).deliver(a_notice())
    vehicle = copy.deepcopy(next(iter(library.taken.values())))
    check_object("MotorVehicle", vehicle)
    change(vehicle)
    with pytest.raises(Wrong, match=complaint):
        check_object("MotorVehicle", vehicle)


def test_the_library_of_these_tests_refuses_strangers_and_other_content(
    library: ViidServer,
) -> None:
    def post(path: str, body: object, **headers: str) -> httpx.Response:
        return httpx.post(library.url + path, json=body, headers={
            "user-identify": ME, "content-type": MEDIA_TYPE, **headers})  # fmt: skip

    face = {"FaceListObject": {"FaceObject": [{"FaceID": "1", "GenderCode": "1"}]}}
    assert post("/VIID/Faces", face).status_code == 401
    register = {"RegisterObject": {"DeviceID": ME}}
    answer = post("/VIID/System/Register", register)
    assert answer.status_code == 401
    assert 'qop="auth"' in answer.headers["www-authenticate"]
    forged = (
        'Digest username="hub", realm="viid", nonce="0", uri="/VIID/System/Register", response="0"'
    )
    assert post("/VIID/System/Register", register, authorization=forged).status_code == 401
    assert post("/VIID/System/Register", {"RegisterObject": {"DeviceID": "1"}}).json()[
        "ResponseStatusObject"]["StatusCode"] == "8"  # fmt: skip
    session, client = session_to(library)
    session.keep_alive()
    assert "GenderCode" in post("/VIID/Faces", face).text
    assert "content type" in post("/VIID/Faces", face, **{"content-type": "text/plain"}).text
    assert (
        "missing" in post("/VIID/Faces", {"FaceListObject": {"FaceObject": [{"FaceID": "1"}]}}).text
    )
    assert post("/VIID/Nowhere", {}).json()["ResponseStatusObject"]["StatusCode"] == "4"
    client.close()


def test_what_an_observation_showed_is_read_from_the_store(bench: HubBench, edge: FakeEdge) -> None:
    bench.watch(entry())
    crop = jpeg(40, 16)
    bench.run(edge.plate(crop=crop, pictures=(SCENE_ITEM,)))
    (alert,) = bench.rows("alerts")
    reader = ShownReader(bench.store, bench.files)
    shown = reader(alert["observation_id"])
    assert shown.crop == Picture(crop, 40, 16)
    assert shown.scene is None  # it is still with its edge
    assert (shown.kind, shown.plate.text, shown.box_px[0]) == ("plate", PLATE, 812.5)
    assert reader(str(uuid.uuid4())) is None
    assert read_picture(SCENE) is None


def test_a_scene_that_has_come_is_read_from_its_file(bench: HubBench, edge: FakeEdge) -> None:
    bench.watch(entry())
    bench.run(edge.plate(pictures=(SCENE_ITEM,)))
    observation = bench.rows("alerts")[0]["observation_id"]
    with bench.store.write() as tx:
        from hub.store import evidence

        evidence.settle(tx, edge.id, observation, "scene", "stored", bench.now)
    reader = ShownReader(bench.store, bench.files)
    assert reader(observation).scene is None  # the file was deleted since
    bench.files.write(observation, "scene", "image/jpeg", jpeg(320, 200))
    assert (reader(observation).scene.width, reader(observation).scene.height) == (320, 200)


POLICE = (
    '[[sinks]]\nid = "police"\nkind = "gat1400"\nurl = "http://127.0.0.1:1"\nallow_networks = ["127.0.0.1"]\n'
    f'device_id = "{ME}"\norgan = "{ORGAN}"\nusername = "hub"\npassword_file = "secret"\n'
    f'cameras = {{ "rosegarden/gate-in" = "{CAMERA_ID}" }}\n'
)


def test_its_section_of_the_file(tmp_path: Path, edge: FakeEdge) -> None:
    path, _ = write_config(tmp_path, edge, more=POLICE)
    (section,) = load_config(path).sinks
    assert section.device_of("rosegarden", "gate-in") == CAMERA_ID
    assert section.device_of("rosegarden", "other") == ME
    assert section.made_filter().unverified == "urgent"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ((f'"{ME}"', '"123"'), r"sinks\[0\]\.device_id"),
        (('"127.0.0.1"]', '"10.0.0.0/8"]'), "allow_networks"),
        (('kind = "gat1400"', 'kind = "fax"'), "must be one of"),
    ],
)
def test_its_section_is_checked(tmp_path: Path, edge: FakeEdge, change, complaint: str) -> None:
    path, _ = write_config(tmp_path, edge, more=POLICE.replace(*change))
    with pytest.raises(ConfigError, match=complaint):
        load_config(path)


def test_the_police_never_get_what_nobody_verified_and_is_not_urgent(tmp_path, edge) -> None:
    path, _ = write_config(tmp_path, edge, more=POLICE + '[sinks.filter]\nunverified = "all"\n')
    with pytest.raises(ConfigError, match="unverified"):
        load_config(path)
