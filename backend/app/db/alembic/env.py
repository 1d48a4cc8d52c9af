"""Alembic's entry point: a live connection in, the migrations run inside its transaction."""

from alembic import context

connection = context.config.attributes.get("connection")

if connection is None:
    # offline: print SQL for a database administrator
    context.configure(dialect_name="postgresql", literal_binds=True)
else:
    context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")

with context.begin_transaction():
    context.run_migrations()
