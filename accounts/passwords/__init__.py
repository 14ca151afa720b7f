"""Passwords: what makes one strong enough, and how one is set."""
