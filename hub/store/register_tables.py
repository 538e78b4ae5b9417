"""The tables of the register (`hub.register`), and of passes (`hub.passes`)."""

import secrets

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from hub.store.tables import Moment, metadata

sites = Table(
    "register_sites",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("address", Text, nullable=False),
)

gates = Table(
    "register_gates",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("id", String(63), primary_key=True),
    Column("title", String(120), nullable=False),
)

cells = Table(
    "register_cells",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("polygon", JSON),
)

cameras = Table(
    "register_cameras",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("id", String(63), primary_key=True),
    Column("gate", String(63), nullable=False),
    Column("title", String(120), nullable=False),
    Column("place", Text, nullable=False),
    Column("longitude", Float),
    Column("latitude", Float),
    Column("cell", String(63), nullable=False),
)

people = Table(
    "register_people",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("role", String(120), nullable=False),
    Column("level", String(8), nullable=False),
    Column("cells", JSON, nullable=False),
    Column("phone", String(21), nullable=False),
    Column("token", String(63), nullable=False),
)

shifts = Table(
    "register_shifts",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("person", String(63), nullable=False),
    Column("days", JSON, nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer, nullable=False),
    Column("zone", String(64), nullable=False),
    Column("first_day", Date),
    Column("last_day", Date),
    Index("ix_register_shifts_person", "person"),
)

buildings = Table(
    "register_buildings",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("id", String(63), primary_key=True),
    Column("title", String(120), nullable=False),
    Column("cell", String(63), nullable=False),
)

units = Table(
    "register_units",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("id", String(63), primary_key=True),
    Column("building", String(63), nullable=False),
    Column("title", Text, nullable=False),
    Column("occupancy", String(8), nullable=False),
    # Counts the unit's QR codes: only the newest one works. It begins anywhere, so that a unit that is
    # removed and entered again does not bring old codes back.
    Column("code_number", Integer, nullable=False, default=lambda: secrets.randbelow(1 << 30)),
)

residents = Table(
    "register_residents",
    metadata,
    Column("id", String(63), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("unit", String(63), nullable=False),
    Column("name", String(120), nullable=False),
    Column("consent_reference", String(120), nullable=False),
    Column("subject_id", ForeignKey("subjects.id", ondelete="SET NULL")),
    Column("lives_alone", Boolean, nullable=False),
    Column("welfare_since", Moment),
    Column("welfare_hours", Integer),
    Index("ix_register_residents_subject", "subject_id"),
    Index("ix_register_residents_unit", "site", "unit"),
)

vehicles = Table(
    "register_vehicles",
    metadata,
    Column("site", String(63), primary_key=True),
    Column("plate", String(16), primary_key=True),
    Column("unit", String(63), nullable=False),
    Column("valid_from", Moment),
    Column("valid_until", Moment),
)

#: Visits and tenants' cars. Gone some days after their end.
passes = Table(
    "passes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("site", String(63), nullable=False),
    Column("unit", String(63), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("name", String(120), nullable=False),
    Column("plate", String(16)),
    Column("phone", String(21)),
    Column("valid_from", Moment, nullable=False),
    Column("valid_until", Moment, nullable=False),
    Column("requested_at", Moment, nullable=False),
    # Which text was consented to.
    Column("consent", String(16), nullable=False),
    Column("decided_by", String(63), nullable=False),
    Column("decided_at", Moment),
    Index("ix_passes_plate", "site", "plate"),
    Index("ix_passes_unit", "site", "unit", "state"),
    Index("ix_passes_end", "state", "valid_until"),
    Index("ix_passes_requested_at", "requested_at", "id"),
)

TABLES = {
    "sites": sites,
    "gates": gates,
    "cells": cells,
    "cameras": cameras,
    "people": people,
    "shifts": shifts,
    "buildings": buildings,
    "units": units,
    "residents": residents,
    "vehicles": vehicles,
}
"""The table of each kind of row of `hub.register.KINDS`."""
