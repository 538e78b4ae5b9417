"""The edge on real video of the material: who and what is told of, how soon, how often."""

import csv
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import edge.worker
from edge.camera import Networks
from edge.config import EdgeConfig, ModelsSection
from edge.findings import FaceFinding, PlateFinding
from edge.motion import GREY_WIDTH_PX, MotionGate
from edge.networks import load_networks
from edge.outbox import MemoryOutbox
from edge.pipeline import Finding
from edge.sources import Picture, parse_source
from edge.timing import FramePicker
from edge.worker import Parts, run
from models.install import import_packs
from models.packs import PackStore
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.errors import ModelError

pytestmark = pytest.mark.material


@contextmanager
def findings(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Finding]]:
    """What every pipeline tells, before it is sealed."""
    told: list[Finding] = []
    original = edge.worker._Worker._tell

    def tell(self: Any, finding: Finding) -> None:
        told.append(finding)
        original(self, finding)

    with monkeypatch.context() as patch:
        patch.setattr(edge.worker._Worker, "_tell", tell)
        yield told


def play(folder: Path, video: Path, networks: Networks, **camera: Any) -> None:
    config = EdgeConfig.model_validate(
        {
            "edge": {"site": "yard", "id": "box", "data_dir": folder / "data"},
            "broker": {"host": "127.0.0.1"},
            "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
            "models": {"objects": "those of `networks`"},
            "cameras": [{"id": "gate", "source": str(video), "pace": "asap", **camera}],
        }
    )
    run(config, Parts(networks=networks, outbox=MemoryOutbox("0" * 16), publish=False))


def test_every_plate_of_a_road_is_told_once_and_soon(
    tmp_path: Path, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        networks = load_networks(ModelsSection())
    except ModelError as error:
        pytest.skip(f"no plate networks: {error}")
    video = material / "video" / "hamletlx_test.mp4"
    with findings(monkeypatch) as told:
        play(tmp_path, video, networks, faces=False)
    with (material / "video" / "hamletlx_test.truth.csv").open(encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    plates = [finding for finding in told if isinstance(finding, PlateFinding)]
    soon = {
        row["plate"]: [
            finding
            for finding in plates
            if finding.plate.text == row["plate"]
            and int(row["first_frame"]) - 25 <= finding.frame.sequence
            and finding.frame.sequence <= int(row["first_frame"]) + 2 * 25
        ]
        for row in truth
    }
    read = [text for text, found in soon.items() if found]
    assert len(read) >= 7, f"missed {set(soon) - set(read)}"
    confirmed = {finding.plate.text for finding in plates if finding.state != "provisional"}
    assert len(confirmed - set(soon)) <= 1
    tracks = {finding.track_id for finding in plates}
    assert len(tracks) <= 9  # eight cars: what is no plate is not told


def test_people_of_a_clip_are_told_apart_over_its_cuts(
    tmp_path: Path, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PackStore(tmp_path / "home")
    import_packs(store, material / "models")
    monkeypatch.setenv("GATEHOUSE_HOME", str(tmp_path / "home"))
    networks = load_networks(ModelsSection(face_pack="buffalo_sc-int8", plates=False))
    pack = networks.faces
    references = []
    for file in sorted((material / "faces" / "friends_refs").glob("*.png")):
        image = cv2.imread(str(file))
        landmarks = pack.detector.detect(image).landmarks[0]
        references.append(pack.embedder.embed([pack.embedder.crop(image, landmarks)])[0])
    with findings(monkeypatch) as told:
        play(tmp_path, material / "video" / "yakhyo_in_video.mp4", networks, plates=False)
    faces = [finding for finding in told if isinstance(finding, FaceFinding)]
    similar = np.stack([finding.embedding for finding in faces]) @ np.stack(references).T
    named = {int(row.argmax()) for row in similar if row.max() >= 0.45}
    assert named == set(range(6)), "not all six people were found"
    by_track = {
        track: {
            int(similar[faces.index(f)].argmax())
            for f in group
            if similar[faces.index(f)].max() >= 0.45
        }
        for track, group in itertools.groupby(
            sorted(faces, key=lambda f: f.track_id), key=lambda f: f.track_id
        )
    }
    assert all(len(people) <= 1 for people in by_track.values()), "one track showed two people"


def test_the_motion_gate_lets_nobody_through_unseen(material: Path) -> None:
    """Of frames in which a car's plate is to be read, none is left out."""
    picker, gate, shut = FramePicker(5.0), MotionGate(), []
    with parse_source(str(material / "video" / "hamletlx_test.mp4")).open() as stream:
        for number, picture in enumerate(stream):
            if isinstance(picture, Picture) and picker.picks(picture.pts_s or 0.0):
                grey = picture.pixels.grey(GREY_WIDTH_PX)
                if not gate.is_open(grey, picture.pts_s or 0.0):
                    shut.append(number)
    with (material / "video" / "hamletlx_test.truth.csv").open(encoding="utf-8") as file:
        spans = [(int(r["first_frame"]), int(r["last_frame"])) for r in csv.DictReader(file)]
    assert [n for n in shut if any(first <= n <= last for first, last in spans)] == []
