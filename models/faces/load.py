"""Open a face pack by name: the one place that knows which class serves which network.

In: the name of a pack and how to run it. Out: a `FacePack`, every file of it verified. Downloads nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.dlib_format import read_network
from models.faces.calibration import shipped_calibration
from models.faces.dlib_faces import CHIP_PX, DLIB_MIN_FACE_PX, DlibDetector, DlibEmbedder
from models.faces.dlib_graphs import detector_graph, embedder_graph
from models.faces.embedding import OnnxEmbedder, recipe_sha256
from models.faces.insight import SCRFD_CLOSEUP_PX, SCRFD_LONGEST_PX, ArcFaceEmbedder, ScrfdDetector
from models.faces.mmod import MmodFinder
from models.faces.types import FaceDetector, FaceEmbedder, FacePack
from models.faces.yunet import YunetDetector
from models.packs import InstalledFile, InstalledPack, PackStore
from models.registry import Task
from models.sessions import Session, open_graph, open_session
from wire.errors import ModelError

DEFAULT_PACK: Final = "dlib-resnet"
"""What is there without any download."""


@dataclass(frozen=True, slots=True)
class DetectorSize:
    """How large detection sees an image; smaller is faster and misses smaller faces.

    Attributes:
        longest_px: SCRFD, YuNet and dlib's network scale an image's longest side to it.
        closeup_px: SCRFD looks at this scale too, for faces that fill the picture; None for not.
        min_face_px: dlib finds faces down to it.
    """

    longest_px: int = SCRFD_LONGEST_PX
    closeup_px: int | None = SCRFD_CLOSEUP_PX
    min_face_px: int = DLIB_MIN_FACE_PX


def load_face_pack(
    name: str = DEFAULT_PACK,
    *,
    threads: int,
    providers: Sequence[str] = ("cpu",),
    home: Path | None = None,
    size: DetectorSize | None = None,
) -> FacePack:
    """Open a face pack.

    Args:
        name: of a face pack, see ``gatehouse models list``.
        threads: inside one call of a network; YuNet and dlib's HOG do not listen to it (see there).
        providers: see `models.sessions`; YuNet and dlib's HOG run on the CPU whatever is said.
        home: where packs are; None for `models.paths.gatehouse_home`.
        size: of detection; None for the defaults.

    Raises:
        ModelError: the pack is missing, damaged or no face pack, or a provider is not there; the message
            says the command that mends it.
    """
    installed = PackStore(home).open(name, "face")
    pack = installed.pack
    assert pack.face is not None

    def run(file: InstalledFile) -> Session:
        made = _graph(file)
        if made is None:
            return open_session(file.path, threads=threads, providers=providers)
        return open_graph(made, str(file.path), threads=threads, providers=providers)

    embedder = _embedder(installed, run)
    return FacePack(
        name=pack.name,
        detector=_detector(installed, run, size or DetectorSize()),
        embedder=embedder,
        threshold=pack.face.threshold,
        margin=pack.face.margin,
        licence=pack.licence,
        commercial=pack.commercial,
        note=pack.note,
        calibration=shipped_calibration(pack.name, embedder.pack_sha256),
    )


def _graph(file: InstalledFile) -> bytes | None:
    """A file of dlib's as a graph that ONNX Runtime runs; None for one that is a graph already."""
    if file.entry.network not in ("dlib-mmod", "dlib-resnet"):
        return None
    network = read_network(file.path.read_bytes())
    if file.entry.network == "dlib-mmod":
        return detector_graph(network)
    return embedder_graph(network, CHIP_PX)


def _detector(
    installed: InstalledPack, run: Callable[[InstalledFile], Session], size: DetectorSize
) -> FaceDetector:
    file = installed.file(Task.FACE_DETECTION)
    if file.entry.network == "dlib-mmod":
        finder = MmodFinder(run(file), longest_px=size.longest_px)
        landmarks = installed.file(Task.FACE_LANDMARKS)
        return DlibDetector(landmarks, finder, min_face_px=size.min_face_px)
    if file.entry.network == "yunet":
        return YunetDetector(file, longest_px=size.longest_px)
    if file.entry.network == "scrfd":
        return ScrfdDetector(
            file, run(file), longest_px=size.longest_px, closeup_px=size.closeup_px
        )
    raise ModelError(f"pack {installed.pack.name}: {file.entry.network} finds no faces")


def _embedder(installed: InstalledPack, run: Callable[[InstalledFile], Session]) -> FaceEmbedder:
    name = installed.pack.name
    file = installed.file(Task.FACE_RECOGNITION)
    network = file.entry.network
    if network == "dlib-resnet":
        return DlibEmbedder(name, recipe_sha256("dlib-chip-150/2", [file]), run(file))
    if network == "arcface":
        return ArcFaceEmbedder(name, recipe_sha256("arcface-112/1", [file]), file, run(file))
    if network == "onnx-embedder":
        recipe = f"arcface-112/1 mean {file.entry.mean} std {file.entry.std}"
        return OnnxEmbedder(name, recipe_sha256(recipe, [file]), file, run(file))
    raise ModelError(f"pack {name}: {network} embeds no faces")
