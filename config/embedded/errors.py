class EmbeddedError(RuntimeError):
    """The embedded servers cannot run here; the text is one sentence with the remedy."""


INSTEAD = "or set DATABASE_URL and REDIS_URL to servers of your own"
