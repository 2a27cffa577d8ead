"""The database: connections, schema and migrations."""

from egide.db.database import Connection, Cursor, Database, Moment, Row
from egide.db.opening import open_database

__all__ = ["Connection", "Cursor", "Database", "Moment", "Row", "open_database"]
