"""What a clinic writes: settings, thresholds, dose tables; read strictly, every mistake at its line."""

from monitor.config.checking import check
from monitor.config.schema import json_schema

__all__ = ["check", "json_schema"]
