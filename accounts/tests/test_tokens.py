"""Access tokens: what is forged, expired, foreign or of another kind opens nothing."""

import base64
import datetime
import json
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone

from accounts.models import Membership, Session
from accounts.sessions.tokens import AccessToken, KeyRingTokenBackend, SessionToken
from accounts.tests.calls import code_of, me, refresh_with, sign_in, sign_in_app, token_of
from accounts.tests.factories import access_token, open_session
from conftest import ApiClient
from crm.env import env

KEY_ID, KEY = env.jwt_keys[0]
INVALID = (401, "INVALID_TOKEN")


def claims_for(member: Membership, **changes: object) -> dict[str, Any]:
    """Return the claims of a good access token of a new session, with changes."""
    token = AccessToken.for_session(open_session(member), team_id=member.team_id)
    claims = {**token.payload, "iss": env.jwt_issuer, "aud": f"{env.jwt_issuer}-api", **changes}
    return {name: value for name, value in claims.items() if value is not None}


def sign(claims: dict[str, Any], *, key: Any = KEY, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": KEY_ID, **header})


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_token_made_by_hand_is_as_good_as_ours(alice: Membership) -> None:
    assert me(sign(claims_for(alice))).status_code == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "HS256", "", None])
def test_unsigned_token_is_refused(alice: Membership, algorithm: str | None) -> None:
    head = encode({"alg": algorithm, "typ": "JWT", "kid": KEY_ID})
    assert code_of(me(f"{head}.{encode(claims_for(alice))}.")) == INVALID


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithm_with_the_right_key_is_refused(alice: Membership, algorithm: str) -> None:
    assert code_of(me(sign(claims_for(alice), algorithm=algorithm))) == INVALID


@pytest.fixture(scope="module")
def foreign_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_asymmetric_token_is_refused(
    alice: Membership, foreign_key: rsa.RSAPrivateKey, algorithm: str
) -> None:
    forged = sign(claims_for(alice), key=foreign_key, algorithm=algorithm)
    assert code_of(me(forged)) == INVALID


FORGERS_KEY = "f" * 40
FORGERS_JWK = {"kty": "oct", "k": base64.urlsafe_b64encode(FORGERS_KEY.encode()).decode()}


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": FORGERS_JWK},
        {"jku": "https://attacker.example/keys.json"},
        {"x5u": "https://attacker.example/chain.pem"},
        {"x5c": ["MIIB"]},
        {"crit": ["unknown"], "unknown": True},
        {"crit": ["exp"]},
        {"b64": False},
        {"cty": "JWT"},
    ],
)
@pytest.mark.parametrize("key", [FORGERS_KEY, KEY], ids=["forgers", "ours"])
def test_header_that_points_to_a_key_or_asks_for_more_is_refused(
    alice: Membership, header: dict[str, object], key: str
) -> None:
    claims = claims_for(alice)
    head = encode({"alg": "HS256", "typ": "JWT", "kid": KEY_ID, **header})
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signed = f"{head}.{encode(claims)}"
    signature = base64.urlsafe_b64encode(signer.sign(signed.encode(), key.encode()))
    assert code_of(me(f"{signed}.{signature.rstrip(b'=').decode()}")) == INVALID


@pytest.mark.parametrize(
    "key_id", ["unknown", "../../dev/null", "/dev/null", "' OR 1=1 --", "", None, 0, ["test"], {}]
)
def test_unknown_key_id_is_refused(alice: Membership, key_id: object) -> None:
    head = encode({"alg": "HS256", "typ": "JWT", "kid": key_id})
    _, payload, signature = sign(claims_for(alice)).split(".")
    assert code_of(me(f"{head}.{payload}.{signature}")) == INVALID


def test_token_without_key_id_is_refused(alice: Membership) -> None:
    assert code_of(me(jwt.encode(claims_for(alice), KEY, algorithm="HS256"))) == INVALID


def flip(text: str, place: int) -> str:
    """Flip one bit of a base64url part that carries data."""
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[place] ^= 1
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize("part", [0, 1, 2])
def test_one_flipped_bit_is_refused(alice: Membership, part: int) -> None:
    parts = access_token(alice).split(".")
    for place in (0, 7, -1):
        changed = [*parts[:part], flip(parts[part], place), *parts[part + 1 :]]
        assert code_of(me(".".join(changed))) == INVALID


@pytest.mark.parametrize(
    "token", ["", "x", "a.b", "a.b.c", "....", "\u00e9.x.y", "e30.e30.e30", "x" * 5000]
)
def test_garbage_is_no_access_token(db: None, token: str) -> None:
    assert code_of(me(token)) == INVALID


@pytest.mark.parametrize("scheme", ["Basic", "Token", "JWT", "Digest"])
def test_other_schemes_are_refused(alice: Membership, scheme: str) -> None:
    client = ApiClient(f"{scheme} {access_token(alice)}")
    assert code_of(client.get("/v1/auth/me")) == INVALID


def test_token_in_the_query_string_is_refused(alice: Membership, as_stranger: ApiClient) -> None:
    answer = as_stranger.get(f"/v1/auth/me?access_token={access_token(alice)}")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "staging"},
        {"iss": None},
        {"aud": "staging-api"},
        {"aud": None},
        {"aud": ["crm-api", "staging-api"]},
        {"typ": "refresh"},
        {"typ": "mfa"},
        {"typ": None},
        {"jti": None},
        {"iat": None},
        {"exp": None},
        {"exp": "soon"},
        {"sub": None},
        {"sub": "alice@example.com"},
        {"sid": None},
        {"sid": "1"},
        {"sid": 1},
        {"sid": ["x"]},
        {"team": None},
        {"team": "1"},
        {"team": 1},
    ],
)
def test_foreign_or_incomplete_claims_are_refused(
    alice: Membership, changes: dict[str, object]
) -> None:
    assert code_of(me(sign(claims_for(alice, **changes)))) == INVALID


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_token_of_the_future_is_refused(alice: Membership, claim: str) -> None:
    later = int(timezone.now().timestamp()) + 120
    assert code_of(me(sign(claims_for(alice, **{claim: later})))) == INVALID


def test_expired_token_is_told_apart(alice: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = token_of(sign_in(ApiClient()))
        clock.shift(datetime.timedelta(minutes=15) - datetime.timedelta(seconds=1))
        assert me(token).status_code == 200
        clock.shift(1)
        assert code_of(me(token)) == (401, "TOKEN_EXPIRED")


def test_expired_token_of_an_ended_session_is_only_expired(alice: Membership) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        token = access_token(alice)
        clock.shift(datetime.timedelta(days=60))
        assert code_of(me(token)) == (401, "TOKEN_EXPIRED")


def test_refresh_token_opens_nothing(alice: Membership) -> None:
    assert code_of(me(sign_in_app(ApiClient())["refreshToken"])) == INVALID


def test_access_token_refreshes_nothing(alice: Membership) -> None:
    answer = refresh_with(access_token(alice))
    assert code_of(answer) == (401, "INVALID_REFRESH_TOKEN")


@pytest.mark.parametrize("generation", [None, "0", 0.0, True, [0]])
def test_refresh_token_without_a_generation_is_refused(
    alice: Membership, generation: object
) -> None:
    token = sign(claims_for(alice, typ="refresh", gen=generation))
    assert code_of(refresh_with(token)) == (401, "INVALID_REFRESH_TOKEN")


def test_token_of_a_session_that_never_was_is_refused(alice: Membership) -> None:
    token = sign(claims_for(alice))
    Session.objects.all().delete()
    assert code_of(me(token)) == (401, "SESSION_REVOKED")


def test_token_that_mixes_users_and_sessions_is_refused(alice: Membership, bob: Membership) -> None:
    token = sign(claims_for(alice, sub=str(bob.user_id)))
    assert code_of(me(token)) == (401, "SESSION_REVOKED")


def test_token_for_a_team_one_is_not_in_is_refused(alice: Membership, mallory: Membership) -> None:
    token = sign(claims_for(mallory, team=str(alice.team_id)))
    assert code_of(me(token)) == (401, "SESSION_REVOKED")


def use_ring(monkeypatch: pytest.MonkeyPatch, *ring: tuple[str, str]) -> None:
    """Let the system sign and verify with another ring of keys."""
    backend = KeyRingTokenBackend(ring, issuer=env.jwt_issuer, audience=f"{env.jwt_issuer}-api")
    monkeypatch.setattr(SessionToken, "_token_backend", backend)


def test_key_ring_rotates_without_signing_anybody_out(
    alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sign_in_app(ApiClient())
    use_ring(monkeypatch, ("next", "n" * 40), *env.jwt_keys)
    assert me(before["accessToken"]).status_code == 200
    after = refresh_with(before["refreshToken"]).json()["data"]["accessToken"]
    assert jwt.get_unverified_header(after)["kid"] == "next"
    assert me(after).status_code == 200


def test_key_that_left_the_ring_verifies_nothing(
    alice: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sign_in_app(ApiClient())
    use_ring(monkeypatch, ("next", "n" * 40))
    assert code_of(me(before["accessToken"])) == INVALID
    answer = refresh_with(before["refreshToken"])
    assert code_of(answer) == (401, "INVALID_REFRESH_TOKEN")


def test_key_of_the_ring_verifies_under_its_own_id_only(alice: Membership) -> None:
    other_id, other_key = env.jwt_keys[1]
    assert me(sign(claims_for(alice), key=other_key, kid=other_id)).status_code == 200
    assert code_of(me(sign(claims_for(alice), key=other_key))) == INVALID


def test_token_names_its_session_user_and_team(alice: Membership) -> None:
    claims = jwt.decode(access_token(alice), options={"verify_signature": False})
    session = Session.objects.get()
    assert (claims["sub"], claims["sid"]) == (str(alice.user_id), str(session.pk))
    assert (claims["team"], claims["typ"]) == (str(alice.team_id), "access")
    assert claims.keys() == {"sub", "sid", "team", "typ", "iss", "aud", "iat", "exp", "jti"}
