"""The newest frame waits, the oldest camera is served, marks are kept."""

import threading
import time

from edge.frame import SceneEnd
from edge.mailbox import Mailboxes
from tests.unit.edge.fakes import picture, raw

IMAGE = picture()


def test_a_live_camera_keeps_only_its_newest_frame_and_counts_the_rest() -> None:
    boxes = Mailboxes()
    boxes.add("gate", lossless=False)
    dropped = sum(boxes.put("gate", raw(IMAGE, t, sequence=t)) for t in range(5))
    assert dropped == 4
    taken = boxes.take()
    assert taken is not None
    assert taken[1].sequence == 4  # type: ignore[union-attr]


def test_a_mark_is_never_dropped_or_overtaken() -> None:
    boxes = Mailboxes()
    boxes.add("gate", lossless=False)
    boxes.put("gate", raw(IMAGE, 0))
    boxes.put("gate", SceneEnd("away"))
    assert boxes.put("gate", raw(IMAGE, 1)) == 0
    assert boxes.put("gate", raw(IMAGE, 2)) == 1
    order = []
    for _ in range(3):
        taken = boxes.take()
        assert taken is not None
        order.append(type(taken[1]).__name__)
        boxes.done("gate")
    assert order == ["RawFrame", "SceneEnd", "RawFrame"]
    assert boxes.idle


def test_the_camera_that_waits_longest_is_served_first() -> None:
    boxes = Mailboxes()
    for name in ("a", "b", "c"):
        boxes.add(name, lossless=False)
    for name in ("b", "a", "c"):
        boxes.put(name, raw(IMAGE, 0))
    boxes.put("b", raw(IMAGE, 1))  # a newer frame does not cost b its place
    served = []
    for _ in range(3):
        taken = boxes.take()
        assert taken is not None
        served.append(taken[0])
    assert served == ["b", "a", "c"]


def test_one_camera_is_served_by_one_worker_at_a_time() -> None:
    boxes = Mailboxes()
    boxes.add("gate", lossless=True)
    boxes.put("gate", raw(IMAGE, 0))
    boxes.put("gate", raw(IMAGE, 1))
    assert boxes.take() is not None
    second: list[object] = []
    thread = threading.Thread(target=lambda: second.append(boxes.take()))
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    boxes.done("gate")
    thread.join(5)
    assert len(second) == 1


def test_a_lossless_camera_makes_its_capture_wait_and_loses_nothing() -> None:
    boxes = Mailboxes()
    boxes.add("file", lossless=True)
    dropped: list[int] = []

    def capture() -> None:
        dropped.extend(boxes.put("file", raw(IMAGE, t, sequence=t)) for t in range(20))
        boxes.put("file", SceneEnd("done", final=True))

    thread = threading.Thread(target=capture)
    thread.start()
    seen = []
    while not isinstance(item := (boxes.take() or ("", SceneEnd("")))[1], SceneEnd):
        time.sleep(0.001)
        seen.append(item.sequence)
        boxes.done("file")
    thread.join(5)
    assert seen == list(range(20))
    assert sum(dropped) == 0


def test_close_lets_everyone_go() -> None:
    boxes = Mailboxes()
    boxes.add("file", lossless=True)
    boxes.put("file", raw(IMAGE, 0))
    boxes.put("file", raw(IMAGE, 1))
    waiting = threading.Thread(target=lambda: boxes.put("file", raw(IMAGE, 2)))
    waiting.start()
    boxes.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert boxes.take() is None
