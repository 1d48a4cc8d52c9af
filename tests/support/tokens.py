"""Users' tokens as an embedding application makes them, good and bad."""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt

JWT_SECRET = "the-secret-of-the-embedding-application-long-enough-for-every-algorithm"
LIFETIME_S = 86_400


def token_for(user_id: object = None, *, secret: str = JWT_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """Make a token for a user, a new one unless given; a claim that is None is left out."""
    given = {"sub": user_id or f"user-{uuid.uuid4()}", "exp": int(time.time()) + LIFETIME_S, **claims}
    return jwt.encode({k: v for k, v in given.items() if v is not None}, secret, algorithm=algorithm)
