"""What everyone is owed: the months that anybody may recompute, statements and payouts, the treasurers' rooms."""

from infra.gallery.album import ID, Album

MONTH = "[0-9]{4}-[0-9]{2}"
TREASURERS_ROOMS = ("", "/months", "/journal", "/payouts", "/disputes", "/reconciliation", "/years")


def for_every_euro(album: Album) -> None:
    """Take the months and the co-op's books as a visitor sees them, and a month as a listener of it does."""
    visit = album.visit()
    visit.take("60-periods", "/periods")
    month = visit.take_linked("61-period", f"/periods/{MONTH}", at="/periods")
    if month:
        visit.take_opened("61-period-opened", month)
    visit.take("62-books", "/books")
    visit.take("66-claim", "/claim")
    visit.close()
    lena = album.visit(who="lena")
    if month:
        lena.take("61-period-listener", month)
    lena.take_linked("62-year", "/books/years/[0-9]{4}", at="/membership")
    lena.close()


def for_payees(album: Album) -> None:
    """Take what creators read of their money: earnings, statements, the account it goes to, payouts; and nobody's."""
    ana = album.visit(who="ana")
    ana.take("63-earnings", "/earnings")
    ana.take_linked("63-earnings-year", "/earnings/years/[0-9]{4}", at="/earnings")
    ana.take("64-statements", "/statements")
    ana.take_linked("64-statement", f"/statements/{MONTH}", at="/statements")
    ana.take("65-payouts", "/earnings/payouts")
    ana.take("65-payout-account", "/earnings/account")
    ana.close()
    nobody = album.newcomer("Paul")
    for name, address in (
        ("63-earnings-none", "/earnings"),
        ("64-statements-none", "/statements"),
        ("65-payouts-none", "/earnings/payouts"),
        ("65-payout-account-none", "/earnings/account"),
    ):
        nobody.take(name, address)
    nobody.close()


def for_the_treasury(album: Album) -> None:
    """Take the treasurers' rooms as they stand, and with all unfolded that can be."""
    tess = album.visit(who="tess")
    for number, room in enumerate(TREASURERS_ROOMS, start=70):
        name = f"{number}-treasury{room.replace('/', '-')}"
        tess.take(name, f"/treasury{room}")
        tess.go(f"/treasury{room}")
        if tess.page.locator("#main details:not([open])").count():
            tess.take_opened(f"{name}-opened", f"/treasury{room}")
    tess.take_linked("73-treasury-batch", f"/treasury/batches/{ID}", at="/treasury/payouts")
    tess.close()
