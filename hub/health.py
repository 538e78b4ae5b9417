"""How the hub is, put together from its parts. Reads; changes nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import RowMapping

from hub.api.shapes import (
    AllowListHealth,
    BrokerHealth,
    CameraOut,
    EdgeHealth,
    FacesHealth,
    Health,
    IngestHealth,
    SinkHealth,
    SliceHealth,
)
from hub.broker import MqttBroker
from hub.config import HubConfig
from hub.edges import EdgeBook
from hub.face_warnings import PackFacts, notes_on, problems_of_size
from hub.forward import Forwarder
from hub.gallery import FaceReason, Gallery
from hub.ingest import IngestWorker
from hub.store import Store, allow_lists, dead_letters, deliveries, slices, watchlists
from wire.errors import StoreError


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Makes the report; called for each request."""

    config: HubConfig
    version: str
    store: Store
    broker: MqttBroker
    ingest: IngestWorker
    gallery: Gallery | None
    broken_rules: Callable[[], tuple[str, ...]]
    forwarders: Sequence[Forwarder]
    pack: PackFacts | None

    def __call__(self) -> Health:
        """The report of this moment."""
        broker = self._broker()
        book, broken = self.ingest.book, self.broken_rules()
        problems = [f"broker: {broker.problem or 'not connected'}"] if not broker.connected else []
        backlog: dict[tuple[str, str], int] = {}
        oldest: dict[str, tuple[datetime, str]] = {}
        dead: dict[str, int] = {}
        lists: dict[str, AllowListHealth] = {}
        held: list[RowMapping] = []
        enrolled = 0
        try:
            with self.store.read() as tx:
                backlog, dead = deliveries.backlog(tx), dead_letters.counts(tx)
                oldest = deliveries.oldest_waiting(tx)
                lists = {row["edge"]: _allow_list(row) for row in allow_lists.shown(tx)}
                enrolled = watchlists.count_subjects(tx)
                held = list(slices.shown(tx))
        except StoreError as error:
            problems.append(f"store: {error}")
        problems += [f"rule: {message}" for message in broken]
        problems += self._edge_problems(book)
        problems += _list_problems(lists)
        problems += _slice_problems(held, self.gallery)
        if strange := self.ingest.counters.reasons[f"face.{FaceReason.OTHER_PACK}"]:
            problems.append(f"faces: {strange} came from another face pack than [models] face_pack")
        if self.pack is not None and self.gallery is not None:
            crowded = problems_of_size(self.pack, self.gallery.people, enrolled)
            problems += [f"faces: {problem}" for problem in crowded]
        sinks = self._sinks(backlog, oldest)
        problems += [f"sink {sink.sink}: {sink.problem}" for sink in sinks if sink.problem]
        return Health(
            status="degraded" if problems else "ok",
            problems=problems,
            version=self.version,
            broker=broker,
            ingest=self._ingest(),
            faces=self._faces(),
            edges=self._edges(book, lists, held),
            cameras=self._cameras(book),
            sinks=sinks,
            dead_letters=dead,
            broken_rules=list(broken),
        )

    def _broker(self) -> BrokerHealth:
        sites = self.broker.connected
        return BrokerHealth(connected=all(sites.values()), sites=sites, problem=self.broker.problem)

    def _ingest(self) -> IngestHealth:
        counters = self.ingest.counters
        return IngestHealth(
            waiting=len(self.ingest.inbox),
            dropped=self.ingest.inbox.dropped,
            committed=counters.committed,
            repeated=counters.repeated,
            rejected=counters.rejected,
            alerts_raised=counters.raised,
            alerts_joined=counters.joined,
            reasons=dict(counters.reasons),
        )

    def _faces(self) -> FacesHealth | None:
        if self.gallery is None or self.pack is None:
            return None
        return FacesHealth(
            pack=self.gallery.pack,
            templates=len(self.gallery),
            people=self.gallery.people,
            calibrated_for=self.pack.calibrated_for,
            notes=notes_on(self.pack),
        )

    def _edge_problems(self, book: EdgeBook) -> list[str]:
        return [
            f"edge {edge.id}: offline"
            for edge in self.config.edges
            if (state := book.edges.get(edge.id)) is not None and not state.online
        ]

    def _edges(
        self, book: EdgeBook, lists: Mapping[str, AllowListHealth], held: Sequence[RowMapping]
    ) -> list[EdgeHealth]:
        reports = []
        by_edge = {row["edge"]: _slice(row, self.ingest.now()) for row in held}
        for edge in self.config.edges:
            state = book.edges.get(edge.id)
            reports.append(
                EdgeHealth(
                    edge=edge.id,
                    site=edge.site,
                    online=state is not None and state.online,
                    version=state.version if state else "",
                    last_seen_at=state.seen_at if state else None,
                    allow_list=lists.get(edge.id),
                    gallery_slice=by_edge.get(edge.id),
                )
            )
        return reports

    def _cameras(self, book: EdgeBook) -> list[CameraOut]:
        return [
            CameraOut(
                edge=camera.edge,
                camera=camera.camera,
                gate=self.config.gate_of(camera.edge, camera.camera),
                state=camera.state,
                reason=camera.reason,
                health=dict(camera.health) if camera.health else None,
                last_seen_at=camera.seen_at,
            )
            for _, camera in sorted(book.cameras.items())
        ]

    def _sinks(
        self, backlog: dict[tuple[str, str], int], oldest: dict[str, tuple[datetime, str]]
    ) -> list[SinkHealth]:
        reports = []
        for forwarder in self.forwarders:
            sink = forwarder.route.sink
            since, error = oldest.get(sink.id, (None, ""))
            reports.append(
                SinkHealth(
                    sink=sink.id,
                    kind=sink.kind,
                    waiting=backlog.get((sink.id, "waiting"), 0),
                    dead=backlog.get((sink.id, "dead"), 0),
                    oldest_waiting_at=since,
                    last_delivered_at=forwarder.last_delivered_at,
                    problem=sink.problem or error,
                )
            )
        return reports


def _allow_list(row: RowMapping) -> AllowListHealth:
    return AllowListHealth(**{name: row[name] for name in AllowListHealth.model_fields})


def _list_problems(lists: Mapping[str, AllowListHealth]) -> list[str]:
    problems = []
    for edge, known in sorted(lists.items()):
        if known.state == "refused":
            problems.append(
                f"edge {edge}: refuses list {known.version} of allowed plates: {known.reason}"
            )
        elif not known.held_version:
            problems.append(f"edge {edge}: has no list of allowed plates: its barriers stay shut")
    return problems


def _slice(row: RowMapping, now: datetime) -> SliceHealth:
    is_last = row["held_version"] and row["held_version"] == row["version"]
    age_s = (now - row["sent_at"]).total_seconds() if is_last and row["sent_at"] else None
    names = SliceHealth.model_fields.keys() - {"age_s"}
    return SliceHealth(**{name: row[name] for name in names}, age_s=age_s)


def _slice_problems(rows: Sequence[RowMapping], gallery: Gallery | None) -> list[str]:
    problems = []
    for row in rows:
        who = f"edge {row['edge']}"
        if gallery is None:
            problems.append(
                f"{who}: matches faces itself, and this hub has no face pack to give it any"
            )
        elif row["pack_sha256"] != gallery.pack_sha256:
            problems.append(
                f"{who}: matches faces with {row['pack']}, the hub enrols with {gallery.pack}: give both the"
                " same [models] face_pack; until then it names nobody"
            )
        elif row["state"] == "refused":
            problems.append(
                f"{who}: refuses slice {row['version']} of the gallery: {row['reason']}"
            )
        elif not row["held_version"]:
            problems.append(f"{who}: has no slice of the gallery: it names nobody")
    return problems
