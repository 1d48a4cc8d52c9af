"""HTTP for AI providers: which there are, and whether a key works before it is stored."""

from __future__ import annotations

from litestar import Controller, get, post

from app.api.openapi import JsonBody, errors
from app.core.caller import Caller
from app.schemas.ai import KeyTestBody, KeyTestResult, ProviderList
from app.services.ai_keys.checks import KeyChecks


class AiController(Controller):
    """Providers and tests of keys; nothing is stored."""

    path = "/"
    tags = ["ai"]

    @get("/providers", responses=errors(), summary="List AI providers")
    async def list_providers(self, checks: KeyChecks) -> ProviderList:
        """What a form for keys needs to know of each."""
        return ProviderList(checks.providers())

    @post(
        "/ai/test-key",
        dto=JsonBody[KeyTestBody],
        status_code=200,
        responses=errors(400, 413, 429),
        summary="Test an API key",
    )
    async def test_key(self, data: KeyTestBody, checks: KeyChecks, caller: Caller) -> KeyTestResult:
        """Ask the provider; spends no tokens, takes ten seconds at most, ten times a minute."""
        verdict = await checks.check_in_thread(data.provider, data.api_key, caller=caller)
        return KeyTestResult(verdict.valid, verdict.status, verdict.message, data.provider)
