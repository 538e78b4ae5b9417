"""Live pictures: who is shown what, for how long; faces hidden; and nobody who waits for it."""

import threading
import time
from datetime import timedelta

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.bulk import BulkSender, Parcel
from edge.emit import Origin
from edge.live import LONGEST_S, MOST_SESSIONS, LiveBook
from edge.live_camera import LiveCameras
from edge.live_picture import LARGEST_BYTES, LivePainter
from edge.worker import new_message_id
from tests.unit.edge.fakes import T0, FakeFaceDetector, picture, raw
from wire.codec import decode
from wire.messages import LiveCommand, LivePicture
from wire.sealing import unseal_live
from wire.topics import EdgeTopics

ANN = ("ann", (200, 100, 300, 200))


def command(session: str = "", *, seconds: float = 10.0, **changes: object) -> LiveCommand:
    fields = {"camera": "gate", "until": T0 + timedelta(seconds=seconds), "rate_hz": 2.0, **changes}
    return LiveCommand(session_id=session or new_message_id(), **fields)


@pytest.fixture
def book() -> LiveBook:
    return LiveBook({"gate": "blurred", "yard": "whole", "home": "off"})


class TestSessions:
    def test_nothing_is_due_until_the_hub_asks_and_after_its_time(self, book: LiveBook) -> None:
        assert book.due("gate", 0.0) == []
        assert book.command(command(seconds=2), 0.0, T0).state == "on"
        times = [tenth / 10 for tenth in range(50) if book.due("gate", tenth / 10)]
        assert times == [0.0, 0.5, 1.0, 1.5]
        book.command(command(seconds=2), 10.0, T0)
        assert book.cameras(11.9) == {"gate"}
        assert book.cameras(12.0) == frozenset()

    def test_asked_again_it_goes_on_and_with_a_time_that_is_past_it_ends(
        self, book: LiveBook
    ) -> None:
        first = command(seconds=2)
        book.command(first, 0.0, T0)
        later = first.model_copy(update={"until": T0 + timedelta(seconds=9)})
        book.command(later, 1.0, T0 + timedelta(seconds=1))
        assert book.due("gate", 8.9)
        ended = first.model_copy(update={"until": T0})
        assert book.command(ended, 8.95, T0 + timedelta(seconds=8)).state == "off"
        assert book.cameras(8.96) == frozenset()

    def test_no_session_is_longer_than_the_limit(self, book: LiveBook) -> None:
        book.command(command(seconds=86400), 0.0, T0)
        assert book.cameras(LONGEST_S - 0.1)
        assert not book.cameras(LONGEST_S)

    def test_an_old_command_that_is_sent_again_begins_nothing(self, book: LiveBook) -> None:
        assert book.command(command(seconds=10), 0.0, T0 + timedelta(seconds=11)).state == "off"
        assert book.cameras(0.0) == frozenset()

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"camera": "roof"}, "no camera 'roof'"),
            ({"camera": "home"}, "its `live` is off"),
            ({"faces": "whole"}, "faces blurred only"),
        ],
    )
    def test_a_camera_gives_no_more_than_its_box_says(
        self, book: LiveBook, changes: dict[str, str], why: str
    ) -> None:
        reply = book.command(command(**changes), 0.0, T0)
        assert reply.state == "refused"
        assert why in reply.reason
        assert book.cameras(0.0) == frozenset()
        assert book.command(command(camera="yard", faces="whole"), 0.0, T0).state == "on"

    def test_sessions_are_few_and_stay_what_they_are(self, book: LiveBook) -> None:
        first = command()
        book.command(first, 0.0, T0)
        moved = first.model_copy(update={"camera": "yard"})
        assert "stays with its camera" in book.command(moved, 0.0, T0).reason
        replies = [book.command(command(), 0.0, T0) for _ in range(MOST_SESSIONS + 1)]
        assert [reply.state for reply in replies].count("on") == MOST_SESSIONS
        assert "live pictures already" in replies[-1].reason


class TestPicture:
    def test_a_face_is_hidden_also_where_the_look_before_found_it(self) -> None:
        painter = LivePainter(FakeFaceDetector())
        faces = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
        seen = picture(ANN)
        seen[130:170, 230:270] = faces[130:170, 230:270]

        def detail(jpeg: bytes) -> float:
            image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
            return float(cv2.Laplacian(image[130:170, 230:270], cv2.CV_64F).std())

        whole, _ = painter.paint(seen, "whole")
        blurred, size_px = painter.paint(seen, "blurred")
        assert size_px == (640, 360)
        assert detail(blurred) < detail(whole) / 5
        missed = faces.copy()  # the face is there, and no look finds it
        again, _ = painter.paint(missed, "blurred")
        then, _ = painter.paint(missed, "blurred")
        assert detail(again) < detail(then) / 2

    def test_it_is_small_whatever_the_camera_sends(self) -> None:
        noise = np.random.default_rng(1).integers(0, 255, (2160, 3840, 3), np.uint8)
        painted = LivePainter(FakeFaceDetector()).paint(noise, "whole")
        assert painted is not None
        assert len(painted[0]) <= LARGEST_BYTES
        assert painted[1] == (960, 540)


class Sent(BulkSender):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__(lambda: pytest.fail("nothing is connected here"))
        self.parcels: list[Parcel] = []
        self.stuck = False

    def start(self) -> None:
        return

    def stop(self, timeout_s: float) -> None:
        return

    @property
    def busy(self) -> bool:
        return self.stuck

    def send(self, parcel: Parcel) -> bool:
        self.parcels.append(parcel)
        return True


class TestCameras:
    def setup_method(self) -> None:
        self.sent, self.hub, self.box = (
            Sent(),
            X25519PrivateKey.generate(),
            Ed25519PrivateKey.generate(),
        )
        self.live = LiveCameras(
            {"gate": "blurred"},
            FakeFaceDetector(),
            Origin(EdgeTopics("yard", "box"), self.box, lambda: None),
            self.sent,
            hub_key=self.hub.public_key(),
            new_id=new_message_id,
            now=lambda: T0,
            hub_now=lambda: T0,
            monotonic_s=time.monotonic,
        )
        self.live.start()

    def teardown_method(self) -> None:
        self.sent.stuck = False
        self.live.stop(5.0)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 10
        while len(self.sent.parcels) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def test_a_picture_goes_out_signed_and_sealed_at_qos_0(self) -> None:
        self.live.offer(raw(picture(ANN), 0.0))
        wanted = command()
        assert self.live.command(wanted).state == "on"
        assert self.sent.parcels == []
        self.live.offer(raw(picture(ANN), 1.0))
        self.wait_for(1)
        (parcel,) = self.sent.parcels
        assert (parcel.topic, parcel.qos) == ("gatehouse/v1/yard/box/gate/live", 0)
        assert b"/9j/4" not in parcel.payload
        event = decode(parcel.payload).verify(self.box.public_key())
        assert isinstance(event.data, LivePicture)
        assert event.data.session_id == wanted.session_id
        assert event.data.captured_at == T0 + timedelta(seconds=1)
        jpeg = unseal_live(event.data.sealed, wanted.session_id, event.data.number, self.hub)
        assert jpeg.startswith(b"\xff\xd8")

    def test_whoever_offers_a_frame_never_waits_and_old_frames_are_dropped(self) -> None:
        self.live.command(command(rate_hz=10))
        self.sent.stuck = True
        offered = threading.Event()

        def offer() -> None:
            for n in range(200):
                self.live.offer(raw(picture(ANN), float(n)))
            offered.set()

        threading.Thread(target=offer, daemon=True).start()
        assert offered.wait(5.0)
        assert self.sent.parcels == []
        self.sent.stuck = False
        self.wait_for(2)
        time.sleep(0.3)
        at = [decode(p.payload).event.data.captured_at for p in self.sent.parcels]
        assert at[-1] == T0 + timedelta(seconds=199)
        assert len(at) <= 3
