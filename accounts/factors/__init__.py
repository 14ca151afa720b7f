"""What proves a person beside the password: codes of an app, and backup codes."""
