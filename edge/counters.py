"""What the pipeline of each camera has done, counted; read by health messages and the benchmark."""

import threading
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class CameraCounters:
    """Counts of one camera since its worker started. Each field has one writer thread at a time.

    `lag_s` is the time from a frame's arrival to the end of its analysis, of the latest frame; `busy_s`
    is the time that analysis took in all.
    """

    decoded: int = 0
    corrupt: int = 0
    picked: int = 0
    dropped: int = 0
    still: int = 0
    analysed: int = 0
    faces: int = 0
    plates: int = 0
    objects: int = 0
    recognised: int = 0
    observations: int = 0
    reconnects: int = 0
    faults: int = 0
    lag_s: float = 0.0
    busy_s: float = 0.0

    def copy(self) -> "CameraCounters":
        """The counts as they are now."""
        return CameraCounters(**{f.name: getattr(self, f.name) for f in fields(self)})


@dataclass(slots=True)
class Counters:
    """Counts of all cameras, by camera id."""

    cameras: dict[str, CameraCounters] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def of(self, camera: str) -> CameraCounters:
        """The counts of one camera, made at first use."""
        with self._lock:
            return self.cameras.setdefault(camera, CameraCounters())

    def total(self, name: str) -> float:
        """Sum of one count over all cameras."""
        with self._lock:
            return float(sum(getattr(counts, name) for counts in self.cameras.values()))
