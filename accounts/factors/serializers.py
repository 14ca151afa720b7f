"""Shapes of what people send about their second factor."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.guards.code_check import is_code
from crm.api import fields
from crm.api.schema.json_schema import Schema
from crm.api.serializers import StrictSerializer

NO_CODE = "Six digits, or a backup code."


class CodeField(fields.CharField):
    """A code of an app, or a backup code, as it was shown: no blank, sign or foreign digit."""

    json_schema: ClassVar[Schema] = {
        "type": "string",
        "pattern": "^([0-9]{6}|[A-Za-z2-7]{4}(-?[A-Za-z2-7]{4}){3})$",
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=19, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_code(text):
            raise serializers.ValidationError([NO_CODE])
        return text


class ConfirmFactorSerializer(StrictSerializer):
    """`POST /v1/auth/2fa/confirm`."""

    code = CodeField()


class SecondStepSerializer(StrictSerializer):
    """`POST /v1/auth/2fa/verify`."""

    mfa_token = fields.CharField(max_length=4096)
    code = CodeField()
    remember_device = fields.BooleanField(default=False)
    device_token = fields.CharField(max_length=200, required=False, allow_blank=True)
