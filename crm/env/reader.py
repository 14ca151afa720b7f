"""The one reader of the environment; what there is to read stands in crm.env.variables.

`env` is read when this module is first imported. A problem stops the start with one line for each
problem. `.env.example` lists the same variables; a test holds the two equal.
"""

import os
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from crm.embedded_postgres.secrets_file import development_secrets
from crm.embedded_postgres.server import urls as embedded_urls
from crm.env import parsers as parse
from crm.env.refusals import production_problems
from crm.env.variables import Environment

PROJECT_DIR = Path(__file__).resolve().parents[2]


# Key rings that are derived from SECRET_KEY unless they are set, and what for.
_DERIVED_KEYS = {
    "api_key_peppers": "api-key-pepper",
    "audit_keys": "audit-chain",
    "factor_keys": "second-factor",
}


def read_environment(source: dict[str, str]) -> Environment:
    """Return the typed environment, or raise `SystemExit` with one line for each problem."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    for spec in fields(Environment):
        name = spec.name.upper()
        raw = source.get(name, "").strip() or spec.metadata["default"]
        try:
            values[spec.name] = None if raw is None else spec.metadata["parser"](raw)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    if not problems:
        _complete(values, problems)
    if not problems:
        problems += production_problems(values)
    if problems:
        raise SystemExit("\n".join(problems))
    return Environment(**values)


def _defaults(*, debug: bool) -> dict[str, bool]:
    """Return the switches that development has the other way round."""
    return {"cookie_secure": not debug, "admin_require_2fa": not debug, "allow_registration": debug}


def _complete(values: dict[str, Any], problems: list[str]) -> None:
    """Fill in what depends on other variables."""
    debug, data_dir = values["debug"], values["data_dir"]
    for name, default in _defaults(debug=debug).items():
        values[name] = default if values[name] is None else values[name]
    if values["jwt_keys"] is None and values["jwt_secret"] is not None:
        values["jwt_keys"] = (("default", values["jwt_secret"]),)
    _complete_mail(values)
    if debug:
        generated = development_secrets(data_dir)
        values["secret_key"] = values["secret_key"] or generated["SECRET_KEY"]
        values["jwt_keys"] = values["jwt_keys"] or parse.key_ring(generated["JWT_KEYS"])
    for name in ("secret_key", "jwt_keys"):
        if values[name] is None:
            problems.append(f"{name.upper()}: required outside development (DEBUG=false)")
    if problems:
        return
    for name, purpose in _DERIVED_KEYS.items():
        derived = parse.derive_secret(values["secret_key"], purpose=purpose)
        values[name] = values[name] or (("0", derived),)
    if values["database_url"] is None:
        embedded = embedded_urls(data_dir)
        values["database_url"], values["database_owner_url"] = embedded.app, embedded.owner
    if values["database_owner_url"] is None:
        values["database_owner_url"] = values["database_url"]


def _complete_mail(values: dict[str, Any]) -> None:
    if values["app_base_url"] is None:
        hosts = values["allowed_hosts"]
        values["app_base_url"] = (
            f"https://{hosts[0].lstrip('.')}"
            if hosts and not values["debug"]
            else f"http://localhost:{values['port']}"
        )
    _complete_passkeys(values)
    if values["email_from"] is None:
        host = urlsplit(values["app_base_url"]).hostname
        values["email_from"] = f"no-reply@{host}"


def _complete_passkeys(values: dict[str, Any]) -> None:
    """Fill in whose passkeys there are, and on which pages: SECURITY: never what a request says."""
    base = urlsplit(values["app_base_url"])
    values["webauthn_rp_id"] = values["webauthn_rp_id"] or base.hostname
    if values["webauthn_origins"] is None:
        own = [f"https://{host}" for host in values["allowed_hosts"] if not host.startswith(".")]
        local = [f"http://localhost:{values['port']}"] if values["debug"] else []
        asked = [f"{base.scheme}://{base.netloc}", *values["cors_allowed_origins"], *own, *local]
        values["webauthn_origins"] = tuple(dict.fromkeys(asked))


def declared_variables() -> list[tuple[str, str, str, str | None]]:
    """Return (name, group, help, default) of every variable, in the order of declaration."""
    return [
        (spec.name.upper(), spec.metadata["group"], spec.metadata["help"], spec.metadata["default"])
        for spec in fields(Environment)
    ]


def _process_environment() -> dict[str, str]:
    """Return the process's variables over those of the `.env` file beside manage.py."""
    environ.Env.read_env(PROJECT_DIR / ".env", overwrite=False)
    return dict(os.environ)


env = read_environment(_process_environment())
