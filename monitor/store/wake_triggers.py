"""PostgreSQL says when something is to do: what was committed is heard by every daemon that listens, within milliseconds.

Facts of whomever, by way of ``changes``, call for a round; a message that waits calls for the post. PostgreSQL says each
but once for a transaction, however many rows it wrote, and only when it is committed.
"""

from __future__ import annotations

CHANNEL = "bipn_monitor"
ROUND, POST = "watch", "post"
"""What is said: the daemon's job that has something to do."""

_SAY = (
    "CREATE FUNCTION bipn_monitor_wake() RETURNS trigger LANGUAGE plpgsql AS $$"
    f" BEGIN PERFORM pg_notify('{CHANNEL}', TG_ARGV[0]); RETURN NULL; END $$"
)

WAKE_STATEMENTS = (
    _SAY,
    f"CREATE TRIGGER changes_wake AFTER INSERT ON changes FOR EACH STATEMENT EXECUTE FUNCTION bipn_monitor_wake('{ROUND}')",
    "CREATE TRIGGER messages_wake AFTER INSERT ON messages FOR EACH ROW WHEN (NEW.state = 'pending')"
    f" EXECUTE FUNCTION bipn_monitor_wake('{POST}')",
    "CREATE TRIGGER messages_wake_sooner AFTER UPDATE OF next_attempt_at ON messages FOR EACH ROW"
    " WHEN (NEW.state = 'pending' AND NEW.next_attempt_at < OLD.next_attempt_at)"
    f" EXECUTE FUNCTION bipn_monitor_wake('{POST}')",
)
"""The statements that let PostgreSQL say it; SQLite has nobody to say it to."""
