"""What the hub says to its edges, signed: acknowledgements, commands, and that it is there.

In: values. Out: messages on the broker. Nothing here is kept for later: an acknowledgement that is lost is
made up for by the next one, since they are cumulative, and a command is given again until it is answered.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.broker import Broker
from hub.incoming import KnownEdge
from wire.codec import Signer, encode
from wire.messages import Ack, CommittedUpTo, Event, EvidenceCommand, Message
from wire.topics import HUB, EdgeTopics


@dataclass(frozen=True, slots=True)
class Downlink:
    """Speaks to the edges of all sites."""

    broker: Broker
    edges: Mapping[str, KnownEdge]
    signer: Signer
    now: Callable[[], datetime]

    def ack(self, edge: str, committed: Sequence[CommittedUpTo]) -> None:
        """Tell an edge how far its boots are committed."""
        topics = self._topics(edge)
        self._send(topics, topics.ack, Ack(committed=tuple(committed)))

    def ask_for_evidence(self, edge: str, observation_id: str, names: Sequence[str]) -> bool:
        """Ask an edge for pictures; False when it cannot be asked now."""
        if edge not in self.edges:
            return False
        topics = self._topics(edge)
        command = EvidenceCommand(observation_id=observation_id, names=tuple(names))
        return self._send(topics, topics.command("evidence"), command)

    def command(self, edge: str, name: str, command: Message) -> bool:
        """Give an edge a command; False when it cannot be given now."""
        topics = self._topics(edge)
        return self._send(topics, topics.command(name), command)

    def _topics(self, edge: str) -> EdgeTopics:
        return EdgeTopics(self.edges[edge].site, edge)

    def _send(self, topics: EdgeTopics, topic: str, data: Message) -> bool:
        event = Event(
            id=str(uuid.uuid4()), site=topics.site, origin=HUB, time=self.now(), data=data
        )
        return self.broker.publish(topics.site, topic, encode(event, self.signer))
