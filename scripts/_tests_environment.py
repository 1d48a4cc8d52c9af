"""Scripts that use what supports the tests: they go on in the tests' environment, with the checkout on their path."""

import sys
from pathlib import Path

from _environment import ROOT, Environment, become


def enter_tests_environment(script: str, arguments: list[str]) -> None:
    """Return in the tests' environment only, made if need be; elsewhere the script begins anew in it.

    Args:
        script: its own file.
        arguments: as it was given them.
    """
    environment = Environment(ROOT / ".venv-test", ROOT / "tests" / "requirements.lock")
    if Path(sys.prefix) != ROOT / ".venv-test":
        environment.ensure()
        become([str(environment.python), str(Path(script).absolute()), *arguments])
    sys.path.insert(0, str(ROOT))
