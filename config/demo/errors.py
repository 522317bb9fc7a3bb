class DemoFailed(Exception):
    """The demo can't go on; the text says why and what to do."""
