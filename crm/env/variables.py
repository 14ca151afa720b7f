"""Every variable of the environment: its type, its default and what it means.

`crm.env` reads them. `.env.example` lists them; a test holds the two equal.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from crm.env import parsers as parse
from crm.env.rate import Rate


def variable(group: str, help_text: str, parser: parse.Parser, default: str | None = None) -> Any:
    """Declare one variable; `default` is written as an operator would write it, None for unset."""
    return field(metadata={"group": group, "help": help_text, "parser": parser, "default": default})


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The configuration of this process. Attributes are the variables' names in lower case."""

    debug: bool = variable(
        "Start", "Development mode: generated secrets, plain cookies.", parse.boolean, "false"
    )
    data_dir: Path = variable(
        "Start", "Folder of the embedded database and generated secrets.", parse.path, ".data"
    )
    host: str = variable("Start", "Address that the server listens on.", parse.text, "127.0.0.1")
    port: int = variable("Start", "Port that the server listens on.", parse.port, "8000")
    web_processes: int = variable("Start", "Server processes.", parse.positive, "1")
    web_threads: int = variable("Start", "Threads of each server process.", parse.positive, "32")

    database_url: str = variable(
        "Database", "Application role; unset: the embedded server in DATA_DIR.", parse.database_url
    )
    database_owner_url: str = variable(
        "Database",
        "Role that owns the tables and migrates; unset: DATABASE_URL.",
        parse.database_url,
    )
    redis_url: str | None = variable(
        "Database", "Shared counters and cache of several machines.", parse.redis_url
    )

    app_base_url: str = variable(
        "Mail", "Address of the single-page app, for links; unset: this server.", parse.base_url
    )
    email_url: str | None = variable(
        "Mail",
        "smtp+tls://user:password@host:587; unset: DATA_DIR/outbox in development, else localhost.",
        parse.email_url,
    )
    email_from: str = variable(
        "Mail", "Sender of mails; unset: no-reply at the host of APP_BASE_URL.", parse.text
    )

    secret_key: str = variable(
        "Secrets", "Signs admin sessions and forms; at least 32 characters.", parse.text
    )
    jwt_keys: parse.KeyRing = variable(
        "Secrets", "kid:secret,kid:secret; the first signs, all verify.", parse.key_ring
    )
    jwt_secret: str | None = variable("Secrets", "One JWT key, instead of JWT_KEYS.", parse.text)
    api_key_peppers: parse.KeyRing = variable(
        "Secrets",
        "id:secret,id:secret; key the stored hashes of API keys; unset: derived from SECRET_KEY.",
        parse.key_ring,
    )
    audit_keys: parse.KeyRing = variable(
        "Secrets",
        "id:secret,id:secret; the first seals the audit trail; unset: derived from SECRET_KEY.",
        parse.key_ring,
    )
    factor_keys: parse.KeyRing = variable(
        "Secrets",
        "id:secret,id:secret; the first encrypts the seeds of second factors and keys the hashes of"
        " backup codes; unset: derived from SECRET_KEY.",
        parse.key_ring,
    )

    jwt_access_token_expiry: timedelta = variable(
        "Tokens and sessions", "Life of an access token.", parse.duration, "15m"
    )
    jwt_refresh_token_expiry: timedelta = variable(
        "Tokens and sessions", "Life of a refresh token.", parse.duration, "7d"
    )
    session_absolute_lifetime: timedelta = variable(
        "Tokens and sessions", "End of a session, however busy.", parse.duration, "30d"
    )
    session_idle_timeout: timedelta = variable(
        "Tokens and sessions", "End of a session that nobody uses.", parse.duration, "7d"
    )
    fresh_sign_in_lifetime: timedelta = variable(
        "Tokens and sessions",
        "How long a sign-in is fresh enough to change factors, keys and roles.",
        parse.duration,
        "5m",
    )
    refresh_reuse_leeway: timedelta = variable(
        "Tokens and sessions",
        "How long a used refresh token is still answered with its successor.",
        parse.duration_or_zero,
        "0s",
    )
    enable_token_rotation: bool = variable(
        "Tokens and sessions", "Each refresh issues a new refresh token.", parse.boolean, "true"
    )
    enable_theft_detection: bool = variable(
        "Tokens and sessions", "Reuse ends the user's sessions.", parse.boolean, "true"
    )
    jwt_issuer: str = variable(
        "Tokens and sessions", "Issuer and audience of tokens; one a system.", parse.text, "crm"
    )

    max_login_attempts: int = variable(
        "Guessing", "Failures that lock an account.", parse.positive, "5"
    )
    lockout_duration: timedelta = variable(
        "Guessing", "How long an account stays locked.", parse.duration, "30m"
    )
    rate_limit_anonymous: Rate | None = variable(
        "Guessing", "Calls without credentials, an address; 0: off.", parse.rate, "100/15m"
    )
    rate_limit_api: Rate | None = variable(
        "Guessing", "Calls of a user or key; 0: off.", parse.rate, "600/1m"
    )
    rate_limit_session: Rate | None = variable(
        "Guessing",
        "Calls of a session that show or end sessions and devices; 0: off.",
        parse.rate,
        "60/1m",
    )
    rate_limit_login: Rate | None = variable(
        "Guessing", "Failed sign-ins, an address; 0: off.", parse.rate, "30/15m"
    )
    rate_limit_login_calls: Rate | None = variable(
        "Guessing", "Sign-ins right or wrong, an address; 0: off.", parse.rate, "1200/15m"
    )
    rate_limit_register: Rate | None = variable(
        "Guessing", "Registrations, an address; 0: off.", parse.rate, "100/1h"
    )
    rate_limit_invitations: Rate | None = variable(
        "Guessing", "Invitations that a team sends; 0: off.", parse.rate, "20/1h"
    )
    rate_limit_mails: Rate | None = variable(
        "Guessing",
        "Mails that a client address asks for; 0: off.",
        parse.rate,
        "20/15m",
    )
    rate_limit_mails_to: Rate | None = variable(
        "Guessing", "Mails of one kind to an address, in 30m at most; 0: off.", parse.rate, "3/30m"
    )
    rate_limit_tokens: Rate | None = variable(
        "Guessing", "Wrong mailed tokens, an address; 0: off.", parse.rate, "30/15m"
    )
    rate_limit_new_passwords: Rate | None = variable(
        "Guessing",
        "New passwords, taken or refused, a session or mailed link; 0: off.",
        parse.rate,
        "10/15m",
    )
    rate_limit_refresh: Rate | None = variable(
        "Guessing", "Token refreshes, an address; 0: off.", parse.rate, "600/1m"
    )

    password_policy: str = variable(
        "Accounts",
        "classes, tiered (from 15 characters on no classes) or nist (length alone, 15).",
        parse.one_of("classes", "tiered", "nist"),
        "tiered",
    )
    min_password_length: int | None = variable(
        "Accounts",
        "Least characters of a new password; unset: 12, with nist 15.",
        parse.password_length,
    )
    require_uppercase: bool = variable(
        "Accounts", "Where classes count: an upper-case letter.", parse.boolean, "true"
    )
    require_lowercase: bool = variable(
        "Accounts", "Where classes count: a lower-case letter.", parse.boolean, "true"
    )
    require_digit: bool = variable(
        "Accounts", "Where classes count: a digit.", parse.boolean, "true"
    )
    require_special: bool = variable(
        "Accounts", "Where classes count: any other character.", parse.boolean, "true"
    )
    password_breach_check: bool = variable(
        "Accounts",
        "Ask api.pwnedpasswords.com about new passwords, by 5 digits of a hash.",
        parse.boolean,
        "false",
    )
    require_email_verification: bool = variable(
        "Accounts", "Nobody signs in before their address is verified.", parse.boolean, "true"
    )
    allow_disposable_email: bool = variable(
        "Accounts",
        "Take addresses of disposable domains.",
        parse.boolean,
        "false",
    )

    require_2fa_for: frozenset[str] = variable(
        "Second factor",
        "Who must have one: admin (of teams), api_keys (whoever makes them), or both.",
        parse.some_of("admin", "api_keys"),
        "",
    )
    admin_require_2fa: bool = variable(
        "Second factor",
        "The staff admin demands a second factor; unset: on outside development.",
        parse.boolean,
    )

    webauthn_rp_id: str = variable(
        "Second factor",
        "Domain that passkeys belong to, for good; unset: the host of APP_BASE_URL.",
        parse.text,
    )
    webauthn_origins: tuple[str, ...] = variable(
        "Second factor",
        "Pages that may use passkeys; unset: APP_BASE_URL, CORS_ALLOWED_ORIGINS and ALLOWED_HOSTS.",
        parse.origins,
    )

    allow_registration: bool = variable(
        "Registration",
        "Anybody may make a team; unset: in development only. Invitations work always.",
        parse.boolean,
    )

    cookie_secure: bool = variable(
        "Browsers", "Cookies for HTTPS only; unset: on outside development.", parse.boolean
    )
    cookie_samesite: str = variable(
        "Browsers", "Strict, Lax or None.", parse.one_of("Strict", "Lax", "None"), "Strict"
    )
    cookie_domain: str | None = variable("Browsers", "Domain of the cookies.", parse.text)
    cors_allowed_origins: tuple[str, ...] = variable(
        "Browsers", "Origins of single-page apps, comma-separated.", parse.origins, ""
    )
    allowed_hosts: tuple[str, ...] = variable(
        "Network", "Host names that this server answers to.", parse.words, ""
    )
    trusted_proxies: parse.Networks = variable(
        "Network", "Networks whose X-Forwarded-For is believed.", parse.networks, ""
    )
    admin_path: str = variable("Network", "Path of the staff admin.", parse.admin_path, "admin/")
    admin_allowed_ips: parse.Networks = variable(
        "Network", "Networks that may open the admin; unset: all.", parse.networks, ""
    )
    block_exempt_networks: parse.Networks = variable(
        "Network",
        "Networks that are never blocked, such as the office's; loopback, TRUSTED_PROXIES and "
        "ADMIN_ALLOWED_IPS never are.",
        parse.networks,
        "",
    )
    honeypot_block_duration: timedelta = variable(
        "Network",
        "How long who runs into a honeypot is blocked; 0s: it is only recorded.",
        parse.duration_or_zero,
        "24h",
    )
    spraying_block_duration: timedelta = variable(
        "Network",
        "How long who tries many emails from one address is blocked; 0s: it is only told. The "
        "address may be one of many people.",
        parse.duration_or_zero,
        "0s",
    )
    api_key_default_expiry: timedelta = variable(
        "API keys", "Life of a key that names no end.", parse.duration, "90d"
    )
    audit_retention: timedelta = variable(
        "Records", "Age at which prune_audit takes audit entries.", parse.duration, "730d"
    )

    enable_security_event_logging: bool = variable(
        "Records", "Record security events.", parse.boolean, "true"
    )
    log_successful_logins: bool = variable(
        "Records", "Record sign-ins that succeed.", parse.boolean, "true"
    )
    log_token_refresh: bool = variable(
        "Records", "Record refreshes of sessions.", parse.boolean, "true"
    )
    event_retention: timedelta = variable(
        "Records", "How long security events are kept.", parse.duration, "365d"
    )
