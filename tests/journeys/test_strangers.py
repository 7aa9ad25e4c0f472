"""Every address that there is, tried by those it is not for. A refusal changes nothing, in any table.

The addresses come from the resolver: a new one without a line in tests/journeys/routes/ fails. Tried are nobody signed
in, a token without the scope, somebody else (whose are other works, sessions, top-ups), a cookie without the page's
token (CSRF), and every method that an address does not have.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog import arranging, people, sharing
from catalog.intake import transfers
from catalog.models import Work
from catalog.sharing import Payee
from members import clock, tokens
from members.models import Token
from playback import cashouts, charging, sessions
from playback.library_models import LibraryExport
from playback.models import TopUp
from tests import callers, cast
from tests.callers import EVERY_SCOPE, Caller, Standing, slug
from tests.journeys.routes.house import METHODS
from tests.journeys.routes.table import ROUTES, WAYS
from tests.journeys.routes.ways import Way

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/?next="


def addresses(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every route of the resolver, with what answers there."""
    for pattern in patterns:
        here = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        else:
            assert isinstance(pattern, URLPattern)
            yield here.replace("/^", "/"), pattern.callback


ADDRESSES = dict(addresses(get_resolver().url_patterns))


@dataclass
class World:
    """Ana's works, Lena's listening; Lars is anybody else, signed in and with every scope, but with no part in it."""

    lena: Any
    ana: Any
    lars: Any
    named: dict[str, str]

    def path(self, way: Way) -> str:
        return way.path.format(**self.named)

    def body(self, way: Way) -> dict[str, Any]:
        return {
            name: value.format(**self.named) if isinstance(value, str) else value for name, value in way.body.items()
        }


@pytest.fixture
def world(settings, tmp_path) -> World:
    callers.forget_counts()
    settings.THROTTLE_PER_MINUTE = 1_000_000
    settings.OUTBOX_DIR = str(tmp_path)
    lena, ana, lars, now = cast.person("lena"), cast.person("ana"), cast.person("lars"), clock.now()
    cast.top_up(lena, 2_000)
    profile = cast.creator(ana)
    work, other = cast.track(profile), cast.track(profile)
    draft = cast.track(profile, state="draft")
    session, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=now)
    charged, _ = sessions.begin(person_id=lena.id, work_id=other.id, now=now)
    charging.charge_session(person_id=lena.id, session_id=charged.id, price_micros=2_000)
    top_up = TopUp.objects.create(listener=lena, asked_cents=500, country="DE", vat_ppm=0, created_at=now)
    token, _ = tokens.mint(person_id=lena.id, scopes={"listen"}, name="", now=now)
    owned = cast.track(profile)
    cast.buy(lena, owned, price_micros=2_000_000)
    export = LibraryExport.objects.create(listener=lena, format="mp3", asked_at=now)
    sheet = sharing.propose(
        work_id=draft.id, person_id=ana.id, payees=[Payee(email=lena.email, share_ppm=1_000_000)], now=now
    )
    invitation = people.invite(creator_id=profile.id, person_id=ana.id, email=lena.email, role="viewer", now=now)
    album = arranging.found(creator_id=profile.id, person_id=ana.id, title="Dunst")
    transfer = transfers.begin(person_id=ana.id, creator_id=profile.id, filename="x.flac", size_bytes=9, now=now)
    cash_out, _ = cashouts.take(person_id=lena.id, amount_micros=10_000, key="k")
    named = {
        "nothing": uuid4(),
        "cash_out": cash_out.id,
        "refund": cash_out.refunds.get().id,
        "transfer": transfer.id,
        "sheet": sheet.id,
        "release": album.id,
        "invitation": invitation.id,
        "profile": profile.slug,
        "ana": ana.id,
        "lena": lena.id,
        "owned": owned.id,
        "export": export.id,
        "work": work.id,
        "draft": draft.id,
        "upload": Work.objects.get(id=work.id).uploads.get().id,
        "session": session.id,
        "charged": charged.id,
        "charge": lena.charges.get(work=other).id,
        "top_up": top_up.id,
        "token": token.id,
    }
    return World(lena=lena, ana=ana, lars=lars, named={name: str(value) for name, value in named.items()})


def signed_in(person: Any) -> Client:
    """Return a browser in which somebody is signed in and has a page's token, as cookie and as header."""
    browser = Client(enforce_csrf_checks=True)
    if person is not None:
        browser.force_login(person)
    return browser


def cross(browser: Client) -> dict[str, str]:
    browser.get("/accounts/login/" if "sessionid" not in browser.cookies else "/account")
    return {"X-CSRFToken": browser.cookies["csrftoken"].value}


def send(browser: Client, way: Way, world: World, **headers: str) -> Any:
    """Send a way by a browser: forms as a page sends them, the API's bodies as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if way.path.startswith("/api/"):
        # The CSRF check reads what is sent before the upload protocol is asked, and that sends no JSON.
        body = callers.ABSENT if "/transfers" in way.path and not way.body else world.body(way)
        return Caller_of(browser)(way.method, world.path(way), body, Idempotency_Key=str(uuid4()), **headers)
    if way.method == "GET":
        return browser.get(world.path(way), headers=named)
    return browser.post(world.path(way), world.body(way), headers=named)


def Caller_of(browser: Client) -> Caller:  # noqa: N802  (a Caller, made of a browser)
    made = Caller(None)
    made.client = browser
    return made


def test_every_address_stands_here() -> None:
    assert sorted(ADDRESSES) == sorted(ROUTES)


def test_every_method_of_the_api_stands_here_with_its_scope() -> None:
    for route, view in ADDRESSES.items():
        if hasattr(view, "cls"):
            has = {name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)} - {"OPTIONS", "HEAD"}
            ways = ROUTES[route]
            if route != "api/v1/":
                assert {way.method for way in ways} == has, route
            for way in ways:
                one = view.cls()
                scope = one.scope_for(way.method) if hasattr(one, "scope_for") else one.scope
                assert way.scope == scope, (way.path, way.method)


def test_a_stranger(world: World) -> None:
    """Nobody is signed in; forms even carry the page's token."""
    browser = signed_in(None)
    token = cross(browser)["X-CSRFToken"]
    before = Standing()
    for way in WAYS:
        answer = send(browser, way, world, X_CSRFToken=token)
        assert answer.status_code == way.stranger, (way.path, way.method, answer.status_code)
        if way.stranger == 401:
            assert slug(answer) == "not-signed-in"
        if way.stranger == 302 and not way.path.startswith("/accounts/"):
            assert answer.headers["Location"].startswith(LOGIN)
        # The pages around the sign-in remember in the browser's own session how far somebody has come.
        theirs = "django_session" if way.path.startswith("/accounts/") else ""
        assert before.changed(but=theirs) == [], (way.path, way.method)


def test_a_token_without_the_scope(world: World) -> None:
    """Lena's own token, for everything but this."""
    for scope in sorted(EVERY_SCOPE):
        ask = Caller(world.lena, *(EVERY_SCOPE - {scope}))
        before = Standing()
        for way in WAYS:
            if way.scope == scope:
                answer = ask(way.method, world.path(way), world.body(way), Idempotency_Key=str(uuid4()))
                assert (answer.status_code, slug(answer)) == (403, "scope-missing"), (way.path, way.method)
                assert before.changed() == [], (way.path, way.method)


def test_a_token_that_has_ended(world: World) -> None:
    ask = Caller(world.lena)
    Token.objects.update(revoked_at=clock.now())
    before = Standing()
    for way in WAYS:
        if way.path.startswith("/api/"):
            answer = ask(way.method, world.path(way), world.body(way), Idempotency_Key=str(uuid4()))
            assert (answer.status_code, slug(answer)) == (401, "not-signed-in"), (way.path, way.method)
            assert before.changed() == [], (way.path, way.method)
            callers.forget_counts()


def test_somebody_else_by_token(world: World) -> None:
    """Lars has every scope, and no part in what is Ana's and Lena's."""
    ask = Caller(world.lars)
    before = Standing()
    for way in WAYS:
        if way.path.startswith("/api/") and way.other is not None:
            answer = ask(way.method, world.path(way), world.body(way), Idempotency_Key=str(uuid4()))
            assert answer.status_code == way.other, (way.path, way.method, answer.content)
            if way.other == 404:
                assert slug(answer) == "not-found"
            assert before.changed() == [], (way.path, way.method)


def test_somebody_else_in_a_browser(world: World) -> None:
    browser = signed_in(world.lars)
    token = cross(browser)["X-CSRFToken"]
    before = Standing()
    for way in WAYS:
        if way.other is not None:
            answer = send(browser, way, world, X_CSRFToken=token)
            assert answer.status_code == way.other, (way.path, way.method, answer.content)
            assert before.changed() == [], (way.path, way.method)


def test_what_is_ones_own_shows_nothing_of_others(world: World) -> None:
    """Where everybody has a thing of their own, Lars sees his."""
    browser = signed_in(world.lars)
    for way in WAYS:
        if way.other is None and way.method == "GET":
            answer = send(browser, way, world)
            content = answer.getvalue()
            for secret in (world.lena.email, world.ana.email, *world.named.values()):
                assert secret.encode() not in content, (way.path, secret)


@pytest.mark.parametrize(
    ("whose", "shows"),
    [
        ("lena", ({}, {"Origin": "https://elsewhere.example"})),
        ("ana", ({}, {"X_CSRFToken": "a" * 64})),
    ],
    ids=["lena", "ana"],
)
def test_a_cookie_without_the_pages_token(world: World, whose: str, shows: tuple[dict[str, str], ...]) -> None:
    """Another site sends what these people may do, with their cookie; it changes nothing."""
    browser = signed_in(getattr(world, whose))
    for shown in shows:
        headers = shown
        if "Origin" in shown:
            headers = {**shown, "X_CSRFToken": cross(browser)["X-CSRFToken"]}
        before = Standing()
        for way in WAYS:
            # The webhook has no cookie: it is signed.
            if way.method != "GET" and way.path != "/webhooks/gateway":
                answer = send(browser, way, world, **headers)
                assert answer.status_code == 403, (way.path, way.method, answer.status_code)
                assert before.changed() == [], (way.path, way.method)


def test_methods_that_are_not_there(world: World) -> None:
    """Signed in, with the page's token and every scope of the person: still nothing happens."""
    browser = signed_in(world.lena)
    token = cross(browser)["X-CSRFToken"]
    before = Standing()
    for route, ways in ROUTES.items():
        if route.startswith("accounts/") or route == "api/v1/":
            continue
        for method in METHODS:
            if method not in {way.method for way in ways}:
                path = world.path(ways[0])
                answer = browser.generic(method, path, b"", headers={"X-CSRFToken": token})
                assert answer.status_code == 405, (route, method, answer.status_code)
                assert answer.headers["Allow"], (route, method)
        assert before.changed() == [], route


def test_the_digest_sees_what_changes(world: World) -> None:
    """The very requests above do change something for those they are for; else none of this would prove anything."""
    changes = 0
    for person in (world.lena, world.ana):
        browser = signed_in(person)
        token = cross(browser)["X-CSRFToken"]
        before = Standing()
        for way in WAYS:
            if way.method != "GET" and not way.path.startswith("/accounts/"):
                send(browser, way, world, X_CSRFToken=token)
                if before.changed():
                    changes += 1
                    before = Standing()
    assert changes >= 12
