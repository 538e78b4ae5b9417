import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from hub.store import access, open_store
from hub.store.tables import metadata, watch_version
from tests.unit.hub.kit import NOW
from wire.errors import ExitCode, StoreError


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    store = open_store(url(tmp_path / "hub.sqlite"))
    with store.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []
        assert tx.scalar(select(watch_version.c.version)) == 1
    store.close()


def test_it_is_durable_and_overwrites_what_is_deleted(tmp_path: Path) -> None:
    store = open_store(url(tmp_path / "hub.sqlite"))
    with store.read() as tx:
        pragmas = {
            name: tx.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "secure_delete": 1,
        "foreign_keys": 1,
    }
    store.close()


def test_opening_it_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite"
    store = open_store(url(path))
    with store.write() as tx:
        assert access.add_token(tx, "ann", "guard", "x" * 64, NOW)
    store.close()
    store = open_store(url(path))
    with store.read() as tx:
        assert [row["name"] for row in access.list_tokens(tx)] == ["ann"]
    store.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite"
    open_store(url(path)).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE alembic_version SET version_num = '0099'")
    db.close()
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=r"newer version of Gatehouse.*'0099'.*update the hub"
    ) as caught:
        open_store(url(path))
    assert caught.value.exit_code == ExitCode.STORE == 7
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"this is no database" * 100, None])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "hub.sqlite"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StoreError):
        open_store(url(path))


def test_a_missing_driver_is_said_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="psycopg") as caught:
        open_store("postgresql+psycopg://gatehouse:topsecret@db/gatehouse")
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("text", ["sqlite", "postgresql://host:port/x", "weather://x"])
def test_an_address_that_is_none_is_said(text: str) -> None:
    with pytest.raises(StoreError):
        open_store(text)


def test_a_failed_write_leaves_nothing_and_lets_others_write(tmp_path: Path) -> None:
    store = open_store(url(tmp_path / "hub.sqlite"))

    def fail() -> None:
        with store.write() as tx:
            access.add_token(tx, "ann", "guard", "x" * 64, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.write() as tx:
        assert access.add_token(tx, "ann", "guard", "x" * 64, NOW)
        assert not access.add_token(tx, "ann", "guard", "y" * 64, NOW)
    store.close()


def test_writers_take_turns_and_readers_do_not_wait(tmp_path: Path) -> None:
    store = open_store(url(tmp_path / "hub.sqlite"))

    def write() -> None:
        for _ in range(20):
            with store.write() as tx:
                version = tx.scalar(select(watch_version.c.version))
                tx.execute(watch_version.update().values(version=version + 1))

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    with store.read() as tx:
        assert tx.scalar(select(watch_version.c.version)) >= 1
    for writer in writers:
        writer.join()
    with store.read() as tx:
        assert tx.scalar(select(watch_version.c.version)) == 81
    store.close()


def test_errors_never_tell_values(tmp_path: Path) -> None:
    store = open_store(url(tmp_path / "hub.sqlite"))
    twice = metadata.tables["tokens"].insert()
    row = {"name": "Wang Xiaoming", "role": "guard", "sha256": "x", "created_at": NOW}
    with pytest.raises(StoreError) as caught, store.write() as tx:
        tx.execute(twice, [row, row])
    assert "Wang" not in str(caught.value)
    store.close()
