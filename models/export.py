"""YOLO packs made on this machine: exported through ultralytics, or taken from an ONNX export.

In: a ``.pt`` of ultralytics (which is a pickle: only this step, with the `train` extra, ever opens one), or
an ``.onnx`` made from it elsewhere. Out: an object pack in the store, pinned to the hash of the file.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from models.install import NOTHING, check_trusted
from models.objects import ObjectDetector
from models.packs import InstalledPack, PackStore, sha256_of
from models.registry import Pack, PackFile, Task
from models.sessions import Session, open_session
from wire.errors import InputError, ModelError

DEFAULT_IMGSZ: Final = 640
_INSTALL: Final = "pip install 'gatehouse[train]'"


def export_yolo(
    store: PackStore, weights: str, *, imgsz: int = DEFAULT_IMGSZ, name: str | None = None
) -> InstalledPack:
    """Export `weights` to ONNX and make it a pack.

    Args:
        store: where it goes.
        weights: a ``.pt`` file, or a name that ultralytics downloads, such as ``yolo11n.pt``. A ``.pt``
            is a pickle and can run code: use ultralytics' own, or yours.
        imgsz: side of the network's input, px, a multiple of 32.
        name: of the pack; None for that of the file, with ``-<imgsz>`` when it is not 640.

    Raises:
        InputError: `weights` or `imgsz` cannot be used.
        ModelError: ultralytics is missing or fails, or the result is no detector of ours.
    """
    if Path(weights).suffix != ".pt":
        raise InputError(
            f"{weights} is no .pt file of ultralytics; an .onnx goes to: gatehouse models import"
        )
    if imgsz % 32 or not 32 <= imgsz <= 4096:
        raise InputError(f"--imgsz {imgsz}: must be a multiple of 32 from 32 to 4096")
    try:
        import ultralytics
    except ImportError as error:
        raise ModelError(f"exporting needs ultralytics; run: {_INSTALL}") from error
    stem = Path(weights).stem.lower()
    name = name or (stem if imgsz == DEFAULT_IMGSZ else f"{stem}-{imgsz}")
    with store.staging() as staged:
        made = _run_export(ultralytics, weights, imgsz)
        target = staged / f"{name}.onnx"
        made.replace(target)
        flags = f" --imgsz {imgsz}" if imgsz != DEFAULT_IMGSZ else ""
        command = f"gatehouse models export {weights}{flags} --name {name}"
        return _install(store, target, name, staged, command)


def import_yolo(
    store: PackStore, onnx: Path, name: str, *, trust: Collection[str] = NOTHING
) -> InstalledPack:
    """Make an ONNX export of ultralytics the pack `name`.

    Raises:
        ModelError: its hash is not trusted yet (the message has the command), or it is no detector.
    """
    if not onnx.is_file():
        raise InputError(f"{onnx}: no such file")
    command = f"gatehouse models import {onnx} --pack {name}"
    check_trusted(command, {onnx.name: sha256_of(onnx)}, trust)
    with store.staging() as staged:
        target = staged / f"{name}.onnx"
        target.write_bytes(onnx.read_bytes())
        return _install(store, target, name, staged, f"{command} --trust {sha256_of(target)}")


def _run_export(ultralytics: Any, weights: str, imgsz: int) -> Path:
    try:
        made = Path(ultralytics.YOLO(weights).export(format="onnx", imgsz=imgsz))
    except Exception as error:  # ultralytics raises whatever torch, requests or onnx raised
        raise ModelError(f"ultralytics cannot export {weights}: {error}") from error
    if not made.is_file():
        raise ModelError(f"ultralytics exported {weights} but left no file at {made}")
    return made


def _install(store: PackStore, onnx: Path, name: str, staged: Path, command: str) -> InstalledPack:
    session = open_session(onnx, threads=1)
    ObjectDetector(session, onnx.name)  # refuses what is no detector, or names traits of people
    pack = store.registry.get(name) or _declare(name, command, session)
    if pack.kind != "object":
        raise InputError(
            f"the name {name} belongs to a pack for {pack.kind}: choose another with --name"
        )
    return store.install(pack, staged, {f"{name}.onnx": sha256_of(onnx)})


def _declare(name: str, command: str, session: Session) -> Pack:
    metadata = session.get_modelmeta().custom_metadata_map
    try:
        return Pack(
            name=name,
            kind="object",
            title=metadata.get("description", "a YOLO detector"),
            source=f"made on this machine: {command}",
            licence=metadata.get("license", "not stated in the file"),
            commercial=False,
            note="Whether it may be used commercially is for you to know: it was made on this machine.",
            hash_source="pinned on this machine",
            install=command,
            files=(
                PackFile(
                    name=f"{name}.onnx",
                    task=Task.OBJECT_DETECTION,
                    network="yolo",
                    input="x".join(str(side) for side in session.get_inputs()[0].shape),
                ),
            ),
        )
    except ValueError as error:
        raise InputError(f"{name!r} cannot name a pack: use a-z, 0-9, '-', '_' and '.'") from error
