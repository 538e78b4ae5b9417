"""The hub: observations a second, each acknowledged after commit, beside the bare broker.

The bare side sends the same bytes through the same mosquitto to a subscriber that only counts them. Flatness
is shown by the same with 20,000 plates on the watchlist.
"""

import random
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as mqtt

from demo.site import EDGE, SITE
from hub.store import open_store, watchlists
from hub.watchlist import Category, Entry, EntryState, ListKind
from tests.bench.report import Row
from tests.e2e.replay_edge import CAMERA, observation
from tests.e2e.sites import Site
from wire.codec import decode, encode
from wire.keys import load_or_create_signing_key
from wire.messages import Ack, Event
from wire.topics import EdgeTopics

_COUNT = 3000
_WINDOW = 256  # as edge/delivery.py
_LISTED = 20_000
_GROUP = "Hub, SQLite on disk, acknowledged after commit"


def run() -> list[Row]:
    """Observations per second, with an empty watchlist and with a long one."""
    rows = []
    with Site(Path(tempfile.mkdtemp(prefix="gatehouse-bench-")), face_pack="") as site:
        messages = _messages(site, 0)
        topic = EdgeTopics(SITE, EDGE).observation(CAMERA, "plate")
        bare_s = _bare(site.broker.port, topic, messages[-1])
        _through_hub(site, topic, _messages(site, 1)[:_WINDOW])
        empty_s = _through_hub(site, topic, messages)
        rows.append(
            Row(
                _GROUP,
                "plates, empty watchlist",
                _COUNT / empty_s,
                "observations/s",
                f"bare broker: {_COUNT / bare_s:,.0f} messages/s",
                bare_s / empty_s,
            )
        )
        _fill(site)
        # The first batch after a change reads the list anew; that is once, and not what is measured.
        _through_hub(site, topic, _messages(site, 2)[:_WINDOW])
        full_s = _through_hub(site, topic, _messages(site, 3))
        rows.append(
            Row(
                _GROUP,
                f"plates, {_LISTED:,} on the watchlist",
                _COUNT / full_s,
                "observations/s",
                "empty watchlist",
                empty_s / full_s,
            )
        )
    return rows


def _messages(site: Site, boot: int) -> list[bytes]:
    signer = load_or_create_signing_key(site.folder / "edge" / "signing.key")
    return [
        encode(
            Event(
                id=str(uuid.uuid4()),
                site=SITE,
                origin=EDGE,
                camera=CAMERA,
                time=datetime.now(UTC),
                boot_id=f"{boot:016x}",
                sequence=number + 1,
                data=observation(number),
            ),
            signer,
        )
        for number in range(_COUNT)
    ]


def _bare(port: int, topic: str, message: bytes) -> float:
    seen = [0]

    def count(_message: mqtt.MQTTMessage) -> int:
        seen[0] += 1
        return seen[0]

    other = topic.replace(SITE, "bare")
    return _send(port, other, [message] * _COUNT, other, count)


def _through_hub(site: Site, topic: str, messages: list[bytes]) -> float:
    def committed(message: mqtt.MQTTMessage) -> int:
        data = decode(message.payload).event.data
        return data.committed[-1].sequence if isinstance(data, Ack) else 0

    return _send(site.broker.port, topic, messages, EdgeTopics(SITE, EDGE).ack, committed)


def _send(
    port: int,
    topic: str,
    messages: list[bytes],
    listen: str,
    answered: Callable[[mqtt.MQTTMessage], int],
) -> float:
    """Seconds until all are answered, sending as an edge does: at most a window ahead of the answers."""
    room, ready = threading.Condition(), threading.Event()
    state = {"answered": 0}

    def heard(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        with room:
            state["answered"] = max(state["answered"], answered(message))
            room.notify()

    listener = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    listener.on_message = heard
    listener.on_subscribe = lambda *_: ready.set()
    listener.connect("127.0.0.1", port)
    listener.loop_start()
    listener.subscribe(listen, 1)
    sender = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    sender.max_inflight_messages_set(_WINDOW)
    sender.connect("127.0.0.1", port)
    sender.loop_start()
    if not ready.wait(10):
        raise TimeoutError("the broker did not take the subscription")

    def wait_until_answered(number: int) -> None:
        with room:
            if not room.wait_for(lambda: state["answered"] >= number, 60):
                raise TimeoutError(f"message {number} was not answered within 60 s")

    started = time.perf_counter()
    for number, message in enumerate(messages):
        wait_until_answered(number - _WINDOW)
        sender.publish(topic, message, 1)
    wait_until_answered(len(messages))
    took_s = time.perf_counter() - started
    for client in (sender, listener):
        client.disconnect()
        client.loop_stop()
    return took_s


def _fill(site: Site) -> None:
    """Put approved plates on the watchlist, straight into the store: the API would take minutes."""
    store, now = open_store(f"sqlite:///{site.folder / 'hub' / 'hub.sqlite'}"), datetime.now(UTC)
    chance = random.Random(1)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
    plates = {"沪" + "B" + "".join(chance.choices(letters, k=5)) for _ in range(_LISTED)}
    with store.write() as tx:
        for plate in plates:
            entry = Entry(
                id=str(uuid.uuid4()),
                kind=ListKind.PLATE,
                target=plate,
                label=plate,
                category=Category.STOLEN_VEHICLE,
                basis="benchmark",
                reference="b-1",
                state=EntryState.APPROVED,
                requester="a",
                requested_at=now,
                expires_at=now.replace(year=now.year + 1),
                approver="b",
                approved_at=now,
            )
            watchlists.add_entry(tx, entry)
        watchlists.changed(tx)
    store.close()
