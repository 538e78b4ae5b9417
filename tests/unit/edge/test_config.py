"""The edge's file: what is refused, and how it is said."""

import base64
from pathlib import Path

import pytest

from edge.config import load_config
from edge.config_devices import HttpRelaySection
from wire.errors import ConfigError, ExitCode

ROOT = Path(__file__).resolve().parents[3]
# Public keys of RFC 8032 and RFC 7748: valid, and nobody's.
VERIFY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SEAL = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="

GOOD = f"""
[edge]
site = "yard"
id = "box"
data_dir = "data"
[broker]
host = "localhost"
[hub]
verify_key = "{VERIFY}"
sealing_key = "{SEAL}"
[[cameras]]
id = "gate"
source = "gate.mp4"
"""

AT = 'source = "gate.mp4"\n'
SQUARE = "polygon = [[0, 0], [1, 0], [1, 1]]\n"
ZONES = (
    'objects = true\n[[cameras.zones]]\nid = "a"\ndwell_s = 9\n' + SQUARE
    + '[[cameras.zones]]\nid = "b"\n' + SQUARE
)  # fmt: skip
LINE = 'objects = true\n[[cameras.lines]]\nid = "a"\nstart = [0, 0]\nend = [0, 1]\n'
BEHAVIOUR = 'objects = true\n[[cameras.behaviours]]\nkind = "loitering"\nzone = "yard"\n'
PASSAGE = 'objects = true\n[[cameras.passages]]\nline = "gate"\n'
SIZES = "objects = true\n[cameras.perspective]\nfar = [0.3, 0.1]\nnear = [0.9, 0.4]\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_example_is_valid() -> None:
    config = load_config(ROOT / "configs" / "edge.toml")
    assert [camera.id for camera in config.cameras] == ["gate-in", "lane", "desk"]
    assert config.cameras[0].source.startswith("rtsp://")
    assert config.cameras[2].source == "/dev/video0"


def test_defaults_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.edge.data_dir == tmp_path / "data"
    assert config.cameras[0].source == str(tmp_path / "gate.mp4")
    assert config.models.face_pack == "dlib-resnet"
    assert config.broker.port == 1883


def test_a_device_number_is_a_source(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD.replace('"gate.mp4"', "0")))
    assert config.cameras[0].source == "0"


@pytest.mark.parametrize(
    ("change", "by", "says"),
    [
        ('id = "gate"', 'id = "gate"\nfps = 5', "cameras[0].fps: there is no such key"),
        ("[broker]", "[brokr]", "brokr: there is no such key"),
        ('host = "localhost"', "", "broker.host: Field required"),
        ('id = "gate"', 'id = "Gate"', "cameras[0].id: 'Gate' is no identifier"),
        ('id = "gate"', 'id = "hub"', "reserved word"),
        ('id = "gate"', 'id = "gate"\nfaces = false\nplates = false', "looks for nothing"),
        ('id = "gate"', 'id = "gate"\nanalysis_fps = 0', "cameras[0].analysis_fps"),
        (VERIFY, "AAAA", "hub.verify_key: the verifying key must be 32 bytes in base64"),
        ('host = "localhost"', 'host = "h"\nca_file = "x"', "no effect without tls"),
        (
            'host = "localhost"',
            'host = "h"\ntls = true\ncert_file = "x"',
            "cert_file and key_file go together",
        ),
        (AT, AT + "objects = true\n", "name their pack in [models], as objects ="),
        (AT, AT + '[[cameras.zones]]\nid = "a"\n' + SQUARE, "set objects to true"),
        (AT, AT + ZONES.replace('"b"', '"a"'), "two zones or lines are called 'a'"),
        (AT, AT + ZONES.replace("[1, 1]", "[100, 100]"), "polygon[2][0]: Input should be less"),
        (AT, AT + ZONES.replace("[1, 0], [1, 1]", "[1, 1], [1, 0], [0, 1]"), "its sides cross"),
        (AT, AT + ZONES.replace("[1, 1]", "[0.5, 0]"), "it has no area"),
        (AT, AT + ZONES.replace("dwell_s", "dwell"), "zones[0].dwell: there is no such key"),
        (AT, AT + LINE.replace("[0, 1]", "[0, 0]"), "start and end are the same place"),
        (AT, AT + BEHAVIOUR, "behaviours[0], loitering: this camera has no zone 'yard'"),
        (AT, AT + BEHAVIOUR.replace("loitering", "dancing"), "does not match any of the expected"),
        (
            AT,
            AT + BEHAVIOUR + "people = 3\n",
            "behaviours[0].loitering.people: there is no such key",
        ),
        (AT, AT + BEHAVIOUR.replace("objects = true", ""), "set objects to true"),
        (
            AT,
            AT + BEHAVIOUR.replace("loitering", "tailgating"),
            "tailgating.device: Field required",
        ),
        (AT, AT + PASSAGE, "passages[0]: this camera has no line 'gate'"),
        (AT, AT + SIZES.replace("0.9, 0.4", "0.2, 0.4"), "near must be lower in the picture"),
        (AT, AT + SIZES.replace("0.9, 0.4", "0.9, 0.04"), "a person is higher when near"),
        (AT, AT + "privacy = [[[0, 0], [1, 0]]]\n", "privacy[0]: Tuple should have at least 3"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(
    tmp_path: Path, change: str, by: str, says: str
) -> None:
    path = write(tmp_path, GOOD.replace(change, by, 1))
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.exit_code is ExitCode.CONFIG


def test_two_cameras_of_one_name(tmp_path: Path) -> None:
    twice = GOOD + '[[cameras]]\nid = "gate"\nsource = "other.mp4"\n'
    with pytest.raises(ConfigError, match="two cameras are called 'gate'"):
        load_config(write(tmp_path, twice))


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(write(tmp_path, "= 3"))
    (tmp_path / "latin.toml").write_bytes(base64.b64decode("/////w=="))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "latin.toml")


def test_zones_lines_and_sizes_as_the_steps_take_them(tmp_path: Path) -> None:
    lines = LINE.removeprefix("objects = true\n").replace('"a"', '"c"')
    sizes = SIZES.removeprefix("objects = true\n")
    text = (
        GOOD.replace("[[cameras]]", '[models]\nobjects = "x"\n[[cameras]]') + ZONES + lines + sizes
    )
    places = load_config(write(tmp_path, text)).cameras[0].places
    assert [(zone.id, zone.dwell_s) for zone in places.zones] == [("a", 9.0), ("b", None)]
    assert [(line.id, line.end) for line in places.lines] == [("c", (0.0, 1.0))]
    assert places.perspective is not None
    assert places.perspective.person_height(0.3) == pytest.approx(0.1)


def test_all_that_is_commented_out_in_the_example_is_valid(tmp_path: Path) -> None:
    lines = (ROOT / "configs" / "edge.toml").read_text(encoding="utf-8").splitlines()
    whole = "\n".join(
        line.removeprefix("# ")
        if line.startswith("# ") and (" = " in line or "[" in line)
        else line
        for line in lines
    )
    config = load_config(write(tmp_path, whole))
    assert [device.id for device in config.devices] == ["north-barrier"]
    assert [meter.id for meter in config.meters] == ["water-3-1502"]
    assert config.models.liveness == "minifasnet"


def test_the_example_of_the_page_on_barriers_is_valid(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in page.split("```toml\n")[1:]]
    devices = "\n".join(block for block in blocks if "hub.toml" not in block)
    config = load_config(write(tmp_path, GOOD + devices))
    assert config.devices[0].schedule.hours[0].since == 5 * 60 + 30


BARRIER = """
[[devices]]
id = "north"
camera = "gate"
open_for = ["plate"]
[devices.relay]
kind = "http"
url = "http://10.0.0.9/release"
token_file = "relay.token"
"""


def test_a_barrier_and_its_files_are_relative_to_the_file(tmp_path: Path) -> None:
    (device,) = load_config(write(tmp_path, GOOD + BARRIER)).devices
    assert isinstance(device.relay, HttpRelaySection)
    assert device.relay.token_file == tmp_path / "relay.token"
    assert (device.min_confidence, device.hold_off_s, device.give_up_s) == (0.95, 20.0, 5.0)


@pytest.mark.parametrize("faces", ['["face"]', '["face", "plate"]', '["plate", "face"]', '"face"'])
def test_no_face_opens_anything_alone_or_beside_a_plate(tmp_path: Path, faces: str) -> None:
    path = write(tmp_path, GOOD + BARRIER.replace('["plate"]', faces))
    with pytest.raises(ConfigError) as raised:
        load_config(path)
    assert str(raised.value).startswith(f"{path}:\n  devices[0].open_for: a face opens no door")
    assert raised.value.exit_code is ExitCode.CONFIG


@pytest.mark.parametrize(
    ("change", "by", "says"),
    [
        ('["plate"]', '["card"]', "devices[0].open_for"),
        ('camera = "gate"', 'camera = "yard"', "device 'north': there is no camera 'yard'"),
        ('["plate"]', "[]", "device 'north': open_for and [devices.relay] go together"),
        ('kind = "http"', 'kind = "gpio"', "devices[0].relay"),
        ("http://10.0.0.9", "ftp://10.0.0.9", "devices[0].relay.http.url"),
        ("http://10.0.0.9", "http://me:secret@10.0.0.9", "devices[0].relay.http.url"),
        ('"plate"]', '"plate"]\nmin_confidence = 0.5', "devices[0].min_confidence"),
        ('"plate"]', '"plate"]\ngive_up_s = 600', "devices[0].give_up_s"),
        (
            "[devices.relay]",
            '[devices.schedule]\nhours = [{since = "6", until = "22:00"}]\n[devices.relay]',
            "'6' is no time of day",
        ),
    ],
)
def test_what_a_device_cannot_be(tmp_path: Path, change: str, by: str, says: str) -> None:
    assert change in BARRIER
    with pytest.raises(ConfigError) as raised:
        load_config(write(tmp_path, GOOD + BARRIER.replace(change, by)))
    assert says in str(raised.value)


def test_two_devices_of_one_name_and_one_whose_camera_reads_no_plates(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two devices are called 'north'"):
        load_config(write(tmp_path, GOOD + BARRIER + BARRIER))
    blind = GOOD.replace('id = "gate"', 'id = "gate"\nplates = false')
    with pytest.raises(ConfigError, match="opens by plate, but camera 'gate' reads none"):
        load_config(write(tmp_path, blind + BARRIER))


SIGNALLED = """
[[devices]]
id = "lobby"
camera = "gate"
[devices.signal]
kind = "mqtt"
topic = "doors/lobby"
"""
FOLLOWED = (
    'objects = true\n[[cameras.lines]]\nid = "a"\nstart = [0, 0]\nend = [0, 1]\n'
    '[[cameras.behaviours]]\nkind = "tailgating"\nline = "a"\ndirection = "in"\ndevice = "lobby"\n'
)
NAMED = GOOD.replace(AT, AT + FOLLOWED).replace("[hub]", '[models]\nobjects = "yolo"\n[hub]')


def test_who_asks_for_grants_needs_a_device_that_tells_them(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, NAMED + SIGNALLED))
    assert config.devices[0].open_for == frozenset()
    with pytest.raises(ConfigError) as raised:
        load_config(write(tmp_path, NAMED))
    assert "camera 'gate': tailgating asks when device 'lobby' was released" in str(raised.value)
    other = SIGNALLED.replace('"lobby"', '"garage"')
    with pytest.raises(ConfigError, match="would never say anything"):
        load_config(write(tmp_path, NAMED + other))


@pytest.mark.parametrize(
    ("change", "by", "says"),
    [
        ('kind = "mqtt"\ntopic = "doors/lobby"', 'kind = "http"', "say in [signals] where"),
        ('kind = "mqtt"\ntopic = "doors/lobby"', 'kind = "relay"', 'signal "relay" needs'),
        ('topic = "doors/lobby"', 'topic = "doors/#"', "devices[0].signal.mqtt.topic"),
        (
            '[devices.signal]\nkind = "mqtt"\ntopic = "doors/lobby"\n',
            "",
            "device 'lobby' does nothing",
        ),
    ],
)
def test_what_a_signal_cannot_be(tmp_path: Path, change: str, by: str, says: str) -> None:
    assert change in SIGNALLED
    with pytest.raises(ConfigError) as raised:
        load_config(write(tmp_path, GOOD + SIGNALLED.replace(change, by)))
    assert says in str(raised.value)


def test_controllers_that_call_show_a_token_of_a_file_beside_ours(tmp_path: Path) -> None:
    by_http = SIGNALLED.replace('kind = "mqtt"\ntopic = "doors/lobby"', 'kind = "http"')
    config = load_config(write(tmp_path, GOOD + by_http + '[signals]\ntoken_file = "c.token"\n'))
    assert config.signals is not None
    assert (config.signals.host, config.signals.token_file) == ("127.0.0.1", tmp_path / "c.token")
