"""The broker as a sink: each event on ``gatehouse/v1/<site>/alert/<id>``. It is always there."""

from hub.broker import Broker
from hub.config import MQTT_SINK
from hub.sinks.base import Attempt, Sink
from hub.sinks.notice import Notice
from wire.topics import alert as alert_topic


class MqttSink(Sink):
    """Publishes on the broker that the edges are on."""

    id = MQTT_SINK
    kind = "mqtt"

    def __init__(self, broker: Broker, timeout_s: float = 5.0) -> None:
        self._broker, self._timeout_s = broker, timeout_s

    def deliver(self, notice: Notice) -> Attempt:
        """See `Sink`."""
        due = notice.due
        topic = alert_topic(due.site, due.alert_id)
        if self._broker.publish_and_wait(due.site, topic, due.body, self._timeout_s):
            return Attempt("delivered")
        return Attempt("retry", "the broker is not connected")
