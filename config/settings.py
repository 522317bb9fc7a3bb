"""Every setting comes from the environment (or a ``.env`` beside ``manage.py``); ``.env.example`` lists them.

Without ``DATABASE_URL`` the project runs embedded: it starts its own PostgreSQL and Valkey under
``.local/`` and takes development defaults for the secrets. With it, secrets are demanded.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config import embedded, logs, sentry
from config.environment import dotenv
from config.headers import NOTHING
from config.unfold import UNFOLD  # noqa: F401 - a setting like those below
from connectors.messages import LANGUAGES as LANGUAGES_OF_NOTES
from connectors.registry import CONNECTORS, read_options

BASE_DIR = Path(__file__).resolve().parent.parent
env = dotenv()

EMBEDDED_DATABASE_URL, EMBEDDED_REDIS_URL = embedded.settings_urls()
EMBEDDED = not env.str("DATABASE_URL", "")
DEVELOPMENT_KEY = "development-only-key-never-used-with-a-database-of-your-own"


def demand(name: str, development: str) -> str:
    """A secret: demanded in production, defaulted where the project runs its own servers."""
    value = env.str(name, "")
    if value or EMBEDDED:
        return value or development
    raise ImproperlyConfigured(
        f"{name} is not set. Put it into the environment; .env.example says how to make one."
    )


# -- Django ------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = demand("SECRET_KEY", DEVELOPMENT_KEY)
PUBLIC_URL = env.address("PUBLIC_URL", "http://localhost:8000", "https", "http").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if EMBEDDED else [])
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set: name the hosts that this service answers for.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

INSTALLED_APPS = [
    "config.admin_site.UnfoldConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "csp",
    "corsheaders",
    "config",
    "connectors",
    "accounts",
    "crm_cache",
    "rules",
]

MIDDLEWARE = [
    "config.headers.SecurityHeaders",
    "config.request_id.RequestId",
    "config.transfer.Compression",
    "config.transfer.ETags",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.rest_chain.RestChain",
    "config.statics.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.page_language.PageLanguage",
    "config.errors.WrongMethod",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["django.templatetags.i18n", "accounts.templatetags.texts"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

LANGUAGE_CODE = "en"  # of the API, the workers and the commands; pages: accounts.page_language
LANGUAGES = [("ru", "Русский"), ("en", "English")]
PAGE_LANGUAGE = env.choice("PAGE_LANGUAGE", "ru", tuple(dict(LANGUAGES)))
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = env.choice("TIME_ZONE", "UTC", available_timezones(), "the zones of the tz database")
USE_TZ = True
FORMAT_MODULE_PATH = "config.formats"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static"
WHITENOISE_USE_FINDERS = True


# -- PostgreSQL and Redis ----------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {
    "default": env.db_url_config(env.address("DATABASE_URL", EMBEDDED_DATABASE_URL, "postgres", "postgresql"))
}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True  # a restarted PostgreSQL costs no request
_wait = env.float("DATABASE_WAIT_SECONDS", 30.0)
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "connect_timeout": 2,
    # The statement that stores answers is prepared; None where a pooler between us and PostgreSQL keeps no
    # prepared statements.
    "prepare_threshold": 5 if env.bool("DATABASE_PREPARED", True) else None,
    "pool": {
        "min_size": 0,
        "max_size": env.int("DATABASE_POOL", 16),
        "timeout": _wait,
        # A pool that goes on by itself waits longer and longer between its tries; where they end with the
        # wait, the next request tries at once.
        "reconnect_timeout": _wait,
    },
}
EVENT_DAYS = env.int("EVENT_DAYS", 30)  # 0: no events are written, by triggers of the database neither
if EVENT_DAYS < 0:
    raise ImproperlyConfigured("EVENT_DAYS must be 0 (no events) or a number of days.")
# PostgreSQL ends a transaction that did nothing for so long: whoever was frozen in it holds nobody's rows.
_idle = env.int("DATABASE_IDLE_SECONDS", 60)
_session = {"idle_in_transaction_session_timeout": f"{_idle}s"} if _idle > 0 else {}
if not EVENT_DAYS:
    _session["quiz_crm.events"] = "off"
_options = DATABASES["default"]["OPTIONS"]
if _named := " ".join(
    [_options.get("options", ""), *(f"-c {key}={on}" for key, on in _session.items())]
).strip():
    _options["options"] = _named
REDIS_URL = env.address("REDIS_URL", EMBEDDED_REDIS_URL, "redis", "rediss")
REDIS_PREFIX = env.str("REDIS_PREFIX", "quiz-crm:")
LIMIT_SHARES = env.int("LIMIT_SHARES", 4)
if LIMIT_SHARES < 1:
    raise ImproperlyConfigured("LIMIT_SHARES must be 1 or more: the processes that talk to the CRMs.")

# -- Celery: messages carry ids only and may be lost or doubled without harm --------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
# A message that is not acknowledged when Redis goes away ends the worker: kombu gives it back to nobody.
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CONSUMER = "config.consumer:Consumer"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": REDIS_PREFIX,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
    "visibility_timeout": 600,
}
CELERY_TIMEZONE = "UTC"

# -- Sign-in of staff and of the quiz platform --------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = env.int("LOGIN_TRIES", 10)
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # both at once: nobody locks an office out
AXES_LOCKOUT_CALLABLE = "config.errors.locked_out"
CSRF_FAILURE_VIEW = "config.errors.forbidden"
AXES_CLIENT_IP_CALLABLE = "config.visitors.address_of"
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"

JWT_ALGORITHMS = env.list("JWT_ALGORITHMS", default=["HS256"])
JWT_JWKS_URL = env.str("JWT_JWKS_URL", "")
JWT_KEY = env.str("JWT_KEY", "", multiline=True) if JWT_JWKS_URL else demand("JWT_KEY", DEVELOPMENT_KEY)
JWT_ISSUER = env.str("JWT_ISSUER", "")
JWT_AUDIENCE = env.str("JWT_AUDIENCE", "")
JWT_ACCOUNT_CLAIM = env.str("JWT_ACCOUNT_CLAIM", "id")
JWT_SCOPE_CLAIM = env.str("JWT_SCOPE_CLAIM", "scope")
JWT_PLATFORM_SCOPE = env.str("JWT_PLATFORM_SCOPE", "platform")
JWT_REQUIRE_EXP = env.bool("JWT_REQUIRE_EXP", True)

ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
if not ENCRYPTION_KEYS:
    ENCRYPTION_KEYS = [demand("ENCRYPTION_KEYS", "ZGV2ZWxvcG1lbnQtb25seS10b2tlbnMta2V5LTMyYnk=")]
for _key in ENCRYPTION_KEYS:
    try:
        Fernet(_key)
    except ValueError as exc:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS must be Fernet keys; .env.example says how to make one."
        ) from exc

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", False)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": NOTHING}  # of pages: config.headers
LOGIN_REDIRECT_URL = "admin:index"

# -- The REST API --------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.rest.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.rest.authentication.HasAccount"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.rest.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.rest.exception_handler.handle",
    "UNAUTHENTICATED_USER": None,
}
API_RATE = env.int("API_RATE", 60_000)  # requests of a quiz account in a minute; 0: as many as they like
CORS_ALLOWED_ORIGINS = env.list("CORS_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/(?!admin/|static/|metrics)"
CORS_ALLOW_HEADERS = ("authorization", "content-type", "if-none-match", "prefer", "x-request-id")
CORS_EXPOSE_HEADERS = (
    "etag",
    "preference-applied",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "x-request-id",
)
SPECTACULAR_SETTINGS = {
    "TITLE": "Quiz answers into CRM leads",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},  # nobody else is told of our schema
    "COMPONENT_SPLIT_REQUEST": False,
    "POSTPROCESSING_HOOKS": [
        "accounts.rest.schema.no_defaults_in_changes",
        "config.openapi.document.complete",
    ],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
}

# -- CRMs ----------------------------------------------------------------------------------------------------

SANDBOX = env.bool("SANDBOX", False)
SANDBOX_HOST = env.str("SANDBOX_HOST", "127.0.0.1")
SANDBOX_PORTS = (8100, 8999)
SANDBOX_HOSTS = (
    frozenset(f"{SANDBOX_HOST}:{port}" for port in range(SANDBOX_PORTS[0], SANDBOX_PORTS[1] + 1))
    if SANDBOX
    else frozenset()
)


def _option(name: str, default: Any) -> Any:
    """An option of a CRM in the type of its default."""
    if name.endswith("_REDIRECT_URI"):
        return env.str(name, f"{PUBLIC_URL}/webhook/create")
    readers = {bool: env.bool, int: env.int, float: env.float, tuple: env.tuple, str: env.str}
    return readers[type(default)](name, default=default)


CRM_OPTIONS = {kind: read_options(kind, _option) for kind in CONNECTORS}
CONNECT_TTL = timedelta(minutes=env.int("CONNECT_MINUTES", 30))
RETURN_URLS = env.list("RETURN_URLS", default=[])
SYNC_EVERY = timedelta(minutes=env.int("SYNC_MINUTES", 360))
CONTACT_DIRECTORY = env.bool("CONTACT_DIRECTORY", True)

# -- Deliveries ----------------------------------------------------------------------------------------------

LANE_SLICE = timedelta(seconds=20)
LANE_LEASE = timedelta(seconds=env.int("LANE_LEASE_SECONDS", 30))
FIELD_PATIENCE = timedelta(seconds=env.int("FIELD_PATIENCE_SECONDS", 120))
QUIZ_CONFIG_URL = env.address("QUIZ_CONFIG_URL", "", "https")
if QUIZ_CONFIG_URL and "{quizID}" not in QUIZ_CONFIG_URL:
    raise ImproperlyConfigured("QUIZ_CONFIG_URL must say {quizID} where the quiz's number goes.")
HELD_FOR_RETURN = timedelta(hours=env.int("HELD_FOR_RETURN_HOURS", 72))
DRIFT_CHECK = timedelta(minutes=env.int("DRIFT_CHECK_MINUTES", 15))
UNCLEAR_PAUSE = timedelta(seconds=60)
PAYLOAD_DAYS = env.int("PAYLOAD_DAYS", 90)
ATTEMPT_DAYS = env.int("ATTEMPT_DAYS", 30)
FOLLOW_DAYS = env.int("FOLLOW_DAYS", 180)
RECONCILE_NIGHTLY = env.bool("RECONCILE_NIGHTLY", True)
RECONCILE_DAYS = env.int("RECONCILE_DAYS", 7)
RECONCILIATION_DAYS = env.int("RECONCILIATION_DAYS", 90)
if RECONCILE_DAYS < 1:
    raise ImproperlyConfigured(
        "RECONCILE_DAYS must be a number of days, 1 or more; RECONCILE_NIGHTLY=false ends it."
    )
PHONE_REGION = env.str("PHONE_REGION", "RU")
NOTE_LANGUAGE = env.choice("NOTE_LANGUAGE", "ru", LANGUAGES_OF_NOTES)

# -- Watching ---------------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", "")
SENTRY_DSN = env.address("SENTRY_DSN", "", "https", "http")
sentry.start(SENTRY_DSN, urlsplit(PUBLIC_URL).hostname or "")

# -- Telling people ------------------------------------------------------------------------------------------

ALERTS = env.list("ALERTS", default=[])
ALERT_AFTER = timedelta(seconds=env.int("ALERT_AFTER_SECONDS", 60))
INCIDENT_AFTER = timedelta(minutes=env.int("INCIDENT_AFTER_MINUTES", 15))
DIGEST_HOUR = env.int("DIGEST_HOUR", 9)
SILENT_QUIZZES = env.bool("SILENT_QUIZZES", True)

# -- Logs: one line per outcome with ids, never payloads -----------------------------------------------------

logs.configure()
LOG_FORMAT = logs.log_format(env)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {shape: {"()": "config.logs.formatter", "shape": shape} for shape in logs.FORMATS},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", "INFO", LOG_LEVELS)},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},  # our own lines say what a task did
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}
