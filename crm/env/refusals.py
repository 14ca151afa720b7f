"""What is refused outside development: weak secrets and settings that open the system."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

MINIMUM_SECRET_LENGTH = 32  # RFC 7518, section 3.2: an HS256 key is at least as long as the hash.
MINIMUM_DISTINCT_CHARACTERS = 8
PLACEHOLDERS = ("changeme", "change-me", "insecure", "your-secret", "replace", "placeholder")


def production_problems(values: dict[str, Any]) -> list[str]:
    """Return one line for each reason not to start in production; none in development."""
    if values["debug"]:
        return []
    return [*_factor_problems(values), *_secret_problems(values), *_network_problems(values)]


def _named_secrets(values: dict[str, Any]) -> list[tuple[str, str]]:
    secrets = [("SECRET_KEY", values["secret_key"])]
    for name in ("jwt_keys", "api_key_peppers", "audit_keys", "factor_keys"):
        secrets += [(f"{name.upper()} {key_id}", secret) for key_id, secret in values[name]]
    return secrets


def _secret_problems(values: dict[str, Any]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, secret in _named_secrets(values):
        if len(secret) < MINIMUM_SECRET_LENGTH:
            yield f"{name}: shorter than {MINIMUM_SECRET_LENGTH} characters"
        elif len(set(secret)) < MINIMUM_DISTINCT_CHARACTERS:
            yield f"{name}: fewer than {MINIMUM_DISTINCT_CHARACTERS} different characters"
        elif any(word in secret.lower() for word in PLACEHOLDERS):
            yield f"{name}: looks like a placeholder; make a random one"
        elif secret in seen:
            yield f"{name}: the same secret as {seen[secret]}"
        seen[secret] = name


def _factor_problems(values: dict[str, Any]) -> Iterator[str]:
    if not values["admin_require_2fa"]:
        yield "ADMIN_REQUIRE_2FA: the staff admin is never open to a password alone"


def _network_problems(values: dict[str, Any]) -> Iterator[str]:
    hosts = values["allowed_hosts"]
    if not hosts:
        yield "ALLOWED_HOSTS: required outside development (DEBUG=false)"
    if any("*" in host for host in hosts):
        yield "ALLOWED_HOSTS: a wildcard lets anyone choose the host name"
    if any(origin.startswith("http://") for origin in values["cors_allowed_origins"]):
        yield "CORS_ALLOWED_ORIGINS: an http:// origin can be forged on the way; use https://"
    base = urlsplit(values["app_base_url"])
    if base.scheme != "https" and base.hostname not in {"localhost", "127.0.0.1", "::1"}:
        yield "APP_BASE_URL: mails would carry tokens over http://; use https://"
    if values["cookie_samesite"] == "None" and not values["cookie_secure"]:
        yield "COOKIE_SAMESITE: None needs COOKIE_SECURE"
    if any(network.prefixlen == 0 for network in values["trusted_proxies"]):
        yield "TRUSTED_PROXIES: trusting every address lets anyone choose theirs"
