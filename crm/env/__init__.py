"""The environment: read once, typed, in one place (`reader`); `variables` says what there is."""

from crm.env.reader import PROJECT_DIR, declared_variables, env, read_environment

__all__ = ["PROJECT_DIR", "declared_variables", "env", "read_environment"]
