"""The edge that all of the API shares: who is let in, how a body is read, how a refusal reads."""

import json
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as django_settings
from django.test import Client

from members import access, clock, tokens
from members.models import Person, Token
from playback.models import Charge
from tests import callers, cast
from tests.callers import Caller, slug

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    callers.forget_counts()


class TestTokens:
    @pytest.mark.parametrize(
        "header",
        ["Bearer", "Bearer ", "Bearer refrain_x", "Bearer é", "bearer {}", "Token {}", "Basic {}", "Bearer  {}", "{}"],
    )
    def test_what_is_no_token_signs_nobody_in(self, header: str) -> None:
        plain = callers.token(cast.person())
        answer = Client().get("/api/v1/wallet", headers={"Authorization": header.format(plain)})
        assert (answer.status_code, slug(answer)) == (401, "not-signed-in")
        assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_a_token_ends_with_its_time_its_revocation_and_its_person(self) -> None:
        lena = cast.person()
        ask = Caller(lena)
        other = Caller(lena)
        assert ask.get("wallet").status_code == 200
        clock.set_offset(tokens.LIFETIME - timedelta(seconds=20))
        assert ask.get("wallet").status_code == 200
        clock.set_offset(tokens.LIFETIME)
        assert slug(ask.get("wallet")) == "not-signed-in"
        clock.set_offset(timedelta(0))
        newest = Token.objects.order_by("-created_at").first()
        assert newest is not None
        tokens.revoke(token_id=newest.id, person_id=lena.id, now=clock.now())
        assert [caller.get("wallet").status_code for caller in (ask, other)] == [200, 401]
        Person.objects.filter(id=lena.id).update(is_active=False)
        assert slug(ask.get("wallet")) == "not-signed-in"

    def test_a_bad_token_is_refused_even_where_none_is_needed(self) -> None:
        answer = Client().get("/api/v1/works", headers={"Authorization": "Bearer refrain_x"})
        assert (answer.status_code, slug(answer)) == (401, "not-signed-in")

    def test_a_token_goes_before_a_cookie(self) -> None:
        """A page's program that shows a narrow token must not get what the cookie would give."""
        lena = cast.person()
        page = Caller(lena, by_cookie=True)
        page.headers["Authorization"] = f"Bearer {callers.token(lena, 'publish')}"
        assert slug(page.get("wallet")) == "scope-missing"

    @pytest.mark.parametrize("scope", list(tokens.Scope))
    def test_a_scope_is_for_its_routes_alone(self, scope: str) -> None:
        lena = Caller(cast.treasurer(), scope)
        routes = {
            "listen": lena.get("wallet"),
            "spend": lena.post(f"sessions/{uuid4()}/charge", {"price_micros": 1}),
            "publish": lena.get(f"uploads/{uuid4()}"),
            "treasury": lena.post(
                "staff/reversals", {"listener": str(uuid4()), "charge": str(uuid4()), "reason": "A test."}
            ),
        }
        for needed, answer in routes.items():
            if needed == scope:
                assert answer.status_code in (200, 404)
            else:
                assert (answer.status_code, slug(answer)) == (403, "scope-missing")
                assert json.loads(answer.content)["scope"] == needed


class TestCookies:
    def test_reading_needs_no_token_of_the_page_and_changing_does(self) -> None:
        lena = cast.person("lena")
        page = Caller(lena, by_cookie=True)
        assert page.get("wallet").status_code == 200
        limits = {"day_limit_micros": 1, "month_limit_micros": None}
        before = callers.digest()
        for headers in ({}, {"X_CSRFToken": "x"}, {"X_CSRFToken": "a" * 64}):
            answer = page("PUT", "wallet/limits", limits, **headers)
            assert (answer.status_code, slug(answer)) == (403, "csrf-refused")
        assert callers.digest() == before
        page.client.get("/wallet")
        cross = page.client.cookies["csrftoken"].value
        assert page("PUT", "wallet/limits", limits, X_CSRFToken=cross).status_code == 200

    def test_another_origin_is_refused_even_with_the_token(self) -> None:
        page = Caller(cast.person(), by_cookie=True)
        page.client.get("/wallet")
        cross = page.client.cookies["csrftoken"].value
        limits = {"day_limit_micros": 1, "month_limit_micros": None}
        answer = page("PUT", "wallet/limits", limits, X_CSRFToken=cross, Origin="https://elsewhere.example")
        assert (answer.status_code, slug(answer)) == (403, "csrf-refused")

    def test_a_form_of_another_page_changes_nothing(self) -> None:
        """What a foreign page can send without being asked: a form, in any of the types a form has."""
        lena = cast.person()
        page = Caller(lena, by_cookie=True)
        before = callers.digest()
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
            for path in ("sessions", "wallet/top-ups", f"sessions/{uuid4()}/charge", "uploads"):
                answer = page.post(path, b'{"price_micros": 1}', **{"Content-Type": kind})
                assert (answer.status_code, slug(answer)) == (403, "csrf-refused")
        assert callers.digest() == before


class TestSecondFactor:
    """As production has it; the demo and all other tests are without."""

    @pytest.fixture(autouse=True)
    def _required(self, settings) -> None:
        settings.SECOND_FACTOR_REQUIRED = True

    @pytest.fixture
    def tess(self) -> Person:
        tess = cast.treasurer()
        tess.set_password(PASSWORD)
        tess.save()
        return tess

    def page_of(self, person: Person) -> Client:
        page = Client()
        answer = page.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        assert answer.status_code == 302
        return page

    def give_back(self, page: Client) -> Any:
        body = {"listener": str(uuid4()), "charge": str(uuid4()), "reason": "A test."}
        return page.post("/api/v1/staff/reversals", body, content_type="application/json")

    def test_a_password_alone_is_not_enough(self, tess: Person) -> None:
        page = self.page_of(tess)
        before = callers.digest()
        answer = self.give_back(page)
        assert (answer.status_code, slug(answer)) == (403, "second-factor-needed")
        assert callers.digest() == before
        # What is one's own needs none.
        assert page.get("/api/v1/wallet").status_code == 200

    def test_a_sign_in_with_a_code_opens_it_for_fifteen_minutes(self, tess: Person) -> None:
        secret = totp.generate_totp_secret()
        totp.TOTP.activate(tess, secret)
        page = self.page_of(tess)
        assert slug(self.give_back(page)) == "not-signed-in"
        code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
        answer = page.post("/accounts/2fa/authenticate/", {"code": code})
        assert answer.status_code == 302, answer.content
        assert slug(self.give_back(page)) == "not-found"
        # Fifteen minutes of the machine's clock, which is what the sign-in was dated with.
        clock.set_offset(timedelta(days=3))
        assert slug(self.give_back(page)) == "not-found"
        self.age(page, seconds=access.SECOND_FACTOR_LASTS.total_seconds() - 20)
        assert slug(self.give_back(page)) == "not-found"
        self.age(page, seconds=21)
        assert slug(self.give_back(page)) == "second-factor-needed"
        # Confirming it once more is enough.
        codes = RecoveryCodes.activate(tess).get_unused_codes()
        answer = page.post("/accounts/2fa/reauthenticate/", {"code": codes[0]})
        assert answer.status_code == 302, answer.content
        assert slug(self.give_back(page)) == "not-found"

    def age(self, page: Client, *, seconds: float) -> None:
        """Let time pass for what the session remembers of signing in."""
        session = page.session
        for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
            record["at"] -= seconds
        session.save()

    def test_the_account_page_makes_tokens_for_votes_and_the_treasury_after_a_code(self, tess: Person) -> None:
        secret = totp.generate_totp_secret()
        totp.TOTP.activate(tess, secret)
        page = self.page_of(tess)
        code = totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))
        assert page.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
        for scopes in (["treasury"], ["vote", "listen"]):
            before = clock.now()
            answer = page.post("/account/tokens", {"name": "run", "scopes": scopes})
            assert answer.status_code == 200
            made = Token.objects.latest("created_at")
            assert made.scopes == sorted(scopes)
            assert timedelta(0) <= made.expires_at - before - tokens.GUARDED_LIFETIME < timedelta(minutes=1)
        assert page.get("/staff/transfers").status_code == 200
        self.age(page, seconds=access.SECOND_FACTOR_LASTS.total_seconds() + 1)
        before = callers.digest()
        answer = page.post("/account/tokens", {"name": "run", "scopes": ["treasury"]})
        assert (answer.status_code, b"second factor" in answer.content) == (403, True)
        # The treasurers' page asks for the code again, and leads back.
        answer = page.get("/staff/transfers")
        assert answer.headers["Location"] == "/accounts/2fa/reauthenticate/?next=%2Fstaff%2Ftransfers"
        assert callers.digest() == before

    def test_who_has_no_second_factor_makes_none_and_moves_no_money(self, tess: Person) -> None:
        page = self.page_of(tess)
        assert page.post("/account/tokens", {"name": "run", "scopes": ["vote"]}).status_code == 403
        assert page.get("/staff/transfers").status_code == 403
        assert not Token.objects.exists()

    def test_somebody_elses_records_in_the_session_count_for_nobody(self, tess: Person) -> None:
        page = self.page_of(tess)
        session = page.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time(), "type": "totp"}]
        session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(uuid4())
        session.save()
        assert slug(self.give_back(page)) == "second-factor-needed"

    def test_a_token_was_minted_under_that_rule_and_is_enough(self, tess: Person) -> None:
        body = {"listener": str(uuid4()), "charge": str(uuid4()), "reason": "A test."}
        assert slug(Caller(tess, "treasury").post("staff/reversals", body)) == "not-found"

    def test_production_requires_it(self) -> None:
        assert django_settings.IN_PRODUCTION is False
        text = (django_settings.BASE_DIR / "infra" / "settings.py").read_text()
        assert "\nSECOND_FACTOR_REQUIRED = IN_PRODUCTION\n" in text


class TestBodies:
    @pytest.fixture
    def ask(self) -> Caller:
        return Caller(cast.person())

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"work": }',
            b"{'work': 1}",
            b'{"work": NaN}',
            b'{"work": -Infinity}',
            b'{"work": "\xff"}',
            b'{"work": "\\ud800"}',
            b'{"\\udfff": 1}',
            b'\xef\xbb\xbf{"work": 1}',
            '{"work": 1}'.encode("utf-16"),
            '{"work": 1}'.encode("utf-32"),
            b'{"work": ' + b"1" * 5_000 + b"}",
            b'{"work": ' + b"[" * 500_000,
            b'{"work": ' + b"[" * 9 + b"]" * 9 + b"}",
            b'{"work": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
        ],
    )
    def test_what_is_no_json_here(self, ask: Caller, body: bytes) -> None:
        for path in ("sessions", "wallet/top-ups"):
            answer = ask.post(path, body, Idempotency_Key="k")
            assert (answer.status_code, slug(answer)) == (400, "invalid")

    @pytest.mark.parametrize("depth", range(850, 1_000, 7))
    def test_no_depth_in_between_is_a_fault(self, ask: Caller, depth: int) -> None:
        body = b'{"work": ' + b"[" * depth + b"]" * depth + b"}"
        assert slug(ask.post("sessions", body)) == "invalid"

    @pytest.mark.parametrize("body", [b"[]", b"null", b"true", b'"text"', b"12", b"[[]]"])
    def test_json_that_is_no_object(self, ask: Caller, body: bytes) -> None:
        assert slug(ask.post("sessions", body)) == "invalid"

    def test_unknown_fields_are_named(self, ask: Caller) -> None:
        answer = ask.post("sessions", {"work": str(uuid4()), "price": 1, "x" * 100: 2})
        assert slug(answer) == "invalid"
        unknown = ["There is no such field."]
        assert json.loads(answer.content)["fields"] == {"price": unknown, "x" * 80: unknown}

    def test_only_some_of_very_many_unknown_fields_are_named(self, ask: Caller) -> None:
        answer = ask.post("sessions", {f"field{n:06}": n for n in range(30_000)})
        assert len(json.loads(answer.content)["fields"]) == 20

    @pytest.mark.parametrize(
        "value",
        ["x", "é" * 10, "\x00", "a\x00b", {}, [], 1, 1.5, True, None, -1, 10**40, "\u202e", "0" * 31, " " + "0" * 32],
    )
    def test_what_is_no_id(self, ask: Caller, value: Any) -> None:
        answer = ask.post("sessions", {"work": value})
        assert (answer.status_code, slug(answer)) == (400, "invalid")

    @pytest.mark.parametrize(
        "kind",
        [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "json",
        ],
    )
    def test_another_type_of_body(self, ask: Caller, kind: str) -> None:
        for path in ("sessions", f"sessions/{uuid4()}/charge"):
            answer = ask.post(path, b'{"work": 1}', **{"Content-Type": kind})
            assert (answer.status_code, slug(answer)) == (415, "unsupported-media-type")

    @pytest.mark.parametrize("charset", ["utf-16", "latin-1", "rot13", "base64", "nonsense", "é"])
    def test_a_charset_changes_nothing(self, ask: Caller, charset: str) -> None:
        body = json.dumps({"work": str(uuid4())}).encode()
        answer = ask.post("sessions", body, **{"Content-Type": f"application/json; charset={charset}"})
        assert slug(answer) == "not-found"

    def test_a_body_that_is_too_large_is_not_read(self, ask: Caller) -> None:
        most = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        largest = b'{"work": "' + b"x" * (most - 12) + b'"}'
        assert len(largest) == most
        assert slug(ask.post("sessions", largest)) == "invalid"
        for path in (
            "sessions",
            f"sessions/{uuid4()}/charge",
            "works",
            "/wallet/limits",
            "/webhooks/gateway",
            "/nowhere",
        ):
            answer = ask.post(path, largest + b" ")
            assert (answer.status_code, slug(answer)) == (413, "body-too-large")
            assert json.loads(answer.content)["bytes_most"] == most

    def test_an_upload_may_be_as_large_as_a_file_may(self, ask: Caller, settings) -> None:
        settings.UPLOAD_BYTES_MAX = 10_000
        for size, status in ((1_009_000, 400), (1_010_001, 413)):
            answer = ask.post("uploads", b"x" * size, **{"Content-Type": "multipart/form-data; boundary=x"})
            assert answer.status_code == status

    @pytest.mark.parametrize("length", ["-1", "x", "1e9", "", "9" * 5_000])
    def test_a_length_that_is_none_is_no_body(self, ask: Caller, length: str) -> None:
        answer = ask.client.generic(
            "POST", "/api/v1/sessions", headers=ask.headers, CONTENT_TYPE="application/json", CONTENT_LENGTH=length
        )
        assert (answer.status_code, slug(answer)) == (400, "invalid")


class TestRefusals:
    def test_unknown_addresses_of_the_api_speak_as_the_rest_of_it(self) -> None:
        for path in (
            "nowhere",
            "works/",
            f"works/{uuid4()}/",
            "works/not-an-id",
            "sessions/1/charge",
            "wallet/x/y/z",
            "é",
        ):
            for method in ("GET", "POST", "DELETE"):
                answer = Caller(None)(method, path)
                assert (answer.status_code, slug(answer)) == (404, "not-found")

    def test_a_method_that_is_not_there(self) -> None:
        answer = Caller(None)("DELETE", "works")
        assert (answer.status_code, slug(answer)) == (405, "method-not-allowed")
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert json.loads(answer.content)["title"] == "That cannot be done here"

    def test_a_type_that_is_not_given(self) -> None:
        answer = Caller(None).get("works", Accept="application/xml")
        assert (answer.status_code, slug(answer)) == (406, "not-acceptable")
        for accept in (
            "*/*",
            "application/*",
            "application/json;q=0.1",
            "text/html, */*;q=0.1",
            "application/problem+json, */*",
        ):
            assert Caller(None).get("works", Accept=accept).status_code == 200

    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "%00",
            "é",
            "cD1hYmM=",
            "cD0yMDI2",
            "cj0xJnA9MQ==",
            "bz0tMQ==",
            "bz05OTk5OTk5OTk5OTk5OTk5",
            "A" * 5_000,
            "%ff",
        ],
    )
    def test_a_cursor_that_is_not_ours_is_no_fault(self, cursor: str) -> None:
        for path in ("works", "creators"):
            answer = Caller(None).get(f"{path}?cursor={cursor}")
            assert answer.status_code in (200, 400)
            assert answer.status_code == 200 or slug(answer) == "invalid"

    @pytest.mark.parametrize("size", ["0", "-1", "x", "1" * 5_000, "%00", "1.5", "", "²", "1_0", "+1"])
    def test_a_size_of_page_that_is_none(self, size: str) -> None:
        answer = Caller(None).get(f"works?page_size={size}")
        assert (answer.status_code, slug(answer)) == (400, "invalid")

    @pytest.mark.parametrize(("size", "given"), [("1", 1), ("2", 2), ("007", 3), ("999999999", 3)])
    def test_a_size_of_page(self, size: str, given: int) -> None:
        profile = cast.creator(cast.person())
        for _ in range(3):
            cast.track(profile)
        assert len(json.loads(Caller(None).get(f"works?page_size={size}").content)["results"]) == given

    def test_every_refusal_is_explained_on_a_page(self) -> None:
        for one in (
            access.NotSignedIn,
            access.ScopeMissing,
            access.SecondFactorNeeded,
            access.NotFromOurPage,
            access.WrongMethod,
            access.WrongType,
            access.NoSuchForm,
            access.BodyTooLarge,
        ):
            answer = Client().get(f"/problems/{one.slug}")
            assert answer.status_code == 200
            assert one.title.encode() in answer.content

    def test_nothing_of_it_charged_anybody(self) -> None:
        assert not Charge.objects.exists()
