"""Shapes of what browsers send about passkeys."""

from accounts.models import Passkey
from crm.api import fields
from crm.api.schema.json_schema import DATE_TIME, STRING, UUID, nullable, record
from crm.api.serializers import StrictSerializer

PASSKEY = record(id=UUID, name=STRING, createdAt=DATE_TIME, lastUsedAt=nullable(DATE_TIME))


class NewPasskeySerializer(StrictSerializer):
    """`POST /v1/auth/passkeys`: what `navigator.credentials.create` gave, as JSON."""

    credential = fields.DictField()
    name = fields.CharField(max_length=64, default="Passkey")


class PasskeyNameSerializer(StrictSerializer):
    """`PATCH /v1/auth/passkeys/{id}`."""

    name = fields.CharField(max_length=64)


class PasskeyLoginOptionsSerializer(StrictSerializer):
    """`POST /v1/auth/passkeys/login/options`; the token is that of a pending sign-in."""

    mfa_token = fields.CharField(max_length=4096, required=False)


class PasskeyLoginSerializer(StrictSerializer):
    """`POST /v1/auth/passkeys/login/verify`: what `navigator.credentials.get` gave, as JSON.

    A pending sign-in has told its `deviceName` and `tokenDelivery` already.
    """

    credential = fields.DictField()
    mfa_token = fields.CharField(max_length=4096, required=False)
    device_name = fields.CharField(max_length=100, required=False, default="")
    device_token = fields.CharField(max_length=200, required=False, allow_blank=True)
    token_delivery = fields.ChoiceField(choices=["cookie", "body"], default="cookie")
    remember_device = fields.BooleanField(default=False)


def passkey_body(passkey: Passkey) -> dict[str, object]:
    """Return a passkey as its owner's list shows it."""
    return {
        "id": passkey.pk,
        "name": passkey.name,
        "createdAt": passkey.created_at,
        "lastUsedAt": passkey.last_used_at,
    }
