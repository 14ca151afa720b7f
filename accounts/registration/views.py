"""`/v1/auth/register`: making an account."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import REGISTERED
from accounts.registration.register import Registration, register
from accounts.serializers import RegisterSerializer
from crm.api.envelope import success
from crm.api.errors import AuthRateLimited, PermissionDenied, WeakPassword
from crm.api.schema.describe import describe
from security.access.permissions import Public
from security.access.views import ApiView


class RegisterView(ApiView):
    """Make an account, with a team of one's own or by an invitation."""

    authentication_classes = ()
    permission_classes = (Public,)
    anonymous_limit = "register"

    @describe(
        body=RegisterSerializer,
        data=REGISTERED,
        status=201,
        errors=(WeakPassword, PermissionDenied, AuthRateLimited),
    )
    def post(self, request: Request) -> Response:
        """Answer what was filled in, also for an address that is taken; sign in comes after."""
        serializer = RegisterSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = register(request=request, form=Registration(**serializer.validated_data))
        body = {
            "id": user.pk,
            "email": user.email,
            "firstName": user.first_name,
            "lastName": user.last_name,
        }
        return success({"user": body}, status=201)
