"""The database: the embedded server, the roles, and how teams are kept apart."""
