"""A PostgreSQL without an installation, for development and tests; its users keep it up."""
