"""The roster, and the grid cell of a camera, from the register."""

from typing import cast

from sqlalchemy import Connection

from hub.duty import Roster
from hub.grid import cell_at
from hub.register import Camera, Cell, Person, Shift
from hub.store import register


def roster(tx: Connection) -> Roster:
    """The people of all levels and their shifts."""
    people = [cast(Person, row) for row in register.every(tx, "people")]
    return Roster(people, [cast(Shift, row) for row in register.every(tx, "shifts")])


def cell_of(tx: Connection, site: str, camera: str) -> str:
    """The grid cell of a camera: the one it names, or the smallest that holds its place; "" for none."""
    row = register.get(tx, "cameras", (site, camera))
    if not isinstance(row, Camera):
        return ""
    if row.cell or row.longitude is None or row.latitude is None:
        return row.cell
    cells = {
        cell.id: cell.polygon
        for cell in (cast(Cell, row) for row in register.every(tx, "cells"))
        if cell.polygon is not None
    }
    return cell_at(cells, (row.longitude, row.latitude))
