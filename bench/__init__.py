"""Benchmarks: each hot operation as a ratio to a floor that is measured in the same run (ARCHITECTURE 7)."""
