"""Measurements on real processes: `python -m tests.benchmarks idle`, `backlog`, `bitrix24`. No tests."""
