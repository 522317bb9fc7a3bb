"""Measurements on real processes: `python -m tests.benchmarks idle` or `backlog`. Nothing here is a test."""
