"""The imperative shell: straight lines that load, evaluate, record and send. No clinical decision is made here."""
