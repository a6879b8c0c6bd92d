"""The database: facts with all their versions, what changed, alerts, and messages on their way out."""
