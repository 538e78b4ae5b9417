"""Synthesis: every series is drawn, the seed decides everything, corners are where the plate is."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.plates.rectify import around, cut
from models.training.camera import Mix, photograph, pose_corners
from models.training.draw import draw_plate
from models.training.glyphs import Glyphs, load_glyphs
from models.training.pool import COLOURS, TYPES, make_captures, read_shard, write_shard
from models.training.preview import plate_sheet
from models.training.samples import IGNORE, detector_target, encode, reader_sample, refiner_sample
from models.training.scenes import make_scene
from models.training.specimen import sample_specimen
from models.training.strokes import STROKES, draw_strokes
from wire.errors import InputError
from wire.plates import ALPHABET, PlateType, parse


@pytest.fixture(scope="module")
def glyphs(material: Path) -> Glyphs:
    folder = material / "plates" / "glyphs" / "font_model"
    if not folder.is_dir():
        pytest.skip(f"no glyph pictures at {folder}: plates cannot be drawn")
    return load_glyphs(material)


def test_without_glyphs_the_error_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GATEHOUSE_MATERIAL"):
        load_glyphs(tmp_path)


def test_glyphs_that_lack_a_character_are_refused_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "plates" / "glyphs" / "font_model"
    folder.mkdir(parents=True)
    picture = cv2.imencode(".jpg", np.zeros((180, 90), np.uint8))[1].tobytes()
    for character in set(ALPHABET) - set(STROKES) - {"粤"}:
        (folder / f"140_{character}.jpg").write_bytes(picture)
    with pytest.raises(InputError, match=r"of 粤$"):
        load_glyphs(tmp_path)


def test_characters_without_a_picture_are_drawn_unlike_each_other() -> None:
    masks = [draw_strokes(character) for character in STROKES]
    for mask in masks:
        assert mask.shape == (180, 90)
        assert 0.1 < (mask > 128).mean() < 0.5
    shares = [(a != b).mean() for a in masks for b in masks if a is not b]
    assert min(shares) > 0.1


@pytest.mark.parametrize("kind", [k for k in PlateType if k is not PlateType.MOTORCYCLE])
def test_specimens_of_every_series_are_valid_plates(kind: PlateType) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        specimen = sample_specimen(rng, (kind,))
        plate = parse(specimen.text, specimen.colour)
        assert plate is not None
        assert len(specimen.cells) == len(specimen.text)
        for _, x, y, w, h in specimen.cells:
            assert -1 <= x <= x + w <= specimen.size[0] + 1
            assert -1 <= y <= y + h <= specimen.size[1] + 1


def test_every_province_is_drawn_about_as_often() -> None:
    rng = np.random.default_rng(2)
    texts = [sample_specimen(rng, (PlateType.ORDINARY,)).text for _ in range(3100)]
    counts = np.unique([t[0] for t in texts], return_counts=True)[1]
    assert len(counts) == 31
    assert counts.min() > 55


def test_finishing_draws_more_of_two_rows() -> None:
    shares = []
    for finish in (False, True):
        rng = np.random.default_rng(8)
        rows = [sample_specimen(rng, finish=finish).rows for _ in range(600)]
        shares.append(np.mean(np.array(rows) == 2))
    assert shares[1] > 2 * shares[0]


def test_the_same_seed_draws_the_same_sheet(glyphs: Glyphs) -> None:
    sheets = [plate_sheet(glyphs, seed, columns=3, rows=2) for seed in (5, 5, 6)]
    assert np.array_equal(sheets[0], sheets[1])
    assert not np.array_equal(sheets[0], sheets[2])


def test_rectifying_by_the_corners_gives_the_plate_back(glyphs: Glyphs) -> None:
    rng = np.random.default_rng(3)
    gentle = Mix(width_px=(200, 240), blur=0, noise=0, light=0)
    scores = []
    for _ in range(6):
        specimen = sample_specimen(rng, (PlateType.ORDINARY,))
        plate = draw_plate(specimen, glyphs, 0.6, rng)
        picture, corners = photograph(plate, specimen.size, rng, gentle)
        assert (around(corners)[:2] >= 0).all()
        back = cut(picture, corners, plate.shape[:2]).astype(float).mean(2)
        scores.append(np.corrcoef(back.ravel(), plate.astype(float).mean(2).ravel())[0, 1])
    assert np.median(scores) > 0.8


def test_poses_keep_the_order_of_corners() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        quad = pose_corners((440, 140), rng)
        assert quad[0, 0] < quad[1, 0]
        assert quad[3, 0] < quad[2, 0]
        assert quad[0, 1] < quad[3, 1]


def test_a_shard_comes_back_as_written(glyphs: Glyphs, tmp_path: Path) -> None:
    source = make_captures(glyphs, np.random.default_rng(5), negative_share=0.3)
    captures = [next(source) for _ in range(12)]
    write_shard(tmp_path / "a.npz", captures)
    for before, after in zip(captures, read_shard(tmp_path / "a.npz"), strict=True):
        assert np.array_equal(before.picture, after.picture)
        assert (before.text, before.rows) == (after.text, after.rows)
        assert before.text == "" or TYPES[after.kind] is not None
    assert any(c.text == "" for c in captures)
    assert len(COLOURS) == 6


def test_samples_have_the_networks_shapes(glyphs: Glyphs) -> None:
    rng = np.random.default_rng(6)
    source = make_captures(glyphs, rng, negative_share=0.4)
    for _ in range(12):
        capture = next(source)
        sample = reader_sample(capture, rng, capture.rows)
        picture, target = refiner_sample(capture, rng, (64, 128))
        assert sample.picture.shape == (48, 160 if capture.rows == 2 else 144, 3)
        assert picture.shape == (64, 128, 3)
        assert target[8] == float(bool(capture.text))
        assert (sample.colour == IGNORE) == (capture.text == "")
        assert np.array_equal(sample.slots, encode(capture.text))


def test_scenes_mark_plates_and_the_target_points_at_them(glyphs: Glyphs) -> None:
    rng = np.random.default_rng(7)
    scenes = [make_scene([], glyphs, rng) for _ in range(12)]
    assert any(len(s.corners) == 0 for s in scenes) or any(not s.clear.all() for s in scenes)
    for scene in scenes:
        target = detector_target(scene.corners, scene.rows, scene.clear, 256, 8)
        assert (target.heat == 1).sum() <= len(scene.corners)
        assert (target.heat == 1).sum() >= min(1, int(scene.clear.sum()))
        for y, x in np.argwhere(target.heat == 1):
            quad = (target.corners[:, y, x].reshape(4, 2) + np.array((x, y)) + 0.5) * 8
            gaps = np.abs(scene.corners - quad.astype(np.float32)).max((1, 2))
            assert gaps.min() < 1e-2


def test_a_target_without_plates_is_all_background() -> None:
    none = np.zeros((0, 4, 2), np.float32)
    target = detector_target(none, np.zeros(0, np.int64), np.zeros(0, bool), 256, 8)
    assert target.heat.sum() == 0
    assert target.seen.all()
