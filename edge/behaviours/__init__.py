"""Behaviours: what objects do over a while that people want to know of. One file each.

In: settings from the configuration. Out: watches that are stepped with each frame's scene. What each of
them counts and does not count is in its own file, and measured in docs/behaviours.md.
"""

from typing import Annotated

from pydantic import Field

from edge.behaviours.barrier_run import BarrierRun
from edge.behaviours.base import AtLine, BehaviourEvent, BehaviourSettings, InZone, Watch
from edge.behaviours.blocked_lane import BlockedLane
from edge.behaviours.crowding import Crowding
from edge.behaviours.ebike_indoors import EbikeIndoors
from edge.behaviours.loitering import Loitering
from edge.behaviours.on_grant import AtDevice
from edge.behaviours.tailgating import Tailgating
from edge.behaviours.vehicle_prowling import VehicleProwling
from edge.behaviours.wrong_way import WrongWay

__all__ = [
    "AnyBehaviour",
    "AtDevice",
    "AtLine",
    "BehaviourEvent",
    "BehaviourSettings",
    "InZone",
    "Watch",
]

AnyBehaviour = Annotated[
    Loitering
    | Crowding
    | VehicleProwling
    | BlockedLane
    | EbikeIndoors
    | BarrierRun
    | WrongWay
    | Tailgating,
    Field(discriminator="kind"),
]
