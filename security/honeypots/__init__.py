"""Honeypots: paths that nobody has a reason to ask for but who looks for a way in."""
