"""The board: open alerts, a patient's timeline, and the answers that a nurse gives on them. Needs the extra ``web``."""
