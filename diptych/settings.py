"""Settings, all from the environment, with defaults for a checkout on one's own machine.

DIPTYCH_MODE is `production` (secrets and addresses are required), `demo` (servers and secrets come from the state
folder) or `test`. `diptych.declared_settings` describes every variable. All missing and wrong values are reported
together, at the end of this file.
"""

import os
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from diptych.api_groups import GROUPS
from diptych.database.address import connection_settings
from diptych.declared_settings import SETTINGS
from diptych.embedded import state
from diptych.enum_names import ENUM_NAMES
from diptych.environment import Environment
from diptych.sweeps import SWEEPS

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = Environment(os.environ, SETTINGS)
MODE = ENV.choice("DIPTYCH_MODE")
PRODUCTION = MODE == "production"
HOME = state.Home.from_environment()


def address(name: str, schemes: set[str], server: str) -> str:
    """Return where a server listens: from the environment, or else from the running servers of the state folder."""
    value = ENV.text(name)
    if not value:
        return "" if PRODUCTION else HOME.running().get(server, "")
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number
        usable = False
    if not usable:
        ENV.refuse_secret(name, f"must begin with {sorted(schemes)[-1]}:// and name a host")
    return value if usable else ""


SECRET_KEY = ENV.text("SECRET_KEY") or ("" if PRODUCTION else HOME.secret("secret_key"))
SECRET_KEY_FALLBACKS = ENV.items("SECRET_KEY_FALLBACKS")
DEBUG = False
ALLOWED_HOSTS = ENV.items("ALLOWED_HOSTS")
if any("/" in host for host in ALLOWED_HOSTS):
    ENV.refuse("ALLOWED_HOSTS", "must contain host names only, without https:// and without a path")
if not PRODUCTION:
    ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
#: Number of our own proxies that a request passes. Each adds to X-Forwarded-For.
TRUSTED_PROXIES = ENV.integer("TRUSTED_PROXIES")
CSRF_TRUSTED_ORIGINS = ENV.items("CSRF_TRUSTED_ORIGINS")
if not all(origin.startswith(("https://", "http://")) for origin in CSRF_TRUSTED_ORIGINS):
    ENV.refuse("CSRF_TRUSTED_ORIGINS", "must contain addresses that begin with https://")

INSTALLED_APPS = [
    "diptych",
    "accounts",
    "jobs",
    "studies",
    "media",
    "webhooks",
    "catalog",
    "safety",
    "sources",
    "importing",
    "removal",
    "annotation",
    "consent",
    "answers",
    "trial",
    "qualification",
    "charts",
    "controls",
    "findings",
    "qc",
    "calibration",
    "suspensions",
    "figures",
    "simulation",
    "exports",
    "releases",
    "release_formats",
    "release_card",
    "release_records",
    "training",
    "demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "axes",
    "csp",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "knox",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "diptych.middleware.LengthRequiredMiddleware",
    "diptych.middleware.RefusalMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "diptych.middleware.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "diptych.middleware.InputMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "diptych.urls"
WSGI_APPLICATION = "diptych.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
            "builtins": ["diptych.templatetags.numbers", "diptych.templatetags.sentences", "diptych.text_direction"],
        },
    },
]

#: Our own templates of text fields, in templates/django/forms, follow the direction of the text that somebody types.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data ---------------------------------------------------------------------------------------------

#: Milliseconds that a statement of a web process waits for a lock. 0: without limit. `diptych.wsgi` applies it.
LOCK_WAIT_MS = ENV.integer("DATABASE_LOCK_WAIT_MS")
DATABASES: dict[str, dict[str, object]] = {}
try:
    DATABASES["default"] = connection_settings(address("DATABASE_URL", {"postgresql", "postgres"}, "database_url"))
except psycopg.Error:
    ENV.refuse_secret("DATABASE_URL", "must have only connection parameters of PostgreSQL after the question mark")
REDIS_URL = address("REDIS_URL", {"redis", "rediss"}, "redis_url")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Sessions are rows, so that no request needs the broker: docs/decisions/019-sessions-in-the-database.md.
SESSION_ENGINE = "accounts.sessions"

MEDIA_ROOT = Path(ENV.text("MEDIA_ROOT") or HOME.path / "media")
STATIC_ROOT = Path(ENV.text("STATIC_ROOT") or HOME.path / "static")
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "charts.bundle.MadeFilesFinder",
]

# How media reach browsers. `app`: the product sends them itself. `nginx`: the proxy sends them (X-Accel-Redirect below
# /internal-media/). `s3`: browsers get addresses of the bucket that MEDIA_S3_* describe.
MEDIA_DELIVERY = ENV.choice("MEDIA_DELIVERY")
MEDIA_BUCKET = {
    # The address for browsers, such as https://bucket.s3.eu-central-1.amazonaws.com
    "address": ENV.text("MEDIA_S3_PUBLIC_ADDRESS").rstrip("/"),
    "region": ENV.text("MEDIA_S3_REGION"),
    "key_id": ENV.text("MEDIA_S3_ACCESS_KEY"),
    "secret": ENV.text("MEDIA_S3_SECRET_KEY"),
}
MEDIA_ORIGINS: list[str] = []  # besides our own
# Only the user of web server and workers may read stored files. A proxy that sends them runs as that user.
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
FILES: dict[str, object] = {"BACKEND": "diptych.storage.AtomicFileSystemStorage"}
if MEDIA_DELIVERY == "s3":
    if MEDIA_BUCKET["address"] and not MEDIA_BUCKET["address"].startswith(("https://", "http://")):
        ENV.refuse("MEDIA_S3_PUBLIC_ADDRESS", "must begin with https://")
    MEDIA_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(MEDIA_BUCKET["address"]))]
    FILES = {
        "BACKEND": "diptych.object_storage.ObjectStorage",
        "OPTIONS": {
            "bucket_name": ENV.text("MEDIA_S3_BUCKET"),
            "endpoint_url": ENV.text("MEDIA_S3_ENDPOINT") or None,  # the address for the server; AWS's own if empty
            "region_name": MEDIA_BUCKET["region"],
            "access_key": MEDIA_BUCKET["key_id"],
            "secret_key": MEDIA_BUCKET["secret"],
            "addressing_style": ENV.choice("MEDIA_S3_ADDRESSING"),
            "signature_version": "s3v4",
            "default_acl": None,
        },
    }
STORAGES = {
    "default": FILES,
    "staticfiles": {"BACKEND": "diptych.staticfiles.ModuleStaticFilesStorage"},
}

# --- People -------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign_in"
#: The first hashes every password that a person chooses. The second is used only for one-time passwords.
PASSWORD_HASHERS = ["accounts.hashing.Argon2Hasher", "accounts.one_time_hasher.OneTimePasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

OTP_TOTP_ISSUER = "Diptych"

# Against guessed passwords: after ten wrong ones for one user name from one address, that pair must wait.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesBackend", "accounts.backends.PersonBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # many people share an address, and anybody can type a name
AXES_CLIENT_IP_CALLABLE = "accounts.middleware.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# --- E-mail, only to safety officers ----------------------------------------------------------------------

#: Empty: no e-mail is sent.
EMAIL_HOST = ENV.text("EMAIL_HOST")
EMAIL_PORT = ENV.integer("EMAIL_PORT", least=1)
EMAIL_HOST_USER = ENV.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = ENV.text("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = ENV.choice("EMAIL_SECURITY")
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENV.text("EMAIL_FROM")

# --- Webhooks -------------------------------------------------------------------------------------------

#: Private networks that webhooks may reach, also without TLS.
WEBHOOK_PRIVATE_NETWORKS = ENV.items("WEBHOOK_PRIVATE_NETWORKS")
try:
    for _network in WEBHOOK_PRIVATE_NETWORKS:
        ip_network(_network)
except ValueError:
    ENV.refuse("WEBHOOK_PRIVATE_NETWORKS", "must contain networks in CIDR notation, separated by commas")

# --- What imports refuse --------------------------------------------------------------------------------

#: Dotted paths of callables `check(sha256, path)` that return None, or why a file must not be stored.
KNOWN_HASH_CHECKS = ["safety.known_hashes.listed", "safety.known_hashes.in_quarantine"]
#: A text file with one hexadecimal SHA-256 on each line. What follows it on the line, and lines with `#`, are ignored.
KNOWN_HASHES_FILE = ENV.text("KNOWN_HASHES_FILE")

# --- Which videos are prepared ---------------------------------------------------------------------------

#: Seconds of the longest clip. `media.limits` has the other limits, and the reasons.
MEDIA_LONGEST_S = ENV.number("MEDIA_LONGEST_S")

# --- Uploads from a browser ------------------------------------------------------------------------------

#: The size of the largest file that is uploaded into an import, in bytes, and the number of files of one import.
UPLOAD_MOST_BYTES = ENV.integer("UPLOAD_MOST_BYTES", least=1)
UPLOAD_MOST_FILES = ENV.integer("UPLOAD_MOST_FILES", least=1)

# --- What imports from the page and the API can read -----------------------------------------------------

#: Folders of the server, with the system's separator between them. Outside production, also those of the product.
IMPORT_ROOTS = [Path(folder) for folder in ENV.items("IMPORT_ROOTS", os.pathsep)]
if not all(folder.is_absolute() for folder in IMPORT_ROOTS):
    ENV.refuse("IMPORT_ROOTS", "must contain absolute paths, which begin with /")
if not (PRODUCTION or IMPORT_ROOTS):
    IMPORT_ROOTS = [HOME.path / "imports", HOME.path / "demo-clips"]
#: Number of files, and of bytes, that are taken from one archive, bucket or upload.
IMPORT_MOST_FILES = ENV.integer("IMPORT_MOST_FILES", least=1)
IMPORT_MOST_BYTES = ENV.integer("IMPORT_MOST_BYTES", least=1)
#: Buckets, separated by commas, that `s3://` addresses may name. None: no import reads from S3.
IMPORT_S3_BUCKETS = ENV.items("IMPORT_S3_BUCKETS")
IMPORT_S3_ENDPOINT = ENV.text("IMPORT_S3_ENDPOINT")
IMPORT_S3_REGION = ENV.text("IMPORT_S3_REGION")
IMPORT_S3_ACCESS_KEY = ENV.text("IMPORT_S3_ACCESS_KEY")
IMPORT_S3_SECRET_KEY = ENV.text("IMPORT_S3_SECRET_KEY")

# --- API ----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.TokenAuthentication",
        "accounts.tokens.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "accounts.tokens.TokenCoversView"],
    "DEFAULT_RENDERER_CLASSES": ["diptych.rendering.ORJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["diptych.rendering.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "diptych.openapi.Schema",
    "URL_FORMAT_OVERRIDE": None,  # like any other query parameter: only endpoints that declare it accept it
    "EXCEPTION_HANDLER": "diptych.rendering.problem",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=90),
    "AUTO_REFRESH": False,
}
MIGRATION_MODULES = {"knox": None}  # our own table replaces its one table
KNOX_TOKEN_MODEL = "accounts.AccessToken"  # noqa: S105 - the name of a table
SPECTACULAR_SETTINGS = {
    "TITLE": "Diptych",
    "DESCRIPTION": (
        "Compare two videos of one prompt, and read the answers. Every operation lists the refusals it can give, "
        "each with its codes. Another method at one of these addresses gets 405 with the code `method_not_allowed`."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
    "TAGS": [{"name": group.name, "description": group.about} for group in GROUPS],
}

# --- Background work ------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "media.tasks.transcode_asset": {"queue": "media"},
    "controls.tasks.make_controls": {"queue": "media"},  # re-encoding needs ffmpeg
    "training.tasks.train": {"queue": "gpu"},  # for workers without a database (`training/worker/`)
}
# The queue is the rows. So a message is acknowledged early, and the broker never delivers it again.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # workers and beat wait for the broker without limit
# For workers and beat. Requests wait far less: see diptych.broker.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BEAT_SCHEDULE = SWEEPS

# --- Languages and time -------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["diptych.formats"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- Trust --------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "blob:", *MEDIA_ORIGINS],
        "media-src": [SELF, "blob:", *MEDIA_ORIGINS],
        "connect-src": [SELF, *MEDIA_ORIGINS],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
# The owner of the domain decides at the proxy about other hosts below it and about browsers' preload lists.
# axes' middleware has nothing to do: our sign-in form says itself that somebody must wait.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021", "axes.W002"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "diptych.problems.csrf_failure"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz(/workers)?$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS[1:]]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENV.choice("LOG_LEVEL")},
    "loggers": {"django.request": {"level": "ERROR"}},
}

if not (BASE_DIR / "templates").is_dir():
    ENV.report(
        f"The pages in {BASE_DIR / 'templates'} are missing. Install the product from a checkout, with "
        "`pip install -e .`, so that it finds its files there."
    )
ENV.check()
