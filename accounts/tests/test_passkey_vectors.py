"""The vectors that the WebAuthn package publishes, through our own ceremonies."""

import dataclasses
from typing import Any

import pytest

from accounts.models import Passkey
from accounts.passkeys import ceremonies
from accounts.passkeys.encoding import decode, encode
from crm.env import env

CREDENTIAL_ID = "ZoIKP1JQvKdrYj1bTUPJ2eTUsbLeFkv-X5xJQNr4k6s"
CREATED_FOR = (
    "CeTWogmg0cchuiYuFrv8DXXdMZSIQRVZJOga_xayVVEcBj0Cw3y73yhD4FkGSe-RrP6hPJJAIm3LVien4hXELg"
)
ASKED_FOR = "iPmAi1Pp1XL6oAgq3PWZtZPnZa1zFUDoGbaQ0_KvVG1lF2s3Rt_3o4uSzccy0tmcTIpTTT4BU1T-I4maavndjQ"
PUBLIC_KEY = (
    "pAEDAzkBACBZAQDfV20epzvQP-HtcdDpX-cGzdOxy73WQEvsU7Dnr9UWJophEfpngouvgnRLXaEUn_d8HGkp_HIx8rrp"
    "kx4BVs6X_B6ZjhLlezjIdJbLbVeb92BaEsmNn1HW2N9Xj2QM8cH-yx28_vCjf82ahQ9gyAr552Bn96G22n8jqFRQKdVp"
    "O-f-bvpvaP3IQ9F5LCX7CUaxptgbog1SFO6FI6ob5SlVVB00lVXsaYg8cIDZxCkkENkGiFPgwEaZ7995SCbiyCpUJbMq"
    "ToLMgojPkAhWeyktu7TlK6UBWdJMHc3FPAIs0lH_2_2hKS-mGI1uZAFVAfW1X-mzKL0czUm2P1UlUox7IUMBAAE"
)
ATTESTATION = (
    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVkBZ0mWDeWIDoxodDQXD2R2YFuP5K65ooYyx5lc87qDHZdjRQAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAACBmggo_UlC8p2tiPVtNQ8nZ5NSxst4WS_5fnElA2viTq6QBAwM5AQAgWQEA31dtHqc70D_h"
    "7XHQ6V_nBs3Tscu91kBL7FOw56_VFiaKYRH6Z4KLr4J0S12hFJ_3fBxpKfxyMfK66ZMeAVbOl_wemY4S5Xs4yHSWy21X"
    "m_dgWhLJjZ9R1tjfV49kDPHB_ssdvP7wo3_NmoUPYMgK-edgZ_ehttp_I6hUUCnVaTvn_m76b2j9yEPReSwl-wlGsabY"
    "G6INUhTuhSOqG-UpVVQdNJVV7GmIPHCA2cQpJBDZBohT4MBGme_feUgm4sgqVCWzKk6CzIKIz5AIVnspLbu05SulAVnS"
    "TB3NxTwCLNJR_9v9oSkvphiNbmQBVQH1tV_psyi9HM1Jtj9VJVKMeyFDAQAB"
)
CREATE_DATA = (
    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQ2VUV29nbWcwY2NodWlZdUZydjhEWFhkTVpTSVFS"
    "VlpKT2dhX3hheVZWRWNCajBDdzN5NzN5aEQ0RmtHU2UtUnJQNmhQSkpBSW0zTFZpZW40aFhFTGciLCJvcmlnaW4iOiJo"
    "dHRwOi8vbG9jYWxob3N0OjUwMDAiLCJjcm9zc09yaWdpbiI6ZmFsc2V9"
)
GET_DATA = (
    "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiaVBtQWkxUHAxWEw2b0FncTNQV1p0WlBuWmExekZVRG9H"
    "YmFRMF9LdlZHMWxGMnMzUnRfM280dVN6Y2N5MHRtY1RJcFRUVDRCVTFULUk0bWFhdm5kalEiLCJvcmlnaW4iOiJodHRw"
    "Oi8vbG9jYWxob3N0OjUwMDAiLCJjcm9zc09yaWdpbiI6ZmFsc2V9"
)
SIGNATURE = (
    "iOHKX3erU5_OYP_r_9HLZ-CexCE4bQRrxM8WmuoKTDdhAnZSeTP0sjECjvjfeS8MJzN1ArmvV0H0C3yy_FdRFfcpUPZz"
    "dZ7bBcmPh1XPdxRwY747OrIzcTLTFQUPdn1U-izCZtP_78VGw9pCpdMsv4CUzZdJbEcRtQuRS03qUjqDaovoJhOqEBmx"
    "Jn9Wu8tBi_Qx7A33RbYjlfyLm_EDqimzDZhyietyop6XUcpKarKqVH0M6mMrM5zTjp8xf3W7odFCadXEJg-ERZqFM0-9"
    "Uup6kJNLbr6C5J4NDYmSm3HCSA6lp2iEiMPKU8Ii7QZ61kybXLxsX4w4Dm3fOLjmDw"
)


def credential(**response: str) -> dict[str, Any]:
    written = {"id": CREDENTIAL_ID, "rawId": CREDENTIAL_ID, "type": "public-key"}
    return {**written, "response": response, "clientExtensionResults": {}}


ASSERTION = credential(
    authenticatorData="SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAQ",
    clientDataJSON=GET_DATA,
    signature=SIGNATURE,
    userHandle="T1RWa1l6VXdPRFV0WW1NNVlTMDBOVEkxTFRnd056Z3RabVZpWVdZNFpEVm1ZMk5p",
)


@pytest.fixture(autouse=True)
def page_of_the_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = dataclasses.replace(
        env, webauthn_rp_id="localhost", webauthn_origins=("http://localhost:5000",)
    )
    monkeypatch.setattr(ceremonies, "env", changed)


def test_the_published_registration_is_accepted() -> None:
    made = credential(attestationObject=ATTESTATION, clientDataJSON=CREATE_DATA)
    verified = ceremonies.verify_registration(made, decode(CREATED_FOR))
    assert encode(verified.credential_id) == CREDENTIAL_ID
    assert verified.credential_public_key == decode(PUBLIC_KEY)


def test_the_published_assertion_is_accepted_once_the_counter_allows() -> None:
    passkey = Passkey(public_key=decode(PUBLIC_KEY), sign_count=0)
    challenge = decode(ASKED_FOR)
    verified = ceremonies.verify_login(ASSERTION, challenge, passkey, alone=True)
    assert verified.new_sign_count == 1
    passkey.sign_count = 1
    with pytest.raises(ceremonies.PasskeyRefused):
        ceremonies.verify_login(ASSERTION, challenge, passkey, alone=True)


def test_a_flipped_bit_and_another_challenge_are_refused() -> None:
    passkey = Passkey(public_key=decode(PUBLIC_KEY), sign_count=0)
    forged = credential(**(ASSERTION["response"] | {"signature": f"A{SIGNATURE[1:]}"}))
    for sent, challenge in ((forged, ASKED_FOR), (ASSERTION, CREATED_FOR)):
        with pytest.raises(ceremonies.PasskeyRefused):
            ceremonies.verify_login(sent, decode(challenge), passkey, alone=True)
