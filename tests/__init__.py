"""One package, so that tests/connectors is never taken for connectors."""
