"""What members decide and how they belong: proposals in every part of their life, policies, the secretary's rooms."""

import re

from playwright.sync_api import Page

from infra.gallery.album import ID, Album

PROPOSAL = re.compile(rf"/proposals/{ID}")


def for_the_coop(album: Album) -> None:
    """Take the front room, every proposal as Lena sees it, her roll and her policies, and Ana's draft."""
    visit = album.visit()
    for name, address in (("80-coop", "/coop"), ("80-policies", "/policies"), ("80-policy", "/policies/pricing")):
        visit.take(name, address)
    visit.close()
    lena = album.visit(who="lena")
    lena.take("81-proposals", "/proposals")
    for title, address in _proposals(lena.page):
        lena.take(f"82-{title}", address)
        if title.startswith(("pay-royalties", "half-a-minute")):
            lena.take(f"83-roll-{title}", f"{address}/roll")
    lena.take("84-write", "/proposals/new?policy=pricing")
    lena.take("84-write-rules", "/proposals/new?policy=governance")
    lena.take("85-letters", "/account/letters")
    lena.close()
    ana = album.visit(who="ana")
    ana.take("80-coop-draft", "/coop")
    ana.close()


def for_who_belongs(album: Album) -> None:
    """Take memberships, hours, letters, the way out, the secretary's rooms, the treasurers' and the board's."""
    for who, rooms in (
        ("lena", ("/membership", "/membership/hours", "/account/letters", "/account/leaving")),
        ("wim", ("/membership", "/membership/hours")),
        ("sam", ("/secretary", *(f"/secretary/{room}" for room in ("register", "rolls", "expulsions", "erasures")))),
        ("tess", ("/secretary/dues-and-shares", "/secretary/expulsions")),
    ):
        visit = album.visit(who=who)
        for room in rooms:
            visit.take(f"85-{who}{room.replace('/', '-')}", room)
        visit.close()
    nobody = album.newcomer("Petra")
    nobody.take("85-membership-none", "/membership")
    nobody.close()


def _proposals(page: Page) -> list[tuple[str, str]]:
    """Return the short names and addresses of the proposals that a page links to."""
    found: dict[str, str] = {}
    for link in page.locator("main a[href^='/proposals/']").all():
        address = link.get_attribute("href") or ""
        if PROPOSAL.fullmatch(address):
            found[address] = "-".join(re.findall(r"[a-z0-9]+", link.inner_text().lower()))[:40]
    return [(name, address) for address, name in found.items()]
