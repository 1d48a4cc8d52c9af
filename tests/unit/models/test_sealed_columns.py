"""Every column that holds something sealed is known to rotation, doctor and exports; a new one makes these fail."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import sqlalchemy as sa

import app.models.tables
from app.core.config import Config
from app.db.base import metadata
from app.db.configured import DATABASE_FILE
from app.db.lenient import Sealed
from app.db.migrations import HEAD
from app.models.devices import vault_device_wraps, vault_join_requests
from app.services.doctor import examine, write_bundle
from app.services.vault.check import CHECKS, look
from app.services.vault.recovery import new_recovery_code
from app.services.vault.rotation import MOVED, RENEWED
from app.services.vault.rows import SecretName
from app.services.vault.unlocking import keep_recovery_code
from tests.support.in_process import InProcess, on_sqlite
from tests.support.vaults import ACTOR, Desktop, change, desktop, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = bytes(range(32))
LOOKS_SEALED = re.compile(r"(vf[12]\.|encrypted:)|gAAAA")
TABLES = app.models.tables.__all__


def sealed_columns(tables: sa.MetaData) -> set[sa.Column[Any]]:
    """Walk a metadata for columns of the one type."""
    return {column for table in tables.tables.values() for column in table.columns if isinstance(column.type, Sealed)}


SEALED = sorted(sealed_columns(metadata), key=str)
GRANT = vault_join_requests.c.grant
"""Only who asked can open a grant, and it follows the vault's keys from there by itself."""
OURS = [column for column in SEALED if column is not GRANT]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[InProcess]:
    """A sidecar's embedded database, at head."""
    (tmp_path / "data").mkdir(mode=0o700)
    with on_sqlite(tmp_path / "data" / DATABASE_FILE) as opened:
        change(opened, sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        change(opened, sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        yield opened


@pytest.fixture
def ours(store: InProcess, tmp_path: Path) -> Desktop:
    """A desktop that has something in every sealed column."""
    one = desktop(store, tmp_path, key=KEY)
    one.set(SecretName("tenant", "acme", "openai"), "sk-live-0123456789abcdef")
    one.set(SecretName("user", "u-1", "openai"), "sk-live-fedcba9876543210")
    keep_recovery_code(one.vault.attachment, one.audit, new_recovery_code(), actor=ACTOR)
    newcomer = desktop(store, tmp_path / "newcomer", key=bytes(range(1, 33)))
    asked = newcomer.team.ask("newcomer", actor=ACTOR)
    one.team.approve(asked.device_id, asked.code, actor=ACTOR)
    return one


def values_of(store: InProcess, column: sa.Column[Any]) -> set[str]:
    """What a column holds."""
    return {row[0] for row in read(store, sa.select(column).where(column.is_not(None)))}


def is_newcomers(store: InProcess) -> sa.ColumnElement[bool]:
    """Return the condition that a wrap is the newcomer's."""
    (asked,) = read(store, sa.select(vault_join_requests.c.device_id))
    device_id: str = asked.device_id
    return vault_device_wraps.c.device_id == device_id


def kept_history(store: InProcess, table: sa.FromClause, kid: str | None) -> set[str]:
    """What members that are away will need to follow from an older key: their wraps of it stay."""
    if table is not vault_device_wraps:
        return set()
    query = sa.select(vault_device_wraps.c.wrap).where(vault_device_wraps.c.kid == kid)
    return {row[0] for row in read(store, query)}


def test_there_are_sealed_columns() -> None:
    """The walk finds them, of whatever table."""
    assert {str(column) for column in SEALED} == {
        "secrets.ciphertext",
        "vault_device_wraps.wrap",
        "vault_join_requests.grant",
        "vault_keys.fingerprint_key",
        "vault_wraps.escrow",
        "vault_wraps.wrap",
    }
    more = sa.MetaData()
    added = sa.Table("cameras", more, sa.Column("id", sa.Integer), sa.Column("password", Sealed()))
    assert sealed_columns(more) == {added.c.password}


def test_rotation_knows_every_sealed_column() -> None:
    """Each is renewed with the key or moved in batches, and none is both."""
    assert set(RENEWED) | set(MOVED) == set(SEALED)
    assert not set(RENEWED) & set(MOVED)


def test_doctor_knows_every_sealed_column() -> None:
    """Each has its check."""
    assert set(CHECKS) == set(SEALED)


@pytest.mark.parametrize("column", OURS, ids=str)
def test_a_rotation_renews_the_column(ours: Desktop, store: InProcess, column: sa.Column[Any]) -> None:
    """No value is as it was, and none is left under the old key."""
    old_kid = ours.vault.document().kid
    before = values_of(store, column)
    assert before

    ours.rotate()

    table = column.table
    after = {value for value in values_of(store, column) if value not in kept_history(store, table, old_kid)}
    assert len(after) == len(before)
    assert not before & after
    assert not [value for value in after if old_kid is None or old_kid in value]


@pytest.mark.parametrize("column", OURS, ids=str)
def test_doctor_finds_damage_in_the_column(
    ours: Desktop, store: InProcess, tmp_path: Path, column: sa.Column[Any]
) -> None:
    """One damaged value is counted where it lies; before that everything opens, and nothing is changed by looking."""
    config = Config(config_dir=tmp_path, data_dir=tmp_path / "data")
    sound = look(config)
    assert sound is not None
    others = {row[0] for row in read(store, sa.select(vault_device_wraps.c.wrap).where(is_newcomers(store)))}
    values = values_of(store, column) - others
    assert sound.tallies[str(column)].opened == len(values)
    assert sound.total.broken == sound.total.waiting == 0
    assert sound.total.locked == len(others) + 1
    value = min(values)

    change(store, sa.update(column.table).where(column == value).values({column: value[:-8] + "damaged="}))

    found = look(config)
    before = [values_of(store, each) for each in SEALED]
    checks = {check.name: check for check in examine(config)}
    assert found is not None
    assert found.tallies[str(column)].broken == 1
    assert not checks["vault"].ok
    assert str(column) in checks["vault"].message or found.keys.active is None  # the only wrap: locked
    assert [values_of(store, each) for each in SEALED] == before
    assert ours.vault.document().secrets == 2


def test_nothing_sealed_is_exported(ours: Desktop, store: InProcess, tmp_path: Path) -> None:
    """Lists, documents, the audit log and the support archive hold no value of any sealed column."""
    config = Config(config_dir=tmp_path, data_dir=tmp_path / "data")
    checks = examine(config)
    write_bundle(str(tmp_path / "bundle.zip"), config, checks)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        exported = [archive.read(name).decode() for name in archive.namelist()]
    exported += list(ours.audit.export())
    exported += [
        json.dumps(msgspec.to_builtins(ours.vault.infos())),
        json.dumps(msgspec.to_builtins(ours.vault.document())),
    ]

    sealed = [value for column in SEALED for value in values_of(store, column)]
    assert len(sealed) >= 5
    assert [value for value in sealed for text in exported if value in text] == []
    assert [text for text in exported if LOOKS_SEALED.search(text)] == []


def test_sealed_values_lie_in_sealed_columns_only(ours: Desktop, store: InProcess) -> None:
    """What looks like a ciphertext or a token is in a column of the one type."""
    ours.rotate()
    elsewhere = [
        (str(column), value)
        for table in metadata.tables.values()
        for column in table.columns
        if not isinstance(column.type, Sealed)
        for (value,) in read(store, sa.select(column))
        if isinstance(value, str) and LOOKS_SEALED.match(value)
    ]

    assert elsewhere == []
    with_fernet = [column for column in SEALED if column.table not in (vault_device_wraps, vault_join_requests)]
    assert all(LOOKS_SEALED.match(value) for column in with_fernet for value in values_of(store, column))
