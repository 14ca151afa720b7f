"""A table for the tests of this package; a fixture creates it for the length of a test."""

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Book(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=[("novel", "Novel"), ("essay", "Essay")])
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    page_count = models.IntegerField(default=0)
    is_lent = models.BooleanField(default=False)
    tags = ArrayField(models.CharField(max_length=10), default=list)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        app_label = "crm"
        managed = False
        db_table = "test_book"

    def __str__(self) -> str:
        return self.title
