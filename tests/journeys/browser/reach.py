"""Whether everyone can use a page as it stands: with a screen reader, by its contrast, on a phone's width."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

NARROW = {"width": 360, "height": 740}
SERIOUS = ("serious", "critical")


def faults_of_access(page: Page) -> list[str]:
    """Return what axe finds wrong on the page as it stands, serious or worse."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['id']}: {fault['help']} {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth"))


def is_sound(page: Page, name: str) -> None:
    """Check that everyone can use the page as it stands, on a phone's width too."""
    assert faults_of_access(page) == [], name
    assert sideways(page) <= 0, name
    size = page.viewport_size
    if size is not None and size["width"] != NARROW["width"]:
        page.set_viewport_size(NARROW)
        assert sideways(page) <= 0, f"{name} on a phone"
        page.set_viewport_size(size)
