"""HTTP for alert rules."""

from __future__ import annotations

from typing import Annotated, Final

import anyio
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.params import Parameter

from app.api.conditional import IfMatch, etag_of, if_match
from app.api.openapi import ETAG, JsonBody, errors, uuids_in_path
from app.api.threads import in_waiting_thread
from app.core.caller import Caller
from app.schemas.alert_rules import AlertRule, AlertRuleBody, AlertRuleChange, Delivery, TriggerBody
from app.services.alert_engine import MAX_AT_ONCE, AlertEngine
from app.services.targets.alert_rules import AlertRules

RuleId = Annotated[str, Parameter(schema_extra={"format": "uuid"}, description="UUID of the alert rule")]

_threads: Final = anyio.CapacityLimiter(2 * MAX_AT_ONCE)
"""Twice as many as there are places, so that whoever finds none is told at once."""


class AlertRulesController(Controller):
    """Alert rules and their webhooks."""

    path = "/alert-rules"
    tags = ["alert rules"]
    guards = [uuids_in_path("id")]

    @get("/", sync_to_thread=True, responses=errors(503), summary="List alert rules")
    def list_rules(self, alert_rules: AlertRules) -> list[AlertRule]:
        """All of them, by name; the values of headers are masked."""
        return alert_rules.all()

    @post(
        "/",
        dto=JsonBody[AlertRuleBody],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 413, 423, 503),
        summary="Add an alert rule",
    )
    def create_rule(self, data: AlertRuleBody, alert_rules: AlertRules, caller: Caller) -> Response[AlertRule]:
        """The values of headers go to the vault."""
        return _with_etag(alert_rules.create(data, actor=caller.name), 201)

    @get(
        "/{id:str}",
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 503),
        summary="Read an alert rule",
    )
    def get_rule(self, id: RuleId, alert_rules: AlertRules) -> Response[AlertRule]:  # noqa: A002 - the path's name
        """One rule; the values of its headers are masked."""
        return _with_etag(alert_rules.get(id))

    @put(
        "/{id:str}",
        dto=JsonBody[AlertRuleBody],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 412, 413, 423, 503),
        summary="Replace an alert rule",
    )
    def replace_rule(
        self,
        id: RuleId,  # noqa: A002
        data: AlertRuleBody,
        alert_rules: AlertRules,
        caller: Caller,
        if_match_header: IfMatch = None,
    ) -> Response[AlertRule]:
        """What is left out falls back to its default; a header stays only if it is sent, masked or not."""
        return _with_etag(alert_rules.replace(id, data, if_match(if_match_header), actor=caller.name))

    @patch(
        "/{id:str}",
        dto=JsonBody[AlertRuleChange],
        sync_to_thread=True,
        response_headers=[ETAG],
        responses=errors(400, 404, 412, 413, 423, 503),
        summary="Change an alert rule",
    )
    def update_rule(
        self,
        id: RuleId,  # noqa: A002
        data: AlertRuleChange,
        alert_rules: AlertRules,
        caller: Caller,
        if_match_header: IfMatch = None,
    ) -> Response[AlertRule]:
        """Only what is present changes; a webhook that moves to another host loses the values not sent again."""
        return _with_etag(alert_rules.update(id, data, if_match(if_match_header), actor=caller.name))

    @delete("/{id:str}", sync_to_thread=True, responses=errors(400, 404, 412, 503), summary="Delete an alert rule")
    def delete_rule(
        self,
        id: RuleId,  # noqa: A002
        alert_rules: AlertRules,
        caller: Caller,
        if_match_header: IfMatch = None,
    ) -> None:
        """The values of its headers are shredded."""
        alert_rules.delete(id, if_match(if_match_header), actor=caller.name)

    @post(
        "/{id:str}/trigger",
        dto=JsonBody[TriggerBody],
        status_code=200,
        responses=errors(400, 404, 409, 413, 423, 429, 503),
        summary="Trigger an alert rule",
    )
    async def trigger_rule(
        self,
        id: RuleId,  # noqa: A002
        data: TriggerBody,
        alert_engine: AlertEngine,
        caller: Caller,
    ) -> Delivery:
        """Send the webhook with the event; tried up to three times, and never on to where a redirect points."""
        return await in_waiting_thread(lambda: alert_engine.trigger(id, data.event, actor=caller.name), _threads)


def _with_etag(rule: AlertRule, status: int = 200) -> Response[AlertRule]:
    return Response(rule, status_code=status, headers={"ETag": etag_of(rule)})
