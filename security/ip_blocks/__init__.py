"""Blocked addresses: networks that are answered with 403 before anything else is done."""
