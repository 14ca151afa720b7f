"""WebAuthn, as far as it knows nothing of sessions."""
