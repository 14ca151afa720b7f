"""One run of the benchmark on a migrated, empty database."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import django

django.setup()

# The applications must be ready before these are imported.
from django.contrib.auth.hashers import get_hasher, make_password  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext, override_settings  # noqa: E402
from django_otp.oath import totp  # noqa: E402

from benchmarks import bare, data  # noqa: E402
from benchmarks.audit import measure_audit  # noqa: E402
from benchmarks.calls import Answer, Call, Measured, call, statements_of, timed  # noqa: E402
from clients.serializers import ClientSerializer  # noqa: E402
from crm.db.owner import as_owner  # noqa: E402
from crm.wsgi import application  # noqa: E402

LIMIT = "limit: the same SQL, bare"
LIST, DETAIL, CREATE = "client list (25)", "client detail", "client create"
KEY_LIST, REFRESH, LOGIN = "API-key list", "refresh", "login"
LOGIN_TOTP = "login with TOTP"
REGISTER, PASSWORD_RESET = "register", "password_reset"
CLIENTS_BY_KEY, HASH = "client list by API key", "one password hash"
FIRST_PAGE, DEEP_PAGE = "first page", "deep page"
# These take long, or use up what was prepared; a share of the rounds is enough.
RARE = frozenset({REFRESH, LOGIN, LOGIN_TOTP, REGISTER, PASSWORD_RESET, HASH})
RARE_EVERY = 8
ENCODED_PASSWORD = make_password(data.PASSWORD)
NEW_PASSWORD = "Lantern-Kettle-5-Plums"  # noqa: S105 (of a database made for one run)


def run(*, rounds: int, depth: int) -> dict[str, Any]:
    """Load, warm up, measure all calls in turns, and return the report."""
    call_command("migrate", verbosity=0, skip_checks=True)
    team = data.load()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    session = _Session(team)
    calls = session.calls(depth)
    seconds = _measure(calls, rounds)
    audit = measure_audit(session.audited_calls())
    statements = {name: len(statements_of(call.action)) for name, call in calls.items()}
    return {**_report(seconds, statements), "audit": audit}


class _Session:
    """A signed-in user and the calls they make."""

    def __init__(self, team: data.BenchTeam) -> None:
        self.api_key = team.api_key
        self.people_with_app = iter(team.seeds.items())
        self.reset_tokens = iter(team.reset_tokens)
        self.newcomers = count()
        self.refresh_token = ""
        self.token = self._sign_in().data["data"]["accessToken"]
        with override_settings(MIDDLEWARE=[]):
            self.bare_application = WSGIHandler()
        with CaptureQueriesContext(connection) as captured:
            self._get("/v1/clients")
        bare.statement["sql"] = next(
            query["sql"] for query in captured if 'FROM "clients_client"' in query["sql"]
        )
        bare.statement["names"] = [column.name for column in ClientSerializer.columns()]
        bare.open_team(team.membership.team_id)

    def calls(self, depth: int) -> Mapping[str, Call]:
        """Return every measured call by its name."""
        first = self._get("/v1/clients").data
        client_id = first["data"][0]["id"]
        deep = f"/v1/clients?cursor={self._cursor_at(depth)}"
        client = {"firstName": "New", "lastName": "Client", "email": "new@example.com"}
        return {
            LIMIT: Call(lambda: call(self.bare_application, "GET", "/bare/clients")),
            LIST: Call(lambda: self._get("/v1/clients")),
            CLIENTS_BY_KEY: Call(
                lambda: call(application, "GET", "/v1/clients", x_api_key=self.api_key)
            ),
            DETAIL: Call(lambda: self._get(f"/v1/clients/{client_id}")),
            CREATE: Call(lambda: self._post("/v1/clients", client), 201),
            KEY_LIST: Call(lambda: self._get("/v1/api-keys")),
            FIRST_PAGE: Call(lambda: self._get("/v1/clients?limit=25")),
            DEEP_PAGE: Call(lambda: self._get(deep)),
            REFRESH: Call(self._refresh),
            LOGIN: Call(self._sign_in),
            LOGIN_TOTP: Call(self._sign_in_with_app),
            REGISTER: Call(self._register, 201),
            PASSWORD_RESET: Call(self._reset_password),
            HASH: Call(_hash),
        }

    def audited_calls(self) -> Mapping[str, Call]:
        """Return the calls that the audit trail might slow down."""
        client_id = self._get("/v1/clients").data["data"][0]["id"]
        client = {"firstName": "New", "lastName": "Client", "email": "new@example.com"}
        path, numbers = f"/v1/clients/{client_id}", count()
        return {
            "create": Call(lambda: self._post("/v1/clients", client), 201),
            "update": Call(lambda: self._patch(path, {"firstName": f"Name {next(numbers)}"})),
            "list": Call(lambda: self._get("/v1/clients")),
        }

    def _cursor_at(self, depth: int) -> str:
        """Return the cursor of a page, by walking there in the largest steps."""
        answer = self._get("/v1/clients?limit=200").data
        for _ in range(depth * 25 // 200 - 1):
            cursor = answer["pagination"]["nextCursor"]
            answer = self._get(f"/v1/clients?limit=200&cursor={cursor}").data
        return str(answer["pagination"]["nextCursor"])

    def _get(self, path: str) -> Answer:
        return call(application, "GET", path, authorization=f"Bearer {self.token}")

    def _post(self, path: str, body: Any) -> Answer:
        return call(application, "POST", path, body=body, authorization=f"Bearer {self.token}")

    def _patch(self, path: str, body: Any) -> Answer:
        return call(application, "PATCH", path, body=body, authorization=f"Bearer {self.token}")

    def _sign_in(self) -> Answer:
        body = {"email": data.EMAIL, "password": data.PASSWORD, "tokenDelivery": "body"}
        answer = call(application, "POST", "/v1/auth/login", body=body)
        self.refresh_token = answer.data["data"]["refreshToken"]
        return answer

    def _sign_in_with_app(self) -> Answer:
        """Sign in with password and code, each time somebody else: a code works once."""
        email, seed = next(self.people_with_app)
        body = {"email": email, "password": data.PASSWORD, "totpCode": f"{totp(seed):06d}"}
        return call(application, "POST", "/v1/auth/login", body={**body, "tokenDelivery": "body"})

    def _register(self) -> Answer:
        """Make an account with a team, each time for another address."""
        names = {"firstName": "New", "lastName": "Comer", "teamName": "Walnut Homes"}
        body = {"email": f"newcomer{next(self.newcomers)}@example.com", "password": NEW_PASSWORD}
        return call(application, "POST", "/v1/auth/register", body=body | names)

    def _reset_password(self) -> Answer:
        """Follow the link of somebody with as many remembered passwords as there can be."""
        body = {"token": next(self.reset_tokens), "newPassword": NEW_PASSWORD}
        return call(application, "POST", "/v1/auth/password/reset", body=body)

    def _refresh(self) -> Answer:
        body = {"refreshToken": self.refresh_token}
        answer = call(application, "POST", "/v1/auth/refresh", body=body)
        self.refresh_token = answer.data["data"]["refreshToken"]
        return answer


def _hash() -> Answer:
    get_hasher().verify(data.PASSWORD, ENCODED_PASSWORD)
    return Answer(200, b"", {})


def _measure(calls: Mapping[str, Call], rounds: int) -> dict[str, Measured]:
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(-20, rounds):
        for name, (action, status) in calls.items():
            if name in RARE and number % RARE_EVERY:
                continue
            taken = timed(action, status=status)
            if number >= 0:
                seconds[name].append(taken)
    return {name: Measured(taken) for name, taken in seconds.items()}


def _report(seconds: Mapping[str, Measured], statements: Mapping[str, int]) -> dict[str, Any]:
    limit = seconds[LIMIT].percentile(0.5)

    def ratio(slower: str, faster: str) -> float:
        return round(seconds[slower].percentile(0.5) / seconds[faster].percentile(0.5), 3)

    rows = [
        {
            "name": name,
            "requests_per_second": round(measured.rate, 1),
            "p50_ms": round(measured.percentile(0.5), 3),
            "p95_ms": round(measured.percentile(0.95), 3),
            "statements": statements[name],
            "ratio_to_limit": round(limit / measured.percentile(0.5), 3),
        }
        for name, measured in seconds.items()
    ]
    return {
        "calls": rows,
        "ratios": {
            "list_to_limit": round(limit / seconds[LIST].percentile(0.5), 3),
            "login_to_hash": ratio(LOGIN, HASH),
            "login_totp_to_login": ratio(LOGIN_TOTP, LOGIN),
            "register_to_hash": ratio(REGISTER, HASH),
            "password_reset_to_hash": ratio(PASSWORD_RESET, HASH),
            "deep_page_to_first": ratio(DEEP_PAGE, FIRST_PAGE),
        },
    }
