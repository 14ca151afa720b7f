"""`/v1/auth/2fa`: one's own second factor."""

from typing import Final

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.factors.factor_changes import Kept
from accounts.factors.second_factor import (
    confirm_totp,
    disable_totp,
    replace_backup_codes,
    set_up_totp,
)
from accounts.factors.serializers import ConfirmFactorSerializer
from accounts.factors.state import factors_of
from crm.api.envelope import success
from crm.api.errors import Conflict
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import BOOLEAN, INTEGER, STRING, array, constant, record
from crm.api.serializers import refuse_body
from security.access.permissions import FreshSignIn, IsSignedInUser
from security.access.views import ApiView

BACKUP_CODES: Final = record(backupCodes=array(STRING))


class FactorsView(ApiView):
    """What one has set up."""

    permission_classes = (IsSignedInUser,)

    @describe(data=record(enabled=BOOLEAN, methods=array(STRING), backupCodesLeft=INTEGER))
    def get(self, request: Request) -> Response:
        """Answer whether a sign-in needs a second factor, and by what it may be done."""
        factors = factors_of(self.actor.user_id)
        return success(
            {
                "enabled": bool(factors),
                "methods": factors.methods,
                "backupCodesLeft": factors.backup_codes_left,
            }
        )


class FactorChangeView(ApiView):
    """A change of one's factors: a fresh sign-in, and the session that stays."""

    permission_classes = (IsSignedInUser, FreshSignIn)

    @property
    def kept(self) -> Kept:
        """The session from which the change is made."""
        return Kept(session_id=self.actor.own_session_id)


class SetUpView(FactorChangeView):
    """Begin with an authenticator app."""

    @describe(data=record(secret=STRING, otpauthUri=STRING, qrSvg=STRING), errors=(Conflict,))
    def post(self, request: Request) -> Response:
        """Answer the secret for the app, once; nothing is on before a code confirms it."""
        refuse_body(request)
        setup = set_up_totp(user_id=self.actor.user_id, kept=self.kept)
        return success(
            {"secret": setup.secret, "otpauthUri": setup.otpauth_uri, "qrSvg": setup.qr_svg}
        )


class ConfirmView(FactorChangeView):
    """Turn the app on."""

    @describe(body=ConfirmFactorSerializer, data=BACKUP_CODES, errors=(Conflict,))
    def post(self, request: Request) -> Response:
        """Answer ten backup codes, once; the user's other sessions end."""
        serializer = ConfirmFactorSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        codes = confirm_totp(
            user_id=self.actor.user_id, code=serializer.validated_data["code"], kept=self.kept
        )
        return success({"backupCodes": codes})


class DisableView(FactorChangeView):
    """Give the app up."""

    @describe(data=record(disabled=constant(True)), errors=(Conflict,))
    def post(self, request: Request) -> Response:
        """Sign in with the password alone from now on; the user's other sessions end."""
        refuse_body(request)
        disable_totp(user_id=self.actor.user_id, kept=self.kept)
        return success({"disabled": True})


class BackupCodesView(FactorChangeView):
    """New backup codes."""

    @describe(data=BACKUP_CODES, errors=(Conflict,))
    def post(self, request: Request) -> Response:
        """Answer ten new codes, once; the old ones end."""
        refuse_body(request)
        codes = replace_backup_codes(user_id=self.actor.user_id, kept=self.kept)
        return success({"backupCodes": codes})
