"""A real PostgreSQL for the bridge's tests: one JSON line in, one JSON line out, until stdin ends."""

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.postgres import DEFAULT_HBA, PostgresServer  # noqa: E402 - found through the line above
from tests.support.standby import MAY_FOLLOW, Standby  # noqa: E402 - likewise

if TYPE_CHECKING:
    from collections.abc import Callable


class Servers:
    """The server that is asked, and the one that follows it."""

    def __init__(self, server: PostgresServer, ends: contextlib.ExitStack) -> None:
        self._server = server
        self._ends = ends
        self._standby: Standby | None = None
        self._held = ends.enter_context(contextlib.ExitStack())

    def run(self, command: dict[str, Any]) -> object:
        """Do what a line asks for; return the answer."""
        act: Callable[[dict[str, Any]], object] = getattr(self, f"_do_{command['do']}")
        return act(command)

    def _do_query(self, command: dict[str, Any]) -> object:
        return self._server.query(command["sql"], dbname=command["database"])

    def _do_execute(self, command: dict[str, Any]) -> object:
        return self._server.execute(command["sql"], dbname=command["database"])

    def _do_kill(self, _: dict[str, Any]) -> object:
        return self._server.kill9()

    def _do_start(self, _: dict[str, Any]) -> object:
        return self._server.start()

    def _do_hold(self, command: dict[str, Any]) -> object:
        connection = self._held.enter_context(self._server.connect(command["database"]))
        return connection.cursor().execute(command["sql"])

    def _do_release(self, _: dict[str, Any]) -> object:
        return self._held.close()

    def _do_sessions(self, _: dict[str, Any]) -> object:
        return self._server.sessions()

    def _do_terminate(self, _: dict[str, Any]) -> object:
        return self._server.terminate_sessions()

    def _do_standby(self, _: dict[str, Any]) -> object:
        self._server.set_hba((MAY_FOLLOW, *DEFAULT_HBA))
        self._standby = self._ends.enter_context(Standby(self._server))
        # commits wait for it, so none that was told is missing after a failover
        self._server.configure(synchronous_standby_names="'*'")
        return dict(self._standby.dsn_fields())

    def _do_plant(self, command: dict[str, Any]) -> object:
        import sqlalchemy as sa  # here, as most tests do without
        from plant_key import plant

        with self._server.connect(command["database"]) as connection:
            engine = sa.create_engine("postgresql+psycopg2://", creator=lambda: connection, poolclass=sa.StaticPool)
            with engine.begin() as transaction:
                plant(transaction)
        return None

    def _do_promote(self, _: dict[str, Any]) -> object:
        if self._standby is None:
            raise RuntimeError("there is no standby")
        self._standby.promote()
        self._server = self._standby
        return None


def main() -> None:
    """Start the server, tell its address, then serve commands."""
    with contextlib.ExitStack() as ends:
        server = ends.enter_context(PostgresServer())
        say(dict(server.dsn_fields()))
        servers = Servers(server, ends)
        for line in sys.stdin:
            say(servers.run(json.loads(line)))


def say(value: object) -> None:
    """Write one line of JSON."""
    print(json.dumps(value, default=str), flush=True)


if __name__ == "__main__":
    main()
