"""Identifiers and times of GA/T 1400. Pure: the same arguments give the same id, so that a repetition is
known.

In: a device or organ, a moment, a number. Out: 20 digits for a device, 33 for a business, 41 for a picture,
48 for an object. ValueError for parts of the wrong length. Moments are written in China's time, as the
standard has it.
"""

import re
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

ZONE: Final = timezone(timedelta(hours=8))
DEVICE: Final = re.compile(r"\d{20}", re.ASCII)
ORGAN: Final = re.compile(r"\d{12}", re.ASCII)
_TIME: Final = "%Y%m%d%H%M%S"
_FIVE_DIGITS: Final = 100_000


class DeviceType(StrEnum):
    """Digits 11 to 13 of a device."""

    CAPTURE = "119"
    TOLLGATE = "121"
    PLATFORM = "503"


class Business(StrEnum):
    """Digits 13 and 14 of a business."""

    DISPOSITION = "01"
    NOTIFICATION = "02"
    SUBSCRIBE = "03"
    SUBSCRIBE_NOTIFICATION = "04"


class ObjectType(StrEnum):
    """Digits 42 and 43 of an object."""

    PERSON = "01"
    MOTOR_VEHICLE = "02"
    FACE = "06"


def device_id(centre: str, industry: str, kind: DeviceType, serial: int) -> str:
    """20 digits: centre code 8, industry 2, type 3, serial 7."""
    return _digits(centre, 8) + _digits(industry, 2) + kind + _number(serial, 7)


def business_id(organ: str, kind: Business, at: datetime, sequence: int) -> str:
    """33 digits: organ 12, type 2, time 14, sequence 5."""
    return _digits(organ, 12) + kind + write_time(at) + _number(sequence % _FIVE_DIGITS, 5)


def picture_id(device: str, at: datetime, sequence: int) -> str:
    """41 digits: device 20, ``02`` for a picture, time 14, sequence 5."""
    return _digits(device, 20) + "02" + write_time(at) + _number(sequence % _FIVE_DIGITS, 5)


def object_id(picture: str, kind: ObjectType, sequence: int = 1) -> str:
    """48 digits: the picture it was found in 41, type 2, sequence 5."""
    return _digits(picture, 41) + kind + _number(sequence, 5)


def write_time(at: datetime) -> str:
    """A moment as yyyyMMddHHmmss."""
    return at.astimezone(ZONE).strftime(_TIME)


def read_time(text: str) -> datetime:
    """A moment from yyyyMMddHHmmss. ValueError when it is none."""
    if not re.fullmatch(r"\d{14}", text, re.ASCII):
        raise ValueError("a time is yyyyMMddHHmmss")
    return datetime.strptime(text, _TIME).replace(tzinfo=ZONE)


def _digits(text: str, length: int) -> str:
    if len(text) != length or not (text.isascii() and text.isdigit()):
        raise ValueError(f"{text!r} has not exactly {length} digits")
    return text


def _number(value: int, length: int) -> str:
    if not 0 <= value < 10**length:
        raise ValueError(f"{value} has more than {length} digits")
    return f"{value:0{length}}"
