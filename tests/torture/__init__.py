"""Ordeals on real processes: `python -m tests.torture answers` and the others of `__main__.py`.

A verdict is read from the local CRMs' ledgers and the database, never from what the engine says of itself.
"""
