"""`/v1/auth/passkeys`: one's own passkeys."""

import uuid
from collections.abc import Sequence
from typing import Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.factors.factor_changes import Kept
from accounts.guards.passkey_proof import passkey_options
from accounts.models import ChallengePurpose, Passkey
from accounts.passkeys.own_passkeys import (
    begin_registration,
    register_passkey,
    remove_passkey,
    rename_passkey,
)
from accounts.passkeys.serializers import (
    PASSKEY,
    NewPasskeySerializer,
    PasskeyNameSerializer,
    passkey_body,
)
from crm.api.envelope import success
from crm.api.errors import Conflict
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import STRING, UUID, array, mapping, record
from crm.api.serializers import refuse_body
from security.access.permissions import FreshSignIn, IsSignedInUser
from security.access.views import ApiView

# As WebAuthn has it; pages hand it to the browser as it is.
OPTIONS: Final = record(options=mapping({}))


class PasskeyView(ApiView):
    """Calls of which changes, and no others, need a fresh sign-in."""

    permission_classes: Sequence[type[BasePermission]] = (IsSignedInUser, FreshSignIn)
    fresh_actions = ("post", "delete")

    @property
    def kept(self) -> Kept:
        """The session from which a change is made."""
        return Kept(session_id=self.actor.own_session_id)


class PasskeyListView(PasskeyView):
    """One's passkeys."""

    @describe(data=array(PASSKEY))
    def get(self, request: Request) -> Response:
        """Answer the passkeys, the oldest first."""
        mine = Passkey.objects.filter(user_id=self.actor.user_id)
        return success([passkey_body(passkey) for passkey in mine])

    @describe(
        body=NewPasskeySerializer,
        data=record(("backupCodes",), passkey=PASSKEY, backupCodes=array(STRING)),
        status=201,
    )
    def post(self, request: Request) -> Response:
        """Add the passkey that the browser made; the first factor comes with backup codes."""
        serializer = NewPasskeySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        registered = register_passkey(
            user_id=self.actor.user_id, **serializer.validated_data, kept=self.kept
        )
        body: dict[str, object] = {"passkey": passkey_body(registered.passkey)}
        if registered.backup_codes is not None:
            body["backupCodes"] = registered.backup_codes
        return success(body, status=201)


class PasskeyOptionsView(PasskeyView):
    """The first half of adding a passkey."""

    @describe(data=OPTIONS, errors=(Conflict,))
    def post(self, request: Request) -> Response:
        """Answer what `navigator.credentials.create` takes."""
        refuse_body(request)
        return success({"options": begin_registration(user_id=self.actor.user_id)})


class PasskeyDetailView(PasskeyView):
    """One of one's passkeys."""

    @describe(body=PasskeyNameSerializer, data=PASSKEY)
    def patch(self, request: Request, passkey_id: uuid.UUID) -> Response:
        """Rename it."""
        serializer = PasskeyNameSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        passkey = rename_passkey(
            user_id=self.actor.user_id, passkey_id=passkey_id, **serializer.validated_data
        )
        return success(passkey_body(passkey))

    @describe(data=record(id=UUID))
    def delete(self, request: Request, passkey_id: uuid.UUID) -> Response:
        """Remove it; the user's other sessions end."""
        remove_passkey(user_id=self.actor.user_id, passkey_id=passkey_id, kept=self.kept)
        return success({"id": passkey_id})


class ReauthenticateOptionsView(ApiView):
    """The first half of proving again who one is, by a passkey."""

    permission_classes = (IsSignedInUser,)

    @describe(data=OPTIONS)
    def post(self, request: Request) -> Response:
        """Answer what `navigator.credentials.get` takes."""
        refuse_body(request)
        purpose = ChallengePurpose.REAUTHENTICATE
        return success({"options": passkey_options(purpose, user_id=self.actor.user_id)})
