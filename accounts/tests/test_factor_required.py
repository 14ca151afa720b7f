"""REQUIRE_2FA_FOR: who must have a second factor does nothing before setting one up."""

from collections.abc import Callable

from accounts.models import Membership
from accounts.tests.calls import code_of
from accounts.tests.factors import CONFIRM, SETUP, App
from conftest import ApiClient
from security.api_keys.services import IssuedKey

RequireFactorFor = Callable[..., None]
REQUIRED = (403, "SECOND_FACTOR_REQUIRED")
NEW_KEY = {"name": "New", "scopes": {"clients": ["read"]}}


def test_nobody_must_have_one_unless_the_operator_says_so(as_alice: ApiClient) -> None:
    assert as_alice.get("/v1/clients").status_code == 200
    assert as_alice.post_json("/v1/api-keys", NEW_KEY).status_code == 201


def test_an_admin_sets_one_up_before_anything_else(
    as_alice: ApiClient, alice: Membership, require_factor_for: RequireFactorFor
) -> None:
    require_factor_for("admin")
    for path in ("/v1/clients", "/v1/api-keys", "/v1/audit-logs", "/v1/security/events"):
        assert code_of(as_alice.get(path)) == REQUIRED
    assert as_alice.get("/v1/auth/me").status_code == 200
    assert as_alice.post_json(SETUP, {}).status_code == 200
    app = App(alice.user, confirmed=False)
    assert as_alice.post_json(CONFIRM, {"code": app.code()}).status_code == 200
    assert as_alice.get("/v1/clients").status_code == 200


def test_other_roles_and_keys_go_on_without(
    as_bob: ApiClient, as_key: ApiClient, require_factor_for: RequireFactorFor
) -> None:
    require_factor_for("admin", "api_keys")
    assert as_bob.get("/v1/clients").status_code == 200
    assert as_key.get("/v1/clients").status_code == 200


def test_making_keys_needs_one_and_ending_them_does_not(
    as_alice: ApiClient,
    alice: Membership,
    key: IssuedKey,
    require_factor_for: RequireFactorFor,
) -> None:
    require_factor_for("api_keys")
    path = f"/v1/api-keys/{key.api_key.pk}"
    assert code_of(as_alice.post_json("/v1/api-keys", NEW_KEY)) == REQUIRED
    assert code_of(as_alice.post_json(f"{path}/rotate", {})) == REQUIRED
    assert as_alice.get("/v1/clients").status_code == 200
    assert as_alice.delete(path).status_code == 200
    App(alice.user)
    assert as_alice.post_json("/v1/api-keys", NEW_KEY).status_code == 201


def test_an_unconfirmed_app_is_no_factor(
    as_alice: ApiClient, alice: Membership, require_factor_for: RequireFactorFor
) -> None:
    require_factor_for("admin")
    App(alice.user, confirmed=False)
    assert code_of(as_alice.get("/v1/clients")) == REQUIRED
