"""Django settings. Values that differ between installations come from `crm.env`."""

from corsheaders.defaults import default_headers
from csp.constants import NONE, SELF

from crm.db.connection import database_settings
from crm.env import env
from crm.logging_setup import logging_settings
from crm.mail_server import mail_settings
from crm.serving.body_reader import MAX_BODY_BYTES
from security.honeypots.scanner_paths import SCANNER_PATHS

# SECURITY: Django's own debug mode, with its pages full of settings and source, is never on. The
# variable DEBUG means generated secrets, plain cookies and demo data (crm.env).
DEBUG = False
SECRET_KEY = env.secret_key
DEVELOPMENT_HOSTS = ["localhost", ".localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = list(env.allowed_hosts) or (DEVELOPMENT_HOSTS if env.debug else [])
ROOT_URLCONF = "crm.urls"
WSGI_APPLICATION = "crm.wsgi.application"
APPEND_SLASH = False
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = ["crm.formats"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "crm",
    "security",
    "accounts",
    "records",
    "clients",
    "leads",
    "staff",
    "staff.admin_config.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "axes",
    "corsheaders",
    "csp",
    "django_filters",
    "django_otp",
    "django_ratelimit",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    # Last: it collects the jobs of the apps above.
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "security.request.middleware.RequestContextMiddleware",
    "security.request.html_only.HtmlCspMiddleware",
    "security.ip_blocks.middleware.BlockedAddressMiddleware",
    "crm.api.middleware.ErrorEnvelopeMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "security.request.middleware.AdminAddressMiddleware",
    "security.request.html_only.HtmlSessionMiddleware",
    "security.request.html_only.HtmlCsrfMiddleware",
    "security.request.html_only.HtmlAuthenticationMiddleware",
    "security.request.html_only.HtmlMessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database_settings(env.database_url)}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "counters": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": env.redis_url,
            # A Redis that hangs must not hang the calls; its slowest answer is far below this.
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
        if env.redis_url
        else {"BACKEND": "crm.db.counter_cache.CounterCache"}
    ),
}
RATELIMIT_USE_CACHE = "counters"

# Sign-in. Every way in goes through `accounts.guards.password_check`.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.guards.backends.LockoutBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "accounts.passwords.hashers.Argon2idHasher",
    "accounts.passwords.hashers.ImportedBcryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "accounts.passwords.validator.PolicyValidator"}]
AXES_FAILURE_LIMIT = env.max_login_attempts
AXES_COOLOFF_TIME = env.lockout_duration
AXES_LOCKOUT_PARAMETERS = ["username"]
# What django-axes calls the name in credentials it makes itself, when a success resets failures.
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "security.identifiers.axes_username"
AXES_CLIENT_IP_CALLABLE = "security.request.client_ip.axes_client_ip"
# SECURITY: the guard forgets failures itself. With True, the owner's sign-in on a known device
# would hand strangers five more guesses.
AXES_RESET_ON_SUCCESS = False
# SECURITY: with True, one wrong try every 29 minutes would keep the owner out for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
AXES_ALLOWED_CORS_ORIGINS = ""
SILENCED_SYSTEM_CHECKS = [
    # Its middleware would replace the answer to the last judged attempt; the flow answers.
    "axes.W002",
    # The backend of the counters is not on the package's list. Ours and Django's for Redis both
    # count atomically, which tests hold; E003, about backends that do not, stays on.
    "django_ratelimit.W001",
    # The account is what is guarded, from whatever address; the address has a limit of its own.
    "axes.W006",
    # RequestContextMiddleware sets these headers, on every answer; TLS ends at the proxy.
    "security.W001",
    "security.W002",
    # HtmlCsrfMiddleware derives from Django's and guards every form; the check knows the name only.
    "security.W003",
]
AXES_SENSITIVE_PARAMETERS = ["password", "otp", "token", "code", "new_password", "totpCode"]

# Background work, in PostgreSQL.
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_ON_APP_READY = "crm.schedule.register"

# Mail, sent by the worker.
PRODUCT_NAME = "CRM"
DEFAULT_FROM_EMAIL = env.email_from
OUTBOX_DIR = env.data_dir / "outbox"
globals().update(mail_settings(env.email_url, development=env.debug))

# The admin's own session; API clients use tokens.
SESSION_ENGINE = "accounts.sessions.admin_sessions"
SESSION_COOKIE_NAME = "__Host-adminSession" if env.cookie_secure else "adminSession"
SESSION_COOKIE_SECURE = env.cookie_secure
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-csrf" if env.cookie_secure else "csrf"
CSRF_COOKIE_SECURE = env.cookie_secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# What the admin says names clients; a cookie is no place for them.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Paths that answer pages; every error elsewhere has the JSON envelope.
HTML_PATH_PREFIXES = [f"/{env.admin_path}", "/static/"]
CSRF_FAILURE_VIEW = "crm.api.views.csrf_failure"

# Who asks for one of these is blocked: security.honeypots.
HONEYPOT_PATHS = list(SCANNER_PATHS)

# What `/v1/health/ready` names; each returns its problems.
READINESS_CHECKS = {
    "database": "crm.api.readiness.database_problems",
    "migrations": "crm.api.readiness.migration_problems",
    "cache": "crm.api.readiness.cache_problems",
    "isolation": "crm.db.isolation.isolation_problems",
}

# Answers. RequestContextMiddleware sets HSTS and the other headers on every answer.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
CORS_ALLOWED_ORIGINS = list(env.cors_allowed_origins)
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/v1/"
CORS_ALLOW_HEADERS = [*default_headers, "x-api-key"]
CORS_EXPOSE_HEADERS = [
    "X-Request-ID",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.sessions.authentication.SessionAuthentication",
        "security.api_keys.authentication.ApiKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["security.access.permissions.DenyUndeclared"],
    "DEFAULT_RENDERER_CLASSES": ["crm.api.renderers.EnvelopeJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "crm.api.renderers.JSONOnlyNegotiation",
    "DEFAULT_PARSER_CLASSES": ["crm.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "crm.api.schema.document.EnvelopeAutoSchema",
    "EXCEPTION_HANDLER": "crm.api.exceptions.handle_exception",
    "UNAUTHENTICATED_USER": "security.request.actors.anonymous",
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CRM API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # The hook that is the default makes components of enums; they read better where they are.
    "POSTPROCESSING_HOOKS": [],
}
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env.jwt_keys[0][1],
    "ISSUER": env.jwt_issuer,
    "AUDIENCE": f"{env.jwt_issuer}-api",
    "ACCESS_TOKEN_LIFETIME": env.jwt_access_token_expiry,
    "REFRESH_TOKEN_LIFETIME": env.jwt_refresh_token_expiry,
    "TOKEN_TYPE_CLAIM": "typ",
    "USER_ID_CLAIM": "sub",
    "UPDATE_LAST_LOGIN": False,
}

STATIC_URL = "static/"
STATIC_ROOT = env.data_dir / "static"
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

LOGGING = logging_settings()
