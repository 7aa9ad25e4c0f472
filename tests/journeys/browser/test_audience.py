"""A creator looks at who heard a work: charts, the same as tables and as CSV, and nothing about fewer than five."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from infra import throwaway
from tests.journeys.browser.conftest import Program, Shop, cut
from tests.journeys.browser.reach import NARROW, faults_of_access, is_sound, sideways
from tests.journeys.browser.test_interruptions import move_the_clock
from tests.journeys.browser.visitor import Visitor

# Makes listeners as they are after signing up and stating a country, and prints a token for each.
MAKE_LISTENERS = """
from uuid import uuid4
from members import clock, tokens
from members.models import Person
for number in range({count}):
    person = Person.objects.create(email=f"{{uuid4()}}@journey.example", country="DE" if number < 8 else "ES")
    print(tokens.mint(person_id=person.id, scopes={{"listen", "spend"}}, name="listens", now=clock.now())[1])
"""
PAYING, LOOKING = 7, 6


def set_the_clock(shop: Shop, *, months: int, day: int) -> None:
    """Set the co-op's clock to the noon of a day, so many months after this one."""
    with shop.stack.postgres.connect(user=shop.stack.postgres.owner, database=shop.stack.postgres.database) as database:
        database.execute(
            "UPDATE members_coop SET clock_offset ="
            " date_trunc('month', now()) + make_interval(months => %s, days => %s, hours => 12) - now()",
            [months, day - 1],
        )


def listen(program: Program, work: str, *, pays: bool, source: str) -> None:
    """Hear a work's opening, or pay and hear it to its end."""
    session = program.ask("POST", "sessions", json.dumps({"work": work, "source": source}).encode())
    if pays:
        program.ask(
            "POST", f"sessions/{session['id']}/charge", json.dumps({"price_micros": session["price_micros"]}).encode()
        )
    heard = {
        "position_seconds": session["duration_seconds"] if pays else session["free_seconds"],
        "state": "completed" if pays else "stopped",
    }
    program.ask("POST", f"sessions/{session['id']}/progress", json.dumps(heard).encode())


def rows_of(page: Page) -> list[dict[str, str]]:
    """Return the lines of the CSV that the page gives."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Every month as CSV").click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))


def count(shop: Shop) -> None:
    """Let the worker's task count what is over."""
    code = "from playback.tasks import count_audiences\nwhile count_audiences(): pass"
    throwaway.manage(shop.stack, "shell", "-c", code)


def test_a_creator_sees_who_heard_a_work_and_nobody_in_particular(
    shop: Shop, arrive: Callable[..., Visitor], tmp_path: Path
) -> None:
    ana, stranger = arrive(), arrive()
    ana.sign_up("ana")
    ana.found_profile("Counted")
    own = Program(shop.stack, ana.token("publish"))
    page = ana.page
    uploads = [own.upload(cut(tmp_path, name, start=start, seconds=20)) for name, start in (("Busy", 2), ("Quiet", 40))]
    busy, quiet = (own.publish(own.work_of(upload)) for upload in uploads)
    page.goto(f"{shop.url}/studio?state=published")
    page.get_by_role("link", name="Busy").last.click()
    page.get_by_role("link", name="Its audience").click()
    expect(page.get_by_text("No figures yet.")).to_be_visible()
    is_sound(page, "nobody yet")

    made = throwaway.manage(shop.stack, "shell", "-c", MAKE_LISTENERS.format(count=PAYING + LOOKING), as_owner=True)
    tokens = [word for word in made.split() if word.startswith("refrain_")]
    crowd = [Program(shop.stack, token) for token in tokens]
    for number, one in enumerate(crowd[:PAYING]):
        one.add_credit(500, key=f"credit-{number}")
    try:
        for day in (9, 10, 20):
            set_the_clock(shop, months=1, day=day)
            for one in crowd[:PAYING]:
                listen(one, busy, pays=True, source="front" if day == 9 else "library")
            for one in crowd[PAYING:]:
                listen(one, busy, pays=False, source="search")
        for one in crowd[:4]:
            listen(one, quiet, pays=True, source="search")
        set_the_clock(shop, months=2, day=3)
        count(shop)
        look_at_the_busy_one(page, shop, busy)
        look_at_the_quiet_one(page, shop, quiet)
        stranger.sign_up("nosy")
        for path in (f"/studio/works/{busy}/audience", f"/studio/works/{busy}/audience.csv"):
            assert stranger.context.request.get(f"{shop.url}{path}").status == 404
    finally:
        move_the_clock(shop, minutes=0)


def look_at_the_busy_one(page: Page, shop: Shop, work: str) -> None:
    """Twenty-one plays by seven and eighteen openings by six, on three days."""
    page.goto(f"{shop.url}/studio/works/{work}/audience")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who heard Busy")
    sums = page.locator(".audience__sums")
    expect(sums).to_contain_text(re.compile(r"Sessions\s*39\s*Listeners\s*13\s*Charged.*€0.098", re.DOTALL))
    expect(page.get_by_text("Five in ten who began went on")).to_be_visible()
    expect(page.get_by_text("Most live in Germany")).to_be_visible()
    for summary in page.locator("details.more > summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    told = {
        figure.locator("strong").inner_text(): {
            row.locator("th").inner_text(): row.locator("td").first.inner_text()
            for row in figure.locator("tbody tr").all()
        }
        for figure in page.locator("figure.chart", has=page.locator("table")).all()
    }
    drawn = page.locator("svg[aria-label^='Plays by number'] g").evaluate_all(
        "bars => Object.fromEntries(bars.map((bar) => [...bar.querySelectorAll('text')]"
        ".map((one) => one.textContent.trim()).reverse()))"
    )
    rows = rows_of(page)
    in_file = {row["key"]: row["count"] for row in rows if row["table"] == "numbers"}
    assert drawn == in_file == {"1": "7", "2": "7", "3": "7"}
    assert in_file in told.values()
    days = [(row["key"][-2:], row["last_day"][-2:], row["count"]) for row in rows if row["table"] == "days"]
    assert days == [("09", "09", "13"), ("10", "10", "13"), ("20", "20", "13")]
    assert [list(table.values()) for table in told.values()].count(["13", "13", "13"]) == 1
    heights = page.locator("svg[aria-label^='Sessions a day'] rect.fill-ink").evaluate_all(
        "bars => bars.map((bar) => bar.getAttribute('height'))"
    )
    assert len(heights) == 3
    assert len(set(heights)) == 1
    is_sound(page, "an audience")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)
    assert faults_of_access(page) == []
    assert sideways(page) <= 0
    small = page.locator("svg text").evaluate_all(
        "words => Math.min(...words.map((word) => parseFloat(getComputedStyle(word).fontSize) *"
        " word.ownerSVGElement.getBoundingClientRect().width / word.ownerSVGElement.viewBox.baseVal.width))"
    )
    assert small >= 12  # as it is read on a phone


def look_at_the_quiet_one(page: Page, shop: Shop, work: str) -> None:
    """Four listeners are nobody's to see; what they paid is in the statement anyway."""
    page.goto(f"{shop.url}/studio/works/{work}/audience")
    sums = page.locator(".audience__sums")
    words = re.compile(r"Sessions\s*not shown\s*Listeners\s*not shown\s*Charged.*€0.008", re.DOTALL)
    expect(sums).to_contain_text(words)
    expect(page.locator("svg rect.fill-ink")).to_have_count(0)
    rows = rows_of(page)
    assert {row["table"] for row in rows} == {"sums"}
    assert {row["count"] for row in rows} <= {"", "0"}
    assert faults_of_access(page) == []
    assert sideways(page) <= 0
