"""A real PostgreSQL for the bridge's tests: one JSON line in, one JSON line out, until stdin ends."""

import contextlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.postgres import PostgresServer  # noqa: E402 - found through the line above


def main() -> None:
    """Start the server, tell its address, then serve commands."""
    with PostgresServer() as server, contextlib.ExitStack() as held:
        say(dict(server.dsn_fields()))
        for line in sys.stdin:
            command = json.loads(line)
            match command["do"]:
                case "query":
                    say(server.query(command["sql"], dbname=command["database"]))
                case "execute":
                    say(server.execute(command["sql"], dbname=command["database"]))
                case "kill":
                    say(server.kill9())
                case "start":
                    say(server.start())
                case "hold":
                    connection = held.enter_context(server.connect(command["database"]))
                    say(connection.cursor().execute(command["sql"]))
                case "release":
                    say(held.close())
                case "sessions":
                    say(server.sessions())


def say(value: object) -> None:
    """Write one line of JSON."""
    print(json.dumps(value, default=str), flush=True)


if __name__ == "__main__":
    main()
