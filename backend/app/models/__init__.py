"""Tables. Importing this package registers all of them in `app.db.base.metadata`."""

from app.models.members import members

__all__ = ["members"]
