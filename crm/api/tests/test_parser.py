from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

JSON = "application/json"


def post(client: Client, body: bytes, content_type: str = JSON, **headers: str) -> Any:
    return client.generic("POST", "/echo", body, content_type=content_type, headers=headers)


def code_of(response: Any) -> str:
    body: dict[str, Any] = response.json()
    assert body["success"] is False
    assert set(body["error"]) >= {"code", "message", "requestId"}
    return str(body["error"]["code"])


@pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=UTF8"])
def test_object_in_utf8_is_read(client: Client, content_type: str) -> None:
    response = post(client, '{"name": "Zoë"}'.encode(), content_type)
    assert response.status_code == 200
    assert response.json()["data"] == {"name": "Zoë"}


def test_no_body_is_an_empty_object(client: Client) -> None:
    assert post(client, b"", "text/plain").json()["data"] == {}


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"x"', b"{", b'{"a": "\\u0000"}', b"\xff"])
def test_anything_but_a_clean_object_is_refused(client: Client, body: bytes) -> None:
    response = post(client, body)
    assert response.status_code == 400
    assert code_of(response) == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/*",
        f"{JSON}; charset=latin-1",
        f"{JSON}; charset=bz2_codec",
    ],
)
def test_other_content_is_unsupported(client: Client, content_type: str) -> None:
    response = post(client, b"{}", content_type)
    assert response.status_code == 415
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


def test_compressed_body_is_unsupported(client: Client) -> None:
    response = post(client, b"{}", **{"Content-Encoding": "gzip"})
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


def test_large_body_is_too_large(client: Client) -> None:
    response = post(client, b'{"a": "' + b"x" * 1024 * 1024 + b'"}')
    assert response.status_code == 413
    assert code_of(response) == "PAYLOAD_TOO_LARGE"


def test_body_without_length_is_refused(client: Client) -> None:
    response = client.get("/echo", headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 400
    assert code_of(response) == "VALIDATION_ERROR"


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_no_body_is_a_fault(client: Client, body: bytes) -> None:
    assert post(client, body).status_code in (200, 400)
