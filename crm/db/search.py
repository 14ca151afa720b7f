"""Free-text search that tolerates typing errors (pg_trgm)."""

from typing import Any

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import GeneratedField, Q, TextField, Value
from django.db.models.functions import Concat, Lower

from crm.db.models import TeamQuerySet

# Share of a word's trigrams that must match; 0.6, PostgreSQL's default, misses swapped letters.
SIMILARITY_THRESHOLD = 0.4


def search_text_field(*columns: str) -> GeneratedField:
    """Return a stored column that joins the columns in lower case, for `search`."""
    parts: list[Any] = []
    for column in columns:
        parts += [column, Value(" ")]
    return GeneratedField(
        expression=Lower(Concat(*parts, output_field=TextField())),
        output_field=TextField(),
        db_persist=True,
    )


def search(queryset: TeamQuerySet, text: str) -> TeamQuerySet:
    """Keep rows whose `search_text` holds the text, or words much like it."""
    wanted = text.lower()
    likeness = TrigramWordSimilarity(wanted, "search_text")
    found: TeamQuerySet = queryset.alias(likeness=likeness).filter(
        Q(search_text__contains=wanted) | Q(likeness__gte=SIMILARITY_THRESHOLD)
    )
    return found
