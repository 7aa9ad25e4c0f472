"""The pages as plain HTTP: who may see them, what they ask the database, what a refusal looks like."""

import re
from uuid import uuid4

import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import handler429
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from catalog import publishing
from members import adapters, clock
from members.models import Person, Token
from playback.models import TopUp, Wallet
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena() -> Person:
    return cast.person("lena")


@pytest.fixture
def signed_in(lena: Person) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(lena, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def ana() -> Person:
    return cast.person("ana")


@pytest.mark.parametrize("path", ["/wallet", "/account", "/upload", "/wallet/top-ups/returned"])
def test_a_stranger_is_led_to_the_sign_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize(
    "path",
    [
        "/wallet/limits",
        "/wallet/going-on",
        "/wallet/consent",
        "/wallet/top-ups",
        "/account/tokens",
        "/account",
        "/upload",
    ],
)
def test_a_strangers_post_changes_nothing(client: Client, path: str) -> None:
    answer = client.post(path, {"goes_on": "1", "version": "1", "amount_cents": "500", "name": "x", "scopes": "spend"})
    assert answer.status_code == 302
    assert (Wallet.objects.count(), TopUp.objects.count(), Token.objects.count()) == (0, 0, 0)


def test_a_wrong_password_and_an_unknown_address_are_told_in_the_same_words(client: Client) -> None:
    lars = cast.person("lars")
    lars.set_password("a-long-enough-phrase")
    lars.save()
    said = set()
    for email, password in ((lars.email, "not-the-password"), ("nobody@nowhere.example", "a-long-enough-phrase")):
        answer = client.post("/accounts/login/", {"login": email, "password": password})
        assert answer.status_code == 200
        said.add(tuple(answer.context["form"].non_field_errors()))
    assert said == {("This e-mail and this password do not belong together. You are not signed in.",)}


def test_every_refusal_of_an_account_is_in_our_words() -> None:
    """Each word that the library may say of accounts by e-mail is one of ours; phones and user names are not used."""
    for ours, theirs in (
        (adapters.AccountAdapter, DefaultAccountAdapter),
        (adapters.SecondFactorAdapter, DefaultMFAAdapter),
    ):
        kept = {name for name, words in ours.error_messages.items() if words == theirs.error_messages.get(name)}
        assert {name for name in kept if "phone" not in name and "username" not in name} == set()
        assert set(ours.error_messages) == set(theirs.error_messages)


def test_too_many_sign_ups_get_a_page_of_ours() -> None:
    request = RequestFactory().get("/accounts/signup/")
    request.user = AnonymousUser()
    answer = handler429(request)
    assert (answer.status_code, "Nothing was changed." in answer.content.decode()) == (429, True)


@pytest.mark.parametrize(("kind", "marked"), [("track", "Browse"), ("photo", "Photos")])
def test_the_navigation_marks_where_a_work_is_found(client: Client, ana: Person, kind: str, marked: str) -> None:
    band = cast.creator(ana)
    work = cast.photo(band) if kind == "photo" else cast.track(band)
    page = client.get(f"/works/{work.id}").content.decode()
    assert set(re.findall(r'aria-current="page">\s*([^<]+?)\s*<', page)) == {marked}


@pytest.mark.parametrize("path", ["/wallet/limits", "/wallet/going-on", "/wallet/consent", "/wallet/top-ups"])
def test_a_form_without_its_csrf_token_changes_nothing(lena: Person, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(lena, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post(path, {"goes_on": "1", "version": "1"})
    assert answer.status_code == 403
    assert "The page you sent this from is too old" in answer.content.decode()
    assert Wallet.objects.count() == 0


@pytest.mark.parametrize("path", ["/wallet/limits", "/wallet/going-on", "/wallet/consent", "/wallet/top-ups"])
def test_what_changes_something_is_never_a_get(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).status_code == 405


def test_a_draft_is_seen_by_its_people_alone(client: Client, signed_in: Client, ana: Person) -> None:
    draft = cast.track(cast.creator(ana), state="draft")
    for path in (f"/works/{draft.id}", f"/works/{draft.id}/listening"):
        assert client.get(path).status_code == 404
        assert signed_in.get(path).status_code == 404
    hers = Client()
    hers.force_login(ana, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = hers.get(f"/works/{draft.id}")
    assert page.status_code == 200
    assert "This is a draft. Only you see it." in page.content.decode()


def test_an_unknown_work_and_no_work_at_all_answer_the_same(client: Client) -> None:
    for path in (f"/works/{uuid4()}", "/works/not-an-id", "/creators/nobody", "/problems/no-such-refusal"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "There is nothing at this address" in answer.content.decode()


def test_the_front_page_asks_the_same_however_many_works_there_are(
    client: Client, signed_in: Client, ana: Person, django_assert_num_queries
) -> None:
    profile = cast.creator(ana)
    cast.track(profile)
    client.get("/")
    for _ in range(5):
        cast.track(profile)
    with django_assert_num_queries(5):  # the clock, what is new, the places on the shelves, works with creators, covers
        client.get("/")
    # Also: the web session, the person, their profiles, holdings, the wallet, what they do for the co-op.
    with django_assert_num_queries(11):
        signed_in.get("/")


def test_what_staff_look_after_is_linked_for_those_who_may_alone(client: Client, signed_in: Client) -> None:
    def linked(who: Client) -> set[str]:
        page = who.get("/").content.decode()
        return {path for path in ("/staff/reports", "/staff/transfers") if f'href="{path}"' in page}

    assert (linked(client), linked(signed_in)) == (set(), set())
    for role, path in (("catalogue", "/staff/reports"), ("treasurer", "/staff/transfers")):
        staff = Client()
        staff.force_login(
            cast.person("wen", staff=(role,)), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        assert linked(staff) == {path}
        assert staff.get(path).status_code == 200


def test_a_works_page_for_a_listener_asks_little(
    signed_in: Client, lena: Person, ana: Person, django_assert_max_num_queries
) -> None:
    work = cast.track(cast.creator(ana))
    cast.top_up(lena, 500)
    for _ in range(3):
        cast.play(lena, work)
    signed_in.get(f"/works/{work.id}")
    with django_assert_max_num_queries(24):
        page = signed_in.get(f"/works/{work.id}").content.decode()
    assert "3 of 9" in page
    assert "The next play, your fourth" in page


def test_the_wallet_shows_what_moved_with_the_credit_after_it(signed_in: Client, lena: Person, ana: Person) -> None:
    work = cast.track(cast.creator(ana))
    cast.top_up(lena, 500)
    cast.play(lena, work)
    cast.play(lena, work)
    cast.give_back(cast.last_charge(lena))
    cast.promo(lena, 250_000)
    page = " ".join(signed_in.get("/wallet").content.decode().split())
    for amount, after in (("+€0.250", "€5.248"), ("+€0.004", "€4.998"), ("−€0.004", "€4.994"), ("−€0.002", "€4.998")):
        assert f'{amount}</span></td> <td class="n hide-small quiet"> <span class="money">{after}</span>' in page
    assert "by the co-op: A test gives it back." in page


def test_the_text_of_the_consent_has_a_number_and_another_is_refused(signed_in: Client, lena: Person) -> None:
    assert signed_in.post("/wallet/consent", {"version": "2"}).status_code == 409
    assert Wallet.objects.filter(consented_at__isnull=False).count() == 0
    assert signed_in.post("/wallet/consent", {"version": "1"}).status_code == 204
    kept = Wallet.objects.get(listener=lena)
    assert (kept.consent_version, kept.goes_on) == (1, False)


def test_another_persons_token_cannot_be_revoked(signed_in: Client, ana: Person) -> None:
    token = Token.objects.create(
        person=ana, digest=b"x" * 32, scopes=["listen"], created_at=clock.now(), expires_at=clock.now()
    )
    answer = signed_in.post(f"/account/tokens/{token.id}/revoke")
    assert answer.status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_way_back_never_leads_elsewhere(signed_in: Client) -> None:
    for back in ("https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)"):
        assert "elsewhere" not in signed_in.get("/wallet", {"back": back}).content.decode()


def test_every_refusal_that_the_code_knows_is_explained(client: Client) -> None:
    page = client.get("/problems").content.decode()
    for slug in (
        "insufficient-funds",
        "spending-limit-reached",
        "price-changed",
        "session-expired",
        "work-unavailable",
    ):
        assert f'href="/problems/{slug}"' in page
        assert client.get(f"/problems/{slug}").status_code == 200


def test_a_work_that_was_taken_off_says_so(client: Client, signed_in: Client, lena: Person, ana: Person) -> None:
    work = cast.track(cast.creator(ana))
    cast.top_up(lena, 500)
    cast.play(lena, work)
    publishing.take_off(work_id=work.id, person_id=ana.id, now=clock.now())
    assert "It cannot be played now." in client.get(f"/works/{work.id}").content.decode()
    mine = signed_in.get(f"/works/{work.id}").content.decode()
    assert "This work was taken off by its creator" in mine
    assert "The next play, your second" in mine  # who has begun may go on for 90 days


def test_names_from_outside_are_shown_as_text(client: Client, ana: Person) -> None:
    profile = cast.creator(ana)
    work = cast.track(profile)
    work.title = '<script>alert("x")</script>'
    work.save(update_fields=["title"])
    page = client.get(f"/works/{work.id}").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
