"""What each network costs on one thread, for the packs that are installed."""

import statistics
import time
from collections.abc import Callable

from models.faces import load_face_pack
from models.objects import load_object_detector
from models.packs import PackStore
from models.plates.evaluate import read_folder, score
from models.plates.recogniser import PlateRecogniser
from models.training.glyphs import material_root
from models.training.real import is_train
from tests.bench.clips import gate_clip, picture_at
from tests.bench.report import Row

_PEOPLE_S, _CAR_S = 2.0, 13.0


def run() -> list[Row]:
    """Detection on a 1280 x 720 picture, recognition per face and per plate."""
    people, car = picture_at(gate_clip(), _PEOPLE_S), picture_at(gate_clip(), _CAR_S)
    rows = []
    for name in installed("face"):
        pack = load_face_pack(name, threads=1)
        found = pack.detector.detect(people)
        crops = [pack.embedder.crop(people, landmarks) for landmarks in found.landmarks]
        detect_ms = _median_ms(lambda pack=pack: pack.detector.detect(people))
        one_ms = _median_ms(lambda pack=pack, crops=crops: pack.embedder.embed(crops[:1]))
        all_ms = _median_ms(lambda pack=pack, crops=crops: pack.embedder.embed(crops))
        group = f"Faces, pack {name}, one thread"
        rows += [
            Row(group, f"detect ({len(found)} of 6 faces found)", detect_ms, "ms"),
            Row(
                group,
                "crop",
                _median_ms(lambda p=pack, f=found: p.embedder.crop(people, f.landmarks[0])),
                "ms",
            ),
            Row(group, "embed one face", one_ms, "ms"),
            Row(
                group,
                f"embed {len(crops)} at once, per face",
                all_ms / len(crops),
                "ms",
                "one by one",
                all_ms / len(crops) / one_ms,
            ),
        ]
    return rows + _plates(car) + _objects(people)


def installed(kind: str) -> list[str]:
    """The packs of a kind that are ready on this machine."""
    store = PackStore()
    return [
        pack.name
        for pack in store.all()
        if pack.kind == kind and store.status(pack).state == "ready"
    ]


def _plates(car) -> list[Row]:
    plates = PlateRecogniser.load(threads=1)
    found = plates.detect([car])[0]
    read = [reading.text for reading in plates.read(car, found)]
    group = "Plates, one thread"
    return [
        Row(group, f"detect ({len(found)} found)", _median_ms(lambda: plates.detect([car])), "ms"),
        Row(
            group,
            f"rectify and read by all its corners, being unsure ({', '.join(read)})",
            _median_ms(lambda: plates.read(car, found)),
            "ms",
        ),
        *_real_plates(plates, group),
    ]


def _real_plates(plates: PlateRecogniser, group: str) -> list[Row]:
    """Of real pictures, where they are at hand: those that no training saw."""
    rows = []
    for name, what in (("cars_easypr", "photographs"), ("crops_chenweijiang", "loose crops")):
        folder = material_root() / "plates" / name
        if not folder.is_dir():
            continue
        crops = what != "photographs"
        outcomes = read_folder(
            plates, folder, crops=crops, keep=lambda path, name=name: not is_train(name, path.name)
        )
        figures = score(outcomes, plates.calibration.threshold)
        said = f"of {figures.n} in {what}, {figures.exact} right"
        rows.append(Row(group, f"rectify and read, median {said}", figures.ms_per_plate, "ms"))
        if not crops:
            rows.append(Row(group, "search a photograph, median", figures.ms_per_picture, "ms"))
    return rows


def _objects(people) -> list[Row]:
    rows = []
    for name in installed("object"):
        detector = load_object_detector(name, threads=1)
        found = len(detector.detect(people).score)
        figure = _median_ms(lambda detector=detector: detector.detect(people))
        rows.append(Row("Objects, one thread", f"{name}: detect ({found} found)", figure, "ms"))
    return rows


def _median_ms(call: Callable[[], object], least_s: float = 1.0) -> float:
    call()
    times = []
    until = time.perf_counter() + least_s
    while len(times) < 5 or time.perf_counter() < until:
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000
