"""Every setting of Refrain, read from the environment once. Production refuses to start with a default secret."""

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from infra import environment

environment.load_running_stack()

BASE_DIR = Path(__file__).resolve().parent.parent
MODE = environment.choice("REFRAIN_MODE", ("production", "demo", "test"), "production")
IN_PRODUCTION = MODE == "production"
DEBUG = False
BASE_URL = environment.text("REFRAIN_BASE_URL", None if IN_PRODUCTION else "http://127.0.0.1:8000")

_secret = environment.secret_from_file("REFRAIN_SECRET_KEY_FILE")
if _secret is None and MODE != "test":
    raise ImproperlyConfigured("REFRAIN_SECRET_KEY_FILE is not set: a secret made for this installation is needed")
SECRET_KEY = _secret.decode() if _secret else "a-secret-for-throw-away-tests-and-nothing-else-0123456789"
SIGNING_KEY_FILE = environment.text("REFRAIN_SIGNING_KEY_FILE", "")
# Seals bank accounts in the database: 64 hexadecimal digits a line, the first line seals, the others open older seals.
IBAN_KEY_FILE = environment.text("REFRAIN_IBAN_KEY_FILE", "")

ALLOWED_HOSTS = ["*"] if MODE == "test" else environment.text("REFRAIN_ALLOWED_HOSTS", "127.0.0.1,localhost").split(",")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https:")
# Whose word about a client's address is taken (X-Forwarded-For); without it everybody behind a proxy counts as one.
TRUSTED_PROXIES = environment.text("REFRAIN_TRUSTED_PROXIES", "127.0.0.1" if IN_PRODUCTION else "")
if IN_PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000

# The co-op: one currency, one time zone. Both are fixed once the first period is sealed.
CURRENCY = environment.text("REFRAIN_CURRENCY", "EUR")
COOP_TIME_ZONE = environment.text("REFRAIN_TIME_ZONE", "Europe/Berlin")
try:
    ZoneInfo(COOP_TIME_ZONE)
except (ZoneInfoNotFoundError, ValueError):
    raise ImproperlyConfigured(f"REFRAIN_TIME_ZONE: {COOP_TIME_ZONE!r} is no time zone") from None
COUNTRY = environment.text("REFRAIN_COUNTRY", "DE")
# Whose account payouts leave from. Without one there is no file for the bank.
COOP_NAME = environment.text("REFRAIN_COOP_NAME", "Refrain")
COOP_IBAN = environment.text("REFRAIN_COOP_IBAN", "" if IN_PRODUCTION else "DE02120300000000202051")
# VAT on credit follows the listener's country (playback/vat.py), unless one rate is set here for everybody.
VAT_PPM = environment.number("REFRAIN_VAT_PPM", 0) if environment.text("REFRAIN_VAT_PPM", "") else None
CLOCK_MAY_MOVE = MODE in ("demo", "test")

INSTALLED_APPS = [
    "members",
    "catalog",
    "playback",
    "royalties",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "infra",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "infra.headers.PageHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "members.access.DoorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "infra.pages.ProblemPagesMiddleware",
    "infra.closed.ClosedMiddleware",
]

ROOT_URLCONF = "infra.urls"
WSGI_APPLICATION = "infra.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "infra" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "infra.pages.site",
            ],
            "builtins": ["members.templatetags.money"],
        },
    },
]

# PostgreSQL, everywhere. The web and the worker sign in as a role that owns no table; migrations run as the owner.
AS_OWNER = environment.flag("REFRAIN_AS_OWNER")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": environment.text("REFRAIN_DB_HOST", "/var/run/postgresql"),
        "PORT": environment.text("REFRAIN_DB_PORT", "5432"),
        "NAME": environment.text("REFRAIN_DB_NAME", "refrain"),
        "USER": environment.text("REFRAIN_DB_OWNER", "refrain_owner")
        if AS_OWNER or MODE == "test"
        else environment.text("REFRAIN_DB_USER", "refrain_web"),
        "PASSWORD": environment.text("REFRAIN_DB_PASSWORD", ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"TEMPLATE": environment.text("REFRAIN_DB_TEMPLATE", "template1")},
        "OPTIONS": {
            "prepare_threshold": 2,
            "options": ""
            if AS_OWNER or MODE == "test"
            else "-c statement_timeout=5s -c transaction_timeout=10s -c idle_in_transaction_session_timeout=10s",
        },
    },
}
DB_WEB_ROLE = environment.text("REFRAIN_DB_USER", "refrain_web")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = COOP_TIME_ZONE
LANGUAGE_CODE = "en"
USE_I18N = False

# Valkey: the broker, and counters that may be lost (throttles, playlist loads). Never anything that is money.
VALKEY_URL = environment.text("REFRAIN_VALKEY_URL", "redis://127.0.0.1:6379")
CACHES = {
    "default": {
        "BACKEND": "members.memory.ValkeyOrProcess",
        "LOCATION": f"{VALKEY_URL}/0",
        "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25},
    },
}
CELERY_BROKER_URL = f"{VALKEY_URL}/1"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "max_retries": 1,
    "visibility_timeout": 7200,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = COOP_TIME_ZONE
CELERY_BEAT_SCHEDULE = {
    "sweep-uploads": {"task": "catalog.tasks.sweep_uploads", "schedule": 15.0},
    "sweep-transfers": {"task": "catalog.tasks.sweep_transfers", "schedule": 15.0},
    "sweep-downloads": {"task": "catalog.tasks.sweep_downloads", "schedule": 15.0},
    "sweep-leftovers": {"task": "catalog.tasks.sweep_leftovers", "schedule": 600.0},
    "hold-works-against-content": {"task": "catalog.tasks.hold_works_against_content", "schedule": 600.0},
    "remind-payees": {"task": "catalog.tasks.remind_payees", "schedule": 3600.0},
    "look-at-members": {"task": "members.tasks.look_at_members", "schedule": crontab(hour=5, minute=10)},
    "sweep-notices": {"task": "members.tasks.sweep_notices", "schedule": 30.0},
    "move-proposals": {"task": "members.tasks.move_proposals", "schedule": 60.0},
    "move-erasures": {"task": "members.tasks.move_erasures", "schedule": 600.0},
    "tidy-claims": {"task": "royalties.tasks.tidy_claims", "schedule": crontab(hour=6, minute=20)},
    "gather-dry-runs": {"task": "members.tasks.gather_dry_runs", "schedule": crontab(hour=5, minute=30)},
    "seal-urns": {"task": "members.tasks.seal_urns", "schedule": crontab(minute=20)},
    "count-audiences": {"task": "playback.tasks.count_audiences", "schedule": 3600.0},
    "fill-shelves": {"task": "playback.tasks.fill_shelves", "schedule": 1800.0},
    "sweep-sessions": {"task": "playback.tasks.sweep_sessions", "schedule": 3600.0},
    "send-refunds": {"task": "playback.tasks.send_refunds", "schedule": 20.0},
    "sweep-exports": {"task": "playback.tasks.sweep_exports", "schedule": 15.0},
    "post-rows": {"task": "royalties.tasks.post_rows", "schedule": crontab(hour=1, minute=30)},
    "reconcile-books": {"task": "royalties.tasks.reconcile_books", "schedule": crontab(hour=5, minute=0)},
    "count-so-far": {"task": "royalties.tasks.count_so_far", "schedule": 3600.0},
    "sweep-years": {"task": "royalties.tasks.sweep_years", "schedule": 60.0},
    "sweep-royalty-runs": {"task": "royalties.tasks.sweep_runs", "schedule": 60.0},
    "pull-gateway-events": {"task": "playback.tasks.pull_gateway_events", "schedule": 300.0},
    "pull-gateway-events-daily": {
        "task": "playback.tasks.pull_gateway_events",
        "schedule": crontab(hour=4, minute=15),
        "kwargs": {"days": 14},
    },
    "keep-high-water": {"task": "royalties.tasks.keep_high_water", "schedule": 60.0},
    "ring-for-disputes": {"task": "royalties.tasks.ring_for_disputes", "schedule": 300.0},
}

# Files. The store holds originals and renditions; listeners reach it only by addresses that catalog.delivery signs.
STORE = environment.choice("REFRAIN_STORE", ("local", "s3"), "local")
STORE_DIR = Path(environment.text("REFRAIN_STORE_DIR", str(BASE_DIR / ".store")))
S3_ENDPOINT = environment.text("REFRAIN_S3_ENDPOINT", "")
S3_BUCKET = environment.text("REFRAIN_S3_BUCKET", "refrain")
S3_REGION = environment.text("REFRAIN_S3_REGION", "us-east-1")
S3_ACCESS_KEY = environment.text("REFRAIN_S3_ACCESS_KEY", "")
S3_SECRET_KEY = environment.text("REFRAIN_S3_SECRET_KEY", "")
_store_backend = (
    {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(STORE_DIR)}}
    if STORE == "local"
    else {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT or None,
            "region_name": S3_REGION,
            "access_key": S3_ACCESS_KEY or None,
            "secret_key": S3_SECRET_KEY or None,
            "addressing_style": "path",
            "file_overwrite": True,
            "default_acl": None,
        },
    }
)
STORAGES = {
    "default": _store_backend,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "infra.static_files.NamedByContent",
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = Path(environment.text("REFRAIN_STATIC_ROOT", str(BASE_DIR / ".static")))
STATICFILES_DIRS = [BASE_DIR / "infra" / "static"]
WHITENOISE_USE_FINDERS = MODE == "test"
X_ACCEL = environment.flag("REFRAIN_X_ACCEL")
# The largest recording, the largest photo, the longest recording. What a file is shows in its first bytes.
UPLOAD_BYTES_MAX = environment.number("REFRAIN_UPLOAD_BYTES_MAX", 2_000_000_000)
PHOTO_BYTES_MAX = min(UPLOAD_BYTES_MAX, 300_000_000)
UPLOAD_SECONDS_MAX = 21_600
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
# Larger requests are refused before they are read; only these addresses take as much as a file has.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
UPLOAD_PATHS = ["/api/v1/uploads"]
# Below it each file that is sent in pieces has an address of its own.
TRANSFERS_PATH = "/api/v1/transfers/"

# How lower apps show what higher ones know: by name, importing nothing of them.
# The listening part of a work's page is playback's; catalog embeds what this names.
CATALOG_WORK_FRAGMENT = "playback.views.listening.listening_fragment"
# What a release costs, in `GET releases/{id}`.
CATALOG_RELEASE_FRAGMENT = "playback.views.releases.release_fragment"
CATALOG_RELEASE_OFFER = "playback.api.releases.offer_content"
CATALOG_CREATOR_FRAGMENT = "playback.views.follows.follow_fragment"
CATALOG_FAVOURITE_FRAGMENT = "playback.views.follows.favourite_fragment"
# The kinds of appeals that panels of members hear.
MEMBERS_PANELS = (
    "members.voting.contests",
    "members.belonging.expulsions",
    "catalog.objections",
)
MEMBERS_CAPITAL_FRAGMENT = "royalties.views.years.capital_fragment"
MEMBERS_MOTION_FRAGMENT = "royalties.views.years.motion_fragment"
CATALOG_SHELF_STANDINGS = "playback.views.listening.standings"
# How asked figures of a policy are tried on what was recorded; members shows what comes out and imports nothing of it.
POLICY_REPLAYS = {
    "governance": "members.voting.past_results.REPLAY",
    "content": "catalog.dry_runs.REPLAY",
    "opening": "playback.dry_runs.REPLAY",
    "pricing": "royalties.dry_runs.pricing.REPLAY",
    "revenue": "royalties.dry_runs.revenue.REPLAY",
    "payouts": "royalties.dry_runs.payouts.REPLAY",
    "surplus": "royalties.dry_runs.surplus.REPLAY",
}

# Signing in: by e-mail and password; a second factor where votes and money of others are concerned.
AUTH_USER_MODEL = "members.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if MODE == "test"
    else ["django.contrib.auth.hashers.ScryptPasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
)
ACCOUNT_ADAPTER = "members.adapters.AccountAdapter"
MFA_ADAPTER = "members.adapters.SecondFactorAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if IN_PRODUCTION else "optional"
ACCOUNT_SIGNUP_FORM_CLASS = "members.forms.SignUpForm"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# Votes and other people's money need it, at most 15 minutes old; the demo and tests are without.
SECOND_FACTOR_REQUIRED = IN_PRODUCTION
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

# Mail. The demo writes it to an outbox that a page shows.
OUTBOX_DIR = environment.text("REFRAIN_OUTBOX_DIR", "")
if OUTBOX_DIR:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = OUTBOX_DIR
else:
    EMAIL_HOST = environment.text("REFRAIN_SMTP_HOST", "localhost")
    EMAIL_PORT = environment.number("REFRAIN_SMTP_PORT", 25)
DEFAULT_FROM_EMAIL = environment.text("REFRAIN_MAIL_FROM", "Refrain <no-reply@refrain.example>")

# The payment gateway. Play money is a separate process of the demo; production refuses it.
GATEWAY = environment.choice("REFRAIN_GATEWAY", ("play-money", "none"), "none" if IN_PRODUCTION else "play-money")
if IN_PRODUCTION and GATEWAY == "play-money":
    raise ImproperlyConfigured("REFRAIN_GATEWAY is play-money: production takes no play money")
GATEWAY_URL = environment.text("REFRAIN_GATEWAY_URL", "http://127.0.0.1:9")
GATEWAY_KEY = environment.text("REFRAIN_GATEWAY_KEY", "play-money-key-for-throw-away-tests")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "members.access.BearerAuthentication",
        "members.access.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["members.access.ScopeRequired"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["members.access.JsonBody"],
    "DEFAULT_PAGINATION_CLASS": "members.access.CursorPage",
    "DEFAULT_SCHEMA_CLASS": "members.api.Schema",
    "EXCEPTION_HANDLER": "members.access.answer",
    "PAGE_SIZE": 50,
    # `format` names a download's format; everything is answered in JSON.
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Refrain",
    "VERSION": "1",
    "DESCRIPTION": "Listen, pay by the play, own. Amounts are whole millionths of the currency.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ReleaseKindEnum": "catalog.models.Release.Kind",
        "TopUpStateEnum": "playback.models.TopUp.State",
        "WorkKindEnum": "catalog.models.Work.Kind",
        "WorkStateEnum": "catalog.models.Work.State",
    },
}
# Requests a minute for one person, or for one address where nobody is signed in. Bench and demo builder raise it.
THROTTLE_PER_MINUTE = environment.number("REFRAIN_THROTTLE_PER_MINUTE", 1_200)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
