"""Django imports this module at the start; the pages register themselves."""

from staff import pages

__all__ = ["pages"]
