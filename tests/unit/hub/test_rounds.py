"""The loop of a worker: it goes on whatever a round does, and ends when it is told to."""

import logging
import threading

import pytest

from hub.rounds import Rounds
from wire.errors import StoreError


def test_it_goes_on_after_rounds_that_fail(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    errors: list[Exception] = [StoreError("the disk is full"), ZeroDivisionError("of a round")]
    rounds, fine = [0], threading.Event()

    def do() -> None:
        rounds[0] += 1
        if errors:
            raise errors.pop(0)
        fine.set()

    worker = Rounds("counting", 0.001, do)
    worker.start()
    assert fine.wait(20)
    worker.stop()
    done = rounds[0]
    assert done >= 3
    waits, failed = caplog.records
    assert waits.getMessage() == "counting: waits: the disk is full"
    assert waits.exc_info is None
    assert failed.exc_info is not None
    assert rounds[0] == done  # stopped is stopped


def test_stopping_finishes_the_round_in_hand_and_waits_for_no_other() -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), []

    def do() -> None:
        begun.set()
        assert go_on.wait(20)
        ended.append(1)

    worker = Rounds("slow", 3600.0, do)
    worker.start()
    assert begun.wait(20)
    stopper = threading.Thread(target=worker.stop)
    stopper.start()
    go_on.set()
    stopper.join(20)
    assert not stopper.is_alive()
    assert ended == [1]


def test_one_that_was_never_started_can_be_stopped() -> None:
    Rounds("idle", 1.0, lambda: None).stop()
