"""What GA/T 1400 says of an alert: the objects that were seen, and the notification of each step. Pure.

In: an event of an alert, and what its observation showed. Out: JSON objects by allow-list: exactly the
fields written here. The standard has places for gender, ethnicity, age, skin and more; nothing here can fill
one.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from hub.sinks.notice import Notice
from hub.viid.ids import Business, ObjectType, business_id, object_id, picture_id, write_time
from wire.messages import PlateText
from wire.plates import PlateColour, PlateType

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "raised": "报警",
        "escalated": "升级",
        "acknowledged": "已签收",
        "verified": "已核实",
        "false_alarm": "误报撤销",
        "dispatched": "已派警",
        "on_scene": "已到场",
        "closed": "已办结",
    }
)
"""The steps that a notification can tell of, as its title says them. The standard has no field for a step."""

_UNVERIFIED: Final = "未核实"
_AUTOMATIC: Final = 1
_COLOUR_UNKNOWN: Final = "99"
_NO_PLATE: Final = "无车牌"
_LISTED: Final = re.compile(r"(?<!\d)\d{33}(?!\d)", re.ASCII)
_VEHICLE, _PLATE, _PERSON, _FACE, _SCENE = "01", "02", "10", "11", "14"
_VEHICLES: Final = frozenset({"car", "bus", "truck", "motorcycle"})


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What an observation showed. `label` is what kind of object, where it says; the pictures may be gone."""

    kind: str
    label: str
    box_px: tuple[float, float, float, float]
    plate: PlateText | None
    crop: Picture | None
    scene: Picture | None


@dataclass(frozen=True, slots=True)
class Subject:
    """An object as it is sent: where to, in which envelope, and how a notification names it."""

    path: str
    envelope: str
    id: str
    body: Mapping[str, Any]
    named: str
    named_body: Mapping[str, Any]


def subject_of(notice: Notice, shown: Shown, device: str) -> Subject | None:
    """Who or what the alert is about; None for what the standard has no object for, such as a camera."""
    if shown.kind == "face":
        return _face(notice, shown, device)
    if shown.kind == "plate" or shown.label in _VEHICLES:
        return _vehicle(notice, shown, device)
    if shown.kind == "passage" or shown.label == "person":
        return _person(notice, shown, device)
    return None


def notification(notice: Notice, subject: Subject, organ: str) -> dict[str, Any]:
    """The DispositionNotification of one step."""
    alert, due = notice.alert, notice.due
    title = TITLES[notice.step]
    if alert.certainty != "confirmed" and notice.step != "false_alarm":
        title = f"{_UNVERIFIED}·{title}"
    return {
        "NotificationID": business_id(organ, Business.NOTIFICATION, due.at, due.position),
        "DispositionID": disposition_id(notice, organ),
        "Title": f"[{title}] {alert.rule_title}",
        "TriggerTime": write_time(due.at),
        "CntObjectID": subject.id,
        subject.named: subject.named_body,
    }


def disposition_id(notice: Notice, organ: str) -> str:
    """The centre's own disposition, where the alert rests on one; else one that is the alert's."""
    if listed := _LISTED.search(notice.alert.basis):
        return listed[0]
    return business_id(organ, Business.DISPOSITION, notice.alert.raised_at, notice.due.alert_number)


def listed(envelope: str, *objects: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope that all lists come in: ``XListObject: {XObject: […]}``."""
    return {f"{envelope}ListObject": {f"{envelope}Object": list(objects)}}


def _face(notice: Notice, shown: Shown, device: str) -> Subject:
    seen = _seen(notice, shown, device, _FACE)
    face = object_id(seen["SourceID"], ObjectType.FACE)
    times = _times(notice, "Face")
    body = {"FaceID": face, **seen, "ShotTime": write_time(notice.alert.captured_at), **times}
    person = {
        "PersonID": object_id(seen["SourceID"], ObjectType.PERSON),
        **seen,
        **_times(notice, "Person"),
    }
    return Subject("/VIID/Faces", "Face", face, body, "PersonObject", person)


def _person(notice: Notice, shown: Shown, device: str) -> Subject:
    seen = _seen(notice, shown, device, _PERSON)
    person = object_id(seen["SourceID"], ObjectType.PERSON)
    body = {"PersonID": person, **seen, **_times(notice, "Person")}
    return Subject("/VIID/Persons", "Person", person, body, "PersonObject", body)


def _vehicle(notice: Notice, shown: Shown, device: str) -> Subject:
    alert = notice.alert
    seen = _seen(notice, shown, device, _VEHICLE if shown.plate is None else _PLATE)
    vehicle = object_id(seen["SourceID"], ObjectType.MOTOR_VEHICLE)
    body = {
        "MotorVehicleID": vehicle,
        **seen,
        "StorageUrl1": f"/api/v1/evidence/{alert.observation_id}/scene",
        "VehicleColor": _COLOUR_UNKNOWN,
        "PassTime": write_time(alert.captured_at),
        **_plate(shown.plate),
    }
    return Subject("/VIID/MotorVehicles", "MotorVehicle", vehicle, body, "MotorVehicleObject", body)


def _plate(plate: PlateText | None) -> dict[str, str]:
    if plate is None:
        return {
            "HasPlate": "0",
            "PlateClass": "99",
            "PlateColor": _COLOUR_UNKNOWN,
            "PlateNo": _NO_PLATE,
        }
    pairs = zip(plate.text, plate.char_confidences, strict=True)
    return {
        "HasPlate": "1",
        "PlateClass": PlateType(plate.plate_type).code,
        "PlateColor": PlateColour(plate.colour).code,
        "PlateNo": plate.text,
        "PlateCharReliability": ",".join(f"{char}-{round(100 * sure)}" for char, sure in pairs),
    }


def _seen(notice: Notice, shown: Shown, device: str, kind: str) -> dict[str, Any]:
    """What all objects have: where they were found, and the pictures. SourceID is the scene's id."""
    alert, number = notice.alert, notice.due.alert_number
    source = picture_id(device, alert.captured_at, 2 * number)
    pictures = []
    if shown.scene is not None:
        pictures.append(_picture(source, device, _SCENE, shown.scene, alert.captured_at))
    if shown.crop is not None:
        crop = picture_id(device, alert.captured_at, 2 * number + 1)
        pictures.append(_picture(crop, device, kind, shown.crop, alert.captured_at))
    left, top, right, bottom = (max(0, round(value)) for value in shown.box_px)
    return {
        "InfoKind": _AUTOMATIC,
        "SourceID": source,
        "DeviceID": device,
        "LeftTopX": left,
        "LeftTopY": top,
        "RightBtmX": right,
        "RightBtmY": bottom,
        "SubImageList": {"SubImageInfoObject": pictures},
    }


def _times(notice: Notice, what: str) -> dict[str, str]:
    return {
        f"{what}AppearTime": write_time(notice.alert.first_seen_at),
        f"{what}DisAppearTime": write_time(notice.alert.last_seen_at),
    }


def _picture(
    picture: str, device: str, kind: str, content: Picture, shot_at: datetime
) -> dict[str, Any]:
    return {
        "ImageID": picture,
        "EventSort": 0,
        "DeviceID": device,
        "StoragePath": "",
        "Type": kind,
        "FileFormat": "Jpeg",
        "ShotTime": write_time(shot_at),
        "Width": content.width,
        "Height": content.height,
        "Data": base64.b64encode(content.jpeg).decode(),
    }
