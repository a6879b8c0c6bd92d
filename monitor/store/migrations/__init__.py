"""Alembic's folder: one revision a file in ``versions``, applied by ``monitor.store.migrate``."""
