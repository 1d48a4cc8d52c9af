"""The AI providers of the tests for the bridge: tells what a sidecar needs to take them for real, until stdin ends."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.ai_providers import AIProviders  # noqa: E402 - found through the line above


def main() -> None:
    """Start them, tell their addresses and keys, and stay."""
    with AIProviders() as providers:
        keys = {
            "good": providers.openai.new_key(),
            "better": providers.openai.new_key(),
            "bad": providers.openai.random_key(),
            "unreachable": providers.openai.new_key("drop"),
        }
        print(json.dumps({"environment": providers.environment(), "keys": keys}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
