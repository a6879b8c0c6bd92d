"""Measurements, printed as ratios of one run. Not tests: nothing here fails a build."""
