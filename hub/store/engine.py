"""Opens the database, brings it up to this version, and gives out transactions.

Out: `Store.read()` and `Store.write()`, each one transaction. On SQLite there is one writer at a time: a
write begins IMMEDIATE, behind a lock, so that none ever fails half-way for want of it. What is
committed is on the disk (`synchronous = FULL`): an acknowledgement must survive a power cut.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from wire.errors import StoreError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",  # what is erased is overwritten
    "foreign_keys = ON",
    "busy_timeout = 15000",
    "journal_size_limit = 67108864",
)


class Store:
    """An open database. Safe for use by several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = threading.RLock() if engine.dialect.name == "sqlite" else None

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that sees one state of the database. Changes nothing."""
        with _as_store_error(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is durable when this returns, or, on any exception, none of it."""
        with self._writer or contextlib.nullcontext(), _as_store_error():
            connection = self._engine.connect().execution_options(gatehouse_write=True)
            with connection, connection.begin():
                yield connection

    def forget_erased(self) -> None:
        """Take what was erased out of the write-ahead log too. Needs a moment without readers."""
        if self._writer is None:
            return
        with self._writer, _as_store_error(), self._engine.connect() as connection:
            connection.connection.driver_connection.execute(  # type: ignore[union-attr]
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def open_store(url: str) -> Store:
    """Open the database at `url`, making or migrating it. StoreError says why it cannot be used."""
    engine = _engine(url)
    try:
        with _as_store_error():
            _migrate(engine, _shown(url))
    except StoreError:
        engine.dispose()
        raise
    return Store(engine)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"[store] url is no database URL: {type(error).__name__}") from error
    try:
        if parsed.get_backend_name() != "sqlite":
            return create_engine(parsed, pool_pre_ping=True)
        path = Path(parsed.database or "")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
        engine = create_engine(parsed, connect_args={"check_same_thread": False, "timeout": 15})
    except (NoSuchModuleError, ArgumentError, ModuleNotFoundError, OSError) as error:
        raise StoreError(f"the database {_shown(url)} cannot be opened: {error}") from error
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite alone
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("gatehouse_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _migrate(engine: Engine, shown: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect().execution_options(gatehouse_write=True) as connection, connection.begin():
        current = MigrationContext.configure(connection).get_current_revision()
        if current is not None and current not in known:
            raise StoreError(
                f"the database {shown} was made by a newer version of Gatehouse (its format is"
                f" {current!r}): update the hub, or restore the backup from before the update"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _shown(url: str) -> str:
    """The URL as it may be told: without its password."""
    return make_url(url).render_as_string(hide_password=True)


@contextlib.contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        # Never the statement's values: they may be of people.
        cause = getattr(error, "orig", None) or type(error).__name__
        raise StoreError(f"the database does not answer: {cause}") from error
