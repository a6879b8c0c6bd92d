"""FHIR R4: a Bundle or bulk NDJSON into items. What is read, and how, is in ``config/fhir.yaml``."""
