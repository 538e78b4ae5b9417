"""What `gatehouse edge check` tries, one after another, and says: networks, cameras, broker, keys.

In: a configuration that was read already. Out: a table for the person at the keyboard, and the first
failure raised at the end, so that every part is tried.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge.allow_list_box import kept_list
from edge.config import BrokerSection, CameraSection, EdgeConfig
from edge.config_devices import DeviceSection, SignalsSection
from edge.devices import allow_list_folder, local_broker, make_relay
from edge.draw_view import draw_view
from edge.frame import Image
from edge.link import open_link
from edge.networks import load_networks
from edge.relays import read_token
from edge.sources import Damaged, Picture, Stream, parse_source
from edge.worker import signing_key_path
from wire.errors import GatehouseError, InputError, SourceError
from wire.keys import load_or_create_signing_key, public_text, verifying_key

_TRIED_PICTURES = 50


def check_all(config: EdgeConfig, console: Console, draw_to: Path | None = None) -> None:
    """Try every part and print how it went. Raises the first failure after all were tried.

    With `draw_to`, a folder, each camera's picture goes there with what is configured drawn on it.
    """
    table = Table("part", "name", "result")
    failures: list[GatehouseError] = []

    def attempt(part: str, name: str, check: Callable[[], str]) -> None:
        try:
            table.add_row(part, escape(name), f"[green]{escape(check())}[/]")
        except GatehouseError as error:
            failures.append(error)
            table.add_row(part, escape(name), f"[red]{escape(str(error))}[/]")

    attempt("networks", config.models.face_pack, lambda: _networks(config))
    for camera in config.cameras:
        for source in filter(None, (camera.source, camera.detect_source)):
            attempt("camera", camera.id, lambda c=camera, s=source: _source(c, s))  # type: ignore[misc]
        if draw_to is not None:
            attempt("drawing", camera.id, lambda c=camera: _draw(c, draw_to))  # type: ignore[misc]
    _try_devices(config, attempt)
    attempt(
        "broker",
        f"{config.broker.host}:{config.broker.port}",
        lambda: _broker(config, config.broker),
    )
    console.print(table)
    _print_keys(config, console)
    if failures:
        raise failures[0]


def _try_devices(
    config: EdgeConfig, attempt: Callable[[str, str, Callable[[], str]], None]
) -> None:
    """Doors and barriers: their controllers, their list, their broker. Nothing is opened."""
    for device in config.devices:
        attempt("device", device.id, lambda d=device: _device(config, d))  # type: ignore[misc]
    if any(device.open_for for device in config.devices):
        attempt("allowed plates", config.edge.id, lambda: _allowed(config))
    if config.signals is not None:
        signals = config.signals
        attempt("controllers call", f"{signals.host}:{signals.port}", lambda: _token(signals))
    if config.local_broker is not None:
        local = config.local_broker
        attempt("local broker", f"{local.host}:{local.port}", lambda: _broker(config, local))


def _networks(config: EdgeConfig) -> str:
    networks = load_networks(config.models)
    plates = "plates" if networks.plates is not None else "no plates"
    objects = (
        f"objects by {config.models.objects}" if networks.objects is not None else "no objects"
    )
    liveness = f"liveness by {networks.liveness.pack}" if networks.liveness else "no liveness"
    return f"{networks.faces.name} ({networks.faces.licence}), {plates}, {objects}, {liveness}"


def _source(camera: CameraSection, source: str) -> str:
    with parse_source(source, camera.transport).open() as stream:
        info = stream.info
        rate = "unknown rate" if info.rate_hz is None else f"{info.rate_hz:g} fps"
        _require_picture(stream)
        return f"{info.width_px}x{info.height_px} {rate} {info.codec}"


def _draw(camera: CameraSection, folder: Path) -> str:
    """Write the detection stream's picture, with what is watched in it, to ``<camera>.jpg``."""
    with parse_source(camera.detect_source or camera.source, camera.transport).open() as stream:
        image: Image = _require_picture(stream).pixels.bgr()
    path = folder / f"{camera.id}.jpg"
    _, data = cv2.imencode(".jpg", draw_view(image, camera.places, camera.privacy))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(data))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
    return str(path)


def _require_picture(stream: Stream) -> Picture:
    for count, picture in enumerate(stream, start=1):
        if not isinstance(picture, Damaged):
            return picture
        if count >= _TRIED_PICTURES:
            raise SourceError(f"{count} frames, and each of them damaged: {picture.reason}")
    raise SourceError("it opens, but has no picture in it")


def _device(config: EdgeConfig, device: DeviceSection) -> str:
    """The controller is there; it is asked for nothing."""
    if not device.open_for:
        return "is not opened by this box; its own controller tells who was let in"
    relay = make_relay(device, local_broker(config), time.monotonic)
    try:
        return relay.check()
    finally:
        relay.close()


def _token(signals: SignalsSection) -> str:
    """The token that controllers show can be read; the port may be in use by this box already."""
    read_token(signals.token_file)
    return f"with the token in {signals.token_file}"


def _allowed(config: EdgeConfig) -> str:
    """Which list this box has, how old it is, and until when it counts."""
    now, key = datetime.now(UTC), verifying_key(config.hub.verify_key)
    kept = kept_list(allow_list_folder(config), key, config.edge.site, now)
    if kept is None:
        return "no list that counts: the hub sends one once this box runs"
    held, made_at = kept
    assert held.expires_at is not None
    age_h = (now - made_at).total_seconds() / 3600
    left_h = (held.expires_at - now).total_seconds() / 3600
    return (
        f"version {held.version}, {held.plates} plates, made {age_h:.1f} h ago,"
        f" counts for {left_h:.1f} h more"
    )


def _broker(config: EdgeConfig, broker: BrokerSection) -> str:
    link = open_link(broker, f"gatehouse-check-{config.edge.site}-{config.edge.id}")
    link.close()
    return "takes our connection"


def _print_keys(config: EdgeConfig, console: Console) -> None:
    key = load_or_create_signing_key(signing_key_path(config)).public_key()
    lines = (
        "[[edges]]",
        f'site = "{config.edge.site}"',
        f'id = "{config.edge.id}"',
        f'public_key = "{public_text(key)}"',
    )
    console.print("\nFor hub.toml, so that the hub believes this box:\n", highlight=False)
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
