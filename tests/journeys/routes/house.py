"""The addresses of the house itself, and of the sign-in and its neighbours, which are allauth's."""

from tests.journeys.routes.ways import entrance, everyone, form, mine, page, staffs

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
API = (
    everyone("GET", "schema"),
    everyone("GET", "docs"),
    *(everyone(method, "nowhere", 404) for method in METHODS),
)
PAGES = (
    page("/"),
    page("/problems"),
    page("/problems/nothing-of-the-kind", 404),
    page("/outbox"),
    staffs("/play-bank/2026-10.xml"),
    staffs("/play-bank/answers/{nothing}.xml"),
)
SIGNING_IN = (
    entrance("/accounts/login/"),
    form("/accounts/login/", stranger=200),
    mine("/accounts/logout/"),
    form("/accounts/logout/"),
    entrance("/accounts/inactive/"),
    entrance("/accounts/signup/"),
    form("/accounts/signup/", stranger=200),
    mine("/accounts/reauthenticate/"),
    form("/accounts/reauthenticate/"),
    mine("/accounts/email/"),
    form("/accounts/email/", email="x@y.example", action_add=""),
    entrance("/accounts/confirm-email/"),
    mine("/accounts/password/change/"),
    form("/accounts/password/change/"),
    mine("/accounts/password/set/"),
    form("/accounts/password/set/"),
    entrance("/accounts/password/reset/"),
    form("/accounts/password/reset/", stranger=200),
    mine("/accounts/login/code/confirm/"),
    form("/accounts/login/code/confirm/"),
    entrance("/accounts/confirm-email/x:y:z/"),
    form("/accounts/confirm-email/x:y:z/", stranger=404),
    entrance("/accounts/password/reset/key/done/"),
    entrance("/accounts/password/reset/key/1-x/"),
    form("/accounts/password/reset/key/1-x/", stranger=200, password1="a new password of theirs"),
    entrance("/accounts/password/reset/done/"),
    mine("/accounts/2fa/"),
    mine("/accounts/2fa/authenticate/"),
    form("/accounts/2fa/authenticate/"),
    mine("/accounts/2fa/reauthenticate/"),
    form("/accounts/2fa/reauthenticate/"),
    mine("/accounts/2fa/totp/activate/"),
    form("/accounts/2fa/totp/activate/"),
    mine("/accounts/2fa/totp/deactivate/"),
    form("/accounts/2fa/totp/deactivate/"),
    mine("/accounts/2fa/recovery-codes/"),
    mine("/accounts/2fa/recovery-codes/generate/"),
    form("/accounts/2fa/recovery-codes/generate/"),
    mine("/accounts/2fa/recovery-codes/download/"),
)
