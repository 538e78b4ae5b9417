"""What the hub keeps: SQLite by default, any database of SQLAlchemy by its URL.

One file per concept, each with functions on an open transaction; `hub.store.engine` opens the database and
gives the transactions out. Nothing in here decides anything.
"""

from hub.store import allow_list_tables as allow_list_tables
from hub.store import disposition_tables as disposition_tables
from hub.store import enrolment_tables as enrolment_tables
from hub.store import register_tables as register_tables  # the tables are part of the metadata
from hub.store import rule_tables as rule_tables
from hub.store import slice_tables as slice_tables
from hub.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
