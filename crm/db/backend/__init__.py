"""Django's backend of PostgreSQL, with a rollback that keeps prepared statements."""
