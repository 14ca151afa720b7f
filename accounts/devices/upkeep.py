"""Deletes devices that nobody uses, and locks that make no later one longer."""

from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.guards.failure_counter import LOCK_MEMORY
from accounts.models import Device, Lockout
from accounts.models.device import DEVICE_LIFETIME, MOST_DEVICES


def delete_old_devices() -> int:
    """Delete devices unseen for 180 days, all but the last hundred of a person, and old locks.

    A session outlives the row of its device. Returns how many devices there were.
    """
    now = timezone.now()
    Lockout.objects.filter(locked_until__lt=now - LOCK_MEMORY).delete()
    place = Window(
        RowNumber(), partition_by=F("user_id"), order_by=[F("last_seen_at").desc(), F("pk").desc()]
    )
    ranked = Device.objects.annotate(place=place).filter(place__gt=MOST_DEVICES)
    surplus = list(ranked.order_by().values_list("pk", flat=True))
    unseen, _ = Device.objects.filter(last_seen_at__lt=now - DEVICE_LIFETIME).delete()
    left_over, _ = Device.objects.filter(pk__in=surplus).delete()
    return unseen + left_over
