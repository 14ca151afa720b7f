"""Free-text search that tolerates typing errors (pg_trgm)."""

from typing import Any

from django.db import connection
from django.db.models import GeneratedField, TextField, Value
from django.db.models.functions import Concat, Lower

from records.models import TeamQuerySet

MOST_IDS = 1000
_LIKE_SPECIALS = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


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
    """Keep rows whose `search_text` holds the text or, when none does, words much like it.

    The table's function (crm.db.operations.TeamSearch) reads the team that the transaction opened.
    """
    wanted = text.lower()
    pattern = f"%{wanted.translate(_LIKE_SPECIALS)}%"
    with connection.cursor() as cursor:
        cursor.callproc(f"search_{queryset.model._meta.db_table}", [pattern, wanted, MOST_IDS + 1])
        ids = [found_id for (found_id,) in cursor.fetchall()]
    found: TeamQuerySet
    if len(ids) > MOST_IDS:
        # A text that so many rows hold is soon met on the way along the list's own index.
        found = queryset.filter(search_text__contains=wanted)
    else:
        found = queryset.filter(id__in=ids)
    return found
