"""The audit trail: entries that triggers write, the chain that proves them, and its readers."""
