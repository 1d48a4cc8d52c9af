"""All tables: importing this module registers them in `metadata`."""

from app.db.base import metadata
from app.models.alert_rules import alert_rules
from app.models.audit import audit_entries
from app.models.cameras import cameras
from app.models.changes import changes
from app.models.chat_servers import chat_servers
from app.models.daily_updates import daily_updates
from app.models.devices import vault_device_wraps, vault_devices, vault_join_requests, vault_successions
from app.models.idempotency import idempotency_keys
from app.models.members import members
from app.models.sub_tasks import sub_tasks
from app.models.task_counts import task_counts
from app.models.tasks import task_grams, tasks
from app.models.tenants import tenants, trial_calls
from app.models.usage import ai_usage
from app.models.vault import secrets, vault_keys, vault_manifest, vault_owners, vault_rotations, vault_wraps, vaults

__all__ = [
    "ai_usage",
    "alert_rules",
    "audit_entries",
    "cameras",
    "changes",
    "chat_servers",
    "daily_updates",
    "idempotency_keys",
    "members",
    "metadata",
    "secrets",
    "sub_tasks",
    "task_counts",
    "task_grams",
    "tasks",
    "tenants",
    "trial_calls",
    "vault_device_wraps",
    "vault_devices",
    "vault_join_requests",
    "vault_keys",
    "vault_manifest",
    "vault_owners",
    "vault_rotations",
    "vault_successions",
    "vault_wraps",
    "vaults",
]
