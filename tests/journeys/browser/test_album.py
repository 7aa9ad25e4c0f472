"""A new creator's album: from a folder on a disk, by a slow line, to a listener who finds it, hears it and pays."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.journeys.browser.conftest import Shop, cut
from tests.journeys.browser.reach import NARROW, faults_of_access, is_sound
from tests.journeys.browser.visitor import Visitor

# Their files are named against their order, which only the tags know.
TRACKS = (("Cellar", "d.flac"), ("Kitchen", "b.flac"), ("Landing", "c.flac"), ("Roof", "a.flac"))
SECONDS = 21
SLOW_BYTES_A_SECOND = 150_000
INGESTED_WITHIN_MS = 120_000


@pytest.fixture(scope="module")
def sleeve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a square picture that no drawn sleeve looks like."""
    path = tmp_path_factory.mktemp("sleeve") / "cover.jpg"
    Image.new("RGB", (600, 600), (20, 120, 90)).save(path, quality=90)
    return path


def folder_of(album: str, sleeve: Path, at: Path) -> Path:
    """Return a folder with an album as people have them: tagged files, one with artwork, its cover, and a note."""
    folder = at / album
    folder.mkdir()
    for number, (title, name) in enumerate(TRACKS, start=1):
        own = sleeve if number == 1 else None
        made = cut(at, f"{title} {album}", start=9 * number, seconds=SECONDS, album=album, number=number, sleeve=own)
        made.rename(folder / name)
    for name in ("cover.jpg", "back.jpg"):
        (folder / name).write_bytes(sleeve.read_bytes())
    (folder / "notes.txt").write_text("Recorded in a stairwell.")
    return folder


class Line:
    """The network between a page and the shop, as slow as it is made."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("Network.enable")

    def carries(self, bytes_a_second: int) -> None:
        """Carry so much of what is sent; -1 is as much as it can."""
        self.session.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second},
        )

    def drop(self, folder: Path, at: Locator) -> None:
        """Drop a folder from the desk there, as the system does."""
        box = at.bounding_box()
        assert box is not None
        place = {"x": box["x"] + 40, "y": box["y"] + 40}
        load = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.session.send("Input.dispatchDragEvent", {"type": kind, "data": load, **place})


def found_a_profile(page: Page, shop: Shop, name: str) -> None:
    """Found a profile by keyboard, on the way to the upload."""
    page.goto(f"{shop.url}/upload")
    page.get_by_label("Name of the profile").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"The profile “{name}” is yours.")).to_be_visible()
    is_sound(page, "an empty upload page")


def send_the_folder(page: Page, folder: Path, *, drops: bool) -> None:
    """Send a folder by a slow line; stop one file on its way, and let it go on, by keyboard."""
    offsets: list[int] = []
    page.on("request", lambda one: offsets.append(int(one.headers["upload-offset"])) if one.method == "PATCH" else None)
    line = Line(page)
    line.carries(SLOW_BYTES_A_SECOND)
    if drops:
        line.drop(folder, page.locator("[data-place=drop]"))
    else:
        with page.expect_file_chooser() as chooser:
            page.locator("[data-place=folder]").press("Enter")
        chooser.value.set_files(folder)
    rows = page.locator("[data-place=lines] > li")
    expect(rows.locator("[data-part=name]")).to_have_text(["a.flac", "b.flac", "c.flac", "d.flac", "cover.jpg"])
    expect(page.get_by_role("alert")).to_contain_text("back.jpg: it looks like artwork of the recordings")
    first, third = rows.nth(0), rows.nth(2)
    expect(first).to_contain_text("Sending.")
    expect(third).to_contain_text("Waits its turn.")
    page.wait_for_function("() => document.querySelector('[data-place=lines] progress').value >= 10")
    first.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(first).to_contain_text("Paused.")
    expect(first.get_by_role("button", name="Go on")).to_be_focused()
    expect(third).to_contain_text("Sending.")  # its place is not left empty
    expect(page.locator("[data-place=summary]")).to_have_text("0 of 5 are drafts, 4 on their way, 1 waits for you.")
    is_sound(page, "files on their way")
    page.keyboard.press("Enter")
    expect(first).not_to_contain_text("Paused.")
    expect(first.get_by_role("button", name="Pause")).to_be_focused(timeout=60_000)
    line.carries(-1)
    expect(page.get_by_text("All 4 are drafts now.")).to_be_visible(timeout=INGESTED_WITHIN_MS)
    expect(rows.last).to_contain_text("The artwork of its folder.")
    expect(page.locator("[data-place=summary]")).to_have_text("4 of 5 are drafts, 1 the artwork of its folder.")
    assert len(offsets) == 6, offsets
    assert [offset > 0 for offset in offsets].count(True) == 1, offsets  # what had arrived was not sent again
    is_sound(page, "files that arrived")


def price_and_publish(page: Page, album: str) -> None:
    """Go from the drafts to the release that the tags made, give a track its price by keyboard, and publish all."""
    page.get_by_role("link", name="Go to your drafts").click()
    expect(page.get_by_role("heading", name="Studio", level=1)).to_be_visible()
    page.get_by_role("link", name=album, exact=True).first.click()
    expect(page.get_by_role("heading", name=album, level=1)).to_be_visible()
    titles = [f"{title} {album}" for title, _ in TRACKS]
    expect(page.locator("[data-work] .work-row__title")).to_have_text(titles)
    page.get_by_role("link", name=titles[1]).last.click()
    expect(page.get_by_role("heading", name=titles[1], level=1)).to_be_visible()
    drawn = page.locator("[data-place=ladder]")
    expect(drawn).to_contain_text("0.512")
    page.get_by_label("A price of its own").focus()
    page.keyboard.press("Space")
    page.get_by_label("Price of the work").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0.5")
    expect(drawn).to_contain_text("€0.35")  # of €0.50 to the creators
    page.keyboard.type("11")
    expect(drawn).to_contain_text("0.256")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is kept.")).to_be_visible()
    is_sound(page, "a priced draft")
    page.locator(".crumbs").get_by_role("link", name=album, exact=True).click()
    expect(page.get_by_role("heading", name=album, level=1)).to_be_visible()
    page.get_by_label("I attest how each was made").check()
    page.get_by_role("button", name="Publish the drafts").click()
    for title in titles:
        expect(page.locator(".answers")).to_contain_text(f"Published: {title}.")
    is_sound(page, "a published release")


def colour_of(picture: Locator) -> list[int]:
    """Return the colour of a picture's middle, once it is there."""
    picture.scroll_into_view_if_needed()
    return list(
        picture.evaluate(
            "async (img) => { await img.decode(); const sheet = new OffscreenCanvas(1, 1).getContext('2d');"
            " sheet.drawImage(img, 0, 0, 1, 1); return [...sheet.getImageData(0, 0, 1, 1).data].slice(0, 3); }"
        )
    )


def find_and_hear(visitor: Visitor, shop: Shop, album: str) -> None:
    """Find the album by a mistyped word, hear a track of it, and pay for it what its creator typed."""
    page = visitor.page
    page.goto(f"{shop.url}/browse")
    page.get_by_role("searchbox").fill(f"kitchn {album}")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("heading", name="Search", level=1)).to_be_visible()
    expect(page.get_by_text(f"Nothing has “kitchn {album}” as it is written.")).to_be_visible()
    page.locator(".card", has_text=f"Kitchen {album}").get_by_role("link").click()
    expect(page.get_by_role("heading", name=f"Kitchen {album}", level=1)).to_be_visible()
    red, green, blue = colour_of(page.locator(".work__cover img"))
    assert (abs(red - 20), abs(green - 120), abs(blue - 90)) < (9, 9, 9)
    visitor.press_play()
    visitor.expect_state("opening")
    visitor.wait_until_heard(0.5)
    assert faults_of_access(page) == []
    visitor.seek(SECONDS - 2)
    visitor.expect_state("stopped")
    page.get_by_role("button", name="Go on from here €0.001").click()
    visitor.expect_state("playing")
    assert visitor.charges == [("play", 1, 1_000)]
    page.locator("main").get_by_role("link", name=album, exact=True).first.click()
    expect(page.get_by_role("heading", name=album, level=1)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=album)).to_have_count(4)
    assert faults_of_access(page) == []


@pytest.mark.parametrize("way", ["dropped at a desk", "chosen on a phone"])
def test_an_album_goes_in_as_a_folder_and_is_heard(
    shop: Shop, arrive: Callable[..., Visitor], sleeve: Path, tmp_path: Path, way: str
) -> None:
    drops = way.startswith("dropped")
    album = "Desk House" if drops else "Phone House"
    at_hand = {} if drops else {"viewport": NARROW, "color_scheme": "dark"}
    creator = arrive(**at_hand)
    creator.sign_up_by_the_page("mia")
    found_a_profile(creator.page, shop, f"The {album}")
    send_the_folder(creator.page, folder_of(album, sleeve, tmp_path), drops=drops)
    price_and_publish(creator.page, album)
    listener = arrive(**at_hand)
    listener.sign_up_by_the_page("nils")
    listener.add_credit(500)
    find_and_hear(listener, shop, album)
