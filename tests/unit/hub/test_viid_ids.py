"""The identifiers of GA/T 1400, by the lengths and kinds of the standard."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.viid.ids import (
    Business,
    DeviceType,
    ObjectType,
    business_id,
    device_id,
    object_id,
    picture_id,
    read_time,
    write_time,
)

AT = datetime(2026, 11, 5, 17, 25, 0, tzinfo=UTC)
DEVICE = "33078200001190000001"
PICTURE = "33078200001190000001" + "02" + "20261106012500" + "00014"


def test_each_id_as_the_standard_composes_it() -> None:
    assert device_id("33078200", "00", DeviceType.CAPTURE, 1) == DEVICE
    assert picture_id(DEVICE, AT, 14) == PICTURE
    assert object_id(PICTURE, ObjectType.FACE) == PICTURE + "0600001"
    assert object_id(PICTURE, ObjectType.MOTOR_VEHICLE, 2) == PICTURE + "0200002"
    notification = business_id("330782000000", Business.NOTIFICATION, AT, 100_007)
    assert notification == "330782000000" + "02" + "20261106012500" + "00007"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
       st.integers(0, 1 << 60))  # fmt: skip
def test_lengths_and_the_way_back(at: datetime, number: int) -> None:
    picture = picture_id(DEVICE, at, number)
    assert (len(picture), len(object_id(picture, ObjectType.PERSON))) == (41, 48)
    assert len(business_id("330782000000", Business.DISPOSITION, at, number)) == 33
    assert read_time(write_time(at)) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: device_id("3307820", "00", DeviceType.CAPTURE, 1),
        lambda: device_id("33078200", "00", DeviceType.PLATFORM, 10_000_000),
        lambda: picture_id(DEVICE[:-1], AT, 1),
        lambda: picture_id("３３07820000119000000１", AT, 1),  # full-width digits are no digits
        lambda: object_id(PICTURE[:-1], ObjectType.FACE),
        lambda: object_id(PICTURE, ObjectType.FACE, 100_000),
        lambda: business_id("33078200", Business.DISPOSITION, AT, 1),
        lambda: read_time("2026110601250"),
        lambda: read_time("20261306012500"),
    ],
)
def test_parts_of_the_wrong_length_are_refused(make) -> None:
    with pytest.raises(ValueError, match=r"digits|unconverted|yyyyMMddHHmmss"):
        make()
