"""The calls that docs/api.md shows of second factors and passkeys, replayed one after the other."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from accounts.models import Membership, TotpDevice
from accounts.tests.authenticator import Authenticator
from accounts.tests.factories import PASSWORD
from accounts.tests.factors import code_at
from conftest import ApiClient
from crm.env import PROJECT_DIR
from tests.documents import blocks_of, section_of

DOCUMENT = PROJECT_DIR / "docs" / "api.md"
OF_A_SIGN_IN = {"user", "accessToken", "expiresIn", "expiresInSeconds", "tokenType"}


class Page:
    """The page that makes the calls: it keeps what answers told, for the next call to send."""

    def __init__(self, client: ApiClient) -> None:
        self.client = client
        self.passkey = Authenticator()
        self.told: dict[str, Any] = {}

    def call(self, call: str, sent: Mapping[str, Any]) -> Any:
        """Make a call with real values in the place of those that the document shows."""
        method, path = call.split()
        body = json.dumps({name: self.real(name, value) for name, value in sent.items()})
        payload = "" if method == "GET" else body
        answer = self.client.generic(method, path, payload, content_type="application/json")
        assert answer.status_code in {200, 201}, (call, answer.content)
        data = answer.json()["data"]
        self.told |= data if isinstance(data, dict) else {}
        return data

    def real(self, name: str, shown: Any) -> Any:
        """Return what is to be sent for a value of the document."""
        if name in {"code", "totpCode"}:
            TotpDevice.objects.update(last_step=-1)  # A code works once; nobody waits here.
            return code_at(base64.b32decode(self.told["secret"]))
        if name == "credential":
            options = self.told["options"]
            return (self.passkey.create if "user" in options else self.passkey.get)(options)
        return {"password": PASSWORD, "mfaToken": self.told.get("mfaToken")}.get(name, shown)


def fits(answered: Any, documented: Any) -> bool:
    """Tell whether an answer has the names and types that the document shows."""
    if isinstance(documented, dict):
        is_open = documented == {}
        return is_open or (
            answered.keys() == documented.keys()
            and all(fits(answered[name], shown) for name, shown in documented.items())
        )
    if isinstance(documented, list):
        return all(fits(item, documented[0]) for item in answered)
    return documented is None or answered is None or type(answered) is type(documented)


@pytest.mark.parametrize("section", ["Second factor", "Passkeys"])
def test_the_documented_calls_answer_as_shown(
    as_alice: ApiClient, alice: Membership, section: str
) -> None:
    text = section_of(DOCUMENT, section)
    (flow,) = [json.loads(b.text) for b in blocks_of(DOCUMENT) if b.text in text]
    page = Page(as_alice)
    for call, sent, documented in flow:
        data = page.call(call, sent)
        if documented is None:
            assert data.keys() == OF_A_SIGN_IN
        else:
            assert fits(data, documented), (call, data)
