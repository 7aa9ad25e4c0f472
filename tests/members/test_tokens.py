"""Tokens: hashed at rest, scoped, expiring, revocable."""

import hashlib
from datetime import timedelta

import pytest

from members import clock, tokens
from members.models import Token
from members.problems import NotFound
from members.tokens import CannotMint
from tests import cast

pytestmark = pytest.mark.django_db


def test_a_token_speaks_for_its_person_within_its_scopes() -> None:
    lena = cast.person("lena")
    token, plain = tokens.mint(person_id=lena.id, scopes={"spend", "listen"}, name="radio", now=clock.now())
    bearer = tokens.find(plain)
    assert bearer is not None
    assert (bearer.person_id, bearer.email, bearer.name) == (lena.id, lena.email, "Lena")
    assert bearer.scopes == {"listen", "spend"}
    assert not bearer.is_staff
    assert token.name == "radio"


def test_only_the_hash_is_kept() -> None:
    token, plain = tokens.mint(person_id=cast.person().id, scopes={"listen"}, name="", now=clock.now())
    token.refresh_from_db()
    assert bytes(token.digest) == hashlib.sha256(plain.encode()).digest()
    assert plain.startswith("refrain_")
    assert len(plain) >= len("refrain_") + 43
    assert not [value for value in Token.objects.values_list().get() if isinstance(value, str) and plain in value]


def test_two_tokens_are_never_the_same() -> None:
    lena = cast.person()
    plain = {tokens.mint(person_id=lena.id, scopes={"listen"}, name="", now=clock.now())[1] for _ in range(20)}
    assert len(plain) == 20


@pytest.mark.parametrize("guess", ["", "refrain_", "refrain_x", "é" * 40, "x" * 10_000, "\x00"])
def test_a_guess_is_nobody(guess: str) -> None:
    tokens.mint(person_id=cast.person().id, scopes={"listen"}, name="", now=clock.now())
    assert tokens.find(guess) is None


def test_a_token_ends_when_it_expires() -> None:
    now = clock.now()
    _, ended = tokens.mint(person_id=cast.person().id, scopes={"listen"}, name="", now=now - tokens.LIFETIME)
    _, lives = tokens.mint(
        person_id=cast.person().id, scopes={"listen"}, name="", now=now - tokens.LIFETIME + timedelta(minutes=1)
    )
    assert tokens.find(ended) is None
    assert tokens.find(lives) is not None


def test_a_revoked_token_ends_at_once_and_only_its_person_revokes_it() -> None:
    lena, lars, now = cast.person("lena"), cast.person("lars"), clock.now()
    token, plain = tokens.mint(person_id=lena.id, scopes={"listen"}, name="", now=now)
    with pytest.raises(NotFound):
        tokens.revoke(token_id=token.id, person_id=lars.id, now=now)
    assert tokens.find(plain) is not None
    tokens.revoke(token_id=token.id, person_id=lena.id, now=now)
    assert tokens.find(plain) is None
    with pytest.raises(NotFound):
        tokens.revoke(token_id=token.id, person_id=lena.id, now=now)


def test_the_token_of_somebody_who_is_gone_ends() -> None:
    lena = cast.person()
    _, plain = tokens.mint(person_id=lena.id, scopes={"listen"}, name="", now=clock.now())
    lena.is_active = False
    lena.save(update_fields=["is_active"])
    assert tokens.find(plain) is None


@pytest.mark.parametrize("scopes", [set(), {"everything"}, {"listen", "root"}, {""}])
def test_scopes_are_known_ones(scopes: set[str]) -> None:
    with pytest.raises(CannotMint):
        tokens.mint(person_id=cast.person().id, scopes=scopes, name="", now=clock.now())
    assert Token.objects.count() == 0


@pytest.mark.parametrize("scope", ["vote", "treasury"])
def test_votes_and_the_treasury_need_a_second_factor(scope: str) -> None:
    lena = cast.person()
    with pytest.raises(CannotMint):
        tokens.mint(person_id=lena.id, scopes={"listen", scope}, name="", now=clock.now())
    _, plain = tokens.mint(person_id=lena.id, scopes={scope}, name="", now=clock.now(), guarded=True)
    bearer = tokens.find(plain)
    assert bearer is not None
    assert bearer.scopes == {scope}


@pytest.mark.parametrize("scopes", [{"vote"}, {"treasury"}, {"listen", "vote"}])
def test_a_guarded_token_lives_fifteen_minutes_and_no_longer(scopes: set[str]) -> None:
    now = clock.now()
    token, plain = tokens.mint(
        person_id=cast.person().id, scopes=scopes, name="", now=now, guarded=True, lifetime=timedelta(days=90)
    )
    assert token.expires_at == now + timedelta(minutes=15)
    clock.set_offset(timedelta(minutes=14))
    assert tokens.find(plain) is not None
    clock.set_offset(timedelta(minutes=15, seconds=1))
    assert tokens.find(plain) is None


def test_a_fresh_second_factor_shortens_nothing_else() -> None:
    now = clock.now()
    token, _ = tokens.mint(person_id=cast.person().id, scopes={"spend"}, name="", now=now, guarded=True)
    assert token.expires_at == now + tokens.LIFETIME


def test_the_shell_makes_long_ones_but_not_in_production(settings) -> None:
    lena, now = cast.person(), clock.now()
    token, _ = tokens.mint(person_id=lena.id, scopes={"vote"}, name="", now=now, by_shell=True)
    assert token.expires_at == now + tokens.LIFETIME
    settings.IN_PRODUCTION = True
    with pytest.raises(CannotMint):
        tokens.mint(person_id=lena.id, scopes={"vote"}, name="", now=now, by_shell=True)
    assert tokens.mint(person_id=lena.id, scopes={"listen"}, name="", now=now, by_shell=True)[0].id
