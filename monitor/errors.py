"""What can go wrong that a person can fix, and the exit code each kind ends in.

    MonitorError              70 is never theirs: a message, an exit code, no traceback
    ├── UsageError             2  wrong arguments
    ├── ConfigError            2  a configuration that cannot be used; carries every mistake
    ├── MailNotSentError       4  mail could not be handed over
    └── DatabaseError          5  the database cannot be used

The text says what happened, where, and what to do. It never holds a patient's data or a secret.
"""

from __future__ import annotations

DONE = 0
NEEDS_ATTENTION = 1
WRONG_USAGE = 2
SOME_REJECTED = 3
NOT_DELIVERED = 4
DATABASE_NOT_USABLE = 5
OUR_DEFECT = 70


class MonitorError(Exception):
    """Something a person can fix. ``str(error)`` is shown to them as it stands."""

    exit_code = WRONG_USAGE


class UsageError(MonitorError):
    """The command was called with words it cannot take."""

    exit_code = WRONG_USAGE


class ConfigError(MonitorError):
    """The configuration cannot be used; the text lists every mistake found."""

    exit_code = WRONG_USAGE


class MailNotSentError(MonitorError):
    """A mail could not be handed to the relay."""

    exit_code = NOT_DELIVERED


class DatabaseError(MonitorError):
    """The database cannot be opened, read or written."""

    exit_code = DATABASE_NOT_USABLE
