"""The clinical core: pure functions over values, standard library only.

No clock, file, database, network or logging. Instants and thresholds are arguments.
"""
