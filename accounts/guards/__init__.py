"""The one guard behind every password, code and passkey, whichever form takes it."""
