"""Second step, and last: which messages are new, and how far each boot is committed once they are. Pure.

In: verified messages, what is committed of their boots, and which ids are stored. Out: the new ones and the
windows after them. A message is known by its place (edge, boot, sequence) or by its id: either will do.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from hub.incoming import Position, Rejected, Verified
from hub.sequence import Window
from wire.messages import CommittedUpTo, EdgeStatus

Boot = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fresh:
    """Messages that are new, in the order they came; how many were not."""

    messages: tuple[Verified, ...]
    repeated: int


def fresh_of(
    messages: Iterable[Verified], windows: Mapping[Boot, Window], known_ids: Collection[str]
) -> Fresh:
    """Leave out what is committed already, and what is in `messages` twice."""
    seen_ids, seen_places = set(known_ids), set[Position]()
    fresh, repeated = [], 0
    for message in messages:
        place = message.position
        assert place is not None
        window = windows.get((place.edge, place.boot_id), Window())
        if place.sequence in window or place in seen_places or message.event.id in seen_ids:
            repeated += 1
            continue
        seen_places.add(place)
        seen_ids.add(message.event.id)
        fresh.append(message)
    return Fresh(tuple(fresh), repeated)


def boots_of(messages: Iterable[Verified], rejected: Iterable[Rejected]) -> set[Boot]:
    """Every boot that these messages say something of."""
    boots: set[Boot] = set()
    items: list[Verified | Rejected] = [*messages, *rejected]
    for item in items:
        if item.position is not None:
            boots.add((item.position.edge, item.position.boot_id))
        if isinstance(item, Verified) and isinstance(item.event.data, EdgeStatus):
            boots |= {(item.event.origin, floor.boot_id) for floor in item.event.data.pending}
    return boots


def committed_after(
    windows: Mapping[Boot, Window], messages: Iterable[Verified], rejected: Iterable[Rejected]
) -> dict[Boot, Window]:
    """How far each boot of `windows` is committed once all of these are stored.

    A rejected message with a place counts: it is a dead letter, and its edge need not send it again.
    What an edge says that it holds no more counts too: nobody waits for what cannot come.
    """
    sequences: dict[Boot, list[int]] = {}
    floors: dict[Boot, int] = {}
    items: list[Verified | Rejected] = [*messages, *rejected]
    for item in items:
        if item.position is not None:
            boot = (item.position.edge, item.position.boot_id)
            sequences.setdefault(boot, []).append(item.position.sequence)
        if isinstance(item, Verified) and isinstance(item.event.data, EdgeStatus):
            for floor in item.event.data.pending:
                boot = (item.event.origin, floor.boot_id)
                floors[boot] = max(floors.get(boot, 1), floor.first_sequence)
    return {
        boot: window.add(sequences.get(boot, ())).raise_floor(floors.get(boot, 1))
        for boot, window in windows.items()
    }


def acks_of(windows: Mapping[Boot, Window]) -> dict[str, tuple[CommittedUpTo, ...]]:
    """What to acknowledge to each edge: cumulative, and only what has no gap before it."""
    acks: dict[str, tuple[CommittedUpTo, ...]] = {}
    for (edge, boot_id), window in sorted(windows.items()):
        if window.committed:
            item = CommittedUpTo(boot_id=boot_id, sequence=window.committed)
            acks[edge] = (*acks.get(edge, ()), item)
    return acks
