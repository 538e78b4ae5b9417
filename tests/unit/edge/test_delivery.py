"""What is sent when, as timelines; time is a number here."""

from edge.delivery import Batch, Delivery


class Wire:
    """An outbox of `count` messages at positions 1, 2, …, and what went out, with the time."""

    def __init__(self, count: int, window: int = 4) -> None:
        self.waiting = list(range(1, count + 1))
        self.delivery = Delivery(window=window, first_timeout_s=5.0, most_timeout_s=20.0)
        self.sent: list[tuple[float, int]] = []

    def step(self, now_s: float) -> None:
        unacknowledged = sum(p <= self.delivery.cursor for p in self.waiting)
        batch = self.delivery.next_batch(unacknowledged, now_s)
        if batch is None:
            return
        for position in [p for p in self.waiting if p > batch.position][: batch.limit]:
            self.sent.append((now_s, position))
            self.delivery.sent(position, now_s)

    def commit(self, up_to: int, now_s: float) -> None:
        self.waiting = [p for p in self.waiting if p > up_to]
        self.delivery.acknowledged(now_s)

    def run(self, start_s: int, end_s: int) -> None:
        for tenth in range(start_s * 10, end_s * 10):
            self.step(tenth / 10)


def test_nothing_is_sent_before_there_is_a_connection() -> None:
    wire = Wire(3)
    wire.run(0, 30)
    assert wire.sent == []
    assert wire.delivery.wait_s(0.0) is None


def test_all_is_sent_in_order_within_the_window() -> None:
    wire = Wire(10)
    wire.delivery.connected()
    wire.step(0.0)
    assert wire.sent == [(0.0, p) for p in (1, 2, 3, 4)]
    wire.step(0.1)
    assert len(wire.sent) == 4
    wire.commit(3, 0.2)
    wire.step(0.2)
    assert wire.sent[4:] == [(0.2, 5), (0.2, 6), (0.2, 7)]
    wire.commit(10, 0.3)
    wire.step(0.4)
    assert len(wire.sent) == 7
    assert wire.delivery.wait_s(0.4) is None


def test_what_is_not_acknowledged_is_sent_again_less_and_less_often() -> None:
    wire = Wire(2)
    wire.delivery.connected()
    wire.run(0, 80)
    times = [t for t, position in wire.sent if position == 1]
    assert times == [0.0, 5.0, 15.0, 35.0, 55.0, 75.0]


def test_an_acknowledgement_sets_the_limit_back() -> None:
    wire = Wire(3)
    wire.delivery.connected()
    wire.run(0, 16)
    wire.commit(1, 16.0)
    wire.run(16, 22)
    assert [t for t, position in wire.sent if position == 2 and t > 16] == [21.0]


def test_a_new_session_of_the_hub_gets_everything_at_once() -> None:
    wire = Wire(3)
    wire.delivery.connected()
    wire.delivery.hub_said("a", online=True, retained=True)
    wire.run(0, 2)
    wire.delivery.hub_said("a", online=True)  # heard again: nothing new
    wire.step(2.0)
    assert len(wire.sent) == 3
    wire.delivery.hub_said("b", online=True)
    wire.step(2.1)
    assert wire.sent[3:] == [(2.1, 1), (2.1, 2), (2.1, 3)]


def test_the_status_that_the_broker_had_kept_is_no_new_session() -> None:
    wire = Wire(3)
    wire.delivery.connected()
    wire.step(0.0)
    wire.delivery.hub_said("a", online=True, retained=True)
    wire.step(0.1)
    assert len(wire.sent) == 3


def test_a_hub_that_starts_for_the_first_time_gets_all_at_once() -> None:
    wire = Wire(3)
    wire.delivery.connected()
    wire.step(0.0)
    wire.delivery.hub_said("a", online=True)
    wire.step(0.1)
    assert wire.sent[3:] == [(0.1, 1), (0.1, 2), (0.1, 3)]


def test_a_new_connection_gets_everything_at_once() -> None:
    wire = Wire(2)
    wire.delivery.connected()
    wire.run(0, 1)
    wire.delivery.disconnected()
    wire.run(1, 9)
    assert len(wire.sent) == 2
    wire.delivery.connected()
    wire.step(9.0)
    assert wire.sent[2:] == [(9.0, 1), (9.0, 2)]


def test_a_hub_that_is_off_gets_one_message_until_it_is_back() -> None:
    wire = Wire(5)
    wire.delivery.connected()
    wire.delivery.hub_said("a", online=False)
    wire.run(0, 4)
    assert wire.sent == [(0.0, 1)]
    wire.delivery.hub_said("b", online=True)
    wire.step(4.0)
    assert wire.sent[1:] == [(4.0, p) for p in (1, 2, 3, 4)]


def test_a_hub_that_is_wrongly_said_to_be_off_is_found_out_by_its_acknowledgement() -> None:
    wire = Wire(5)
    wire.delivery.connected()
    wire.delivery.hub_said("a", online=False)  # a will that came late, of a connection long gone
    wire.step(0.0)
    wire.commit(1, 0.2)
    wire.step(0.2)
    assert wire.sent == [(0.0, 1), (0.2, 2), (0.2, 3), (0.2, 4), (0.2, 5)]


def test_the_will_of_an_older_session_is_stale() -> None:
    delivery = Delivery(window=4)
    delivery.connected()
    delivery.hub_said("new", online=True)
    delivery.hub_said("old", online=False)
    assert delivery.next_batch(0, 0.0) == Batch(0, 4)
    delivery.hub_said("new", online=False)
    assert delivery.next_batch(0, 0.0) == Batch(0, 1)
