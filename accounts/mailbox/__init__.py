"""Addresses of people: proving and changing them, and the mails that go there."""
