"""What the calls of this app answer, for the API's description."""

from typing import Final

from crm.api.schema.json_schema import (
    BOOLEAN,
    DATE_TIME,
    INTEGER,
    STRING,
    UUID,
    array,
    constant,
    mapping,
    nullable,
    one_of,
    record,
)
from security.access.roles import Role

USER: Final = record(
    id=UUID,
    email=STRING,
    firstName=STRING,
    lastName=STRING,
    role=one_of(*(role.value for role in Role)),
    team=record(id=UUID, name=STRING),
    permissions=mapping(array(STRING)),
)
REGISTERED: Final = record(user=record(id=UUID, email=STRING, firstName=STRING, lastName=STRING))
_ACCESS_TOKEN: Final = {
    "accessToken": STRING,
    "expiresIn": STRING,
    "expiresInSeconds": INTEGER,
    "tokenType": constant("Bearer"),
}
# The refresh token comes in the body only where the client asked for that.
REFRESHED: Final = record(("refreshToken",), **_ACCESS_TOKEN, refreshToken=STRING)
# So does the device token, where it asked for that too.
SIGNED_IN: Final = record(
    ("refreshToken", "deviceToken"),
    user=USER,
    **_ACCESS_TOKEN,
    refreshToken=STRING,
    deviceToken=STRING,
)
SIGNED_IN_OR_PENDING: Final = {
    "anyOf": [
        SIGNED_IN,
        record(
            mfaRequired=constant(True),
            mfaToken=STRING,
            methods=array(STRING),
            expiresInSeconds=INTEGER,
        ),
    ]
}
SWITCHED: Final = record(user=USER, **_ACCESS_TOKEN)
VERIFIED: Final = record(valid=constant(True), expiresAt=DATE_TIME, user=USER)
SESSION: Final = record(
    id=UUID,
    current=BOOLEAN,
    deviceName=STRING,
    userAgent=STRING,
    ipAddress=nullable(STRING),
    createdAt=DATE_TIME,
    lastSeenAt=DATE_TIME,
    expiresAt=DATE_TIME,
)
DEVICE: Final = record(
    id=UUID,
    name=STRING,
    current=BOOLEAN,
    trusted=BOOLEAN,
    trustedUntil=nullable(DATE_TIME),
    userAgent=STRING,
    ipAddress=STRING,
    firstSeenAt=DATE_TIME,
    lastSeenAt=DATE_TIME,
)
# The same for every address, so that nobody learns which there are.
ACCEPTED: Final = record(accepted=constant(True))
