"""How often a caller may call: one table of limits, counted exactly or settled with a delay."""
