"""Start the sidecar from a checkout, on the embedded database: `python3 scripts/run.py [OPTION...]`.

The first run makes the environment `.venv` beside this folder and installs `backend/requirements.lock` there; later
runs find it and start at once. With Node.js 20 the interface is built when it is out of date; without, everything but
the interface runs. Options go to `taskflow-sidecar serve --open`; when the first argument is a command
of the sidecar (`python3 scripts/run.py status`), that command is run instead.
"""

from typing import NoReturn

from _bridge import has_bridge, offer_ui
from _environment import ROOT, Environment, become, run_script, say


def main(arguments: list[str]) -> NoReturn:
    """Make the environment if need be, then become the sidecar."""
    environment = Environment(ROOT / ".venv", ROOT / "backend" / "requirements.lock")
    environment.ensure()
    is_command = bool(arguments) and not arguments[0].startswith("-")
    if has_bridge() and not is_command:
        offer_ui(environment)
    words = arguments if is_command else ["serve", "--open", *arguments]
    say(f"Starting taskflow-sidecar {' '.join(words)}")
    # Isolated: neither a folder `app` where the person happens to be nor PYTHON* variables may get in the way.
    become([str(environment.python), "-I", "-m", "app", *words])


if __name__ == "__main__":
    run_script(main)
