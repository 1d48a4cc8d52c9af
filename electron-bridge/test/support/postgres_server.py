"""A real PostgreSQL for the bridge's tests: one JSON line in, one JSON line out, until stdin ends.

Run from the checkout's root with the Python of the tests: ``python -m ...`` is not possible from a folder with a dash,
so the root is put on the path here.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.postgres import PostgresServer


def main() -> None:
    """Start the server, tell its address, then serve commands."""
    with PostgresServer() as server:
        say(dict(server.dsn_fields()))
        for line in sys.stdin:
            command = json.loads(line)
            match command["do"]:
                case "query":
                    say(server.query(command["sql"], dbname=command["database"]))
                case "execute":
                    say(server.execute(command["sql"], dbname=command["database"]))
                case "sessions":
                    say(server.sessions())


def say(value: object) -> None:
    """Write one line of JSON."""
    print(json.dumps(value, default=str), flush=True)


if __name__ == "__main__":
    main()
