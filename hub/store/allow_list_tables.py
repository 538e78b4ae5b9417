"""Tables of the lists of allowed plates (`hub.allow_list`): what each box was given. No plate is in them."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, Text

from hub.store.tables import Moment, metadata

#: One row for each box that opens something by plate.
allow_lists = Table(
    "allow_lists",
    metadata,
    Column("edge", String(63), primary_key=True),
    Column("site", String(63), nullable=False),
    # What its status says: its devices, and the list it holds.
    Column("devices", JSON, nullable=False),
    Column("oldest_version", BigInteger, nullable=False),
    Column("held_version", BigInteger, nullable=False),
    Column("held_plates", Integer, nullable=False),
    Column("held_expires_at", Moment),
    # What it was sent, and what became of that.
    Column("version", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("plates", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("expires_at", Moment),
    Column("state", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("sends", Integer, nullable=False),
    Column("due_at", Moment, nullable=False),
)

#: One row. Its number grows whenever a registered vehicle or a pass changes, in the same transaction.
allow_changes = Table(
    "allow_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", BigInteger, nullable=False),
)
