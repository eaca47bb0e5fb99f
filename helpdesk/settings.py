"""Every setting, in one file. The environment is read here and nowhere else.

SITE_URL decides how strict the desk is: https means Secure `__Host-` cookies, HSTS, a redirect and a second
factor for staff; http on a loopback address means a desk on one's own machine; http anywhere else refuses to boot
(helpdesk/checks.py).
"""

import contextlib
import ipaddress
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from helpdesk import embedded, job_kinds

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("HELPDESK_DATA") or BASE_DIR / ".data")


# --- Where the desk stands -------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Whether a URL's host names this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_secret() -> str:
    """A secret made at the first start and kept beside the data: only for a desk on loopback."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"secret_key.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(50))
        # Another process may have been quicker: the link fails and its secret stays.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    return path.read_text()


SITE_URL = os.environ.get("SITE_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}").rstrip("/")
_site = urlsplit(SITE_URL)
SITE_HOST = _site.hostname or ""
SITE_IS_LOCAL = _site.scheme == "http" and is_loopback(SITE_HOST)
SITE_IS_SECURE = _site.scheme == "https"
# The domain of the desk's own addresses and Message-IDs. A number is no domain.
MAIL_DOMAIN = os.environ.get("MAIL_DOMAIN") or ("localhost" if SITE_IS_LOCAL else SITE_HOST)

DEBUG = False
SECRET_KEY = os.environ.get("SECRET_KEY") or (own_secret() if SITE_IS_LOCAL else "")
ALLOWED_HOSTS = [h for h in os.environ.get("ALLOWED_HOSTS", "").split(",") if h] or (
    ["127.0.0.1", "localhost", "[::1]"] if SITE_IS_LOCAL else [SITE_HOST]
)
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_IS_SECURE else []

# --- What it is made of ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "helpdesk",
    "helpdesk.accounts",
    "helpdesk.audit",
    "helpdesk.outbox",
    "helpdesk.jobs",
    "sla",
    "oncall",
    "tickets",
    "awsint",
    "docs",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_q",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
]
MIDDLEWARE = [
    "helpdesk.middleware.SecurityHeaders",
    "helpdesk.problem.ProblemsUnderApi",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "helpdesk.middleware.DatabaseAway",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "helpdesk.accounts.middleware.LanguageAndZone",
    "helpdesk.accounts.middleware.SecondFactor",
    "helpdesk.accounts.middleware.Origin",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "helpdesk.urls"
WSGI_APPLICATION = "helpdesk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "helpdesk.engine.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpdesk.pages.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "helpdesk.templatetags.quick",
                "helpdesk.templatetags.desk",
                "helpdesk.templatetags.clocks",
                "helpdesk.templatetags.reports",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Data ------------------------------------------------------------------------------------------------------------


def database(url: str) -> dict[str, Any]:
    """Django's form of `postgres://user:password@host:port/name`; raises ValueError for any other scheme."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise ValueError("DATABASE_URL must look like postgres://user:password@host:5432/name")
    return {
        "ENGINE": "helpdesk.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "helpdesk",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "server_side_binding": False,
            # For what helpdesk/kept.py asks; the ORM's own statements are never prepared.
            "prepare_threshold": 2,
            "options": "-c statement_timeout=30000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000",
        },
        "TEST": {"NAME": f"test_helpdesk{os.environ.get('TEST_DB_SUFFIX', '')}"},
    }


DATABASE_IS_EMBEDDED = not os.environ.get("DATABASE_URL")
DATABASES = {"default": database(os.environ.get("DATABASE_URL") or embedded.url())}
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "helpdesk.cache.TableCache", "LOCATION": "helpdesk_cache", "TIMEOUT": 600},
    # django-q2 writes its status every second: that is nobody else's business.
    "q2": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "q2"},
}
if _cache_url := os.environ.get("CACHE_URL"):
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _cache_url}

Q_CLUSTER = {
    "name": "helpdesk",
    "orm": "default",
    "workers": 2,
    "recycle": 500,
    "timeout": 120,
    "retry": 300,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 250,
    "bulk": 1,
    "poll": 0.5,
    "cache": "q2",
    "label": "django-q2",
}
SESSION_ENGINE = "helpdesk.accounts.session_store"

# --- People ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["helpdesk.accounts.backends.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "helpdesk.accounts.passwords.UnlikeOneself",
        "OPTIONS": {"user_attributes": ["email", "name"]},
    },
    {"NAME": "helpdesk.accounts.passwords.LongEnough", "OPTIONS": {"min_length": 12}},
    {"NAME": "helpdesk.accounts.passwords.Uncommon"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_ADAPTER = "helpdesk.accounts.adapter.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_PREVENT_ENUMERATION = True
# A link to set a password opens nothing for somebody who was deactivated meanwhile.
ACCOUNT_FORMS = {
    "reset_password": "helpdesk.accounts.forms.ResetForm",
    "user_token": "helpdesk.accounts.forms.ResetTokenForm",
}
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_IS_LOCAL
MFA_TOTP_ISSUER = "Help desk"
MFA_ADAPTER = "helpdesk.accounts.adapter.SecondFactorAdapter"
# Whether staff must have a second factor before they see anything.
SECOND_FACTOR_REQUIRED = SITE_IS_SECURE

# --- Cookies, headers ------------------------------------------------------------------------------------------------

_prefix = "__Host-" if SITE_IS_SECURE else ""
SESSION_COOKIE_NAME = f"{_prefix}session"
CSRF_COOKIE_NAME = f"{_prefix}csrf"
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SITE_IS_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_FAILURE_VIEW = "helpdesk.pages.csrf_failure"
SECURE_SSL_REDIRECT = SITE_IS_SECURE
SECURE_HSTS_SECONDS = 63072000 if SITE_IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SITE_IS_SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
X_FRAME_OPTIONS = "DENY"
# Only where a proxy of ours stands in front may its headers speak; anybody else could forge them.
TRUSTED_PROXIES = [p for p in os.environ.get("TRUSTED_PROXIES", "").split(",") if p]
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if TRUSTED_PROXIES else 0
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# What the first start on this machine writes: "full" with 90 days of tickets, a "day" of them, "people", or "none".
DEMO = os.environ.get("DEMO", "full")

# --- Languages and zones ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("zh-hans", _("Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
# What a new person or company is offered first, until an administrator chooses (helpdesk/site.py).
DEFAULT_LANGUAGE = os.environ.get("DEFAULT_LANGUAGE", "zh-hans")
DEFAULT_ZONE = os.environ.get("DEFAULT_ZONE", "Asia/Shanghai")

# --- What is asked of AWS, and how often -----------------------------------------------------------------------------

# The policy promises these, and the schedule keeps them.
SUPPORT_POLL_MINUTES = 10
HEALTH_POLL_MINUTES = 15
# Where everything of AWS is asked in place of AWS itself (boto3 reads it too): a simulator's address. AWS itself
# has another address for each service: one for all is a simulator, and whatever it feeds says so.
AWS_ENDPOINT_URL = os.environ.get("AWS_ENDPOINT_URL", "")
AWS_IS_SIMULATED = bool(AWS_ENDPOINT_URL)

# --- Attached files --------------------------------------------------------------------------------------------------


def attachments(url: str) -> dict[str, Any]:
    """Django's form of STORAGE_URL: a folder (`/srv/files`, `file:///srv/files`) or `s3://bucket/prefix?region=..`.

    Raises ValueError where it is neither.
    """
    parts = urlsplit(url)
    if parts.scheme in ("", "file") and not parts.netloc:
        folder = unquote(parts.path) or str(DATA_DIR / "files")
        if not folder.startswith("/"):
            raise ValueError("STORAGE_URL names a folder without its whole path.")
        return {"BACKEND": "helpdesk.storage.DiskStore", "OPTIONS": {"location": folder}}
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme != "s3" or not parts.netloc or set(asked) - {"region", "endpoint"}:
        raise ValueError("STORAGE_URL is neither a folder nor an address in S3.")
    options = {
        "bucket_name": parts.netloc,
        "location": parts.path.strip("/"),
        "region_name": asked.get("region"),
        "endpoint_url": asked.get("endpoint"),
        "spool": DATA_DIR / "incoming",
    }
    return {"BACKEND": "helpdesk.bucket.BucketStore", "OPTIONS": options}


# What is wrong with it, for the boot checks.
STORAGE_PROBLEM = ""
try:
    _attachments = attachments(os.environ.get("STORAGE_URL", ""))
except ValueError as error:
    STORAGE_PROBLEM, _attachments = str(error), attachments("")
# Files of a form go straight to where they will lie, at the doors that take files, and nowhere else.
FILE_UPLOAD_HANDLERS = [
    "helpdesk.pictures.LogoUpload",
    "sla.calendar_forms.CalendarUpload",
    "awsint.account_file.AccountsUpload",
    "tickets.receiving.FormFiles",
]

# --- Letters ---------------------------------------------------------------------------------------------------------


def mail(url: str) -> dict[str, Any]:
    """What EMAIL_URL says: `way` is smtp, ses, console or none, the rest is what that way needs.

    `smtp://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS from the start), `ses://eu-central-1` (credentials
    from AWS's own places), `console:` (printed by the worker), `none:` (letters wait). `?rate=14` says how many a
    second one pulse may send, `&set=desk` names the configuration set of Amazon SES, by API or SMTP. Raises ValueError.
    """
    parts = urlsplit(url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    rate = asked.pop("rate", "14" if parts.scheme == "ses" else "200")
    if not rate.isdecimal() or not 0 < int(rate) <= 1000:
        raise ValueError("EMAIL_URL has a rate that is no number from 1 to 1000.")
    configuration = asked.pop("set", "")
    if configuration and not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", configuration):
        raise ValueError("EMAIL_URL has a set that is no name of a configuration set.")
    if asked:
        raise ValueError(f"EMAIL_URL does not know {', '.join(sorted(asked))}.")
    told: dict[str, Any] = {"way": parts.scheme, "rate": int(rate), "set": configuration}
    if parts.scheme in ("console", "none") and not parts.netloc:
        return told
    if parts.scheme == "ses" and re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", parts.netloc) and not parts.path.strip("/"):
        return told | {"region": parts.netloc}
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/"):
        raise ValueError("EMAIL_URL is no address of a mail server.")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("EMAIL_URL has a user without a password, or the other way round.")
    secure = parts.scheme == "smtps"
    return told | {
        "way": "smtp",
        "host": parts.hostname,
        # Raises ValueError itself where it is no port.
        "port": parts.port or (465 if secure else 587 if parts.username else 25),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "tls_at_once": secure,
        # A password goes in clear to this machine only.
        "tls_required": secure or (bool(parts.username) and not is_loopback(parts.hostname)),
    }


# What is wrong with it, for the boot checks. `up` catches the letters of a desk on one's own machine and says where.
EMAIL_PROBLEM = ""
EMAIL_IS_MISSING = not os.environ.get("EMAIL_URL")
try:
    MAIL = mail(os.environ.get("EMAIL_URL") or "none:")
except ValueError as error:
    EMAIL_PROBLEM, MAIL = str(error), mail("none:")
# Where `manage.py mail_server` puts what it catches.
MAIL_CAUGHT = DATA_DIR / "mail"
# Nothing is sent from a request: allauth's own mails become letters too (helpdesk/accounts/adapter.py).
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_FROM_EMAIL = f"support@{MAIL_DOMAIN}"
ANYMAIL = {
    "AMAZON_SES_CLIENT_PARAMS": {
        "region_name": MAIL.get("region"),
        # One try within the deadline of a letter: whatever comes next is the letter's own retry.
        "config": {"connect_timeout": 5, "read_timeout": 10, "retries": {"total_max_attempts": 1}},
    },
    "AMAZON_SES_CONFIGURATION_SET_NAME": MAIL["set"] or None,
}
# Who may say at /mail/ses/events/ what became of letters: these topics of Amazon SNS, at an address that bears the
# secret, "name:password". Without topics the door is closed, and nothing is ever called delivered.
SES_EVENTS: dict[str, Any] = {
    "topics": frozenset(t.strip() for t in os.environ.get("SES_EVENT_TOPICS", "").split(",") if t.strip()),
    "secret": os.environ.get("SES_EVENT_SECRET", ""),
}
# Who knows what a letter says, by how its kind begins: (letter, at) -> helpdesk.outbox.content.Content or None.
OUTBOX_CONTENT = {
    "ticket.": "tickets.letters.content",
    "account.": "helpdesk.accounts.letters.content",
    "calendar.": "sla.calendar_ends.content",
    "plan.": "sla.plan_ends.content",
    "sla.month": "tickets.month_letters.content",
    "aws.": "awsint.letters.content",
}
# What must still be true when a letter leaves, by the name in its `guard`: a function of the letter.
OUTBOX_GUARDS = {
    "clock_still_open": "tickets.ladder.clock_still_open",
    "cause_still_owed": "tickets.causes.cause_still_owed",
    "still_waiting": "tickets.waking.still_waiting",
    "still_resolved": "tickets.waking.still_resolved",
}
OUTBOX_SENT = {"ticket.aws_event": "awsint.health_proof.sent"}  # Who notes that a letter of this kind was taken.
OUTBOX_BACK = {"ticket.aws_event": "awsint.health_proof.came_back"}  # And that the provider says it came back for good.

TICKET_PANELS = ["awsint.panel.panel"]  # What higher storeys show on a ticket's page (tickets/panels.py).
JOB_KINDS = job_kinds.KINDS  # Long jobs (helpdesk/jobs/work.py).

# --- Static files, log -----------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "attachments": _attachments,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "WARNING")},
}
SILENCED_SYSTEM_CHECKS = [
    # X-Frame-Options is set by our own SecurityHeaders, with the other headers and on every answer.
    "security.W002",
    # The CSRF cookie is read by no script: forms carry the token.
    "models.W042",
]
