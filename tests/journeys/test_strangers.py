"""Every address that there is, tried by those it is not for. A refusal changes nothing, in any table.

The addresses come from the resolver: a new one without a line here fails. Tried are nobody signed in, a token without
the scope, somebody else (whose are other works, sessions, top-ups), a cookie without the page's token (CSRF), and every
method that an address does not have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog import arranging, people, sharing
from catalog.intake import transfers
from catalog.models import Work
from catalog.sharing import Payee
from members import clock, tokens
from members.models import Token
from playback import cashouts, charging, sessions
from playback.library_models import LibraryExport
from playback.models import TopUp
from tests import callers, cast
from tests.callers import EVERY_SCOPE, Caller, Standing, slug

pytestmark = pytest.mark.django_db
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LOGIN = "/accounts/login/?next="


@dataclass(frozen=True, kw_only=True)
class Way:
    """One method of one address. `path` names things of the world; `stranger` and `other` are the answers to expect.

    `other` is None where everybody has a thing of their own at that address, a wallet for instance.
    """

    method: str
    path: str
    stranger: int
    scope: str | None = None
    other: int | None = None
    body: dict[str, Any] = field(default_factory=dict)


def api(method: str, path: str, *, scope: str | None, other: int | None, **body: Any) -> Way:
    """Return a way of the API: a stranger is told to sign in, unless it is open to everyone."""
    stranger = 401 if scope else (other or 200)
    return Way(method=method, path=f"/api/v1/{path}", scope=scope, stranger=stranger, other=other, body=body)


def page(path: str, *, other: int | None = None, stranger: int = 200) -> Way:
    return Way(method="GET", path=path, stranger=stranger, other=other)


def form(path: str, *, other: int | None = None, stranger: int = 302, **body: Any) -> Way:
    """Return a form: a stranger is led to the sign-in."""
    return Way(method="POST", path=path, stranger=stranger, other=other, body=body)


def mine(path: str) -> Way:
    """Return a page of one's own: a stranger is led to the sign-in."""
    return page(path, stranger=302)


ROUTES: dict[str, list[Way]] = {
    "api/v1/memberships": [
        api("GET", "memberships", scope="listen", other=None),
        api("POST", "memberships", scope="vote", other=None, legal_name="M", postal_address="M"),
    ],
    "api/v1/dues": [
        api("GET", "dues", scope="listen", other=None),
        api("POST", "dues", scope="spend", other=403, covers_from="2026-01-01"),
    ],
    "api/v1/shares": [
        api("GET", "shares", scope="listen", other=None),
        api("POST", "shares", scope="vote", other=403, count=1),
    ],
    "api/v1/hours": [
        api("GET", "hours", scope="listen", other=None),
        api("POST", "hours", scope="vote", other=400, worked_on="2026-01-01", minutes=1, words="?"),
    ],
    "api/v1/hours/<uuid:worked_id>/approve": [api("POST", f"hours/{uuid4()}/approve", scope="vote", other=404)],
    "api/v1/proposals": [
        api("GET", "proposals", scope=None, other=200),
        api("POST", "proposals", scope="vote", other=403, key="", title="Mine", reasons="Mine.", params=None),
    ],
    "api/v1/proposals/<uuid:proposal_id>": [api("GET", f"proposals/{uuid4()}", scope=None, other=404)],
    "api/v1/proposals/<uuid:proposal_id>/preview": [api("GET", f"proposals/{uuid4()}/preview", scope=None, other=404)],
    "api/v1/proposals/<uuid:proposal_id>/sponsor": [
        api("POST", f"proposals/{uuid4()}/sponsor", scope="vote", other=403)
    ],
    "api/v1/proposals/<uuid:proposal_id>/ballot": [
        api("POST", f"proposals/{uuid4()}/ballot", scope="vote", other=404, choice="yes", nonce="0" * 32)
    ],
    "api/v1/proposals/<uuid:proposal_id>/roll": [api("GET", f"proposals/{uuid4()}/roll", scope=None, other=404)],
    "api/v1/proposals/<uuid:proposal_id>/roll/mine": [
        api("GET", f"proposals/{uuid4()}/roll/mine", scope="listen", other=404)
    ],
    "api/v1/proposals/<uuid:proposal_id>/bundle.zip": [
        api("GET", f"proposals/{uuid4()}/bundle.zip", scope=None, other=404)
    ],
    "api/v1/works": [api("GET", "works", scope=None, other=200)],
    "api/v1/works/<uuid:work_id>": [
        api("GET", "works/{draft}", scope=None, other=404),
        api("PATCH", "works/{work}", scope="publish", other=404, title="Stolen", price_micros=200_000),
    ],
    "api/v1/periods": [api("GET", "periods", scope=None, other=200)],
    "api/v1/periods/<str:month>": [api("GET", "periods/2026-10", scope=None, other=404)],
    "api/v1/periods/<str:month>/bundle.zip": [api("GET", "periods/2026-10/bundle.zip", scope=None, other=404)],
    "api/v1/periods/<str:month>/my-proof": [api("GET", "periods/2026-10/my-proof", scope="listen", other=404)],
    "api/v1/surplus/<int:year>": [api("GET", "surplus/2026", scope=None, other=404)],
    "api/v1/surplus/<int:year>/bundle.zip": [api("GET", "surplus/2026/bundle.zip", scope=None, other=404)],
    "api/v1/surplus/<int:year>/mine": [api("GET", "surplus/2026/mine", scope="listen", other=404)],
    "api/v1/earnings": [api("GET", "earnings", scope="earnings", other=None)],
    "api/v1/payouts": [api("GET", "payouts", scope="earnings", other=None)],
    "api/v1/statements": [api("GET", "statements", scope="earnings", other=None)],
    "api/v1/statements/<uuid:statement_id>.pdf": [api("GET", f"statements/{uuid4()}.pdf", scope="earnings", other=404)],
    "api/v1/statements/<uuid:statement_id>": [api("GET", f"statements/{uuid4()}", scope="earnings", other=404)],
    "api/v1/works/<uuid:work_id>/ladder": [api("GET", "works/{draft}/ladder", scope=None, other=404)],
    "api/v1/works/<uuid:work_id>/split-sheets": [api("GET", "works/{work}/split-sheets", scope="publish", other=404)],
    "api/v1/works/<uuid:work_id>/split-sheet": [
        api(
            "PUT",
            "works/{work}/split-sheet",
            scope="publish",
            other=404,
            payees=[{"email": "mallory@else.example", "share_ppm": 1_000_000}],
        )
    ],
    "api/v1/split-sheets/<uuid:sheet_id>/accept": [
        api("POST", "split-sheets/{sheet}/accept", scope="publish", other=404)
    ],
    "api/v1/split-sheets/<uuid:sheet_id>/decline": [
        api("POST", "split-sheets/{sheet}/decline", scope="publish", other=404)
    ],
    "api/v1/works/<uuid:work_id>/publish": [api("POST", "works/{draft}/publish", scope="publish", other=404)],
    "api/v1/works/<uuid:work_id>/take-off": [api("POST", "works/{work}/take-off", scope="publish", other=404)],
    "api/v1/works/<uuid:work_id>/audience": [api("GET", "works/{work}/audience", scope="publish", other=404)],
    "api/v1/works/<uuid:work_id>/opening": [api("GET", "works/{draft}/opening", scope=None, other=404)],
    "api/v1/works/<uuid:work_id>/purchase": [
        api("POST", "works/{draft}/purchase", scope="spend", other=404, price_micros=1_022_000)
    ],
    "api/v1/uploads": [api("POST", "uploads", scope="publish", other=415)],
    "api/v1/uploads/<uuid:upload_id>": [api("GET", "uploads/{upload}", scope="publish", other=404)],
    # Without the protocol's header nothing is looked up; with it, tests/catalog/test_transfers.py tries strangers.
    "api/v1/transfers": [
        api("GET", "transfers", scope="publish", other=None),
        api("POST", "transfers", scope="publish", other=412),
    ],
    "api/v1/transfers/<uuid:transfer_id>": [
        api("GET", "transfers/{transfer}", scope="publish", other=404),
        api("PATCH", "transfers/{transfer}", scope="publish", other=412),
        api("DELETE", "transfers/{transfer}", scope="publish", other=412),
    ],
    "api/v1/works/<uuid:work_id>/original": [api("GET", "works/{work}/original", scope="publish", other=404)],
    "api/v1/creators": [api("GET", "creators", scope=None, other=200)],
    "api/v1/creators/<slug:slug>": [api("GET", "creators/nobody", scope=None, other=404)],
    "api/v1/releases/<uuid:release_id>/purchase": [
        api("POST", f"releases/{uuid4()}/purchase", scope="spend", other=404, price_micros=1, list_hash="0" * 64)
    ],
    "api/v1/creators/<slug:slug>/follow": [
        api("PUT", "creators/nobody/follow", scope="listen", other=404),
        api("DELETE", "creators/nobody/follow", scope="listen", other=None),
    ],
    "api/v1/works/<uuid:work_id>/favourite": [
        api("PUT", "works/{draft}/favourite", scope="listen", other=404),
        api("DELETE", "works/{draft}/favourite", scope="listen", other=None),
    ],
    "api/v1/feed": [api("GET", "feed", scope="listen", other=None)],
    "api/v1/releases": [api("GET", "releases", scope=None, other=200)],
    "api/v1/releases/<uuid:release_id>": [api("GET", "releases/{draft}", scope=None, other=404)],
    "api/v1/sessions": [api("POST", "sessions", scope="listen", other=404, work="{draft}")],
    "api/v1/sessions/<uuid:session_id>": [api("GET", "sessions/{session}", scope="listen", other=404)],
    "api/v1/sessions/<uuid:session_id>/charge": [
        api("POST", "sessions/{session}/charge", scope="spend", other=404, price_micros=2_000),
        api("POST", "sessions/{charged}/charge", scope="spend", other=404, price_micros=2_000),
    ],
    "api/v1/sessions/<uuid:session_id>/progress": [
        api("POST", "sessions/{session}/progress", scope="listen", other=404, position_seconds=9, state="playing")
    ],
    "api/v1/wallet": [api("GET", "wallet", scope="listen", other=None)],
    "api/v1/wallet/limits": [
        api("PUT", "wallet/limits", scope="spend", other=None, day_limit_micros=1, month_limit_micros=1)
    ],
    "api/v1/wallet/entries": [api("GET", "wallet/entries", scope="listen", other=None)],
    "api/v1/wallet/top-ups": [api("POST", "wallet/top-ups", scope="spend", other=None, amount_micros=1_000_000)],
    "api/v1/wallet/top-ups/<uuid:top_up_id>": [api("GET", "wallet/top-ups/{top_up}", scope="listen", other=404)],
    "api/v1/wallet/cash-outs": [
        api("GET", "wallet/cash-outs", scope="listen", other=None),
        api("POST", "wallet/cash-outs", scope="spend", other=None, amount_micros=10_000),
    ],
    "api/v1/wallet/cash-outs/plan": [
        api("GET", "wallet/cash-outs/plan?amount_micros=10000", scope="listen", other=None)
    ],
    "api/v1/wallet/cash-outs/<uuid:cash_out_id>": [
        api("GET", "wallet/cash-outs/{cash_out}", scope="listen", other=404)
    ],
    "api/v1/staff/transfers": [
        api("GET", "staff/transfers", scope="treasury", other=403),
        api("POST", "staff/transfers", scope="treasury", other=403, refund="{refund}", holder="M", iban="DE1"),
    ],
    "api/v1/staff/transfers/<uuid:refund_id>/give-up": [
        api("POST", "staff/transfers/{refund}/give-up", scope="treasury", other=403, reason="?")
    ],
    "api/v1/staff/transfers/<uuid:refund_id>/release/<uuid:entry_id>": [
        api("POST", "staff/transfers/{refund}/release/{refund}", scope="treasury", other=403)
    ],
    "api/v1/works/<uuid:work_id>/report": [
        api("POST", "works/{draft}/report", scope=None, other=404, category="other", text="?")
    ],
    "api/v1/reports": [api("GET", "reports", scope=None, other=200)],
    "api/v1/appeals": [
        api("GET", "appeals", scope="publish", other=None),
        api("POST", "appeals", scope="publish", other=404, work="{work}", text="?"),
    ],
    "api/v1/staff/reports": [api("GET", "staff/reports", scope="publish", other=403)],
    "api/v1/staff/works/<uuid:work_id>/dismiss-reports": [
        api("POST", "staff/works/{work}/dismiss-reports", scope="publish", other=403, reasons="?")
    ],
    "api/v1/staff/works/<uuid:work_id>/suspend": [
        Way(
            method="POST",
            path="/api/v1/staff/works/{work}/suspend",
            scope="publish",
            stranger=401,
            other=403,
            body={"facts": "?", "rule": "?", "scope": "?"},
        )
    ],
    "api/v1/staff/works/<uuid:work_id>/lift": [
        api("POST", "staff/works/{work}/lift", scope="publish", other=403, reasons="?")
    ],
    "api/v1/staff/appeals": [api("GET", "staff/appeals", scope="publish", other=403)],
    "api/v1/staff/appeals/<uuid:appeal_id>/decide": [
        api("POST", f"staff/appeals/{uuid4()}/decide", scope="publish", other=403, lifts=True, reasons="?")
    ],
    "api/v1/library": [api("GET", "library", scope="listen", other=None)],
    "api/v1/library/exports": [
        api("GET", "library/exports", scope="listen", other=None),
        api("POST", "library/exports", scope="listen", other=409, format="mp3"),
    ],
    "api/v1/library/exports/<uuid:export_id>": [api("GET", "library/exports/{export}", scope="listen", other=404)],
    "api/v1/library/<uuid:work_id>/download": [api("GET", "library/{owned}/download", scope="listen", other=404)],
    "api/v1/library/<uuid:work_id>/certificate": [api("GET", "library/{owned}/certificate", scope="listen", other=404)],
    "api/v1/certificates/<uuid:certificate_id>": [api("GET", f"certificates/{uuid4()}", scope=None, other=404)],
    "api/v1/staff/reversals": [
        api("POST", "staff/reversals", scope="treasury", other=403, listener="{lena}", charge="{charge}", reason="?")
    ],
    "api/v1/staff/grants": [
        api("POST", "staff/grants", scope="treasury", other=403, listener="{lena}", amount_micros=1, reason="?")
    ],
    "api/v1/policies": [api("GET", "policies", scope=None, other=200)],
    "api/v1/policies/<slug:key>": [api("GET", "policies/nothing", scope=None, other=404)],
    "api/v1/schema": [api("GET", "schema", scope=None, other=200)],
    "api/v1/docs": [api("GET", "docs", scope=None, other=200)],
    "api/v1/": [api(method, "nowhere", scope=None, other=404) for method in METHODS],
    "webhooks/gateway": [Way(method="POST", path="/webhooks/gateway", stranger=400, other=400)],
    "play/<str:capability>.m3u8": [page("/play/{session}.m3u8", stranger=404, other=404)],
    "files/<int:expires>/<str:mac>/<path:key>": [page("/files/9999999999/0/originals/x", stranger=404, other=404)],
    ".well-known/refrain-keys.json": [page("/.well-known/refrain-keys.json", other=200)],
    "": [page("/", other=200)],
    "problems": [page("/problems", other=200)],
    "problems/<slug:slug>": [page("/problems/nothing-of-the-kind", stranger=404, other=404)],
    "outbox": [page("/outbox", other=200)],
    "account": [mine("/account"), form("/account", name="Mallory")],
    "account/tokens": [form("/account/tokens", name="x", scopes=["spend"])],
    "account/tokens/<uuid:token_id>/revoke": [form("/account/tokens/{token}/revoke", other=404)],
    "works/<uuid:work_id>": [page("/works/{draft}", stranger=404, other=404)],
    "works/<uuid:work_id>/listening": [page("/works/{draft}/listening", stranger=404, other=404)],
    "releases/<uuid:release_id>": [page(f"/releases/{uuid4()}", stranger=404, other=404)],
    "releases/<uuid:release_id>/listening": [page(f"/releases/{uuid4()}/listening", stranger=404, other=404)],
    "browse": [page("/browse", other=200)],
    "photos": [page("/photos", other=200)],
    "creators": [page("/creators", other=200)],
    "creators/<slug:slug>/feed.atom": [page("/creators/nobody/feed.atom", stranger=404, other=404)],
    "creators/<slug:slug>/feed.rss": [page("/creators/nobody/feed.rss", stranger=404, other=404)],
    "creators/<slug:slug>/follow": [form("/creators/nobody/follow", other=404)],
    "works/<uuid:work_id>/favourite": [form("/works/{draft}/favourite", other=404)],
    "feed": [mine("/feed")],
    "oembed": [page("/oembed?url=http://127.0.0.1:8000/works/{draft}", stranger=404, other=404)],
    "embed/<uuid:work_id>": [page("/embed/{draft}", stranger=404, other=404)],
    "creators/<slug:slug>": [page("/creators/nobody", stranger=404, other=404)],
    "studio/works/<uuid:work_id>/audience": [page("/studio/works/{work}/audience", stranger=302, other=404)],
    "studio/works/<uuid:work_id>/audience.csv": [page("/studio/works/{work}/audience.csv", stranger=302, other=404)],
    "upload": [mine("/upload"), form("/upload", name="Mallory's")],
    "queue": [page("/queue", other=200)],
    "studio": [mine("/studio")],
    "studio/creators": [form("/studio/creators", name="Mallory's")],
    "studio/creators/<slug:slug>": [
        page("/studio/creators/{profile}", stranger=302, other=404),
        form("/studio/creators/{profile}", other=404, name="Stolen"),
    ],
    "studio/creators/<slug:slug>/invitations": [
        form("/studio/creators/{profile}/invitations", other=404, email="mallory@else.example", role="owner")
    ],
    "studio/creators/<slug:slug>/invitations/<uuid:invitation_id>/withdraw": [
        form("/studio/creators/{profile}/invitations/{invitation}/withdraw", other=404)
    ],
    "studio/creators/<slug:slug>/members/<uuid:member_id>": [
        form("/studio/creators/{profile}/members/{ana}", other=404, role="viewer")
    ],
    "studio/creators/<slug:slug>/close": [form("/studio/creators/{profile}/close", other=404, name="Ana")],
    "studio/creators/<slug:slug>/releases": [
        form("/studio/creators/{profile}/releases", other=404, title="Stolen", kind="ep")
    ],
    "studio/invitations/<uuid:invitation_id>": [
        page("/studio/invitations/{invitation}", stranger=302, other=404),
        form("/studio/invitations/{invitation}", other=404, answer="accept"),
    ],
    "studio/works/<uuid:work_id>": [
        page("/studio/works/{work}", stranger=302, other=404),
        form("/studio/works/{work}", other=404, title="Stolen"),
    ],
    "studio/works/<uuid:work_id>/ladder": [
        page("/studio/works/{work}/ladder?pricing=own&price=1", stranger=302, other=404)
    ],
    "studio/works/<uuid:work_id>/publish": [form("/studio/works/{draft}/publish", other=404, attested="1")],
    "studio/works/<uuid:work_id>/take-off": [form("/studio/works/{work}/take-off", other=404)],
    "studio/works/<uuid:work_id>/split-sheet": [
        form(
            "/studio/works/{work}/split-sheet",
            other=404,
            payee_email="mallory@else.example",
            payee_part="all",
            payee_share="100",
        )
    ],
    "studio/releases/<uuid:release_id>": [
        page("/studio/releases/{release}", stranger=302, other=404),
        form("/studio/releases/{release}", other=404, title="Stolen", kind="ep"),
    ],
    "studio/releases/<uuid:release_id>/works": [form("/studio/releases/{release}/works", other=404, add="{work}")],
    "studio/releases/<uuid:release_id>/publish": [form("/studio/releases/{release}/publish", other=404, attested="1")],
    "splits/<uuid:sheet_id>": [
        page("/splits/{sheet}", stranger=302, other=404),
        form("/splits/{sheet}", other=404, answer="accept"),
    ],
    "account/leaving": [mine("/account/leaving")],
    "account/leaving/ask": [form("/account/leaving/ask", other=400, password="a guess")],
    "account/leaving/code": [form("/account/leaving/code", other=409)],
    "account/leaving/stay": [form("/account/leaving/stay", other=409)],
    "account/everything.json": [mine("/account/everything.json")],
    "secretary/erasures": [page("/secretary/erasures", stranger=302, other=403)],
    "secretary/erasures/begin": [form("/secretary/erasures/begin", other=403, email="lena@else.example")],
    "claim": [page("/claim", other=200), form("/claim", stranger=400, other=400, code="AAAAA")],
    "books": [page("/books", other=200)],
    "books/years/<int:year>": [page("/books/years/2026", stranger=404, other=404)],
    "books.csv": [page("/books.csv", other=200)],
    "play-bank/<str:month>.xml": [page("/play-bank/2026-10.xml", stranger=302, other=403)],
    "play-bank/answers/<uuid:batch_id>.xml": [page(f"/play-bank/answers/{uuid4()}.xml", stranger=302, other=403)],
    "coop": [page("/coop", other=200)],
    "proposals": [page("/proposals", other=200)],
    "proposals/new": [mine("/proposals/new"), form("/proposals/new?policy=opening", other=400)],
    # Drafts of others, and who is no member: tests/members/test_proposals.py.
    "proposals/<uuid:proposal_id>": [page(f"/proposals/{uuid4()}", stranger=404, other=404)],
    "proposals/<uuid:proposal_id>/roll": [page(f"/proposals/{uuid4()}/roll", stranger=404, other=404)],
    "proposals/<uuid:proposal_id>/roll/my-proof.json": [
        page(f"/proposals/{uuid4()}/roll/my-proof.json", stranger=302, other=404)
    ],
    "proposals/<uuid:proposal_id>/urn": [page(f"/proposals/{uuid4()}/urn", stranger=404, other=404)],
    "proposals/<uuid:proposal_id>/edit": [
        page(f"/proposals/{uuid4()}/edit", stranger=302, other=404),
        form(f"/proposals/{uuid4()}/edit", other=404),
    ],
    "proposals/<uuid:proposal_id>/submit": [form(f"/proposals/{uuid4()}/submit", other=404)],
    "proposals/<uuid:proposal_id>/retract": [form(f"/proposals/{uuid4()}/retract", other=404)],
    "proposals/<uuid:proposal_id>/sponsor": [form(f"/proposals/{uuid4()}/sponsor", other=404)],
    "proposals/<uuid:proposal_id>/remark": [form(f"/proposals/{uuid4()}/remark", other=404, text="Hm.")],
    "proposals/<uuid:proposal_id>/amendments/<int:number>": [form(f"/proposals/{uuid4()}/amendments/2", other=404)],
    "proposals/<uuid:proposal_id>/contest": [form(f"/proposals/{uuid4()}/contest", other=404, grounds="Hm.")],
    "proposals/<uuid:proposal_id>/contests/<uuid:contest_id>": [
        page(f"/proposals/{uuid4()}/contests/{uuid4()}", stranger=404, other=404),
        form(f"/proposals/{uuid4()}/contests/{uuid4()}", other=404, ruling="voided", reasons="Hm."),
    ],
    "policies": [page("/policies", other=200)],
    "policies/<slug:key>": [page("/policies/opening", other=200)],
    "policies/<slug:key>/trial": [mine("/policies/opening/trial?seconds=30")],
    "periods": [page("/periods", other=200)],
    "periods/<str:month>": [page("/periods/2026-10", stranger=404, other=404)],
    "periods/<str:month>/account.csv": [page("/periods/2026-10/account.csv", stranger=404, other=404)],
    "periods/<str:month>/my-proof.json": [page("/periods/2026-10/my-proof.json", stranger=302, other=404)],
    "statements": [mine("/statements")],
    "statements/<str:month>": [page("/statements/2026-10", stranger=302, other=404)],
    "statements/<str:month>.csv": [page("/statements/2026-10.csv", stranger=302, other=404)],
    "statements/<str:month>.json": [page("/statements/2026-10.json", stranger=302, other=404)],
    "statements/<str:month>.pdf": [page("/statements/2026-10.pdf", stranger=302, other=404)],
    "earnings": [mine("/earnings")],
    "earnings/months.csv": [mine("/earnings/months.csv")],
    "earnings/so-far.csv": [mine("/earnings/so-far.csv")],
    "earnings/years/<int:year>": [page("/earnings/years/2026", stranger=302, other=404)],
    "earnings/years/<int:year>.csv": [page("/earnings/years/2026.csv", stranger=302, other=404)],
    "earnings/years/<int:year>.pdf": [page("/earnings/years/2026.pdf", stranger=302, other=404)],
    "wallet": [mine("/wallet")],
    "wallet/entries.csv": [mine("/wallet/entries.csv")],
    "wallet/limits": [form("/wallet/limits", day="1", month="1")],
    "wallet/going-on": [form("/wallet/going-on", goes_on="1")],
    "wallet/consent": [form("/wallet/consent", version="1")],
    "wallet/top-ups": [form("/wallet/top-ups", amount_cents="500", country="DE", key="k")],
    "wallet/top-ups/<uuid:top_up_id>/receipt": [page("/wallet/top-ups/{top_up}/receipt", stranger=302, other=404)],
    "wallet/cash-out": [mine("/wallet/cash-out"), form("/wallet/cash-out", amount_micros="10000", key="k")],
    "wallet/cash-outs/<uuid:cash_out_id>": [page("/wallet/cash-outs/{cash_out}", stranger=302, other=404)],
    "earnings/account": [mine("/earnings/account"), form("/earnings/account", holder="M", iban="DE1")],
    "earnings/account/remove": [form("/earnings/account/remove")],
    "earnings/payouts": [mine("/earnings/payouts")],
    "membership": [mine("/membership")],
    "membership/application": [form("/membership/application")],
    "membership/dues": [form("/membership/dues", covers_from="2026-01-01")],
    "membership/shares": [form("/membership/shares", count="1")],
    "membership/shares/certificate.json": [page("/membership/shares/certificate.json", stranger=302, other=404)],
    "membership/shares/<uuid:holding_id>/drop": [form(f"/membership/shares/{uuid4()}/drop", other=404)],
    "membership/places": [form("/membership/places", other=403, member_class="creator")],
    "membership/places/give-up": [form("/membership/places/give-up", other=403, member_class="creator")],
    "membership/vote": [form("/membership/vote", other=403, member_class="creator")],
    "membership/leave": [form("/membership/leave", other=403, sure="yes")],
    "membership/answer": [form("/membership/answer", other=404, words="?")],
    "membership/appeal": [form("/membership/appeal", other=404, words="?")],
    "membership/panels/<uuid:expulsion_id>": [form(f"/membership/panels/{uuid4()}", other=404, says="lift")],
    "membership/hours": [mine("/membership/hours"), form("/membership/hours", other=400)],
    "membership/hours/<uuid:worked_id>/approve": [form(f"/membership/hours/{uuid4()}/approve", other=404)],
    "membership/hours/<uuid:worked_id>/refuse": [form(f"/membership/hours/{uuid4()}/refuse", other=404, because="?")],
    "membership/workers/<uuid:place_id>": [form(f"/membership/workers/{uuid4()}", other=404)],
    "secretary": [page("/secretary", stranger=302, other=403)],
    "secretary/applications/<uuid:membership_id>/approve": [
        form(f"/secretary/applications/{uuid4()}/approve", other=403)
    ],
    "secretary/applications/<uuid:membership_id>/refuse": [
        form(f"/secretary/applications/{uuid4()}/refuse", other=403, words="?")
    ],
    "secretary/places/<uuid:place_id>/approve": [form(f"/secretary/places/{uuid4()}/approve", other=403)],
    "secretary/places/<uuid:place_id>/refuse": [form(f"/secretary/places/{uuid4()}/refuse", other=403)],
    "secretary/register": [page("/secretary/register", stranger=302, other=403)],
    "secretary/register.csv": [page("/secretary/register.csv", stranger=302, other=403)],
    "secretary/rolls": [page("/secretary/rolls", stranger=302, other=403)],
    "secretary/rolls/<uuid:proposal_id>/correct": [
        form(f"/secretary/rolls/{uuid4()}/correct", other=403, number="1", words="?")
    ],
    "secretary/dues-and-shares": [page("/secretary/dues-and-shares", stranger=302, other=403)],
    "secretary/dues/<uuid:membership_id>": [form(f"/secretary/dues/{uuid4()}", other=403, iban="DE1")],
    "secretary/shares/<uuid:holding_id>/confirm": [form(f"/secretary/shares/{uuid4()}/confirm", other=403, iban="DE1")],
    "secretary/shares/<uuid:holding_id>/repay": [form(f"/secretary/shares/{uuid4()}/repay", other=403)],
    "secretary/expulsions": [page("/secretary/expulsions", stranger=302, other=403)],
    "secretary/expulsions/new": [form("/secretary/expulsions/new", other=403, number="1", words="?")],
    "secretary/expulsions/<uuid:expulsion_id>/say": [
        form(f"/secretary/expulsions/{uuid4()}/say", other=403, says="yes")
    ],
    "secretary/expulsions/<uuid:expulsion_id>/panel": [
        form(f"/secretary/expulsions/{uuid4()}/panel", other=403, numbers="1 2 3")
    ],
    "treasury": [page("/treasury", stranger=302, other=403)],
    "treasury/months": [page("/treasury/months", stranger=302, other=403)],
    "treasury/years": [page("/treasury/years", stranger=302, other=403)],
    "treasury/years/<int:year>/close": [form("/treasury/years/2026/close", other=403)],
    "treasury/years/<int:year>/motion": [form("/treasury/years/2026/motion", other=403)],
    "treasury/years/<int:year>/redeem": [form("/treasury/years/2026/redeem", other=403)],
    "treasury/months/<str:month>/balance": [form("/treasury/months/2026-10/balance", other=403, amount_micros="1")],
    "treasury/months/<str:month>/close": [form("/treasury/months/2026-10/close", other=403)],
    "treasury/months/<str:month>/run": [page("/treasury/months/2026-10/run", stranger=302, other=403)],
    "treasury/balances/<uuid:balance_id>/lock": [form(f"/treasury/balances/{uuid4()}/lock", other=403)],
    "treasury/journal": [page("/treasury/journal", stranger=302, other=403)],
    "treasury/journal/files": [form("/treasury/journal/files", other=403)],
    "treasury/journal/entries": [
        form(
            "/treasury/journal/entries", other=403, kind="cost", amount_micros="1", happened_on="2026-01-01", words="?"
        )
    ],
    "treasury/journal/lines/<uuid:line_id>": [
        form(f"/treasury/journal/lines/{uuid4()}", other=403, kind="cost", words="?")
    ],
    "treasury/journal/entries/<uuid:entry_id>/confirm": [
        form(f"/treasury/journal/entries/{uuid4()}/confirm", other=403)
    ],
    "treasury/journal/entries/<uuid:entry_id>/drop": [form(f"/treasury/journal/entries/{uuid4()}/drop", other=403)],
    "treasury/payouts": [page("/treasury/payouts", stranger=302, other=403)],
    "treasury/payouts/<str:month>/prepare": [form("/treasury/payouts/2026-10/prepare", other=403)],
    "treasury/batches/<uuid:batch_id>": [page(f"/treasury/batches/{uuid4()}", stranger=302, other=403)],
    "treasury/batches/<uuid:batch_id>/release": [form(f"/treasury/batches/{uuid4()}/release", other=403)],
    "treasury/batches/<uuid:batch_id>/drop": [form(f"/treasury/batches/{uuid4()}/drop", other=403)],
    "treasury/batches/<uuid:batch_id>/file": [page(f"/treasury/batches/{uuid4()}/file", stranger=302, other=403)],
    "treasury/disputes": [page("/treasury/disputes", stranger=302, other=403)],
    "treasury/disputes/<uuid:chargeback_id>": [form(f"/treasury/disputes/{uuid4()}", other=403, reason="?")],
    "treasury/reconciliation": [page("/treasury/reconciliation", stranger=302, other=403)],
    "staff/transfers/<uuid:refund_id>/file": [page("/staff/transfers/{refund}/file", stranger=302, other=403)],
    "staff/transfers": [page("/staff/transfers", stranger=302, other=403)],
    "staff/transfers/<uuid:refund_id>/enter": [
        form("/staff/transfers/{refund}/enter", other=403, holder="M", iban="DE1")
    ],
    "staff/transfers/<uuid:refund_id>/release/<uuid:entry_id>": [
        form("/staff/transfers/{refund}/release/{refund}", other=403)
    ],
    "staff/transfers/<uuid:refund_id>/give-up": [form("/staff/transfers/{refund}/give-up", other=403, reason="?")],
    "works/<uuid:work_id>/report": [
        page("/works/{draft}/report", stranger=404, other=404),
        form("/works/{draft}/report", stranger=404, other=404, category="other", text="?"),
    ],
    "works/<uuid:work_id>/objection": [
        page("/works/{work}/objection", stranger=302, other=404),
        form("/works/{work}/objection", other=404, text="?"),
    ],
    "objections/<uuid:appeal_id>": [
        page(f"/objections/{uuid4()}", stranger=302, other=404),
        form(f"/objections/{uuid4()}", other=404, ruling="stays", reasons="?"),
    ],
    "works/<uuid:work_id>/appeal": [
        page("/works/{work}/appeal", stranger=302, other=404),
        form("/works/{work}/appeal", other=404, text="?"),
    ],
    "reports": [page("/reports", other=200)],
    "staff/reports": [page("/staff/reports", stranger=302, other=403)],
    "staff/works/<uuid:work_id>/dismiss-reports": [form("/staff/works/{work}/dismiss-reports", other=403, reasons="?")],
    "staff/works/<uuid:work_id>/suspend": [form("/staff/works/{work}/suspend", other=403, facts="?", rule="?")],
    "staff/works/<uuid:work_id>/lift": [form("/staff/works/{work}/lift", other=403, reasons="?")],
    "staff/appeals/<uuid:appeal_id>/decide": [form(f"/staff/appeals/{uuid4()}/decide", other=403, reasons="?")],
    "wallet/top-ups/returned": [mine("/wallet/top-ups/returned")],
    "library": [mine("/library")],
    "library/works/<uuid:work_id>": [page("/library/works/{owned}", stranger=302, other=404)],
    "library/works/<uuid:work_id>/files": [form("/library/works/{owned}/files", other=404, format="mp3")],
    "library/works/<uuid:work_id>/certificate": [page("/library/works/{owned}/certificate", stranger=302, other=404)],
    "library/export": [mine("/library/export")],
    "library/export/pack": [form("/library/export/pack", other=409, format="mp3")],
    "library/export/library.json": [mine("/library/export/library.json")],
    "library/export/library.m3u8": [mine("/library/export/library.m3u8")],
    "library/export/addresses.txt": [mine("/library/export/addresses.txt")],
    "certificates/<uuid:certificate_id>": [page(f"/certificates/{uuid4()}", stranger=404, other=404)],
    # The sign-in and its neighbours are allauth's.
    "accounts/login/": [page("/accounts/login/"), form("/accounts/login/", stranger=200)],
    "accounts/logout/": [page("/accounts/logout/", stranger=302), form("/accounts/logout/")],
    "accounts/inactive/": [page("/accounts/inactive/")],
    "accounts/signup/": [page("/accounts/signup/"), form("/accounts/signup/", stranger=200)],
    "accounts/reauthenticate/": [mine("/accounts/reauthenticate/"), form("/accounts/reauthenticate/")],
    "accounts/email/": [mine("/accounts/email/"), form("/accounts/email/", email="x@y.example", action_add="")],
    "accounts/confirm-email/": [page("/accounts/confirm-email/")],
    "accounts/password/change/": [mine("/accounts/password/change/"), form("/accounts/password/change/")],
    "accounts/password/set/": [mine("/accounts/password/set/"), form("/accounts/password/set/")],
    "accounts/password/reset/": [page("/accounts/password/reset/"), form("/accounts/password/reset/", stranger=200)],
    "accounts/login/code/confirm/": [
        page("/accounts/login/code/confirm/", stranger=302),
        form("/accounts/login/code/confirm/"),
    ],
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": [
        page("/accounts/confirm-email/x:y:z/"),
        form("/accounts/confirm-email/x:y:z/", stranger=404),
    ],
    "accounts/password/reset/key/done/": [page("/accounts/password/reset/key/done/")],
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": [
        page("/accounts/password/reset/key/1-x/"),
        form("/accounts/password/reset/key/1-x/", stranger=200, password1="a new password of theirs"),
    ],
    "accounts/password/reset/done/": [page("/accounts/password/reset/done/")],
    "accounts/2fa/": [mine("/accounts/2fa/")],
    "accounts/2fa/authenticate/": [
        page("/accounts/2fa/authenticate/", stranger=302),
        form("/accounts/2fa/authenticate/"),
    ],
    "accounts/2fa/reauthenticate/": [mine("/accounts/2fa/reauthenticate/"), form("/accounts/2fa/reauthenticate/")],
    "accounts/2fa/totp/activate/": [mine("/accounts/2fa/totp/activate/"), form("/accounts/2fa/totp/activate/")],
    "accounts/2fa/totp/deactivate/": [mine("/accounts/2fa/totp/deactivate/"), form("/accounts/2fa/totp/deactivate/")],
    "accounts/2fa/recovery-codes/": [mine("/accounts/2fa/recovery-codes/")],
    "accounts/2fa/recovery-codes/generate/": [
        mine("/accounts/2fa/recovery-codes/generate/"),
        form("/accounts/2fa/recovery-codes/generate/"),
    ],
    "accounts/2fa/recovery-codes/download/": [mine("/accounts/2fa/recovery-codes/download/")],
}
WAYS = [(route, way) for route, ways in ROUTES.items() for way in ways]


def addresses(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every route of the resolver, with what answers there."""
    for pattern in patterns:
        here = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        else:
            assert isinstance(pattern, URLPattern)
            yield here, pattern.callback


ADDRESSES = dict(addresses(get_resolver().url_patterns))


@dataclass
class World:
    """Ana's works, Lena's listening; Lars is anybody else, signed in and with every scope, but with no part in it."""

    lena: Any
    ana: Any
    lars: Any
    named: dict[str, str]

    def path(self, way: Way) -> str:
        return way.path.format(**self.named)

    def body(self, way: Way) -> dict[str, Any]:
        return {
            name: value.format(**self.named) if isinstance(value, str) else value for name, value in way.body.items()
        }


@pytest.fixture
def world(settings, tmp_path) -> World:
    callers.forget_counts()
    settings.THROTTLE_PER_MINUTE = 1_000_000
    settings.OUTBOX_DIR = str(tmp_path)
    lena, ana, lars, now = cast.person("lena"), cast.person("ana"), cast.person("lars"), clock.now()
    cast.top_up(lena, 2_000)
    profile = cast.creator(ana)
    work, other = cast.track(profile), cast.track(profile)
    draft = cast.track(profile, state="draft")
    session, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=now)
    charged, _ = sessions.begin(person_id=lena.id, work_id=other.id, now=now)
    charging.charge_session(person_id=lena.id, session_id=charged.id, price_micros=2_000)
    top_up = TopUp.objects.create(listener=lena, asked_cents=500, country="DE", vat_ppm=0, created_at=now)
    token, _ = tokens.mint(person_id=lena.id, scopes={"listen"}, name="", now=now)
    owned = cast.track(profile)
    cast.buy(lena, owned, price_micros=2_000_000)
    export = LibraryExport.objects.create(listener=lena, format="mp3", asked_at=now)
    sheet = sharing.propose(
        work_id=draft.id, person_id=ana.id, payees=[Payee(email=lena.email, share_ppm=1_000_000)], now=now
    )
    invitation = people.invite(creator_id=profile.id, person_id=ana.id, email=lena.email, role="viewer", now=now)
    album = arranging.found(creator_id=profile.id, person_id=ana.id, title="Dunst")
    transfer = transfers.begin(person_id=ana.id, creator_id=profile.id, filename="x.flac", size_bytes=9, now=now)
    cash_out, _ = cashouts.take(person_id=lena.id, amount_micros=10_000, key="k")
    named = {
        "cash_out": cash_out.id,
        "refund": cash_out.refunds.get().id,
        "transfer": transfer.id,
        "sheet": sheet.id,
        "release": album.id,
        "invitation": invitation.id,
        "profile": profile.slug,
        "ana": ana.id,
        "lena": lena.id,
        "owned": owned.id,
        "export": export.id,
        "work": work.id,
        "draft": draft.id,
        "upload": Work.objects.get(id=work.id).uploads.get().id,
        "session": session.id,
        "charged": charged.id,
        "charge": lena.charges.get(work=other).id,
        "top_up": top_up.id,
        "token": token.id,
    }
    return World(lena=lena, ana=ana, lars=lars, named={name: str(value) for name, value in named.items()})


def signed_in(person: Any) -> Client:
    """Return a browser in which somebody is signed in and has a page's token, as cookie and as header."""
    browser = Client(enforce_csrf_checks=True)
    if person is not None:
        browser.force_login(person)
    return browser


def cross(browser: Client) -> dict[str, str]:
    browser.get("/accounts/login/" if "sessionid" not in browser.cookies else "/account")
    return {"X-CSRFToken": browser.cookies["csrftoken"].value}


def send(browser: Client, way: Way, world: World, **headers: str) -> Any:
    """Send a way by a browser: forms as a page sends them, the API's bodies as JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if way.path.startswith("/api/"):
        # The CSRF check reads what is sent before the upload protocol is asked, and that sends no JSON.
        body = callers.ABSENT if "/transfers" in way.path and not way.body else world.body(way)
        return Caller_of(browser)(way.method, world.path(way), body, Idempotency_Key=str(uuid4()), **headers)
    if way.method == "GET":
        return browser.get(world.path(way), headers=named)
    return browser.post(world.path(way), world.body(way), headers=named)


def Caller_of(browser: Client) -> Caller:  # noqa: N802  (a Caller, made of a browser)
    made = Caller(None)
    made.client = browser
    return made


def test_every_address_stands_here() -> None:
    assert sorted(ADDRESSES) == sorted(ROUTES)


def test_every_method_of_the_api_stands_here_with_its_scope() -> None:
    for route, view in ADDRESSES.items():
        if hasattr(view, "cls"):
            has = {name.upper() for name in view.cls.http_method_names if hasattr(view.cls, name)} - {"OPTIONS", "HEAD"}
            ways = ROUTES[route]
            if route != "api/v1/":
                assert {way.method for way in ways} == has, route
            for way in ways:
                one = view.cls()
                scope = one.scope_for(way.method) if hasattr(one, "scope_for") else one.scope
                assert way.scope == scope, (route, way.method)


def test_a_stranger(world: World) -> None:
    """Nobody is signed in; forms even carry the page's token."""
    browser = signed_in(None)
    token = cross(browser)["X-CSRFToken"]
    before = Standing()
    for route, way in WAYS:
        answer = send(browser, way, world, X_CSRFToken=token)
        assert answer.status_code == way.stranger, (route, way.method, answer.status_code)
        if way.stranger == 401:
            assert slug(answer) == "not-signed-in"
        if way.stranger == 302 and not way.path.startswith("/accounts/"):
            assert answer.headers["Location"].startswith(LOGIN)
        # The pages around the sign-in remember in the browser's own session how far somebody has come.
        theirs = "django_session" if way.path.startswith("/accounts/") else ""
        assert before.changed(but=theirs) == [], (route, way.method)


def test_a_token_without_the_scope(world: World) -> None:
    """Lena's own token, for everything but this."""
    for scope in sorted(EVERY_SCOPE):
        ask = Caller(world.lena, *(EVERY_SCOPE - {scope}))
        before = Standing()
        for route, way in WAYS:
            if way.scope == scope:
                answer = ask(way.method, world.path(way), world.body(way), Idempotency_Key=str(uuid4()))
                assert (answer.status_code, slug(answer)) == (403, "scope-missing"), (route, way.method)
                assert before.changed() == [], (route, way.method)


def test_a_token_that_has_ended(world: World) -> None:
    ask = Caller(world.lena)
    Token.objects.update(revoked_at=clock.now())
    before = Standing()
    for route, way in WAYS:
        if way.path.startswith("/api/"):
            answer = ask(way.method, world.path(way), world.body(way), Idempotency_Key=str(uuid4()))
            assert (answer.status_code, slug(answer)) == (401, "not-signed-in"), (route, way.method)
            assert before.changed() == [], (route, way.method)
            callers.forget_counts()


def test_somebody_else_by_token(world: World) -> None:
    """Lars has every scope, and no part in what is Ana's and Lena's."""
    ask = Caller(world.lars)
    before = Standing()
    for route, way in WAYS:
        if way.path.startswith("/api/") and way.other is not None:
            answer = ask(way.method, world.path(way), world.body(way), Idempotency_Key=str(uuid4()))
            assert answer.status_code == way.other, (route, way.method, answer.content)
            if way.other == 404:
                assert slug(answer) == "not-found"
            assert before.changed() == [], (route, way.method)


def test_somebody_else_in_a_browser(world: World) -> None:
    browser = signed_in(world.lars)
    token = cross(browser)["X-CSRFToken"]
    before = Standing()
    for route, way in WAYS:
        if way.other is not None:
            answer = send(browser, way, world, X_CSRFToken=token)
            assert answer.status_code == way.other, (route, way.method, answer.content)
            assert before.changed() == [], (route, way.method)


def test_what_is_ones_own_shows_nothing_of_others(world: World) -> None:
    """Where everybody has a thing of their own, Lars sees his."""
    browser = signed_in(world.lars)
    for route, way in WAYS:
        if way.other is None and way.method == "GET":
            answer = send(browser, way, world)
            content = answer.getvalue()
            for secret in (world.lena.email, world.ana.email, *world.named.values()):
                assert secret.encode() not in content, (route, secret)


@pytest.mark.parametrize(
    ("whose", "shows"),
    [
        ("lena", ({}, {"Origin": "https://elsewhere.example"})),
        ("ana", ({}, {"X_CSRFToken": "a" * 64})),
    ],
    ids=["lena", "ana"],
)
def test_a_cookie_without_the_pages_token(world: World, whose: str, shows: tuple[dict[str, str], ...]) -> None:
    """Another site sends what these people may do, with their cookie; it changes nothing."""
    browser = signed_in(getattr(world, whose))
    for shown in shows:
        headers = shown
        if "Origin" in shown:
            headers = {**shown, "X_CSRFToken": cross(browser)["X-CSRFToken"]}
        before = Standing()
        for route, way in WAYS:
            # The webhook has no cookie: it is signed.
            if way.method != "GET" and way.path != "/webhooks/gateway":
                answer = send(browser, way, world, **headers)
                assert answer.status_code == 403, (route, way.method, answer.status_code)
                assert before.changed() == [], (route, way.method)


def test_methods_that_are_not_there(world: World) -> None:
    """Signed in, with the page's token and every scope of the person: still nothing happens."""
    browser = signed_in(world.lena)
    token = cross(browser)["X-CSRFToken"]
    before = Standing()
    for route, ways in ROUTES.items():
        if route.startswith("accounts/") or route == "api/v1/":
            continue
        for method in METHODS:
            if method not in {way.method for way in ways}:
                path = world.path(ways[0])
                answer = browser.generic(method, path, b"", headers={"X-CSRFToken": token})
                assert answer.status_code == 405, (route, method, answer.status_code)
                assert answer.headers["Allow"], (route, method)
        assert before.changed() == [], route


def test_the_digest_sees_what_changes(world: World) -> None:
    """The very requests above do change something for those they are for; else none of this would prove anything."""
    changes = 0
    for person in (world.lena, world.ana):
        browser = signed_in(person)
        token = cross(browser)["X-CSRFToken"]
        before = Standing()
        for _, way in WAYS:
            if way.method != "GET" and not way.path.startswith("/accounts/"):
                send(browser, way, world, X_CSRFToken=token)
                if before.changed():
                    changes += 1
                    before = Standing()
    assert changes >= 12
