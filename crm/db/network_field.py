"""PostgreSQL's type of networks as a model field, and the lookup of what holds an address."""

import ipaddress
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    TextField = models.Field[str, str]
    AnyLookup = models.Lookup[Any]
else:
    TextField = models.Field
    AnyLookup = models.Lookup


class NetworkField(TextField):
    """A `cidr`: an IPv4 or IPv6 network as text, and nothing that is none."""

    description = "IP network"

    def db_type(self, connection: Any) -> str:
        return "cidr"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return what psycopg sends as a `cidr`; raises ValueError for what is no network."""
        return None if value is None else ipaddress.ip_network(str(value))


@NetworkField.register_lookup
class Covers(AnyLookup):
    """`network__covers="203.0.113.7"`: the networks that hold all of an address or network."""

    lookup_name = "covers"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        column, left = self.process_lhs(compiler, connection)
        value, right = self.process_rhs(compiler, connection)
        return f"{column} >>= {value}", (*left, *right)
