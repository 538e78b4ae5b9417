"""The hub's one composition root: everything is constructed, started and stopped here.

In: a configuration. Out: a running hub, until SIGTERM or SIGINT. Keys are made at the first start, in
`data_dir`; an API token is made and printed then too, once.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub import allow_list_sync, escalator, housekeeping, slice_sync, ticker
from hub.access import Role, new_token, token_hash
from hub.allow_list_sync import AllowListKeeper
from hub.api import Services, create_app
from hub.broker import MqttBroker
from hub.clip_blur import ClipBlurrer
from hub.config import MQTT_SINK, HubConfig
from hub.decide import Identifier
from hub.downlink import Downlink
from hub.duplicates import DuplicateFinder
from hub.edges import CameraState, EdgeBook, EdgeState
from hub.enrolment import Enroller, empty_gallery
from hub.escalation import EscalationSection
from hub.escalator import Escalator
from hub.evidence import EvidenceKeeper
from hub.evidence_export import Exporter
from hub.evidence_files import EvidenceFiles
from hub.face_warnings import PackFacts, notes_on
from hub.forward import Forwarder
from hub.gallery import Gallery
from hub.handling import Handler
from hub.health import HealthReport
from hub.housekeeping import Housekeeper
from hub.inbox import Inbox
from hub.incoming import Incoming, KnownEdge
from hub.ingest import IngestWorker
from hub.live import LiveDesk, is_live
from hub.pipeline import Pipeline
from hub.raise_alerts import Raiser
from hub.rounds import Rounds
from hub.rule_store import RuleKeeper
from hub.rules import RuleBook
from hub.sinks.filter import Filter
from hub.sinks.make import Route, SinkMaker
from hub.sinks.mqtt import MqttSink
from hub.sinks.shown import ShownReader
from hub.slice_ids import SliceIds
from hub.slice_sync import SliceKeeper
from hub.slices import SliceSource
from hub.store import Store, access, allow_lists, edges, open_store
from hub.store import slices as slice_rows
from hub.tell import Teller
from hub.ticker import Ticker
from hub.vault import FileVault, Vault
from hub.viid.desk import make_desk
from hub.visitors.codes import Codes
from hub.visitors.desk import VisitorDesk
from hub.watch import WatchKeeper
from models.faces import load_face_pack
from models.faces.calibration import load_calibration
from wire.errors import ConfigError, HubError
from wire.keys import (
    load_or_create_opening_key,
    load_or_create_secret,
    load_or_create_signing_key,
    public_text,
    verifying_key,
)
from wire.topics import parse

log = logging.getLogger(__name__)

FIRST_TOKEN = "admin"  # noqa: S105 - its name
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MQTT_GIVE_UP = timedelta(hours=72)


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Keys:
    """The hub's keys, made at the first start."""

    signing: Ed25519PrivateKey
    opening: X25519PrivateKey
    templates: bytes
    evidence: bytes
    visitors: bytes

    def edge_lines(self) -> str:
        """What to paste into an edge.toml."""
        return (
            "[hub]\n"
            f'verify_key = "{public_text(self.signing.public_key())}"\n'
            f'sealing_key = "{public_text(self.opening.public_key())}"'
        )


def load_keys(data_dir: Path) -> Keys:
    """Read the keys in `data_dir`, making those that are not there."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"data_dir: {data_dir} cannot be made: {error}") from error
    return Keys(
        load_or_create_signing_key(data_dir / "signing.key"),
        load_or_create_opening_key(data_dir / "opening.key"),
        load_or_create_secret(data_dir / "templates.key"),
        load_or_create_secret(data_dir / "evidence.key"),
        load_or_create_secret(data_dir / "visitors.key"),
    )


@dataclass(frozen=True, slots=True)
class Faces:
    """What face matching needs, of one pack: `watched` and `enrolled` are galleries, empty as yet; `source`
    is what slices of them for the boxes are made with."""

    enroller: Enroller
    watched: Gallery
    enrolled: Gallery
    facts: PackFacts
    source: SliceSource


def load_faces(config: HubConfig) -> Faces | None:
    """Open the face pack; None when the configuration says that there is to be none."""
    if not config.models.face_pack:
        return None
    pack = load_face_pack(config.models.face_pack, threads=config.models.threads)
    file, digest = config.models.face_calibration, pack.embedder.pack_sha256
    calibration = load_calibration(file, digest) if file else None
    threads = config.models.threads
    watched, enrolled = (empty_gallery(pack, calibration, threads) for _ in range(2))
    measured = calibration or pack.calibration
    facts = PackFacts(
        pack.name, pack.note, pack.licence, pack.commercial, measured.largest if measured else None
    )
    for note in notes_on(facts):
        log.info("%s", note)
    source = SliceSource(
        pack=pack.name,
        pack_sha256=digest,
        dimension=pack.embedder.dimension,
        accept=calibration.acceptance if calibration else pack.acceptance,
    )
    return Faces(Enroller(pack), watched, enrolled, facts, source)


def make_sinks(config: HubConfig, store: Store, files: EvidenceFiles) -> list[Route]:
    """The sinks of the configuration. ConfigError when a secret cannot be used."""
    maker = SinkMaker(utc_now, ShownReader(store, files))
    return [maker.route(section) for section in config.sinks]


def visitor_desk(config: HubConfig, keys: Keys, store: Store) -> VisitorDesk | None:
    """The visitors' page; None when the configuration has none."""
    if config.visitors is None:
        return None
    days = config.retention.passes_days
    return VisitorDesk(config.visitors, Codes(keys.visitors), store, utc_now, days)


def evidence_files(config: HubConfig, keys: Keys) -> EvidenceFiles:
    """Where the pictures are."""
    return EvidenceFiles(config.data_dir / "evidence", FileVault(keys.evidence))


class Hub:
    """All parts of a running hub, put together. Constructing it opens the store and loads the networks."""

    def __init__(self, config: HubConfig) -> None:
        self.config, now = config, utc_now
        self.version = version("gatehouse")
        self.keys = load_keys(config.data_dir)
        self.rules = RuleKeeper(config.rules_dir, config.escalation)
        faces = load_faces(config)
        self.store = open_store(config.database_url)
        self.files = evidence_files(config, self.keys)
        sinks = make_sinks(config, self.store, self.files)
        self.inbox = Inbox()
        known = {
            edge.id: KnownEdge(edge.id, edge.site, verifying_key(edge.public_key))
            for edge in config.edges
        }
        self.broker = MqttBroker(
            config.broker, config.sites, self.keys.signing, self.version, now, self._receive
        )
        self.downlink = Downlink(self.broker, known, self.keys.signing, now)
        self.allow_lists = AllowListKeeper(self.store, self.downlink, config.allow_list, now)
        self.live = LiveDesk(known, self.downlink, self.keys.opening, now)
        self.evidence = EvidenceKeeper(self.store, self.files, self.downlink, now)
        self.forwarders = [
            Forwarder(route, self.store, now)
            for route in (Route(MqttSink(self.broker), Filter(), _MQTT_GIVE_UP), *sinks)
        ]
        vault = Vault(self.keys.templates)
        self.slices = SliceKeeper(
            self.store,
            self.downlink,
            self.rules,
            vault,
            SliceIds(self.keys.templates),
            faces.source if faces else None,
            config.gate_of,
            config.gallery_slice,
            now,
        )
        gallery = faces.watched if faces else None
        watch = WatchKeeper(vault, gallery)
        with self.store.read() as tx:
            watch.current(tx, now())  # a wrong templates.key is found now, not at the first face
            self.rules.current(tx)
        names = (MQTT_SINK, *(sink.id for sink in config.sinks))
        self.teller = Teller(names, self.keys.signing)
        raiser = Raiser(Handler(config.escalation, self.teller))
        self.ingest = self._make_ingest(known, watch, raiser)
        self.escalator = Escalator(
            self.store, config.escalation, self.teller, now, self._wake_sinks
        )
        self.ticker = Ticker(self.store, self.rules, raiser, now, self._alerts_raised)
        self.housekeeper = Housekeeper(self.store, self.files, config.retention, now)
        self.rounds = (
            Rounds("housekeeping", housekeeping.EVERY_S, self.housekeeper.round),
            Rounds("ticker", ticker.EVERY_S, self.ticker.round),
            Rounds("escalator", escalator.EVERY_S, self.escalator.round),
            Rounds("lists of allowed plates", allow_list_sync.EVERY_S, self.allow_lists.round),
            Rounds("slices of the gallery", slice_sync.EVERY_S, self.slices.round),
        )
        self._stopping = threading.Event()
        health = HealthReport(
            config,
            self.version,
            self.store,
            self.broker,
            self.ingest,
            gallery,
            lambda: self.rules.broken,
            self.forwarders,
            faces.facts if faces else None,
        )
        self.services = Services(
            store=self.store,
            files=self.files,
            vault=vault,
            enroller=faces.enroller if faces else None,
            duplicates=DuplicateFinder(vault, faces.enrolled) if faces else None,
            keep_reference=config.enrolment.keep_reference,
            now=now,
            health=health,
            teller=self.teller,
            escalation=config.escalation,
            wake_sinks=self._wake_sinks,
            stopping=self._stopping.is_set,
            exporter=Exporter(
                self.store,
                self.files.read,
                known,
                self.keys.signing,
                self.keys.signing.public_key(),
                now,
            ),
            blurrer=ClipBlurrer(faces.enroller.detector) if faces else None,
            visitors=visitor_desk(config, self.keys, self.store),
            viid=make_desk(config.viid, self.store, now) if config.viid else None,
            live=self.live,
        )

    def _make_ingest(
        self, known: dict[str, KnownEdge], watch: WatchKeeper, raiser: Raiser
    ) -> IngestWorker:
        ids = SliceIds(self.keys.templates)
        identifier = Identifier(self.config.gate_of, self.keys.opening, ids)
        return IngestWorker(
            inbox=self.inbox,
            pipeline=Pipeline(known, self.store, watch, identifier, self.rules, raiser),
            store=self.store,
            downlink=self.downlink,
            book=load_book(self.store),
            now=utc_now,
            on_alerts=self._alerts_raised,
        )

    def start(self) -> None:
        """Start every part; the broker last, since messages come with it."""
        for broken in self.rules.broken:
            log.error("a rule is broken, the others work: %s", broken)
        for worker in self.rounds:
            worker.start()
        self.ingest.start()
        self.evidence.start()
        self.live.start()
        for forwarder in self.forwarders:
            forwarder.start()
        self.broker.start()

    def stop(self) -> None:
        """Stop every part; what is in hand is finished, acknowledged and, where that is quick, forwarded."""
        self._stopping.set()
        for worker in self.rounds:
            worker.stop()
        self.ingest.stop()
        self.evidence.stop()
        self.live.stop()
        for forwarder in self.forwarders:
            forwarder.stop()
        self.broker.stop()
        self.store.close()

    def end_streams(self) -> None:
        """Let the event streams end, so that the API can."""
        self._stopping.set()

    def _receive(self, incoming: Incoming) -> None:
        topic = parse(incoming.topic)
        if topic is not None and topic.channel == "evidence":
            self.evidence.offer(incoming)
        elif topic is not None and is_live(topic):
            self.live.receive(incoming)
        else:
            self.inbox.put(incoming)

    def _alerts_raised(self) -> None:
        self.evidence.wake()
        self._wake_sinks()

    def _wake_sinks(self) -> None:
        for forwarder in self.forwarders:
            forwarder.wake()


def allow_list_lines(store: Store) -> list[str]:
    """For each box that opens by plate, which list of allowed plates it holds."""
    with store.read() as tx:
        rows = allow_lists.shown(tx)
    return [
        f"allowed plates of edge {row['edge']}: it holds version {row['held_version']}"
        f" ({row['held_plates']} plates), was given version {row['version']}: {row['state']}"
        for row in rows
    ]


def load_book(store: Store) -> EdgeBook:
    """What was last known of the edges."""
    with store.read() as tx:
        edge_rows, camera_rows = edges.load(tx)
    return EdgeBook(
        {row["edge"]: EdgeState(**row) for row in edge_rows},
        {(row["edge"], row["camera"]): CameraState(**row) for row in camera_rows},
    )


def slice_lines(store: Store) -> list[str]:
    """For each box that matches faces itself, which slice of the gallery it holds."""
    with store.read() as tx:
        rows = slice_rows.shown(tx)
    return [
        f"gallery of edge {row['edge']}: it holds version {row['held_version']}"
        f" ({row['held_templates']} templates), was given version {row['version']}: {row['state']}"
        for row in rows
    ]


def first_token(store: Store, now: datetime) -> str | None:
    """Make the first API token; None when there have been tokens before."""
    token = new_token()
    with store.write() as tx:
        if access.count_tokens(tx):
            return None
        access.add_token(tx, FIRST_TOKEN, Role.ADMIN, token_hash(token), now)
    return token


def serve(config: HubConfig, say: Callable[[str], None]) -> None:
    """Run the hub until it is told to stop. `say` shows a line to the person who started it."""
    listener = _listen(config)
    try:
        hub = Hub(config)
    except BaseException:
        listener.close()
        raise
    if not config.api.cert_file and config.api.host not in _LOOPBACK:
        log.warning("the API is served without TLS on %s: see [api] cert_file", config.api.host)
    address = _address(config, listener)
    token = first_token(hub.store, utc_now())
    if token is not None:
        say(f"API token of {FIRST_TOKEN!r}, shown this once: {token}")
        say(
            "More: gatehouse hub token add NAME --role ROLE. Who requests an entry cannot approve it."
        )
        say(f"For each edge.toml:\n{hub.keys.edge_lines()}")
    settings = uvicorn.Config(
        create_app(hub.services),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        ssl_certfile=config.api.cert_file,
        ssl_keyfile=config.api.key_file,
    )
    server = _Server(settings, hub)
    # uvicorn raises the signal that ended it again, for whoever had a handler before: that must not kill us.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: hub.end_streams())
    hub.start()
    say(f"The hub serves {address}/api/v1; stop it with Ctrl-C or SIGTERM.")
    try:
        server.run(sockets=[listener])
    finally:
        hub.stop()
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn, with event streams told to end before it waits for the requests in hand."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hub.end_streams()
        await super().shutdown(sockets)


def _listen(config: HubConfig) -> socket.socket:
    where = (config.api.host, config.api.port)
    try:
        family = socket.AF_INET6 if ":" in config.api.host else socket.AF_INET
        return socket.create_server(where, family=family, backlog=512)
    except OSError as error:
        raise HubError(
            f"the API cannot listen on {where[0]}:{where[1]}: {error}; see [api] of the hub's file"
        ) from error


def _address(config: HubConfig, listener: socket.socket) -> str:
    scheme = "https" if config.api.cert_file else "http"
    host = f"[{config.api.host}]" if ":" in config.api.host else config.api.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def check_rules(book: RuleBook, escalation: EscalationSection | None = None) -> None:
    """ConfigError with every broken rule file, and, where it is known what there is, every rule that names an
    escalation policy that is not there."""
    broken = list(book.broken)
    if escalation is not None:
        problems = ((rule.id, escalation.problem(rule.escalation)) for rule in book.rules)
        broken += [f"rule {rule_id!r}:\n  {problem}" for rule_id, problem in problems if problem]
    if broken:
        raise ConfigError("\n".join(broken))
