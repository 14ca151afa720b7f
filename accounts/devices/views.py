"""`/v1/auth/devices`: the browsers and apps by which one is known."""

import uuid

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.descriptions import DEVICE
from accounts.devices.known_devices import known_devices, revoke_device
from accounts.serializers import device_body
from crm.api.envelope import success
from crm.api.errors import NotFound
from crm.api.schema.describe import describe
from crm.api.schema.json_schema import UUID, array, record
from security.access.permissions import IsSignedInUser
from security.access.views import ApiView
from security.rate_limits.table import SESSION_LIMIT


class DeviceListView(ApiView):
    """One's own known devices."""

    permission_classes = (IsSignedInUser,)
    caller_limit = SESSION_LIMIT

    @describe(data=array(DEVICE))
    def get(self, request: Request) -> Response:
        """Answer the known devices, the last used first."""
        devices = known_devices(user_id=self.actor.user_id, session_id=self.actor.own_session_id)
        return success([device_body(device) for device in devices])


class DeviceDetailView(ApiView):
    """One of one's own known devices."""

    permission_classes = (IsSignedInUser,)
    caller_limit = SESSION_LIMIT

    @describe(data=record(id=UUID))
    def delete(self, request: Request, device_id: uuid.UUID) -> Response:
        """Forget it and end its other sessions; another user's device answers as an absent one."""
        if not revoke_device(
            user_id=self.actor.user_id, device_id=device_id, kept_session=self.actor.session_id
        ):
            raise NotFound
        return success({"id": device_id})
