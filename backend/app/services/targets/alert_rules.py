"""Alert rules: what they call is here, the values of the headers they send are in the vault."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from app.core.encryption import MASK
from app.core.exceptions import ConflictError, NotFoundError, RequestError, ValidationError
from app.core.validation import present
from app.db.base import utc_now
from app.models.alert_rules import alert_rules
from app.models.vault import EXPIRED, UNREADABLE
from app.schemas.alert_rules import HEADER_NAME, WEBHOOK_PORTS, Actions, AlertRule, Webhook
from app.schemas.urls import TargetUrl, parse_url
from app.services.targets.owned_secrets import secrets_of
from app.services.targets.private_addresses import is_public, literal_address
from app.services.vault.destinations import ALERT_RULE, webhook_destination
from app.services.vault.rows import SecretName, SecretUnreadableError
from app.services.vault.vault import Route, is_masked

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping, Sequence

    from app.db.session import Database
    from app.schemas.alert_rules import AlertRuleBody, AlertRuleChange, WebhookBody, WebhookChange
    from app.schemas.vault import SecretInfo
    from app.services.vault.vault import Vault

OWNER: Final = ALERT_RULE
AUTHORIZATION: Final = "Authorization"

_LIST = sa.select(alert_rules).order_by(alert_rules.c.name, alert_rules.c.id)


class TargetPrivateError(RequestError):
    """A webhook leads to this computer or its network, which its rule does not allow."""

    status = 400
    code = "target-private"


@dataclass(frozen=True, slots=True)
class WebhookCall:
    """What to send, and where to, with the real values of the headers."""

    rule_id: str
    rule_name: str
    target: TargetUrl
    allow_private: bool
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Headers:
    """What a write says about the headers."""

    given: Mapping[str, str] | UnsetType = field(repr=False)
    """All that there are to be, some of them masked; nothing to leave them alone."""
    from_url: str | None = field(repr=False)
    """`Authorization` made of the credentials in the URL."""
    expires_at: dt.datetime | UnsetType | None
    """Of the values in this write; without any, of all that are stored."""

    @property
    def has_new(self) -> bool:
        """Whether anything is to be sealed."""
        given = {} if isinstance(self.given, UnsetType) else self.given
        return self.from_url is not None or not all(is_masked(value) for value in given.values())


class AlertRules:
    """The alert rules of one database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def all(self) -> list[AlertRule]:
        """Return all of them by name."""
        self._vault.attachment.ensure_attached()  # which has transactions of its own
        with self._database.read() as connection:
            infos = secrets_of(self._vault, connection, OWNER)
            return [_shown(row, infos.get(row.id, {})) for row in connection.execute(_LIST)]

    def get(self, rule_id: str) -> AlertRule:
        """Return one rule; raises NotFoundError."""
        self._vault.attachment.keys()
        with self._database.read() as connection:
            return self._one(connection, rule_id)

    def create(self, body: AlertRuleBody, *, actor: str) -> AlertRule:
        """Add a rule.

        Raises:
            ValidationError: a masked header, or two values for `Authorization`.
            TargetPrivateError: the URL names a private address, and the rule does not allow it.
            VaultLockedError: there are values to seal, and the vault is locked.
        """
        values, headers = _taken_apart(body.actions.webhook)
        _require_allowed(values["webhook_url"], is_allowed=values["allow_private"])
        rule_id, now = str(uuid.uuid4()), utc_now()
        with self._vault.writing(unlocked=headers.has_new) as connection:
            route = _route(None, values)
            names = self._write_headers(connection, rule_id, headers, [], route, kept=(), actor=actor)
            connection.execute(
                sa.insert(alert_rules).values(
                    id=rule_id,
                    name=body.name,
                    enabled=body.enabled,
                    **values,
                    header_names=json.dumps(names),
                    created_at=now,
                    updated_at=now,
                )
            )
            return self._one(connection, rule_id)

    def replace(
        self, rule_id: str, body: AlertRuleBody, precondition: Callable[[AlertRule], None], *, actor: str
    ) -> AlertRule:
        """Put another rule in the place of one; values of headers stay if their masks are sent back.

        Raises:
            NotFoundError: no such rule.
            ValidationError, TargetPrivateError, VaultLockedError: as `create`.
        """
        values, headers = _taken_apart(body.actions.webhook)
        if headers.given is UNSET:
            headers = _Headers({}, headers.from_url, headers.expires_at)
        return self._change(
            rule_id, {"name": body.name, "enabled": body.enabled, **values}, headers, precondition, actor
        )

    def update(
        self, rule_id: str, body: AlertRuleChange, precondition: Callable[[AlertRule], None], *, actor: str
    ) -> AlertRule:
        """Change what the body holds; a rule whose webhook moves to another host loses what is not sent again.

        Raises:
            NotFoundError: no such rule.
            ValidationError, TargetPrivateError, VaultLockedError: as `create`.
        """
        sent = present(body)
        actions = sent.pop("actions", None)
        webhook = UNSET if actions is None else actions.webhook
        values, headers = ({}, _Headers(UNSET, None, UNSET)) if webhook is UNSET else _taken_apart(webhook)
        return self._change(rule_id, {**sent, **values}, headers, precondition, actor)

    def delete(self, rule_id: str, precondition: Callable[[AlertRule], None], *, actor: str) -> None:
        """Delete a rule and shred the values of its headers; raises NotFoundError."""
        with self._vault.writing(unlocked=False) as connection:
            precondition(self._one(connection, rule_id, lock=True))
            self._vault.shred(connection, OWNER, rule_id, actor=actor)
            connection.execute(sa.delete(alert_rules).where(alert_rules.c.id == rule_id))

    def call_of(self, rule_id: str, *, actor: str) -> WebhookCall:
        """Return what a rule sends, its headers opened: those that were entered for that very address.

        Raises:
            NotFoundError: no such rule.
            ConflictError: the rule is disabled, or a value was moved, tampered with or has expired.
            VaultLockedError: the key is not at hand.
        """
        while True:
            before = self._row(rule_id)
            if not before.enabled:
                raise ConflictError("The alert rule is disabled", code="rule-disabled")
            destination = webhook_destination(before.webhook_url, allow_private=before.allow_private)
            if destination is None or _is_damaged(before):
                raise SecretUnreadableError
            headers = {}
            for name in _header_names(before):
                value = self._vault.use(_secret_name(rule_id, name), actor=actor, destination=destination)
                if value is not None:
                    headers[name] = value
            # somebody may just be moving it to another host, with other values
            if self._row(rule_id) == before:
                target = parse_url(before.webhook_url, WEBHOOK_PORTS)
                return WebhookCall(rule_id, before.name, target, before.allow_private, headers)

    # --- inner workings ----------------------------------------------------------------------------------------------

    def _row(self, rule_id: str) -> Any:
        with self._database.read() as connection:
            row = connection.execute(sa.select(alert_rules).where(alert_rules.c.id == rule_id)).one_or_none()
        if row is None:
            raise _not_found()
        return row

    def _one(self, connection: sa.Connection, rule_id: str, *, lock: bool = False) -> AlertRule:
        query = sa.select(alert_rules).where(alert_rules.c.id == rule_id)
        row = connection.execute(query.with_for_update() if lock else query).one_or_none()
        if row is None:
            raise _not_found()
        infos = secrets_of(self._vault, connection, OWNER, rule_id)
        return _shown(row, infos.get(rule_id, {}))

    def _change(
        self,
        rule_id: str,
        values: dict[str, Any],
        headers: _Headers,
        precondition: Callable[[AlertRule], None],
        actor: str,
    ) -> AlertRule:
        with self._vault.writing(unlocked=headers.has_new) as connection:
            before = self._one(connection, rule_id, lock=True)
            precondition(before)
            webhook = before.actions.webhook
            url = values.get("webhook_url", webhook.url)
            if _origin(url) is not None:
                _require_allowed(url, is_allowed=values.get("allow_private", webhook.allow_private))
            stays = _origin(url) == _origin(webhook.url) is not None
            kept = {name.lower() for name in webhook.headers} if stays else set()
            stored, route = list(webhook.headers), _route(webhook, values)
            names = self._write_headers(connection, rule_id, headers, stored, route, kept=kept, actor=actor)
            changes = {**values, "header_names": json.dumps(names), "updated_at": utc_now()}
            connection.execute(sa.update(alert_rules).where(alert_rules.c.id == rule_id).values(**changes))
            return self._one(connection, rule_id)

    def _write_headers(
        self,
        connection: sa.Connection,
        rule_id: str,
        headers: _Headers,
        stored: Sequence[str],
        route: Route,
        *,
        kept: Collection[str],
        actor: str,
    ) -> list[str]:
        """Seal what is new, delete what is gone, and return the names of what there is then.

        Args:
            connection: of the transaction.
            rule_id: whose.
            headers: what the write says.
            stored: names of the headers there were.
            route: where values went, and go from now on.
            kept: lower-case names of those whose values may stay: none if the webhook moves to another host.
            actor: who does it.
        """
        wanted = _wanted(headers, stored)
        was_stored = {name.lower() for name in stored}
        names = []
        expires_at = None if isinstance(headers.expires_at, UnsetType) else headers.expires_at
        for name, value in wanted.items():
            which = _secret_name(rule_id, name)
            if not is_masked(value):
                self._vault.put(connection, which, value, actor=actor, expires_at=expires_at, destination=route.after)
            elif name.lower() not in was_stored:
                raise ValidationError(
                    "actions.webhook.headers: A header that is new needs its value, as nothing is stored that a mask"
                    " could keep"
                )
            elif name.lower() not in kept:
                continue
            elif headers.given is UNSET and headers.expires_at is not UNSET:
                self._vault.expire(connection, which, expires_at, actor=actor, route=route)
            elif route.before != route.after:
                self._vault.reroute(connection, which, route, actor=actor)
            names.append(name)
        for gone in was_stored - {name.lower() for name in names}:
            self._vault.delete(connection, _secret_name(rule_id, gone), actor=actor)
        return names


def _taken_apart(webhook: WebhookBody | WebhookChange) -> tuple[dict[str, Any], _Headers]:
    """Return the columns to write, and what to do about the headers.

    Raises:
        ValidationError: there are credentials in the URL and another `Authorization` beside it.
    """
    sent = present(webhook)
    values = {"allow_private": sent["allow_private"]} if "allow_private" in sent else {}
    from_url = None
    if "url" in sent:
        target = parse_url(sent["url"], WEBHOOK_PORTS)
        values["webhook_url"] = target.url
        from_url = _basic(target)
    given = sent.get("headers", UNSET)
    beside = {name.lower(): value for name, value in (given or {}).items()}.get(AUTHORIZATION.lower(), MASK)
    if from_url is not None and not is_masked(beside):
        raise ValidationError("actions.webhook.url: It holds credentials and there is an Authorization; give one only")
    return values, _Headers(given, from_url, sent.get("expires_at", UNSET))


def _basic(target: TargetUrl) -> str | None:
    """Return the credentials of a URL as the header that clients make of them."""
    if target.username is None and target.password is None:
        return None
    pair = f"{target.username or ''}:{target.password or ''}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")


def _wanted(headers: _Headers, stored: Sequence[str]) -> dict[str, str]:
    """Return all headers that there are to be; a mask stands for what is stored."""
    wanted = dict.fromkeys(stored, MASK) if isinstance(headers.given, UnsetType) else dict(headers.given)
    if headers.from_url is not None:
        wanted = {name: value for name, value in wanted.items() if name.lower() != AUTHORIZATION.lower()}
        wanted[AUTHORIZATION] = headers.from_url
    return wanted


def _require_allowed(url: str, *, is_allowed: bool) -> None:
    """Refuse an address that needs no looking up; names are looked up when the webhook is sent."""
    address = literal_address(parse_url(url, WEBHOOK_PORTS).host)
    if address is not None and not is_public(address) and not is_allowed:
        raise TargetPrivateError(
            "actions.webhook.url: It leads to this computer or a private network, which needs allow_private"
        )


def _route(before: Webhook | None, values: Mapping[str, Any]) -> Route:
    """Return where values of headers went before a write of these columns, and where they go after it."""

    def of(at: Mapping[str, Any]) -> str | None:
        return webhook_destination(at["webhook_url"], allow_private=at["allow_private"]) if at else None

    was = {} if before is None else {"webhook_url": before.url, "allow_private": before.allow_private}
    return Route(of(was), of({**was, **values}))


def _origin(url: str) -> tuple[str, str, int] | None:
    """Return what values of headers stay with; None for what somebody has put in the place of a stored URL."""
    try:
        return parse_url(url, WEBHOOK_PORTS).origin
    except ValueError:
        return None


def _header_names(row: Any) -> list[str]:
    """Return the names of a rule's headers; none if somebody has put something else there."""
    try:
        names = json.loads(row.header_names)
    except (ValueError, RecursionError):
        return []
    is_sound = isinstance(names, list) and all(isinstance(name, str) and HEADER_NAME.fullmatch(name) for name in names)
    return names if is_sound else []


def _is_damaged(row: Any) -> bool:
    """Tell whether a column of a rule holds what is never written there."""
    written = json.dumps(_header_names(row))
    return None in (row.enabled, row.allow_private, _origin(row.webhook_url)) or written != row.header_names


def _secret_name(rule_id: str, header: str) -> SecretName:
    return SecretName(OWNER, rule_id, f"header:{header.lower()}")


def _not_found() -> NotFoundError:
    return NotFoundError("Alert rule not found")


def _shown(row: Any, infos: Mapping[str, SecretInfo]) -> AlertRule:
    found = {name: infos.get(f"header:{name.lower()}") for name in _header_names(row)}
    there = [info for info in found.values() if info is not None]
    statuses = sorted((info.status for info in there), key=lambda status: status not in (UNREADABLE, EXPIRED))
    webhook = Webhook(
        url=row.webhook_url,
        headers={name: MASK + (info.hint or "") for name, info in found.items() if info is not None},
        allow_private=bool(row.allow_private),
        status=UNREADABLE if UNREADABLE in statuses or _is_damaged(row) else next(iter(statuses), None),
        expires_at=min((info.expires_at for info in there if info.expires_at is not None), default=None),
    )
    return AlertRule(id=row.id, name=row.name, enabled=bool(row.enabled), actions=Actions(webhook))
