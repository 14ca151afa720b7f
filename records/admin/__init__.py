"""The admin pages of records."""
