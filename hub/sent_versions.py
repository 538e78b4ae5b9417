"""What a box was last sent of something that has versions, and when that is sent again. Pure.

Lists of allowed plates and slices of the gallery are sent alike: a version that a box may have seen is
given to nothing else, what is not answered or was refused is sent again after a pause that grows, and what a
box holds is renewed when half of its life is over.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

SentState = Literal["none", "sent", "active", "refused"]
Again = Literal["unanswered", "refused", "not_held", "renewed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentVersion:
    """What one box was sent last, and what it says of it.

    `version` 0 is nothing yet. `held_version` and `oldest_version` are what its status said, `state` what
    became of `version`. `sends` counts how often that was sent; before `due_at` it is not sent again.
    """

    edge: str
    site: str
    oldest_version: int
    held_version: int
    version: int
    digest: str
    expires_at: datetime | None
    state: SentState
    sends: int
    due_at: datetime

    @property
    def next_version(self) -> int:
        """The least version that the box takes and that nothing else has had."""
        return max(self.version + 1, self.held_version + 1, self.oldest_version)

    def why_again(self, now: datetime, life: timedelta) -> Again | None:
        """Why what the box should have, and was sent, is sent again; None to wait."""
        if self.state != "active":
            if now < self.due_at:
                return None
            return "refused" if self.state == "refused" else "unanswered"
        if self.held_version != self.version:
            return "not_held"
        if self.expires_at is None or self.expires_at - now < life / 2:
            return "renewed"
        return None
