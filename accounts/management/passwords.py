"""Passwords on the shell: asked for, or read from CRM_PASSWORD; and what is wrong with them."""

import getpass
import os
import sys

from django.core.management.base import CommandError

from crm.api.errors import ApiError

PASSWORD_VARIABLE = "CRM_PASSWORD"  # noqa: S105 (a variable's name)


def read_password() -> str:
    """Return the password of CRM_PASSWORD, or ask for it twice on a terminal."""
    password = os.environ.get(PASSWORD_VARIABLE)
    if password:
        return password
    if not sys.stdin.isatty():
        raise CommandError(f"Set {PASSWORD_VARIABLE}, or run this on a terminal.")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Password again: "):
        raise CommandError("The passwords differ.")
    return password


def refusal_of(error: ApiError) -> CommandError:
    """Return a refusal on one line, with what was said of single fields."""
    details = (error.details or {}).values()
    return CommandError(" ".join([error.message, *(line for lines in details for line in lines)]))
