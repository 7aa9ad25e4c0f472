"""What belongs to the house: accounts, reports and those who decide about them, transfers, mails, what breaks."""

import base64
import hmac
import json
import re
import time
import uuid
from collections.abc import Callable

from playwright.sync_api import Route

from infra.demonstration.people import PASSWORD
from infra.gallery.album import Album, Visit

CODE_SECONDS = 30


def for_accounts(album: Album) -> None:
    """Take the pages of an account, its second factor and a forgotten password."""
    visit = album.visit()
    page = visit.page
    visit.take("05-sign-in", "/accounts/login/")
    page.get_by_label("Email").fill("lena@demo.example")
    page.get_by_label("Password").fill("not the password")
    page.locator("main form button[type=submit]").click()
    page.get_by_role("alert").wait_for()
    visit.take("05-sign-in-wrong")
    visit.take("06-sign-up", "/accounts/signup/")
    page.get_by_label("Name").fill("Lena")
    page.get_by_label("Email").fill("lena-other@demo.example")
    page.get_by_label("Password").fill("12345678")
    page.get_by_role("button", name="Make the account").click()
    page.locator(".field__error").first.wait_for()
    visit.take("06-sign-up-wrong")
    visit.take("05-reset", "/accounts/password/reset/")
    page.get_by_label("Email").fill("sam@demo.example")
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look at your mail").wait_for()
    visit.take("05-reset-sent")
    visit.take("19-outbox", "/outbox")
    key = page.locator(".mails li", has_text="sam@demo").locator("a[href*='/password/reset/key/']").first
    key.click()
    page.get_by_label("New Password", exact=True).wait_for()
    visit.take("05-reset-key")
    visit.take("05-reset-key-used", "/accounts/password/reset/key/1-nothing/")
    visit.take("05-reset-done", "/accounts/password/reset/key/done/")
    visit.close()
    _second_factor(album.newcomer("Otto"))


def _second_factor(visit: Visit) -> None:
    page = visit.page
    visit.take("04-account", "/account")
    visit.take("04-email", "/accounts/email/")
    visit.take("04-password", "/accounts/password/change/")
    mail = page.context.new_page()
    mail.goto(f"{visit.album.site}/outbox")
    href = mail.locator(".mails li", has_text="otto-").locator("a[href*='/accounts/confirm-email/']").first
    confirm = (href.get_attribute("href") or "").removeprefix(visit.album.site)
    mail.close()
    visit.take("04-email-confirm", confirm)
    page.locator("main form").get_by_role("button").first.click()
    page.wait_for_load_state()
    visit.take("04-second-factor", "/accounts/2fa/")
    visit.go("/accounts/2fa/totp/activate/")
    if "reauthenticate" in page.url:
        visit.take("04-reauthenticate")
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.wait_for_load_state()
    visit.take("04-second-factor-set-up")
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.locator("main").inner_html())
    if secret is None:
        visit.album.miss("04-second-factor-on", "the page shows no secret")
        return
    page.get_by_label("Authenticator code").fill(_code(secret.group()))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_load_state()
    visit.take("04-recovery-codes")
    visit.take("04-second-factor-on", "/accounts/2fa/")
    visit.take("04-recovery-codes-anew", "/accounts/2fa/recovery-codes/generate/")
    visit.take("04-second-factor-off", "/accounts/2fa/totp/deactivate/")
    visit.take_opened("04-account-token", "/account")
    page.get_by_label("What is it for?").fill("my player")
    page.get_by_label("Listen: sessions").check()
    page.get_by_role("button", name="Make it").click()
    page.locator("#plain-token").wait_for()
    visit.take("04-account-token-made")


def _code(secret: str) -> str:
    """Return what an authenticator app would show now (RFC 6238)."""
    counter = int(time.time() // CODE_SECONDS).to_bytes(8)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def for_reports(album: Album) -> None:
    """Take a report from its form to the appeal's decision; the work is as it was at the end."""
    caves = album.work("Living Caves")
    visit = album.visit()
    visit.go(f"/works/{caves}/report")
    visit.page.evaluate("() => { document.querySelector('main form').noValidate = true; }")
    visit.page.get_by_role("button", name="Send this report").click()
    visit.page.locator(".field__error").first.wait_for()
    visit.take("15-report-wrong")
    visit.page.locator("input[type=radio]").first.check()
    visit.page.locator("textarea").fill("The melody is of my own song “Stalactites”, which I published in 2019.")
    visit.page.get_by_role("button", name="Send this report").click()
    visit.page.get_by_role("heading", name="Your report is in").wait_for()
    visit.take("15-report-sent")
    wen = album.visit(who="wen")
    wen.take("40-reports", "/staff/reports")
    wen.take_opened("40-reports-opened", "/staff/reports")
    words = {
        "facts": "The melody is the one of “Stalactites” (2019).",
        "rule": "UrhG, section 97",
        "scope": "Everywhere.",
    }
    wen.send(f"/staff/works/{caves}/suspend", **words)
    visit.take("02-work-suspended-stranger", f"/works/{caves}")
    cleo = album.visit(who="cleo")
    cleo.take("30-studio-suspended", "/studio?state=suspended")
    cleo.take("32-studio-work-suspended", f"/studio/works/{caves}")
    cleo.take("42-appeal", f"/works/{caves}/appeal")
    cleo.send(f"/works/{caves}/appeal", text="It was recorded in 2016; the session files are dated.")
    cleo.take("42-appeal-filed", f"/works/{caves}/appeal")
    wen.take("40-reports-appeal-own", "/staff/reports")
    wim = album.visit(who="wim")
    wim.take_opened("40-reports-appeal", "/staff/reports")
    form = wim.page.locator("form[action*='/decide']").first.get_attribute("action") or ""
    wim.send(form, lifts="1", reasons="The session files are older than the other song.")
    wim.take("40-reports-nothing", "/staff/reports")
    cleo.take("42-appeal-decided", f"/works/{caves}/appeal")
    for one in (visit, wen, cleo, wim):
        one.close()


def for_treasurers(album: Album) -> None:
    """Take a refund that has to go by transfer: a payment too old for the gateway."""
    sam, tess = album.visit(who="sam"), album.visit(who="tess")
    tess.take("41-transfers-none", "/staff/transfers")
    key = {"Idempotency-Key": str(uuid.uuid4()), "X-Play-Money": "settle"}
    sam.ask("POST", "wallet/top-ups", {"amount_micros": 5_000_000}, **key)
    for _ in range(50):
        if sam.ask("GET", "wallet")["balance_micros"]:
            break
        sam.page.wait_for_timeout(200)
    gateway = json.loads((album.demo / "stack.json").read_text())["REFRAIN_GATEWAY_URL"]
    started = sam.ask("POST", "wallet/top-ups", {"amount_micros": 5_000_000}, **{**key, "X-Play-Money": "settle"})
    sam.page.context.request.post(f"{gateway}/checkouts/{started['checkout_url'].rpartition('/')[2]}/refunds-too-old")
    sam.go("/wallet/cash-out?amount_micros=2.00")
    sam.page.get_by_role("button", name="Cash out").click()
    sam.page.get_by_text("by transfer").wait_for()
    sam.take("03-cashed-out-by-transfer")
    tess.take_opened("41-transfers", "/staff/transfers")
    account = {"holder": "Sam Demo", "iban": "DE89370400440532013000"}
    form = tess.page.locator("form[action*='/enter']").first.get_attribute("action") or ""
    tess.send(form, **account)
    tess.take("41-transfers-entered", "/staff/transfers")
    tom = album.visit(who="tom")
    tom.take("41-transfers-to-release", "/staff/transfers")
    for one in (sam, tess, tom):
        one.close()


def for_what_goes_wrong(album: Album) -> None:
    """Take the pages of refusals and faults."""
    visit = album.visit()
    visit.take("08-problems", "/problems")
    for slug in ("price-changed", "insufficient-funds", "not-found"):
        if visit.linked(f"/problems/{slug}", at="/problems"):
            visit.take(f"08-problem-{slug}", f"/problems/{slug}")
    visit.take("09-nothing-here", "/no-such-page")
    visit.go("/accounts/login/")
    visit.page.evaluate(
        "() => { const form = document.querySelector('main form');"
        " form.querySelector('[name=csrfmiddlewaretoken]').value = 'old'; form.noValidate = true; form.submit(); }"
    )
    visit.page.get_by_text("too old").first.wait_for()
    visit.take("09-old-page")
    for template in ("500.html", "maintenance.html"):
        visit.page.route("**/broken", _answering(album.rendered(template)))
        visit.take(f"09-{template.removesuffix('.html')}", "/broken")
        visit.page.unroute("**/broken")
    visit.close()
    lars = album.visit(who="lars")
    lars.take("09-not-allowed", "/staff/transfers")
    lars.close()


def _answering(page: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=page, content_type="text/html")


def for_mails(album: Album) -> None:
    """Take each kind of mail as a mail program shows it."""
    visit = album.visit()
    for number, (_, letter) in enumerate(album.letters(), start=1):
        visit.page.set_content(letter)
        visit.take(f"50-mail-{number:02}")
    visit.close()
