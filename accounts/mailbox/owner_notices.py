"""Mails to owners about what happened at the door of their account.

The rows themselves say what nobody was told of yet: a sign-in queues nothing, so its time tells
nothing, and a mail goes out once, whichever worker comes first.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.mails import ACCOUNT_LOCKED, NEW_DEVICE
from accounts.models import Device, Lockout, User
from accounts.models.lockout import device_of_counter

AT_ONCE = 500


def announce_locks() -> int:
    """Mail the owners of accounts that were locked since the last run; return how many."""
    with transaction.atomic():
        locks = list(_unannounced(Lockout.objects.order_by("locked_at")))
        sent = sum(_announce_lock(lock) for lock in locks)
        Lockout.objects.filter(pk__in=[lock.pk for lock in locks]).update(is_announced=True)
    return sent


def announce_devices() -> int:
    """Mail the owners of devices that signed in for the first time; return how many.

    An app that sends no device token is a new device each time: one that looks like an older one
    of the same owner, by name and address, is not worth a mail.
    """
    with transaction.atomic():
        devices = list(_unannounced(Device.objects.order_by("first_seen_at")))
        sent = sum(_announce_device(device) for device in devices)
        Device.objects.filter(pk__in=[device.pk for device in devices]).update(is_announced=True)
    return sent


def _unannounced(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return rows that this run alone tells of."""
    return rows.select_for_update(skip_locked=True).filter(is_announced=False)[:AT_ONCE]


def _announce_lock(lock: Lockout) -> bool:
    device_id = device_of_counter(lock.name)
    device = Device.objects.filter(pk=device_id).first() if device_id else None
    whose = {"email": lock.name} if device is None else {"pk": device.user_id}
    owner = _told_owners().filter(**whose).first()
    if owner is None:
        return False
    ACCOUNT_LOCKED.queue(
        to=owner.email,
        context={
            "first_name": owner.first_name,
            "device_name": "" if device is None else device.name,
            # Rounded up: a minute too early would be refused.
            "locked_until": _written(lock.locked_until + timedelta(seconds=59)),
        },
    )
    return True


def _announce_device(device: Device) -> bool:
    owner = _told_owners().filter(pk=device.user_id).first()
    alike = Device.objects.filter(
        user_id=device.user_id,
        name=device.name,
        ip_address=device.ip_address,
        first_seen_at__lt=device.first_seen_at,
    )
    if owner is None or alike.exists():
        return False
    NEW_DEVICE.queue(
        to=owner.email,
        context={
            "first_name": owner.first_name,
            "device_name": device.name,
            "ip_address": device.ip_address,
            "signed_in_at": _written(device.first_seen_at),
        },
    )
    return True


def _told_owners() -> QuerySet[User]:
    """Return the people who get such mails: who can sign in, at an address that is theirs."""
    return User.objects.filter(is_active=True, email_verified_at__isnull=False)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
