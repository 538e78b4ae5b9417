"""What every sink promises to the forwarder: to say how an attempt went, and whether another is worth it."""

from dataclasses import dataclass
from typing import Literal, Protocol

from hub.sinks.notice import Notice


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one delivery went. `after_s` is the pause that the receiver asked for, if it did.

    ``retry`` may go well later; ``refused`` never will; ``skipped`` was not for this sink.
    """

    result: Literal["delivered", "retry", "refused", "skipped"]
    detail: str = ""
    after_s: float | None = None


class Sink(Protocol):
    """Where alerts are forwarded. May be used by several threads."""

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        ...

    @property
    def kind(self) -> str:
        """Its kind in the configuration."""
        ...

    @property
    def problem(self) -> str:
        """What is wrong with its connection, whether or not anything waits; "" when nothing is known."""
        return ""

    def start(self) -> None:
        """Begin what it keeps up by itself, such as a session."""
        return

    def stop(self) -> None:
        """End it, and close the connections."""
        return

    def deliver(self, notice: Notice) -> Attempt:
        """Try to deliver one event. Never raises for what the receiver or the network does."""
        ...
