"""bipn-monitor: watches neuropathy assessments of patients on bortezomib and mails the oncology nurse.

Decision support for qualified staff. Not a medical device, not validated for any clinic.
"""

__version__ = "0.1.0"
