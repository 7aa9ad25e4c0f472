"""What people in the rooms see: where they are, what was refused in a sentence, and no button before its day."""

from datetime import timedelta

import pytest
from django.test import Client

from members import clock
from members.belonging import memberships
from members.erasing import erasures
from tests import cast
from tests.members import belonging

pytestmark = pytest.mark.django_db


def browser(person):
    made = Client()
    made.force_login(person)
    return made


def words(answer):
    """Return what a page says, on one line."""
    return " ".join(answer.content.decode().split())


def test_a_refused_act_is_shown_in_its_room_in_a_sentence():
    belonging.member("lena", now=clock.now())
    dora = browser(cast.person("dora", staff=("director", "treasurer")))
    for path, room in (
        ("/secretary/expulsions/new", "/secretary/expulsions"),
        (f"/secretary/dues/{cast.person('lars').id}", "/secretary/dues-and-shares"),
        ("/treasury/years/2024/close", "/treasury/years"),
    ):
        answer = dora.post(path, {"number": "99999", "words": "?", "covers_from": "soon"})
        assert answer.status_code >= 400
        page = words(answer)
        assert f'<a href="{room}" aria-current="page">' in page, path
        title = page.partition('class="slip__title">')[2].lstrip()
        assert title[0].isupper(), title[:80]


def test_the_board_is_told_from_when_on_it_can_decide():
    lena = belonging.member("lena", now=clock.now())
    number = memberships.standing(lena.id, now=clock.now()).number
    dora = browser(cast.person("dora", staff=("director",)))
    dora.post("/secretary/expulsions/new", {"number": number, "words": "Sold the register."})
    page = words(dora.get("/secretary/expulsions"))
    assert "Then the board can decide." in page
    assert "Let them stay" not in page
    cast.set_clock(clock.now() + timedelta(days=15))
    page = words(dora.get("/secretary/expulsions"))
    assert "Then the board can decide." not in page
    assert "Let them stay" in page


def test_the_account_says_that_one_leaves():
    lena = cast.person("lena")
    assert "You can also" in words(browser(lena).get("/account"))
    asked, _ = erasures.ask(person_id=lena.id, now=clock.now())
    page = words(browser(lena).get("/account"))
    assert f"You leave on {clock.day(asked.ends_at):%-d %B %Y}." in page
    assert "Until then you can stay" in page


def test_who_cannot_pay_the_dues_is_led_to_the_wallet():
    lena = cast.person("lena")
    belonging.approved(lena, now=clock.now())
    answer = browser(lena).post("/membership/dues", {"covers_from": clock.day(clock.now()).isoformat()})
    assert answer.status_code == 402
    assert '<a href="/wallet">Add credit</a> first.' in words(answer)
