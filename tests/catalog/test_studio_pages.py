"""The pages of the studio: who sees what, what a form answers, what a refusal says, how many queries a list costs."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import arranging, people, sharing
from catalog.models import Creator, Release, Rendition, SplitSheet, Upload, Work
from catalog.sharing import Payee
from members import clock
from members.models import Person
from tests import callers, cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _patience() -> None:
    callers.forget_counts()


@pytest.fixture
def draft(band: Creator) -> Work:
    return cast.track(band, state="draft")


def browser(who: Person) -> Client:
    client = Client()
    client.force_login(who)
    return client


def form_of(work: Work, **typed: Any) -> dict[str, Any]:
    """Return what the form of a work sends as it stands, with what somebody typed."""
    return {
        "title": work.title,
        "licence": work.licence,
        "origin": work.origin,
        "pricing": "default",
        "price": "",
        "release_id": "",
        "position": "",
        "tags": "",
        **typed,
    }


def page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return read(answer)


def read(answer: Any) -> str:
    """Return what a page says, its lines run together."""
    return " ".join(answer.content.decode().split())


class TestOverview:
    def test_works_by_state_and_what_waits(self, ana: Person, band: Creator, draft: Work) -> None:
        cast.confirm(ana)
        published, off = cast.track(band), cast.track(band, state="off")
        bad = cast.track(band, state="suspended")
        Work.objects.filter(id=bad.id).update(state_reason="It is somebody else’s recording.")
        photo = cast.track(band, state="draft")
        Work.objects.filter(id=photo.id).update(kind="photo", title="Pier")
        ben = cast.person("ben")
        cast.confirm(ben)
        theirs = cast.track(cast.creator(ben), state="draft")
        sharing.propose(
            work_id=theirs.id,
            person_id=ben.id,
            payees=[Payee(email=ben.email, share_ppm=500_000), Payee(email=ana.email, share_ppm=500_000)],
            now=clock.now(),
        )
        invited = people.invite(
            creator_id=theirs.creator_id, person_id=ben.id, email=ana.email, role="viewer", now=clock.now()
        )
        shown = page(browser(ana), "/studio")
        assert draft.title in shown
        assert published.title not in shown.split('<h2 id="works">')[1]
        assert f"/splits/{SplitSheet.objects.get(work=theirs).id}" in shown
        assert f"/studio/invitations/{invited.id}" in shown
        assert "has no words for people who cannot see it" in shown
        assert published.title in page(browser(ana), "/studio?state=published")
        assert off.title in page(browser(ana), "/studio?state=off")
        assert "It is somebody else’s recording." in page(browser(ana), "/studio?state=suspended")

    def test_of_one_profile_and_of_no_other(self, ana: Person, draft: Work) -> None:
        second = cast.creator(ana)
        other = cast.track(second, state="draft")
        strange = cast.track(cast.creator(cast.person("ben")), state="draft")
        both = page(browser(ana), "/studio")
        assert draft.title in both
        assert other.title in both
        assert strange.title not in both
        one = page(browser(ana), f"/studio?creator={second.slug}")
        assert other.title in one
        assert draft.title not in one
        assert strange.title not in page(browser(ana), f"/studio?creator={strange.creator.slug}&after={strange.id}")

    def test_its_queries_do_not_grow_with_what_it_lists(self, ana: Person, band: Creator) -> None:
        cast.track(band, state="draft")
        client = browser(ana)
        page(client, "/studio")
        with CaptureQueriesContext(
            connection,
        ) as few:
            page(client, "/studio")
        for number in range(12):
            work = cast.track(band, state="draft")
            Rendition.objects.create(
                work=work,
                kind="cover",
                prefix=f"renditions/{number}/",
                layout={"file": "c.jpg"},
                size_bytes=1,
                created_at=clock.now(),
            )
            Upload.objects.create(
                person=ana,
                creator=band,
                filename=f"{number}.flac",
                size_bytes=1,
                sha256=f"{number:064d}",
                original_key=f"originals/{number}",
                created_at=clock.now(),
            )
            cast.creator(ana)
        with CaptureQueriesContext(connection) as many:
            page(client, "/studio")
        assert len(many) == len(few)

    def test_pages_go_on_where_the_last_one_ended(self, ana: Person, band: Creator) -> None:
        for _ in range(50):
            cast.track(band, state="draft")
        client = browser(ana)
        first = page(client, "/studio")
        last = first.split("after=")[1].split('"')[0]
        second = page(client, f"/studio?state=draft&after={last}")
        assert (first.count('class="work-row"'), second.count('class="work-row"')) == (48, 2)
        assert page(client, f"/studio?after={uuid4()}").count('class="work-row"') == 48
        assert page(client, "/studio?after=nonsense").count('class="work-row"') == 48

    def test_who_is_in_no_profile_is_told_what_one_is(self) -> None:
        lena = cast.person("lena")
        client = browser(lena)
        assert "You are in no profile yet" in page(client, "/studio")
        answer = client.post("/studio/creators", {"name": "Lena’s"})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/studio/creators/lenas")


class TestOneWork:
    def test_the_form_shows_what_is_and_keeps_what_is_typed(self, ana: Person, draft: Work) -> None:
        client = browser(ana)
        assert draft.title in page(client, f"/studio/works/{draft.id}")
        typed = form_of(
            draft,
            title="Nebel",
            isrc="QZ-ES7-12-00074",
            tags="Ambient, drone",
            language="de",
            explicit="on",
            pricing="own",
            price="2.044",
            credit_role=["mix", ""],
            credit_name=["Ben", ""],
        )
        answer = client.post(f"/studio/works/{draft.id}", typed)
        assert answer.status_code == 302
        kept = Work.objects.get(id=draft.id)
        assert (kept.title, kept.isrc, kept.tags, kept.language) == (
            "Nebel",
            "QZES71200074",
            ["ambient", "drone"],
            "de",
        )
        assert (kept.explicit, kept.price_micros) == (True, 2_044_000)
        assert kept.credits == [{"role": "mix", "name": "Ben"}]
        shown = page(client, f"/studio/works/{draft.id}")
        assert 'value="2.044"' in shown
        assert "€1.4308" in shown  # the creators' 70 per cent of it

    def test_a_mistake_is_said_beside_its_field_and_nothing_is_kept(self, ana: Person, draft: Work) -> None:
        typed = form_of(draft, title="New", isrc="QZ-ES7-12-0074", pricing="own", price="0.1")
        answer = browser(ana).post(f"/studio/works/{draft.id}", typed)
        shown = read(answer)
        assert answer.status_code == 400
        assert "it has 11 characters after the hyphens are taken out" in shown
        assert "A price is €0.20 to €50.00" in shown
        assert 'value="New"' in shown
        draft.refresh_from_db()
        assert draft.title != "New"

    def test_another_origin_is_attested(self, ana: Person, draft: Work) -> None:
        client = browser(ana)
        answer = client.post(f"/studio/works/{draft.id}", form_of(draft, origin="ai-assisted"))
        assert answer.status_code == 400
        assert "attested by its creator" in read(answer)
        answer = client.post(f"/studio/works/{draft.id}", form_of(draft, origin="ai-assisted", attested="on"))
        assert answer.status_code == 302
        assert Work.objects.get(id=draft.id).origin == "ai-assisted"

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"pricing": "own", "price": "2.044"}, ["0.004", "1.024", "€2.044", "€1.4308"]),
            ({"pricing": "own", "price": "0.333333"}, ["€0.333333", "first €0.000652", "last €0.166993"]),
            ({"pricing": "default", "price": "9"}, ["0.002", "0.512", "€1.022"]),
            ({"pricing": "free"}, ["Free: the whole of it at once", "owns it for ever"]),
            ({"pricing": "own", "price": "0.19"}, ["A price is €0.20 to €50.00"]),
            ({"pricing": "own", "price": "two"}, ["Write an amount like 2.50"]),
            ({"pricing": "own", "price": ""}, ["field__error"]),
        ],
    )
    def test_the_ladder_is_drawn_as_it_is_typed(
        self, ana: Person, draft: Work, asked: dict[str, str], words: list[str]
    ) -> None:
        answer = browser(ana).get(f"/studio/works/{draft.id}/ladder", asked)
        assert answer.status_code == 200
        for word in words:
            assert word in read(answer)
        draft.refresh_from_db()
        assert draft.price_micros is None

    def test_publishing_needs_the_tick_and_names_the_rule_that_refuses(self, ana: Person, draft: Work) -> None:
        client = browser(ana)
        answer = client.post(f"/studio/works/{draft.id}/publish")
        assert (answer.status_code, Work.objects.get(id=draft.id).state) == (400, "draft")
        Upload.objects.filter(work=draft).update(found={"sample_rate": 8_000})
        assert "<b>not yet</b>" in page(client, f"/studio/works/{draft.id}")
        answer = client.post(f"/studio/works/{draft.id}/publish", {"attested": "1"})
        shown = read(answer)
        assert answer.status_code == 409
        assert 'Members voted it: <a href="/policies/content#v1">content 1</a>, rule sample_rate_min.' in shown
        Upload.objects.filter(work=draft).update(found={"sample_rate": 44_100})
        assert client.post(f"/studio/works/{draft.id}/publish", {"attested": "1"}).status_code == 302
        assert Work.objects.get(id=draft.id).state == "published"
        assert "for 90 days" in page(client, f"/studio/works/{draft.id}")
        assert client.post(f"/studio/works/{draft.id}/take-off").status_code == 302
        assert Work.objects.get(id=draft.id).state == "off"

    def test_a_split_sheet_is_proposed_in_per_cent(self, ana: Person, draft: Work) -> None:
        cast.confirm(ana)
        client, path = browser(ana), f"/studio/works/{draft.id}/split-sheet"
        typed = {
            "payee_email": [ana.email, "ben@elsewhere.example", ""],
            "payee_part": ["composition", "mix", ""],
            "payee_share": ["66.6667", "33,3332", ""],
        }
        answer = client.post(path, typed)
        assert answer.status_code == 400
        assert "0.0001 % is still to be given" in read(answer)
        typed["payee_share"][1] = "33.3333"
        assert client.post(path, typed).status_code == 302
        sheet = SplitSheet.objects.get(work=draft)
        assert list(sheet.lines.order_by("line_number").values_list("part", "share_ppm")) == [
            ("composition", 666_667),
            ("mix", 333_333),
        ]
        shown = page(client, f"/studio/works/{draft.id}")
        assert "66.6667 %" in shown
        assert "asked" in shown
        typed["payee_share"][0] = "sixty"
        assert "like 60 or 33.3333" in read(client.post(path, typed))

    def test_a_viewer_looks_and_changes_nothing(self, ana: Person) -> None:
        viv = cast.person("viv")
        draft = cast.track(cast.creator(ana, viewers=(viv,)), state="draft")
        client = browser(viv)
        shown = page(client, f"/studio/works/{draft.id}")
        assert "Keep this" not in shown
        before = callers.digest()
        for path, typed in (
            ("", form_of(draft, title="Mine")),
            ("/publish", {"attested": "1"}),
            ("/take-off", {}),
            ("/split-sheet", {"payee_email": [viv.email], "payee_part": [""], "payee_share": ["100"]}),
        ):
            assert client.post(f"/studio/works/{draft.id}{path}", typed).status_code == 404
        assert callers.digest() == before


class TestOneRelease:
    @pytest.fixture
    def album(self, ana: Person, band: Creator) -> Release:
        return arranging.found(creator_id=band.id, person_id=ana.id, title="Dunst")

    def test_adding_moving_and_taking_out(self, ana: Person, band: Creator, album: Release) -> None:
        one, two = cast.track(band, state="draft"), cast.track(band, state="draft")
        client, path = browser(ana), f"/studio/releases/{album.id}/works"

        def order() -> list[Any]:
            return list(Work.objects.filter(release=album).order_by("position").values_list("id", flat=True))

        client.post(path, {"add": one.id})
        client.post(path, {"work": [one.id], "add": two.id})
        assert order() == [one.id, two.id]
        answer = client.post(path, {"work": [one.id, two.id], "down": one.id}, headers={"Accept": "application/json"})
        assert (answer.status_code, order()) == (204, [two.id, one.id])
        client.post(path, {"work": [two.id, one.id], "up": two.id})
        assert order() == [two.id, one.id]
        client.post(path, {"work": [two.id, one.id], "remove": two.id})
        assert order() == [one.id]
        for nonsense in ({"work": ["x"]}, {"work": [one.id], "up": two.id}, {"work": [one.id, one.id]}):
            assert client.post(path, nonsense).status_code == 400
        assert order() == [one.id]

    def test_publishing_all_shows_what_came_of_each(self, ana: Person, band: Creator, album: Release) -> None:
        good, low = cast.track(band, state="draft"), cast.track(band, state="draft")
        Upload.objects.filter(work=low).update(found={"sample_rate": 8_000})
        arranging.arrange(release_id=album.id, person_id=ana.id, work_ids=[low.id, good.id])
        client = browser(ana)
        assert client.post(f"/studio/releases/{album.id}/publish").status_code == 400
        answer = client.post(f"/studio/releases/{album.id}/publish", {"attested": "1"})
        shown = read(answer)
        assert f'Not published:</b> <i class="work-title">{low.title}' in shown
        assert f'Published:</b> <i class="work-title">{good.title}' in shown
        assert 'Members voted it: <a href="/policies/content#v1">content 1</a>.' in shown

    def test_its_queries_do_not_grow(self, ana: Person, band: Creator, album: Release) -> None:
        works = [cast.track(band) for _ in range(9)]
        client = browser(ana)
        counts = []
        for some in (works[:1], works):
            arranging.arrange(release_id=album.id, person_id=ana.id, work_ids=[work.id for work in some])
            page(client, f"/studio/releases/{album.id}")
            with CaptureQueriesContext(connection) as asked:
                page(client, f"/studio/releases/{album.id}")
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestInvitations:
    def test_a_payee_sees_the_sheet_and_accepts_it(self, ana: Person, draft: Work) -> None:
        ben = cast.person("ben")
        for person in (ana, ben):
            cast.confirm(person)
        sheet = sharing.propose(
            work_id=draft.id,
            person_id=ana.id,
            payees=[Payee(email=ana.email, share_ppm=600_000), Payee(email=ben.email, share_ppm=400_000, part="mix")],
            now=clock.now(),
        )
        client = browser(ben)
        shown = page(client, f"/splits/{sheet.id}")
        assert "40.0000 %" in shown
        assert "is held" in shown
        assert draft.title in page(client, "/studio")
        answer = client.post(f"/splits/{sheet.id}", {"answer": "accept"})
        assert answer.headers["Location"] == f"/splits/{sheet.id}"
        assert "Every payee accepted it" in page(client, f"/splits/{sheet.id}")
        assert (
            "You accepted it. A newer sheet"
            in client.post(f"/splits/{sheet.id}", {"answer": "decline"}, follow=True).content.decode()
        )

    def test_what_is_not_addressed_to_one_looks_like_nothing(self, ana: Person, band: Creator, draft: Work) -> None:
        """The same words for a sheet of others, for one that is none, and for an address that is not confirmed."""
        ben = cast.person("ben")
        sheet = sharing.propose(
            work_id=draft.id,
            person_id=ana.id,
            payees=[Payee(email=ben.email, share_ppm=1_000_000)],
            now=clock.now(),
        )
        asked = people.invite(creator_id=band.id, person_id=ana.id, email=ben.email, role="owner", now=clock.now())
        client = browser(ben)
        pages = [
            page(client, path, 404)
            for path in (
                f"/splits/{sheet.id}",
                f"/splits/{uuid4()}",
                f"/studio/invitations/{asked.id}",
                f"/studio/invitations/{uuid4()}",
            )
        ]
        heads = {text.split("<main")[1].split("</main>")[0] for text in pages}
        assert len(heads) == 1
        assert ben.email in heads.pop()
        for path in (f"/splits/{sheet.id}", f"/studio/invitations/{asked.id}"):
            assert client.post(path, {"answer": "accept"}).status_code == 404
        cast.confirm(ben)
        assert "Accept 100.0000 %" in page(client, f"/splits/{sheet.id}")
        assert client.post(f"/studio/invitations/{asked.id}", {"answer": "accept"}).status_code == 302

    def test_a_profile_is_run_by_forms(self, ana: Person, band: Creator) -> None:
        client, path = browser(ana), f"/studio/creators/{band.slug}"
        said = {"name": "Ana M", "about": "Hi.", "links": "https://ana.example/\nhttps://b.example/"}
        assert client.post(path, said).status_code == 302
        assert client.post(path, {**said, "links": "http://ana.example"}).status_code == 400
        band.refresh_from_db()
        assert (band.name, band.links) == ("Ana M", ["https://ana.example/", "https://b.example/"])
        assert client.post(f"{path}/invitations", {"email": "ben@x.example", "role": "editor"}).status_code == 302
        assert client.post(f"{path}/invitations", {"email": "ben", "role": "editor"}).status_code == 400
        assert "ben@x.example" in page(client, path)
        asked = band.invitations.get()
        assert client.post(f"{path}/invitations/{asked.id}/withdraw").status_code == 302
        answer = client.post(f"{path}/members/{ana.id}", {"act": "remove"}, follow=True)
        assert band.roles.count() == 1
        assert "only owner" in read(answer)
        made = client.post(f"{path}/releases", {"title": "Dunst", "kind": "ep", "released_on": "2026-11-01"})
        assert made.headers["Location"].startswith("/studio/releases/")
        assert client.post(f"{path}/close", {"name": "ana m"}).status_code == 400
        assert client.post(f"{path}/close", {"name": "Ana M"}).status_code == 302
        assert "This profile was closed" in page(client, path)
