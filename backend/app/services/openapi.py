"""The OpenAPI document without a running sidecar."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from app.core.config import Config
from app.core.readiness import Readiness
from app.core.startup import Startup
from app.db.session import Database
from app.main import Parts, create_app
from app.services.status import StatusService


def document() -> dict[str, Any]:
    """Return the document that `/schema` serves."""
    # nothing is read or written there: the application is built but never run
    nowhere = Path(tempfile.gettempdir())
    config = Config(config_dir=nowhere, data_dir=nowhere)
    readiness = Readiness()
    database = Database(readiness)
    startup = Startup(config, readiness, database)
    status = StatusService(config, readiness, "", lambda: None)
    app = create_app(Parts(config, readiness, database, startup, status))
    schema: dict[str, Any] = app.openapi_schema.to_schema()
    return schema
