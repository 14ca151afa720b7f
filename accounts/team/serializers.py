"""Shapes of a team's members and of the people it invites."""

from typing import ClassVar

from accounts.models import Invitation, InvitationStatus, Membership, MemberStatus
from crm.api import fields
from crm.api.serializers import StrictModelSerializer, StrictSerializer
from security.access.roles import Role

ROLES = [role.value for role in Role]


class MemberUserSerializer(StrictSerializer):
    """Who a member is."""

    id = fields.UUIDField(source="user_id", read_only=True)
    email = fields.CharField(source="user.email", read_only=True)
    first_name = fields.CharField(source="user.first_name", read_only=True)
    last_name = fields.CharField(source="user.last_name", read_only=True)


class MemberSerializer(StrictModelSerializer):
    """A member, from `MembershipQuerySet.as_listed`."""

    user = MemberUserSerializer(source="*", read_only=True)
    status = fields.ChoiceField(choices=MemberStatus.values, read_only=True)
    joined_at = fields.DateTimeField(source="created_at", read_only=True)
    last_seen_at = fields.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "user",
            "role",
            "status",
            "joined_at",
            "last_seen_at",
        )
        read_only_fields = fields


class MemberChangeSerializer(StrictSerializer):
    """`PATCH /v1/team/members/{id}`."""

    role = fields.ChoiceField(choices=ROLES, required=False)
    is_active = fields.BooleanField(required=False)


class InvitationSerializer(StrictModelSerializer):
    """An invitation, from `InvitationQuerySet.as_listed`."""

    status = fields.ChoiceField(choices=InvitationStatus.values, read_only=True)

    class Meta:
        model = Invitation
        fields: ClassVar[tuple[str, ...]] = (
            "id",
            "email",
            "role",
            "status",
            "invited_by",
            "created_at",
            "sent_at",
            "expires_at",
            "accepted_at",
            "revoked_at",
        )
        read_only_fields = fields


class InviteSerializer(StrictSerializer):
    """`POST /v1/team/invitations`."""

    email = fields.CharField(max_length=254)
    role = fields.ChoiceField(choices=ROLES)


class AcceptInvitationSerializer(StrictSerializer):
    """`POST /v1/auth/accept-invitation`."""

    token = fields.CharField(max_length=100)
