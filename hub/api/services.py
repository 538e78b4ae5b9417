"""What the API works with: handed over by the composition root, found by the routes in the request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from hub.api.shapes import Health
from hub.clip_blur import ClipBlurrer
from hub.duplicates import DuplicateFinder
from hub.enrolment import Enroller
from hub.escalation import EscalationSection
from hub.evidence_export import Exporter
from hub.evidence_files import EvidenceFiles
from hub.live import LiveDesk
from hub.store import Store
from hub.tell import Teller
from hub.vault import Vault
from hub.viid.desk import ViidDesk
from hub.visitors.desk import VisitorDesk


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the hub that the API speaks to.

    `duplicates` is there where `enroller` is; `keep_reference` is the policy on pictures of enrolment.
    `health` says how the hub is; `teller` tells of alerts; `escalation` is its policy; `wake_sinks` lets the
    forwarders look at once; `stopping` is true once the hub is going down, which ends event streams.
    `visitors` is there where the configuration has a page for them, `viid` where it has peers.
    """

    store: Store
    files: EvidenceFiles
    vault: Vault
    enroller: Enroller | None
    duplicates: DuplicateFinder | None
    keep_reference: bool
    now: Callable[[], datetime]
    health: Callable[[], Health]
    teller: Teller
    escalation: EscalationSection
    wake_sinks: Callable[[], None]
    stopping: Callable[[], bool]
    exporter: Exporter
    blurrer: ClipBlurrer | None
    live: LiveDesk
    visitors: VisitorDesk | None = None
    viid: ViidDesk | None = None


def services(request: Request) -> Services:
    """The services of the application that this request came to."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


Hub = Annotated[Services, Depends(services)]
