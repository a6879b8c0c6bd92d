"""HL7 v2: results, given doses, patients and merges into items. What is read, and how, is in ``config/hl7.yaml``."""
