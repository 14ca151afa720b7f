"""Forgetting what was sent long ago."""

from datetime import timedelta

from django.utils import timezone

from crm.jobs import job
from crm.mail.models import SentMail

# Longer than a job is tried again and than a failed one is kept.
KEPT = timedelta(days=60)


@job
def forget_sent_mails() -> None:
    """Delete the notes of mails that no job can send a second time."""
    SentMail.objects.filter(sent_at__lt=timezone.now() - KEPT).delete()
