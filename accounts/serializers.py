"""Shapes of what people send and see about themselves."""

import uuid
from typing import Any

from rest_framework.serializers import ValidationError

from accounts.factors.serializers import CodeField
from accounts.models import Membership, Session
from crm.api import fields
from crm.api.errors import ValidationFailed
from crm.api.serializers import StrictSerializer
from crm.plain_text import has_link, has_unseen
from security.access.roles import Role, permissions_of
from security.request.actors import Actor


def require_plain_name(text: str) -> None:
    """Raise a validation error for what no name holds: it stands in mails to other people."""
    if has_unseen(text):
        raise ValidationError("A name has neither line breaks nor invisible characters.")
    if has_link(text):
        raise ValidationError("A name holds no link; after a dot, leave a blank.")


class SignInSerializer(StrictSerializer):
    """`POST /v1/auth/login`."""

    email = fields.CharField(max_length=254)
    password = fields.CharField(max_length=1024, trim_whitespace=False)
    totp_code = CodeField(required=False)
    remember_device = fields.BooleanField(default=False)
    device_name = fields.CharField(max_length=100, required=False, default="")
    device_token = fields.CharField(max_length=200, required=False, allow_blank=True)
    token_delivery = fields.ChoiceField(choices=["cookie", "body"], default="cookie")


class ReauthenticateSerializer(StrictSerializer):
    """`POST /v1/auth/reauthenticate`: one of the three."""

    password = fields.CharField(max_length=1024, trim_whitespace=False, required=False)
    code = CodeField(required=False)
    credential = fields.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise ValidationFailed("Send a password, a code or a passkey.")
        return attrs


class RegisterSerializer(StrictSerializer):
    """`POST /v1/auth/register`."""

    email = fields.CharField(max_length=254)
    password = fields.CharField(max_length=1024, trim_whitespace=False)
    first_name = fields.CharField(max_length=80, validators=[require_plain_name])
    last_name = fields.CharField(max_length=80, allow_blank=True, validators=[require_plain_name])
    team_name = fields.CharField(
        max_length=120, required=False, default="", validators=[require_plain_name]
    )
    invitation_token = fields.CharField(max_length=100, required=False, default="")


class RefreshTokenSerializer(StrictSerializer):
    """`POST /v1/auth/refresh` and `/logout` of clients without cookies."""

    refresh_token = fields.CharField(max_length=4096, required=False)


class EmailSerializer(StrictSerializer):
    """`POST /v1/auth/resend-verification` and `/password/forgot`."""

    email = fields.EmailField()


class MailedTokenSerializer(StrictSerializer):
    """`POST /v1/auth/verify-email`."""

    token = fields.CharField(max_length=200)


class NewEmailSerializer(StrictSerializer):
    """`POST /v1/auth/email/change`."""

    new_email = fields.EmailField()


class ResetPasswordSerializer(StrictSerializer):
    """`POST /v1/auth/password/reset`. What is too long is a weak password, named with the rest."""

    token = fields.CharField(max_length=200)
    new_password = fields.CharField(max_length=1024, trim_whitespace=False)


class ChangePasswordSerializer(StrictSerializer):
    """`POST /v1/auth/password/change`."""

    current_password = fields.CharField(max_length=1024, trim_whitespace=False)
    new_password = fields.CharField(max_length=1024, trim_whitespace=False)


class SwitchTeamSerializer(StrictSerializer):
    """`POST /v1/auth/switch-team`."""

    team_id = fields.UUIDField()


def user_body(actor: Actor) -> dict[str, Any]:
    """Return the signed-in user as the API shows them."""
    return _user_body(
        user_id=actor.user_id,
        email=actor.label,
        first_name=actor.first_name,
        last_name=actor.last_name,
        role=actor.role,
        team={"id": actor.team_id, "name": actor.team_name},
    )


def member_body(membership: Membership) -> dict[str, Any]:
    """Return a user in one of their teams as the API shows them."""
    user, team = membership.user, membership.team
    return _user_body(
        user_id=user.pk,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=Role(membership.role),
        team={"id": team.pk, "name": team.name},
    )


def _user_body(  # noqa: PLR0913 (what a user is made of)
    *,
    user_id: uuid.UUID,
    email: str,
    first_name: str,
    last_name: str,
    role: Role,
    team: dict[str, Any],
) -> dict[str, Any]:
    return {
        "id": user_id,
        "email": email,
        "firstName": first_name,
        "lastName": last_name,
        "role": role.value,
        "team": team,
        "permissions": permissions_of(role),
    }


def session_body(session: Session, *, current_id: uuid.UUID | None) -> dict[str, Any]:
    """Return a session as its owner's list shows it."""
    return {
        "id": session.pk,
        "current": session.pk == current_id,
        "deviceName": session.device_name,
        "userAgent": session.user_agent,
        "ipAddress": session.ip_address,
        "createdAt": session.created_at,
        "lastSeenAt": session.last_seen_at,
        "expiresAt": session.expires_at,
    }


def device_body(device: Any) -> dict[str, Any]:
    """Return a known device, annotated by `known_devices`, as its owner's list shows it."""
    return {
        "id": device.pk,
        "name": device.name,
        "current": device.is_current,
        "trusted": device.is_trust_running,
        "trustedUntil": device.trusted_until if device.is_trust_running else None,
        "userAgent": device.user_agent,
        "ipAddress": device.ip_address,
        "firstSeenAt": device.first_seen_at,
        "lastSeenAt": device.last_seen_at,
    }
