"""The co-op that hostile requests are sent to: it has a past, votes under way, and Lena in the middle of everything.

She belongs to it, works for it, is its treasurer and catalogue staff, runs a profile, earned something, and holds a
token with every scope. Lars has much of the same, which is nothing to her.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from catalog import reports, sharing
from catalog.intake import transfers as uploading
from catalog.models import Creator, Release, SplitSheet, Upload, Work
from catalog.report_models import Appeal, Report
from catalog.sharing import Payee
from members import clock
from members.belonging import dues, hours
from members.belonging.models import ClassPlace, Membership
from members.models import Person, StaffRole
from members.voting import discussion
from members.voting.proposal_models import Proposal
from playback import cashouts, certificates, charging, exports, refunds, releases, reversals, sessions, transfers
from playback.cashout_models import RefundTransfer
from playback.models import Charge, Session
from royalties.run_models import Statement
from tests import callers, cast
from tests.members import assembly, belonging
from tests.royalties import counting, years
from tests.royalties.years import WorkedYear

IBAN = "DE89370400440532013000"
# What Lena has put before the members.
ASKED: dict[str, dict[str, int]] = {"": {}, "opening": {"seconds": 30}}
ADVICE = {"title": "A bench", "reasons": "To sit on.", "params": None}
SAID = {"facts": "It is a copy.", "rule": "The law.", "scope": "Everywhere."}


@dataclass(frozen=True, kw_only=True)
class World:
    """Lena's token; what exists, by the names of parameters and fields; and right requests, by their operations."""

    token: str
    known: dict[str, list[Any]]
    right: dict[str, list[dict[str, Any]]]


def make() -> World:
    """Make it, in a database where every commit is one; the clock stands in the year after the one that is closed."""
    past = years.small_year(extra=_let_lena_earn)
    years.close(past.tess)
    # So late in spring, once the votes are called, that the next dues can be paid.
    cast.set_clock(datetime(years.YEAR + 1, 3, 1, 12, tzinfo=UTC))
    votes = _votes(past)
    now, (lena, lars) = clock.now(), (past.people["lena"], past.people["lars"])
    StaffRole.objects.bulk_create(StaffRole(person=lena, role=role) for role in ("treasurer", "catalogue"))
    cast.confirm(lena)
    ana = cast.person("ana")
    own, theirs = cast.creator(lena), cast.creator(ana)
    album = cast.release(theirs)
    cast.track(theirs, release=album, position=1)
    works = {
        "bought": cast.track(theirs),
        "published": cast.track(theirs),
        "free": cast.track(theirs, price_micros=0),
        "own": cast.track(own),
        "own draft": cast.track(own, state="draft"),
        "draft": cast.track(theirs, state="draft"),
        "off": cast.track(theirs, state="off"),
    }
    sittings = _listen((lena, lars), [works["published"], works["free"]], now)
    cast.buy(lena, works["bought"], price_micros=1_022_000)
    offered = _offered(lena, ana, theirs, now)
    cash_outs, entries = _going_back(lena, lars)
    appeals = _reported(ana, theirs)
    waiting = Report.objects.filter(decision=None).select_related("work")
    works |= {f"reported {number}": report.work for number, report in enumerate(waiting)}
    works["suspended"], works["own suspended"] = appeals[-1].suspension.work, _suspended(cast.track(own))
    known: dict[str, Sequence[Any]] = {
        "month": ["2026-11", "2026-12"],
        "year": [years.YEAR],
        "statement_id": Statement.objects.filter(person_id=lena.id).values_list("id", flat=True),
        "proposal_id": [one.id for one in votes.values()],
        "worked_id": [_hours(lena, now)],
        "worked_on": [clock.day(now).isoformat()],
        "covers_from": [dues.due_from(Membership.objects.get(person=lena), now=now).isoformat()],
        "cash_out_id": cash_outs,
        "release_id": [album.id],
        "certificate_id": [_certificate(lena, works["bought"], now)],
        "export_id": [exports.ask(person_id=lena.id, format="original", now=now).id],
        "transfer_id": [_begun(lena, own, now)],
        "refund_id": [entry.refund_id for entry in entries],
        "refund": [entry.refund_id for entry in entries],
        "entry_id": [entry.id for entry in entries],
        "iban": [IBAN],
        "appeal_id": [appeal.id for appeal in appeals],
        "sheet_id": [sheet.id for sheet in offered],
        "work_id": [work.id for work in works.values()],
        "work": [work.id for work in works.values()],
        "session_id": [sitting.id for sitting in sittings],
        "charge": [charge.id for charge in Charge.objects.filter(listener=lars, work=works["published"])],
        "listener": [lars.id],
        "top_up_id": [top_up.id for person in (lena, lars) for top_up in person.top_ups.all()],
        "upload_id": [upload.id for upload in Upload.objects.filter(creator__in=(own, theirs))],
        "slug": [own.slug, theirs.slug],
        "key": ["pricing", "opening", "content", "revenue"],
        "amount_micros": [1_000_000, 5_000_000],
        "price_micros": [2_000, 4_000, 1_022_000],
    }
    plain = {
        name: [value if isinstance(value, int) else str(value) for value in those] for name, those in known.items()
    }
    return World(
        token=callers.token(lena),
        known=plain,
        right=_right(
            plain,
            {"lena": lena.email, **{name: str(one.id) for name, one in {**votes, **works}.items()}},
            _offer(lena, album, now),
        ),
    )


def _let_lena_earn(people: dict[str, Person], _: Work) -> None:
    made = counting.work([(people["lena"], 1_000_000)], since=years.at(6, 1))
    counting.charge(people["lars"], made, 3_000_003, at=years.at(11, 20))


def _votes(past: WorkedYear) -> dict[str, Proposal]:
    """Bring a proposal through its vote and another into it; two of Lena's and one of Lars's wait for sponsors.

    A third of hers is deliberated, with two amendments for her to answer.
    """
    over = assembly.called(past.voters, key="", title="A garden")
    assembly.vote(over, "yyyyy", past.voters)
    assembly.go_on(over)
    voting = assembly.called(past.voters, key="", title="A kitchen")
    lena, lars = past.people["lena"], past.people["lars"]
    asked = {f"asked {key}": assembly.submitted(lena, key=key, **figures) for key, figures in ASKED.items()}
    wanted = assembly.submitted(lars, key="", title="A choir")
    talked = assembly.submitted(lena, key="", title="A bench")
    assembly.sponsor(talked, *past.voters)
    assembly.beat()
    for voter in past.voters[:2]:
        discussion.amend(
            proposal_id=talked.id, person_id=voter.id, title="Two", reasons="More.", params=None, now=clock.now()
        )
    return {"over": over, "voting": voting, "wanted": wanted, "talked": talked, **asked}


def _hours(lena: Person, now: datetime) -> UUID:
    """Let Lena be a worker, and another wait for her word on an hour."""
    ClassPlace.objects.create(
        membership=Membership.objects.get(person=lena),
        member_class="worker",
        asked_at=now,
        approved_at=now,
        approved_by=belonging.secretary(),
        since=now,
        met_by="A test says so.",
    )
    wen = years.joined(cast.person("wen"), "worker")
    return hours.record(person_id=wen.id, worked_on=clock.day(now), minutes=60, words="Proofs", now=now).id


def _listen(people: Sequence[Person], works: Sequence[Work], now: datetime) -> list[Session]:
    """Let people with credit begin to listen to works, and pay for the first."""
    reversals.fund_budget(amount_micros=10**12)
    found = []
    for person in people:
        cast.top_up(person, 50_000)
        begun = [sessions.begin(person_id=person.id, work_id=work.id, now=now)[0] for work in works]
        charging.charge_session(person_id=person.id, session_id=begun[0].id, price_micros=2_000)
        found += begun
    return found


def _offered(lena: Person, ana: Person, theirs: Creator, now: datetime) -> list[SplitSheet]:
    """Offer Lena halves of works."""
    return [
        sharing.propose(
            work_id=cast.track(theirs, state="draft").id,
            person_id=ana.id,
            payees=[Payee(email=lena.email, share_ppm=500_000), Payee(email=email, share_ppm=500_000)],
            now=now,
        )
        for email in ("b@c.example", "d@e.example", "f@g.example", "h@i.example")
    ]


def _certificate(lena: Person, work: Work, now: datetime) -> str:
    made = certificates.issue(person_id=lena.id, work_id=work.id, named=False, now=now)
    return str(made["certificate"]["id"])


def _begun(lena: Person, own: Creator, now: datetime) -> UUID:
    return uploading.begin(person_id=lena.id, creator_id=own.id, filename="x.flac", size_bytes=9, now=now).id


def _offer(lena: Person, album: Release, now: datetime) -> dict[str, Any]:
    """Return what buys the album now."""
    made = releases.offer(person_id=lena.id, release_id=album.id, now=now)
    return {"price_micros": made.purchase_micros, "list_hash": made.list_hash}


def _going_back(lena: Person, lars: Person) -> tuple[list[UUID], list[RefundTransfer]]:
    """Cash out for both; Lars's payment is too old, and another treasurer has entered where it is transferred."""
    tess, now, entries, own = cast.treasurer(), clock.now(), [], []
    for number in range(4):
        taken, _ = cashouts.take(person_id=lena.id, amount_micros=10_000, key=f"own-{number}")
        own.append(taken.id)
        taken, _ = cashouts.take(person_id=lars.id, amount_micros=10_000, key=f"old-{number}")
        refund = taken.refunds.get()
        refunds.record(refund_id=refund.id, outcome=refunds.TOO_OLD, gateway_id="", now=now)
        entries.append(transfers.enter(refund_id=refund.id, staff_id=tess.id, now=now, holder="Lars", iban=IBAN))
    return own, entries


def _reported(ana: Person, theirs: Creator) -> list[Appeal]:
    """Let works be reported; some are suspended by another of the staff, and Ana appeals."""
    now = clock.now()
    for _ in range(5):
        reports.file(work_id=cast.track(theirs).id, person_id=None, category="rights", text="It is mine.", now=now)
    gone = [_suspended(cast.track(theirs)) for _ in range(5)]
    return [reports.appeal(work_id=work.id, person_id=ana.id, text="It is not.", now=now) for work in gone]


def _suspended(work: Work) -> Work:
    """Let a work be suspended after a report, by another of the staff."""
    now = clock.now()
    reports.file(work_id=work.id, person_id=None, category="rights", text="It is mine.", now=now)
    wim = cast.person("wim", staff=("catalogue",))
    reports.suspend(work_id=work.id, staff_id=wim.id, now=now, **SAID)
    return work


def _right(
    known: dict[str, list[Any]], named: dict[str, str], offer: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return requests that get their answer: where two things have to belong together, chance seldom meets both."""

    def at(body: dict[str, Any] | None = None, **path: Any) -> list[dict[str, Any]]:
        headers = {"Idempotency-Key": str(uuid4())}
        return [{"path_parameters": path, "headers": headers, **({} if body is None else {"body": body})}]

    month, year, worked, statement = (known[name][0] for name in ("month", "year", "worked_id", "statement_id"))
    over, voting, wanted, talked = ({"proposal_id": named[name]} for name in ("over", "voting", "wanted", "talked"))
    own, draft, bought, published = ({"work_id": named[name]} for name in ("own", "own draft", "bought", "published"))
    refund, entry = known["refund_id"], known["entry_id"]
    alone = {"payees": [{"email": named["lena"], "share_ppm": 1_000_000, "part": "all"}]}
    why = {"reasons": "We looked."}
    sending = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "filename eC5mbGFj"}
    return {
        f"{method} /api/v1/{path}": requests
        for (method, path), requests in {
            ("GET", "periods/{month}"): at(month=month),
            ("GET", "periods/{month}/bundle.zip"): at(month=month),
            ("GET", "periods/{month}/my-proof"): at(month=month),
            ("GET", "surplus/{year}"): at(year=year),
            ("GET", "surplus/{year}/bundle.zip"): at(year=year),
            ("GET", "surplus/{year}/mine"): at(year=year),
            ("GET", "statements/{statement_id}"): at(statement_id=statement),
            ("GET", "statements/{statement_id}.pdf"): at(statement_id=statement),
            ("GET", "proposals/{proposal_id}"): at(**voting),
            ("GET", "proposals/{proposal_id}/preview"): at(proposal_id=named["asked opening"]),
            ("GET", "proposals/{proposal_id}/roll"): at(**voting),
            ("GET", "proposals/{proposal_id}/roll/mine"): at(**voting),
            ("GET", "proposals/{proposal_id}/bundle.zip"): at(**over),
            ("POST", "proposals/{proposal_id}/sponsor"): at(**wanted),
            ("POST", "proposals/{proposal_id}/ballot"): at({"choice": "yes", "nonce": "5e" * 16}, **voting),
            ("GET", "proposals/{proposal_id}/amendments"): at(**talked),
            ("POST", "proposals/{proposal_id}/amendments"): at(
                {"title": "A", "reasons": "B", "params": None}, **talked
            ),
            ("POST", "proposals/{proposal_id}/amendments/{number}/accept"): at(number=2, **talked),
            ("POST", "proposals/{proposal_id}/amendments/{number}/decline"): at(number=3, **talked),
            ("POST", "hours/{worked_id}/approve"): at(worked_id=worked),
            ("POST", "hours"): at({"worked_on": known["worked_on"][0], "minutes": 30, "words": "Proofs"}),
            ("POST", "dues"): at({"covers_from": known["covers_from"][0]}),
            ("POST", "shares"): at({"count": 1}),
            ("POST", "releases/{release_id}/purchase"): at(offer, release_id=known["release_id"][0]),
            ("POST", "works/{work_id}/purchase"): at({"price_micros": 1_022_000}, **published),
            ("PATCH", "works/{work_id}"): at({"title": "Another name"}, **own),
            ("POST", "works/{work_id}/publish"): at(**draft),
            ("POST", "works/{work_id}/take-off"): at(**draft),
            ("PUT", "works/{work_id}/split-sheet"): at(alone, **own),
            ("GET", "works/{work_id}/audience"): at(**own),
            ("GET", "works/{work_id}/split-sheets"): at(**own),
            ("GET", "works/{work_id}/original"): at(**own),
            ("GET", "library/exports/{export_id}"): at(export_id=known["export_id"][0]),
            ("GET", "library/{work_id}/download"): at(**bought),
            ("GET", "library/{work_id}/certificate"): at(**bought),
            ("GET", "certificates/{certificate_id}"): at(certificate_id=known["certificate_id"][0]),
            ("POST", "appeals"): at({"work": named["own suspended"], "text": "It is mine."}),
            ("POST", "staff/works/{work_id}/suspend"): at(SAID, work_id=named["reported 0"]),
            ("POST", "staff/works/{work_id}/dismiss-reports"): at(why, work_id=named["reported 1"]),
            ("POST", "staff/works/{work_id}/lift"): at(why, work_id=named["suspended"]),
            ("POST", "staff/appeals/{appeal_id}/decide"): at({"lifts": True, **why}, appeal_id=known["appeal_id"][0]),
            ("POST", "staff/reversals"): at(
                {"listener": known["listener"][0], "charge": known["charge"][0], "reason": "It did not sound."}
            ),
            ("POST", "staff/transfers/{refund_id}/release/{entry_id}"): at(refund_id=refund[0], entry_id=entry[0]),
            ("POST", "staff/transfers/{refund_id}/give-up"): at({"reason": "No account."}, refund_id=refund[1]),
            ("POST", "transfers"): [{"headers": sending}],
            ("POST", "staff/transfers"): at({"refund": refund[2], "holder": "Lars", "iban": IBAN}),
        }.items()
    }
