"""What time it is: the database's clock decides, since those of the desktops that share it differ."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from app.db.base import utc_now
from app.db.session import NOW

if TYPE_CHECKING:
    import sqlalchemy as sa


def database_now(connection: sa.Connection) -> dt.datetime:
    """Return the present instant by PostgreSQL's clock; on SQLite by the computer's, which is the database's too."""
    if connection.dialect.name != "postgresql":
        return utc_now()
    now: dt.datetime | None = None
    if connection.get_execution_options().get("taskflow_write"):
        now = connection.info.get(NOW)  # asked when the transaction began
    if now is None:
        now = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return now.astimezone(dt.UTC)
