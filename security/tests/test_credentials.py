"""One credential a call, in the one place for it."""

import pytest

from accounts.models import Membership
from accounts.tests.factories import access_token
from conftest import ApiClient
from security.api_keys.services import IssuedKey

PATH = "/v1/clients"


def code_of(client: ApiClient, path: str = PATH, **headers: str) -> str:
    response = client.get(path, headers=headers)
    return str(response.json().get("error", {}).get("code", "OK"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_works_in_any_case_of_its_scheme(alice: Membership, scheme: str) -> None:
    assert code_of(ApiClient(f"{scheme} {access_token(alice)}")) == "OK"


@pytest.mark.parametrize("template", ["Basic {}", "Token {}", "JWT {}", "{}", "Bearer", "Bearer "])
def test_another_scheme_is_refused(alice: Membership, template: str) -> None:
    assert code_of(ApiClient(template.format(access_token(alice)))) == "INVALID_TOKEN"


@pytest.mark.parametrize("template", ["Bearer  {}", "Bearer {} ", "Bearer {} x", "Bearer x {}"])
def test_a_header_with_more_words_is_refused(alice: Membership, template: str) -> None:
    assert code_of(ApiClient(template.format(access_token(alice)))) == "INVALID_TOKEN"


def test_a_key_works_in_both_places(key: IssuedKey) -> None:
    assert code_of(ApiClient(f"Bearer {key.written}")) == "OK"
    assert code_of(ApiClient(), **{"X-API-Key": key.written}) == "OK"


def test_two_credentials_are_refused_even_when_both_are_right(
    alice: Membership, key: IssuedKey
) -> None:
    for authorization in (access_token(alice), key.written, "garbage"):
        client = ApiClient(f"Bearer {authorization}")
        assert code_of(client, **{"X-API-Key": key.written}) == "VALIDATION_ERROR"
        assert code_of(client, **{"X-API-Key": ""}) == "VALIDATION_ERROR"


@pytest.mark.parametrize("name", ["access_token", "token", "apiKey", "api_key", "key"])
def test_a_credential_in_the_query_is_no_credential(
    as_alice: ApiClient, key: IssuedKey, name: str
) -> None:
    path = f"{PATH}?{name}={key.written}"
    assert code_of(ApiClient(), path) == "AUTHENTICATION_REQUIRED"
    response = as_alice.get(path)
    assert response.status_code == 400
    assert key.written not in response.content.decode()


def test_a_token_in_the_key_header_is_no_key(alice: Membership) -> None:
    assert code_of(ApiClient(), **{"X-API-Key": access_token(alice)}) == "INVALID_API_KEY"


def test_a_cookie_opens_nothing(alice: Membership, key: IssuedKey) -> None:
    client = ApiClient()
    for name in ("accessToken", "Authorization", "sessionid", "apiKey"):
        client.cookies[name] = access_token(alice)
    assert code_of(client) == "AUTHENTICATION_REQUIRED"
