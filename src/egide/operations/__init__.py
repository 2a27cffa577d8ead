"""Looking after an installation: backups, restoring, and a look at its health."""
