"""One settings file, from the environment. A missing or bad variable explains itself."""

import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from audit.tlog.policy import Policy, parse_policy
from audit.tlog.texts import Malformed
from config import machines, workers
from config.journal import tracking

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


def explained(name: str, problem: str, remedy: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}: {problem} {remedy} See .env.example.")


# Secrets may stand in a file: NAME_FILE says where (container secrets, service credentials).
FILED = (
    "SAYSO_SECRET_KEY",
    "SAYSO_SECRET_KEY_FORMER",
    "DATABASE_URL",
    "REDIS_URL",
    "SAYSO_METRICS_TOKEN",
    "SAYSO_OIDC_SECRET",
)


def filed(name: str) -> str:
    """The variable, or what stands in the file that NAME_FILE names; empty where neither is set."""
    value, place = str(env.str(name, default="")), str(env.str(f"{name}_FILE", default=""))
    if value and place:
        raise explained(name, f"{name}_FILE is set as well.", "Set one of the two.")
    if not place:
        return value
    try:
        return Path(place).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise explained(f"{name}_FILE", "this file cannot be read.", "Name one.") from error


def flag(name: str) -> bool:
    word = env.str(name, default="0").strip().lower()
    if word not in {"0", "1", "true", "false", "yes", "no"}:
        raise explained(name, f"{word!r} is neither on nor off.", "Write 1 or 0.")
    return word in {"1", "true", "yes"}


def number(name: str, default: int, least: int, most: int) -> int:
    word = env.str(name, default=str(default)).strip()
    if not re.fullmatch(r"[0-9]{1,18}", word) or not least <= int(word) <= most:
        raise explained(name, f"{word!r} is not usable.", f"Write a number {least} to {most}.")
    return int(word)


def folder(name: str, default: str) -> Path:
    path = Path(str(env.str(name, default=default))).expanduser()
    return (BASE_DIR / path).resolve()  # without detours, so that folders can be compared


# The demonstration makes its own secrets and keys; everything else must be given them.
DEMO = flag("SAYSO_DEMO")
DEBUG = flag("SAYSO_DEBUG")
if DEBUG and not DEMO:
    raise explained("SAYSO_DEBUG", "it shows inner detail.", "It needs SAYSO_DEMO=1 as well.")

# Keys stand outside the database and outside the data folder.
SAYSO_DATA = folder("SAYSO_DATA", "var/data")
SAYSO_KEYS = folder("SAYSO_KEYS", "var/keys")
if SAYSO_KEYS == SAYSO_DATA or SAYSO_DATA in SAYSO_KEYS.parents:
    raise explained(
        "SAYSO_KEYS", "the key folder lies inside the data folder.", "Put it somewhere else."
    )

# Every no once more, sealed: outside the database, and outside what a backup copies.
SAYSO_NOES = folder("SAYSO_NOES", str(SAYSO_DATA.parent / "noes"))
if SAYSO_NOES == SAYSO_DATA or SAYSO_DATA in SAYSO_NOES.parents:
    raise explained(
        "SAYSO_NOES",
        "the file of noes lies inside the data folder, which backups copy.",
        "Put it somewhere else.",
    )


def secret(name: str, file_name: str) -> str:
    """A secret from the environment or the key folder; made only for the demonstration."""
    given = filed(name)
    path = SAYSO_KEYS / file_name
    if not given and path.is_file():
        given = path.read_text(encoding="ascii").strip()
    if not given and DEMO:
        given = secrets.token_urlsafe(50)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with path.open("x", encoding="ascii") as file:
                path.chmod(0o600)
                file.write(given)
        except FileExistsError:
            given = path.read_text(encoding="ascii").strip()
    if not given:
        raise explained(name, "it is not set.", "Set it to 50 random signs or more.")
    if len(given) < 50:
        raise explained(name, "it is too short.", "Use 50 random signs or more.")
    if len(set(given)) < 10 or given.lower().startswith(("django-insecure", "change", "default")):
        raise explained(name, "it can be guessed.", "Use 50 random signs or more.")
    return given


SECRET_KEY = secret("SAYSO_SECRET_KEY", "django.secret")
# While it is changed: what the former one sealed (sessions, second factors) still opens.
SECRET_KEY_FALLBACKS = filed("SAYSO_SECRET_KEY_FORMER").split()
ALLOWED_HOSTS = env.list("SAYSO_HOSTS", default=["127.0.0.1", "localhost"] if DEMO else [])
if not ALLOWED_HOSTS:
    raise explained("SAYSO_HOSTS", "it is not set.", "List the host names, with commas.")

# What survivors see; each deployment sets its own neutral words and its own way out.
SITE_NAME = env.str("SAYSO_SITE_NAME", default="My page")
ICONS = ("dot", "leaf", "book", "cloud")
ICON = env.str("SAYSO_ICON", default="dot")
if ICON not in ICONS:
    raise explained("SAYSO_ICON", "there is no such picture.", f"Choose of {', '.join(ICONS)}.")
SITE_NAME_ES = env.str("SAYSO_SITE_NAME_ES", default="")
SITE_NAME_ES = SITE_NAME_ES or ("Mi página" if SITE_NAME == "My page" else SITE_NAME)
LEAVE_URL = env.str("SAYSO_LEAVE_URL", default="https://www.weather.gov/")
if not re.fullmatch(r"https?://[^/;,\s'\"]+(/[^\s]*)?", LEAVE_URL):
    raise explained("SAYSO_LEAVE_URL", "it is not an address.", "Example: https://example.org/")
LOG_ORIGIN = env.str("SAYSO_LOG_ORIGIN", default="sayso.example/log")


def witnesses(name: str) -> Policy:
    """The policy file of witnesses outside (C2SP tlog-policy); nobody's word counts without one."""
    place = str(env.str(name, default=""))
    if not place:
        return Policy()
    try:
        found = parse_policy(Path(place).read_bytes())
    except OSError as error:
        raise explained(name, "this file cannot be read.", "Name a policy file.") from error
    except Malformed as error:
        raise explained(name, str(error), "See https://c2sp.org/tlog-policy.") from error
    if any(len(each.cosigner.name) > 180 for each in found.witnesses.values()):
        raise explained(name, "a witness's name is too long.", "180 signs are the most.")
    return found


WITNESSES = witnesses("SAYSO_WITNESSES")
# Whether nothing is handed over before as many witnesses as the policy demands have signed it.
WITNESSES_GATE = flag("SAYSO_WITNESSES_GATE")
if WITNESSES_GATE and WITNESSES.quorum == "none":
    raise explained(
        "SAYSO_WITNESSES_GATE", "the policy demands no witness.", "Set SAYSO_WITNESSES to one."
    )
# A second signature line, with an ML-DSA-44 key made from the log's own seed.
LOG_MLDSA = flag("SAYSO_LOG_MLDSA")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "audit",  # before auditlog: its own flush command stands in the way of theirs
    "auditlog",
    "rest_framework",
    "oauth2_provider",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "governance",
    "consent",
    "release",
    "oversight",
    "portal",
    "desk",
    "api",
]

MIDDLEWARE = [
    "config.requests.Noted",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.headers.Compressed",
    "config.headers.NothingKept",
    "csp.middleware.CSPMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.readable.Readable",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.acting.Acting",
    "config.sittings.Sittings",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.middleware.SurvivorsDoor",
    "config.errors.PlainErrors",
    "desk.middleware.SecondFactorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.page",
            ],
        },
    },
]


def database() -> dict[str, Any]:
    try:
        address = filed("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'var' / 'sayso.sqlite3'}"
        found: dict[str, Any] = env.db_url_config(address)
    except ImproperlyConfigured:
        raise
    except Exception as error:
        raise explained(
            "DATABASE_URL", "it is not a database address.", "Example: postgres:///sayso"
        ) from error
    engine = found.get("ENGINE", "")
    if engine == "django.db.backends.sqlite3":
        name = Path(found["NAME"])
        if str(name) == ":memory:":
            raise explained("DATABASE_URL", "an in-memory database loses words.", "Name a file.")
        name.parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE: a writer waits before it reads, so what it reads is what it writes upon.
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # What is deleted is overwritten: a shredded person's key is not to be found in the file.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA secure_delete=ON;",
        }
        # Threads of one test must see one database: a file, never memory.
        found["TEST"] = {"NAME": str(name.with_name(f"test-{name.name}"))}
    elif engine == "django.db.backends.postgresql":
        found["CONN_MAX_AGE"] = 60
        found["CONN_HEALTH_CHECKS"] = True
        # A snapshot taken before a lock would read what was true before it: READ COMMITTED only.
        found["OPTIONS"] = {
            "options": "-c default_transaction_isolation=read\\ committed -c synchronous_commit=on"
            # A machine that vanished with a lock in its hand is given up after half a minute.
            " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=4",
            "connect_timeout": 5,  # seconds; a readiness check must not hang with the database
            # The statements of a decision about one person, and every deed's entry, are prepared
            # once a connection (common.planned); Django's own never are. A pooler between must keep a
            # session or know prepared statements (PgBouncer 1.21 or newer with
            # max_prepared_statements above 0); without one, None here plans it anew each time.
            "prepare_threshold": 5,
        }
    else:
        raise explained(
            "DATABASE_URL", "this kind of database is not supported.", "Use sqlite or postgres."
        )
    found["ATOMIC_REQUESTS"] = False
    return found


DATABASES = {"default": database()}

AUTH_USER_MODEL = "governance.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# Object permissions only through our permissions modules; nothing patched on, no anonymous user.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False

# The change journal. Who acts is said by config.acting, never by the library's own middleware,
# which keeps what strangers write into headers.
AUDITLOG_LOGENTRY_MODEL = "audit.LogEntry"
AUDITLOG_INCLUDE_TRACKING_MODELS = tracking()
AUDITLOG_MASK_CALLABLE = "audit.rules.masked"
AUDITLOG_STORE_JSON_CHANGES = True  # as text, nothing and the word None would be the same
AUDITLOG_DISABLE_REMOTE_ADDR = True
# Our LogEntry has migrations of its own; theirs would leave an empty table that nothing knows.
MIGRATION_MODULES = {"auditlog": None}

# The staff door: name and password, then a second factor, always. No mail, no sign-up, no reset.
ACCOUNT_ADAPTER = "desk.adapters.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_USER_MODEL_EMAIL_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,5/5m/key"}
MFA_ADAPTER = "desk.adapters.SealingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = SITE_NAME

# Staff may sign in through their organisation's own OpenID Connect provider, once they have linked it
# from inside. It stands for the password; a code is asked as ever, unless the provider says by one of
# these words (`amr` or `acr`) that it asked for a second factor itself.
OIDC_URL = env.str("SAYSO_OIDC_URL", default="").rstrip("/")
OIDC_CLIENT = env.str("SAYSO_OIDC_CLIENT", default="")
OIDC_SECRET = filed("SAYSO_OIDC_SECRET")
OIDC_NAME = env.str("SAYSO_OIDC_NAME", default="") if OIDC_URL else ""
OIDC_SECOND_FACTOR = env.list("SAYSO_OIDC_SECOND_FACTOR", default=[])
place = (r"https?" if DEMO else r"https") + r"://[^/;,\s'\"]+"
if OIDC_URL and not re.fullmatch(place + r"(/[^\s?#]*)?", OIDC_URL):
    raise explained("SAYSO_OIDC_URL", "it is not an address.", "Example: https://login.example.org")
if OIDC_URL and not (OIDC_CLIENT and OIDC_SECRET and OIDC_NAME):
    raise explained(
        "SAYSO_OIDC_URL",
        "a provider needs three more.",
        "Set SAYSO_OIDC_CLIENT, SAYSO_OIDC_SECRET and SAYSO_OIDC_NAME.",
    )
# Where its pages stand, if not at that address: browsers follow a form to no other place.
OIDC_PLACES = env.list("SAYSO_OIDC_PLACES", default=[])
OIDC_PLACES = OIDC_PLACES or ["{0.scheme}://{0.netloc}".format(urlsplit(OIDC_URL))]
if OIDC_URL and not all(re.fullmatch(place, each) for each in OIDC_PLACES):
    raise explained("SAYSO_OIDC_PLACES", "one is no place.", "Example: https://login.example.org")
SOCIALACCOUNT_ADAPTER = "desk.provider.StaffSocialAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_QUERY_EMAIL = False
# How many proxies of our own stand in front: whose word about the caller's address counts.
ALLAUTH_TRUSTED_PROXY_COUNT = number("SAYSO_PROXIES", 0, 0, 5)

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True


def time_zone(name: str) -> str:
    """A place of the IANA time zone database, by whose clock people here live."""
    word = str(env.str(name, default="")).strip() or "UTC"
    try:
        ZoneInfo(word)
    except (KeyError, ValueError, OSError) as error:  # unknown; no name at all; a region's folder
        raise explained(name, f"{word!r} is no time zone.", "Example: America/Chicago.") from error
    return word


# Days, hours and working hours as people read them. What is stored, signed and told to machines is UTC.
TIME_ZONE = time_zone("SAYSO_TIME_ZONE")

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
WHITENOISE_USE_FINDERS = DEMO
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
if DEMO:  # nothing is collected there, but the file server warns about a folder that is not
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF],
        # The way out too: browsers hold the redirect after a form to this list.
        "form-action": [SELF, "{0.scheme}://{0.netloc}".format(urlsplit(LEAVE_URL))],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# Nothing to anybody else. With "no-referrer" browsers send forms with the origin "null", which the
# check against forged forms must refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 15 * 60
# However busy somebody is: after so many hours they sign in again.
SESSION_HOURS = number("SAYSO_SESSION_HOURS", 8, 1, 24)
SESSION_SAVE_EVERY_REQUEST = True
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.errors.form_too_old"
SECURE = flag("SAYSO_HTTPS") if DEMO else True
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
# What watches over the service asks it directly, past the proxy that speaks https.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
# A proxy of ours in front ends https and says so; without one nobody's word counts.
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
)
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
DATA_UPLOAD_MAX_MEMORY_SIZE = 262_144
# No upload is ever spooled to a temporary file in clear. The one address that takes files seals
# them piece by piece with a handler of its own.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

# The release engine: where memory ends, it refuses (503); it never spills to disk.
ENGINE_MEMORY_MB = number("SAYSO_ENGINE_MEMORY_MB", 512, 16, 65_536)
ENGINE_WORKERS = number("SAYSO_ENGINE_WORKERS", 2, 1, 64)
ENGINE_SEATS = number("SAYSO_ENGINE_SEATS", 2, 1, 64)  # releases written at once on this machine

# How long a yes waits that lets more go than before, or the first one to police, a prosecutor or an
# immigration office; and how long an ask for a yes can be answered.
COOLING_HOURS = number("SAYSO_COOLING_HOURS", 24, 1, 720)
ASK_DAYS = number("SAYSO_ASK_DAYS", 30, 1, 365)

# Between the second yes to shredding somebody's key and its end, in which it can be called off.
SHRED_DAYS = number("SAYSO_SHRED_DAYS", 7, 1, 365)

# The most one file sent through the machines' door may have.
UPLOAD_MB = number("SAYSO_UPLOAD_MB", 4096, 1, 262_144)

# Figures are shown to whoever has this token; without one there are none.
METRICS_TOKEN = filed("SAYSO_METRICS_TOKEN")
if METRICS_TOKEN and (len(METRICS_TOKEN) < 32 or len(set(METRICS_TOKEN)) < 10):
    raise explained(
        "SAYSO_METRICS_TOKEN", "it is too short or can be guessed.", "Use 32 random signs or more."
    )
# Less than this free where sealed parts lie: not ready.
DISK_LEAST_MB = number("SAYSO_DISK_LEAST_MB", 1024, 1, 1_000_000)

# Where it runs for real, one line of JSON each, without anything of anybody (common.logs).
OUR_LOGGERS = (
    *("api", "audit", "config", "consent", "desk", "governance", "interop", "oversight", "portal"),
    "release",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
        "json": {"()": "common.logs.JsonLines"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line" if DEMO else "json"}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {name: {"level": "WARNING" if DEMO else "INFO"} for name in OUR_LOGGERS}
    # Its warnings are refusals, which config.requests has noted; without words they say nothing.
    | {"django.request": {"level": "WARNING" if DEMO else "ERROR"}},
}

# The machines' door: tokens only, JSON only, closed by default, every refusal as problem+json.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "api.authentication.HoldsScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.parsers.StrictJSON"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.negotiation.OneForm",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_THROTTLE_CLASSES": ["api.throttling.MachineThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "machine": "1200/min",
        "decision": "18000/min",
        "door": "60/min",
        "log": "1200/min",
    },
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "EXCEPTION_HANDLER": "api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}

OAUTH2_PROVIDER_APPLICATION_MODEL = machines.APPLICATION
OAUTH2_PROVIDER = machines.OAUTH
SPECTACULAR_SETTINGS = machines.DESCRIPTION

REDIS_URL = filed("REDIS_URL")
if REDIS_URL and not re.match(r"(rediss?|unix)://", REDIS_URL):
    raise explained("REDIS_URL", "it is not an address of Redis.", "Example: redis://host:6379/0")
# No request waits longer for a Redis that does not answer.
REDIS_PATIENCE = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
BROKER_PATIENCE = {**REDIS_PATIENCE, "max_retries": 0, "health_check_interval": 0}
# Counters of failed sign-ins live here: with several web processes they must be one count.
CACHES = {
    "default": (
        {
            "BACKEND": "config.cache.Counting",
            "LOCATION": REDIS_URL,
            "OPTIONS": {**REDIS_PATIENCE, "retry": None},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
    | {"KEY_FUNCTION": "config.keys.blinded"}
}

# The clock's workers. Whatever is lost in Redis is found again in the tables (release.broker).
CELERY = workers.options(REDIS_URL, hands=ENGINE_SEATS)
