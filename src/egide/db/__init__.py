"""The database: connections, schema and migrations."""

from egide.db.sqlite import Database, Moment

__all__ = ["Database", "Moment"]
