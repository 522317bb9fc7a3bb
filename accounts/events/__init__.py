"""What happens to a quiz account's answers and accounts, told to whoever asks (``feed``) or listens."""
