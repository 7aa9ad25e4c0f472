"""What listeners see: the shelves, a work in every state of its player, the library, the wallet."""

import re

from playwright.sync_api import Page

from infra.gallery.album import ID, Album, Visit


def for_strangers(album: Album) -> None:
    """Take what somebody sees who is not signed in."""
    visit = album.visit()
    for name, address in (
        ("01-front", "/"),
        ("10-browse", "/browse"),
        ("10-browse-meant", "/browse?q=nebla"),
        ("10-browse-nothing", "/browse?q=qqqqxyzzy"),
        ("10-browse-narrowed", "/browse?kind=track&licence=cc-by-sa-3.0&lossless=1"),
        ("11-photos", "/photos"),
        ("11-photos-none", "/photos?tag=nothing-has-this"),
        ("12-creators", "/creators"),
        ("12-creators-nobody", "/creators?q=qqqqxyzzy"),
        ("12-creator", "/creators/maxstack"),
        ("12-creator-photos", "/creators/aitzol-berasategi"),
        ("15-report", f"/works/{album.work('Nebula')}/report"),
        ("15-reports-in-numbers", "/reports"),
        ("17-embed", f"/embed/{album.work('Nebula')}"),
        ("17-embed-photo", f"/embed/{album.work('Sunset')}"),
    ):
        visit.take(name, address)
    visit.take_linked("16-release-photos", f"/releases/{ID}", at=f"/works/{album.work('Sunset')}")
    visit.take("14-photo-stranger", f"/works/{album.work('Sunset')}")
    if visit.take_linked("16-release-stranger", f"/releases/{ID}", at=f"/works/{album.work('Nebula')}"):
        visit.page.locator("#play-all").click()
        visit.page.locator("#player .player__next").wait_for()
        visit.page.locator("#player .player__next").click()
        visit.take("16-release-queue")
    visit.go(f"/works/{album.work('Mountain')}")
    visit.page.locator(".playbox[data-shows]").wait_for()
    visit.take("02-work-stranger")
    visit.close()


def for_a_listener(album: Album) -> None:
    """Take the player's states one after the other, as a listener with credit goes through them."""
    visit = album.visit(who="lena")
    page = visit.page
    visit.take("01-front-listener", "/")
    owned = visit.linked(f"/library/works/{ID}", at="/library").rpartition("/")[2]
    visit.take("02-work-owned", f"/works/{owned}")
    _through_the_player(visit)
    page.locator(".credit").click()
    page.locator(".balance").wait_for()
    visit.take("03-wallet-playing")
    page.locator("#player [data-act=toggle]").click()
    visit.send(f"/works/{owned}/favourite", on="1")
    visit.send("/creators/maxstack/follow", on="1")
    for name, address in (
        ("12-creator-followed", "/creators/maxstack"),
        ("20-library", "/library"),
        ("20-library-begun", "/library?show=begun"),
        ("20-library-favourites", "/library?show=favourites"),
        ("20-library-nothing-fits", "/library?q=qqqqxyzzy"),
        ("22-feed", "/feed"),
    ):
        visit.take(name, address)
    _things_to_keep(visit, owned)
    visit.close()


def _through_the_player(visit: Visit) -> None:
    page = visit.page
    visit.go("/browse?kind=track")
    # Begun, or to be begun, and not so far that the play to come makes it owned.
    begun = page.locator(".card", has_text=re.compile(r"[1-7] of 9 paid|first play")).locator(".card__title")
    begun.first.click()
    page.locator(".playbox[data-shows]").wait_for()
    visit.take("02-work-idle")
    page.locator("#play").click()
    _wait_for(page, "opening", "playing")
    if page.locator(".playbox[data-shows=playing]").count():  # paid in an earlier run and not heard out
        _seek(page, int(_fact(page, "duration_seconds")))
        _wait_for(page, "ended")
        page.locator("#play").click()
        _wait_for(page, "opening")
    page.wait_for_timeout(3_000)
    visit.take("02-work-opening")
    _seek(page, int(_fact(page, "free_seconds")) - 6)
    _wait_for(page, "asks", "going")
    visit.take("02-work-asks")
    _wait_for(page, "stopped", "playing")
    visit.take("02-work-opening-over")
    if page.locator("#go-on").count():
        page.locator("#go-on").click()
    _wait_for(page, "playing")
    page.wait_for_timeout(2_000)
    visit.take("02-work-playing")
    page.locator("#own-here").click()
    visit.take("02-work-own-it")
    page.get_by_role("button", name="Not now").click()


def _things_to_keep(visit: Visit, owned: str) -> None:
    page = visit.page
    visit.take("20-library-work", f"/library/works/{owned}")
    visit.send(f"/library/works/{owned}/files", format="original", version="now")
    visit.go(f"/library/works/{owned}")
    page.locator(".file__sum").first.wait_for(timeout=120_000)
    visit.take("20-library-work-made")
    visit.take("20-certificate", f"/library/works/{owned}/certificate")
    visit.take_linked("20-certificate-standing", f"(?:https?://[^/]+)?/certificates/{ID}")
    visit.take("21-export", "/library/export")
    visit.send("/library/export/pack", format="original")
    visit.take("21-export-packing", "/library/export")
    page.get_by_role("heading", name="It is ready").wait_for(timeout=180_000)
    visit.take("21-export-ready")


def for_the_wallet(album: Album) -> None:
    """Take credit in all its pages: what moved, limits, receipts, the way back."""
    visit = album.visit(who="lars")
    page = visit.page
    visit.take("03-wallet", "/wallet")
    visit.take_opened("03-wallet-opened", "/wallet")
    visit.go("/wallet")
    if visit.linked(r"/wallet\?before=.*"):
        visit.take_linked("03-wallet-earlier", r"/wallet\?before=.*")
    receipt = ""
    while not receipt:
        receipt = visit.linked(f"/wallet/top-ups/{ID}/receipt")
        earlier = visit.linked(r"/wallet\?before=.*")
        if not receipt and not earlier:
            break
        visit.go(receipt or earlier)
    if receipt:
        visit.take("03-receipt")
        page.emulate_media(media="print", color_scheme="light")
        page.pdf(path=album.folder / "03-receipt.pdf", format="A4")
        page.emulate_media(media="screen")
    visit.take("03-cash-out", "/wallet/cash-out")
    page.get_by_role("button", name="See what goes where").click()
    page.get_by_role("heading", name="What goes where", level=1).wait_for()
    visit.take("03-cash-out-plan")
    visit.go("/wallet")
    page.get_by_label("€10.00").check()
    page.get_by_role("button", name="Go to checkout").click()
    page.wait_for_load_state()
    visit.take("03-gateway")
    page.get_by_role("button").first.click()
    page.get_by_role("heading", name="Credit added").wait_for()
    visit.take("03-top-up-settled")
    visit.go("/wallet/cash-out?amount_micros=1.00")
    page.get_by_role("button", name="Cash out").click()
    page.get_by_role("heading", name="Cashed out").wait_for()
    visit.take("03-cashed-out")
    visit.close()


def for_who_looks(album: Album) -> None:
    """Take a photo before it is paid, open, and asked to be one's own; a release and its purchase."""
    visit = album.visit(who="lars")
    page = visit.page
    visit.go("/photos")
    page.locator(".light-table__photo", has_text=re.compile(r"(first|next) view")).locator("a").first.click()
    page.locator(".strip").wait_for()
    visit.take("14-photo")
    if page.locator("#open").count():
        page.locator("#open").click()
        page.locator("#size").wait_for()
        visit.take("14-photo-open")
    if page.locator("#own-now").count():
        page.locator("#own-now").click()
        visit.take("14-photo-own-it")
    at = f"/works/{album.work('Nebula')}"
    if visit.take_linked("16-release", f"/releases/{ID}", at=at) and page.locator("#own-all").count():
        page.locator("#own-all").click()
        visit.take("16-release-own-it")
    visit.close()


def for_newcomers(album: Album) -> None:
    """Take what a new listener sees without credit: every page that is still empty, told before the play, the gate."""
    visit = album.newcomer("Nora")
    page = visit.page
    for name, address in (
        ("03-wallet-empty", "/wallet"),
        ("03-cash-out-nothing", "/wallet/cash-out"),
        ("20-library-empty", "/library"),
        ("20-library-no-favourites", "/library?show=favourites"),
        ("21-export-empty", "/library/export"),
        ("22-feed-empty", "/feed"),
        ("30-studio-empty", "/studio"),
        ("36-upload-first", "/upload"),
    ):
        visit.take(name, address)
    visit.send("/wallet/limits", day_limit_micros="0.50", month_limit_micros="5")
    visit.take_opened("03-wallet-limits", "/wallet")
    visit.go(f"/works/{album.work('Mountain')}")
    page.locator(".playbox[data-shows]").wait_for()
    visit.take("02-work-no-credit")
    page.locator("#play").click()
    _wait_for(page, "opening")
    _seek(page, int(_fact(page, "free_seconds")) - 6)
    _wait_for(page, "refused")
    visit.take("02-work-out-of-credit")
    visit.close()


def _wait_for(page: Page, *states: str) -> None:
    page.locator(", ".join(f".playbox[data-shows={state}]" for state in states)).wait_for()


def _fact(page: Page, name: str) -> float:
    facts = "() => JSON.parse(document.querySelector('[data-listening]').dataset.listening)"
    return float(page.evaluate(facts)[name])


def _seek(page: Page, seconds: int) -> None:
    page.locator("[data-seek]").evaluate(
        "(range, to) => { range.value = to;"
        " for (const name of ['input', 'change']) range.dispatchEvent(new Event(name, { bubbles: true })); }",
        seconds,
    )
