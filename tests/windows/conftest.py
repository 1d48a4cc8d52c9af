"""These tests belong to `scripts/test.py --windows`, which fails by itself where there is no Windows Python."""

from tests.support.windows import IS_WINDOWS

collect_ignore_glob = [] if IS_WINDOWS else ["test_*.py"]
