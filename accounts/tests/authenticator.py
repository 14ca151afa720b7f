"""An authenticator in software: it makes passkeys and answers challenges, as a browser hands on."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.passkeys.encoding import decode, encode
from crm.env import env

_USER_PRESENT, _USER_VERIFIED, _HAS_KEY = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. Its attributes may be changed, to lie."""

    def __init__(self, *, verifies: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.user_handle = b""
        self.counter = 0
        self.origin, self.rp_id = env.webauthn_origins[0], env.webauthn_rp_id
        self.verifies = verifies

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what `navigator.credentials.create` gives for the options."""
        self.user_handle = decode(options["user"]["id"])
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(with_key=True)}
        return self._credential(
            clientDataJSON=encode(self._client_data("webauthn.create", options)),
            attestationObject=encode(cbor2.dumps(attestation)),
            transports=["internal"],
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return what `navigator.credentials.get` gives for the options."""
        self.counter += 1
        data, client_data = self._data(), self._client_data("webauthn.get", options)
        signed = data + hashlib.sha256(client_data).digest()
        return self._credential(
            clientDataJSON=encode(client_data),
            authenticatorData=encode(data),
            signature=encode(self.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            userHandle=encode(self.user_handle),
        )

    def _credential(self, **response: Any) -> dict[str, Any]:
        written = encode(self.id)
        return {
            "id": written,
            "rawId": written,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
        }

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said | {"crossOrigin": False}).encode()

    def _data(self, *, with_key: bool = False) -> bytes:
        flags = _USER_PRESENT | (_USER_VERIFIED if self.verifies else 0)
        if not with_key:
            return self._head(flags)
        head = self._head(flags | _HAS_KEY)
        return head + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._public_key()

    def _head(self, flags: int) -> bytes:
        hashed = hashlib.sha256(self.rp_id.encode()).digest()
        return hashed + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _public_key(self) -> bytes:
        """Return the public key in COSE form (RFC 9053): EC2, ES256, P-256."""
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
