"""The database: connections, sessions, migrations."""
