"""A published work gets a better file: who owns it keeps what they bought and has the new one too; plays go on."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import media
from tests.journeys.browser.conftest import Program, Shop, cut
from tests.journeys.browser.reach import NARROW, is_sound
from tests.journeys.browser.visitor import Visitor

FIRST_SECONDS, BETTER_SECONDS = 21, 25
REPLACED_WITHIN_MS = 120_000
MADE_WITHIN_MS = 90_000


def test_a_better_file_takes_the_place_of_a_published_one_and_its_owner_has_both(
    shop: Shop, arrive: Callable[..., Visitor], lena: Visitor, tmp_path: Path
) -> None:
    ben = arrive()
    ben.sign_up("ben")
    page = ben.page
    ben.found_profile("Mastered Twice")
    program = Program(shop.stack, ben.token("publish"))
    work = program.publish(program.work_of(program.upload(cut(tmp_path, "Draft", start=5, seconds=FIRST_SECONDS))))
    lena.ask("POST", f"works/{work}/purchase", {"price_micros": 1_022_000}, **{"Idempotency-Key": "before"})
    lena.open_work(work)
    lena.press_play()
    lena.expect_state("playing")
    lena.wait_until_heard(0.3)

    page.goto(f"{shop.url}/studio/works/{work}")
    replace(page, tmp_path / "no-recording.flac", b"This is no music at all." * 40)
    expect(page.locator("[data-place=refusal]")).to_be_visible(timeout=REPLACED_WITHIN_MS)
    is_sound(page, "a file that was not taken")
    better = cut(tmp_path, "Better", start=5, seconds=BETTER_SECONDS)
    replace(page, better, better.read_bytes())
    expect(page.locator(".work-file")).to_contain_text("0:25", timeout=REPLACED_WITHIN_MS)
    expect(page.locator(".work-file")).to_contain_text("Better.flac")
    expect(page.get_by_role("heading", name="Draft", level=1)).to_be_visible()  # what its people wrote stays
    expect(page.locator(".badge--ink")).to_have_text("published")
    is_sound(page, "a file that was replaced")

    # Who listens hears their sitting out, who comes back hears the better file, and it is theirs all the while.
    lena.seek(FIRST_SECONDS)
    lena.expect_state("ended")
    lena.open_work(work)
    assert "Yours since" in lena.says()
    lena.press_play()
    lena.expect_state("playing")
    lena.seek(FIRST_SECONDS + 2)
    lena.wait_until_heard(FIRST_SECONDS + 2.5)
    assert lena.charges == [("purchase", None, 1_022_000)]

    page.get_by_role("button", name="Take it off").click()
    expect(page.get_by_text("“Draft” is taken off. Who owns it keeps it.")).to_be_visible()
    phone = arrive(viewport=NARROW, color_scheme="dark")
    phone.context.add_cookies(lena.context.cookies())
    page = phone.page
    page.goto(f"{shop.url}/library/works/{work}")
    expect(page.get_by_role("heading", name="As it was when it became yours")).to_be_visible()
    for at, seconds in ((0, BETTER_SECONDS), (1, FIRST_SECONDS)):
        page.get_by_role("button", name="Make it as MP3").first.click()
        expect(page.get_by_role("link", name="Save it as MP3")).to_have_count(at + 1, timeout=MADE_WITHIN_MS)
        with page.expect_download() as download:
            page.get_by_role("link", name="Save it as MP3").nth(at).click()
        assert media.seconds_of(Path(download.value.path())) == pytest.approx(seconds, abs=0.2)
    expect(page.get_by_text("it stays yours")).to_be_visible()
    is_sound(page, "both files")


def replace(page: Page, path: Path, content: bytes) -> None:
    """Send another file for the work, by keyboard."""
    path.write_bytes(content)
    form = page.locator("form[data-behaviour=replace]")
    if not form.is_visible():
        page.get_by_text("Replace the file").focus()
        page.keyboard.press("Enter")
    form.get_by_label("The new file", exact=True).focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(path)
    form.get_by_role("button", name="Send it").focus()
    page.keyboard.press("Enter")
