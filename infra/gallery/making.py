"""What creators see: the studio, its works in every state, split sheets, roles, audiences."""

from infra.gallery.album import ID, Album, Visit


def for_creators(album: Album) -> None:
    """Take the studio of somebody with works, people and shares."""
    visit = album.visit(who="ana")
    nebula, awakening = album.work("Nebula"), album.work("Awakening")
    visit.take("30-studio", "/studio?state=published")
    visit.take("30-studio-no-drafts", "/studio?state=draft")
    visit.take_opened("31-studio-profile", "/studio/creators/maxstack")
    visit.take("32-studio-work", f"/studio/works/{nebula}")
    visit.take_opened("32-studio-work-opened", f"/studio/works/{nebula}")
    _a_mistake(visit, nebula)
    visit.take("33-audience", f"/studio/works/{nebula}/audience")
    visit.take("33-audience-few", f"/studio/works/{awakening}/audience")
    visit.take_linked("34-studio-release", f"/studio/releases/{ID}", at=f"/studio/works/{nebula}")
    visit.take("36-upload", "/upload")
    visit.take("12-creator-own", "/creators/maxstack")
    visit.go(f"/works/{nebula}")
    visit.page.locator(".playbox[data-shows]").wait_for()
    visit.take("02-work-own")
    _shares_and_roles(album, visit, awakening)
    visit.close()
    _of_a_photographer(album)
    _free_and_off(album)


def _a_mistake(visit: Visit, work: str) -> None:
    visit.go(f"/studio/works/{work}")
    visit.page.get_by_label("ISRC").fill("QZ-ES7-12-0074")
    visit.page.get_by_role("button", name="Keep this").click()
    visit.page.get_by_text("It was not kept").wait_for()
    visit.take("32-studio-work-mistake")


def _shares_and_roles(album: Album, ana: Visit, work: str) -> None:
    """Ana offers Ben a share and a role; he sees both, and answers neither."""
    answers = {"payee_email": "ben@demo.example", "payee_part": "voice", "payee_share": "100"}
    ana.send(f"/studio/works/{work}/split-sheet", **answers)
    ana.take("32-studio-work-sheet-waits", f"/studio/works/{work}")
    ana.send("/studio/creators/maxstack/invitations", email="ben@demo.example", role="editor")
    ben = album.visit(who="ben")
    ben.take("30-studio-waits", "/studio")
    ben.take_linked("35-split", f"/splits/{ID}")
    ben.take_linked("35-invitation", f"/studio/invitations/{ID}", at="/studio")
    split = ben.linked(f"/splits/{ID}", at="/studio")
    ben.close()
    lars = album.visit(who="lars")
    lars.take("35-split-not-for-you", split)
    lars.close()


def _of_a_photographer(album: Album) -> None:
    cleo = album.visit(who="cleo")
    cleo.take("30-studio-label", "/studio?state=published")
    cleo.take("32-studio-photo", f"/studio/works/{album.work('Sunset')}")
    cleo.take("33-audience-photo", f"/studio/works/{album.work('Sunset')}/audience")
    cleo.take("02-photo-own", f"/works/{album.work('Sunset')}")
    cleo.close()


def _free_and_off(album: Album) -> None:
    """Cleo gives a work away, Ben takes one off; Lena and a stranger come by. Both go back to what they were."""
    cleo, simplicity = album.visit(who="cleo"), album.work("The Simplicity")
    ben, system = album.visit(who="ben"), album.work("System")
    _price(cleo, simplicity, "Nothing: free to keep", name="32-studio-work-free")
    ben.send(f"/studio/works/{system}/take-off")
    ben.take("32-studio-work-off", f"/studio/works/{system}")
    ben.take("30-studio-off", "/studio?state=off")
    for who, ending in (("lena", "listener"), (None, "stranger")):
        visit = album.visit(who=who)
        visit.take(f"02-work-free-{ending}", f"/works/{simplicity}")
        visit.take(f"02-work-off-{ending}", f"/works/{system}")
        visit.close()
    _price(cleo, simplicity, "The co-op’s usual price")
    ben.send(f"/studio/works/{system}/publish", attested="1")
    ben.close()
    cleo.close()


def _price(visit: Visit, work: str, label: str, *, name: str = "") -> None:
    visit.go(f"/studio/works/{work}")
    visit.page.get_by_label(label).check()
    if name:
        visit.page.locator("[data-place=ladder]", has_text="Free").wait_for()
        visit.take(name)
    visit.page.get_by_role("button", name="Keep this").click()
    visit.page.get_by_text("It is kept.").wait_for()
