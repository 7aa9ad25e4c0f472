"""Sessions: one sitting with a work, and the quote it carries.

The moment a quote is written decides price and policy version; the charge only compares and moves. A listener has at
most one live session per work, so a reload, a second tab or another device never pays twice.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from catalog import delivery, ladder, objections, publishing
from catalog.publishing import Standing, WorkUnavailable
from members import policies
from members.problems import NotFound, Problem
from playback import holdings, openings, wallets
from playback.holdings import Held, Quote
from playback.models import Charge, FreePlay, Session
from playback.wallets import WalletOverview

QUOTE_LIVES = timedelta(minutes=15)
RESUMED_WITHIN = timedelta(hours=4)
PLAYLIST_MOST = timedelta(hours=12)
# How long a photo is open in full after its charge.
VIEW_LIVES = timedelta(minutes=10)
UNCHARGED_KEPT = timedelta(days=30)

PHOTO = "photo"
PAID, OWNED, OWN, FREE = Session.Basis.PAID, Session.Basis.OWNED, Session.Basis.OWN, Session.Basis.FREE


class SessionExpired(Problem):
    """The quote has lapsed; a new session shows the price anew."""

    slug, status, title = "session-expired", 410, "This price has lapsed"


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """A session as its listener sees it. Money in micros; seconds of the work may have fractions."""

    id: UUID
    work_id: UUID
    kind: str
    basis: str
    charged: bool
    play_number: int | None
    price_micros: int
    paid_micros: int
    cap_micros: int
    pricing_version: int
    opening_version: int
    free_seconds: float
    open_seconds: float
    duration_seconds: float
    blocked: Problem | None
    expires_at: datetime
    playlist_until: datetime
    position_seconds: float
    reversed: bool
    withdrawn: bool

    @property
    def whole(self) -> bool:
        """Whether all of the work may be heard."""
        return not self.reversed and (self.charged or self.basis != PAID)


@dataclass(frozen=True, kw_only=True)
class Listening:
    """What a work's page says to one person: what a play costs now, how far they are, what stands in the way."""

    work_id: UUID
    kind: str
    basis: str
    owned: bool
    owned_at: datetime | None
    play_number: int | None
    price_micros: int | None
    paid_micros: int
    cap_micros: int
    remaining_micros: int
    plays: int
    paid_plays: tuple[int, ...]
    ladder: tuple[int, ...]
    pricing_version: int
    free_seconds: float
    open_seconds: float
    duration_seconds: float
    blocked: Problem | None
    available: bool
    goes_on: bool
    consented: bool
    signed_in: bool


def begin(*, person_id: UUID, work_id: UUID, now: datetime, source: str = Session.Source.API) -> tuple[Sitting, bool]:
    """Begin a session, or resume the live one; return it and whether it is new. Nothing is charged.

    `source` says from where they came to the work; a resumed session keeps its own.

    A charged session is resumed while its playlist lives and it was not heard to the end; an uncharged one for four
    hours, with a fresh quote. Raises NotFound and WorkUnavailable.
    """
    with transaction.atomic():
        wallet = wallets.lock(person_id)
        overview = wallets.overview_of(wallet, now=now)
        standing = publishing.standing(work_id=work_id, person_id=person_id, now=now)
        held = holdings.read(listener_id=person_id, work_id=work_id)
        live = Session.objects.filter(listener_id=person_id, work_id=work_id, ended_at=None).first()
        if live is not None and _still_heard(live, held, standing, now):
            return _sitting(live, standing, held, overview), False
        basis = _basis_now(standing, held, now)
        resumed = (
            live is not None and live.charge_id is None and live.basis == PAID and now < live.began_at + RESUMED_WITHIN
        )
        if live is not None and not resumed:
            Session.objects.filter(listener_id=person_id, id=live.id).update(ended_at=now)
        session = (
            live
            if resumed and live is not None
            else Session(listener_id=person_id, id=uuid4(), work_id=work_id, source=source, began_at=now)
        )
        held = _write_quote(session, standing, held, basis, now, new=not resumed)
        return _sitting(session, standing, held, overview), not resumed


def requote(*, person_id: UUID, session_id: UUID, now: datetime) -> Sitting:
    """Write a fresh quote into an uncharged session and return it. Raises NotFound and WorkUnavailable."""
    with transaction.atomic():
        wallet = wallets.lock(person_id)
        session = Session.objects.filter(listener_id=person_id, id=session_id, ended_at=None, charge_id=None).first()
        if session is None:
            raise NotFound("there is no such session of yours")
        standing = publishing.standing(work_id=session.work_id, person_id=person_id, now=now)
        held = holdings.read(listener_id=person_id, work_id=session.work_id)
        held = _write_quote(session, standing, held, _basis_now(standing, held, now), now)
        return _sitting(session, standing, held, wallets.overview_of(wallet, now=now))


def get(*, person_id: UUID, session_id: UUID, now: datetime) -> Sitting:
    """Return a session of this person as it stands. Raises NotFound."""
    session = Session.objects.filter(listener_id=person_id, id=session_id).first()
    if session is None:
        raise NotFound("there is no such session of yours")
    standing = publishing.standing(work_id=session.work_id, person_id=person_id, now=now)
    held = holdings.read(listener_id=person_id, work_id=session.work_id)
    return _sitting(session, standing, held, wallets.overview(person_id=person_id, now=now))


def report_progress(*, person_id: UUID, session_id: UUID, position_ms: int, completed: bool, now: datetime) -> None:
    """Note how far somebody has listened. It never moves money. Raises NotFound.

    At or past the opening of an owned, own or free work it records one play, at most one per session.
    """
    with transaction.atomic():
        wallets.lock(person_id)
        session = Session.objects.filter(listener_id=person_id, id=session_id).first()
        if session is None:
            raise NotFound("there is no such session of yours")
        basis = session.basis
        if basis == PAID and session.charge_id is None:
            # Owned since it began: bought in another tab, or by a price that fell.
            held = holdings.read(listener_id=person_id, work_id=session.work_id)
            basis = OWNED if held.owned_at is not None else PAID
        # A photo has no end to be heard to: its ten minutes are its sitting.
        heard_whole = session.view_seconds is None and (session.charge_id is not None or basis != PAID)
        session.position_ms = position_ms
        if completed and heard_whole and session.completed_at is None:
            session.completed_at = now
        session.save(update_fields=["position_ms", "completed_at"])
        if basis != PAID and position_ms >= session.free_ms:
            FreePlay.objects.bulk_create(
                [
                    FreePlay(
                        listener_id=person_id,
                        session_id=session.id,
                        work_id=session.work_id,
                        basis=basis,
                        played_at=now,
                    )
                ],
                ignore_conflicts=True,
            )


def listening(*, person_id: UUID | None, work_id: UUID, now: datetime) -> Listening:
    """Return what the work's page says to this person, or to a stranger. Writes nothing. Raises NotFound."""
    standing = publishing.standing(work_id=work_id, person_id=person_id, now=now)
    held = holdings.NOTHING if person_id is None else holdings.read(listener_id=person_id, work_id=work_id)
    overview = None if person_id is None else wallets.overview(person_id=person_id, now=now)
    asked = _quote(standing, held, now)
    try:
        basis, available = _basis(standing, held, now, asked), True
    except WorkUnavailable:
        basis, available = PAID, False
    pays = basis == PAID
    gate = openings.of_work(work_id=work_id, duration_ms=standing.duration_ms, now=now)
    owned = basis == OWNED
    return Listening(
        work_id=work_id,
        kind=standing.kind,
        basis=basis,
        owned=owned,
        owned_at=held.owned_at,
        play_number=asked.play_number if pays else None,
        price_micros=asked.price_micros if pays else None,
        paid_micros=held.paid_micros,
        cap_micros=asked.cap_micros,
        remaining_micros=0 if owned else asked.remaining_micros,
        plays=asked.terms.plays,
        paid_plays=tuple(sorted(held.paid_plays)),
        ladder=tuple(_steps(asked, person_id, work_id)) if asked.cap_micros else (),
        pricing_version=asked.terms.pricing_version,
        free_seconds=gate.free_ms / 1000,
        open_seconds=gate.open_ms / 1000,
        duration_seconds=standing.duration_ms / 1000,
        blocked=overview.refusal(asked.price_micros) if overview and pays else None,
        available=available,
        goes_on=bool(overview and overview.goes_on),
        consented=bool(overview and overview.consented),
        signed_in=person_id is not None,
    )


def view_url(sitting: Sitting, *, now: datetime) -> str | None:
    """Return where a session's photo is seen now: the watermarked preview, or all of it once that is open.

    The address of the whole lives exactly as long as it is open, and is the same each time it is asked for. None when
    the work was suspended and is not one's own. One small query.
    """
    if sitting.withdrawn:
        return None
    if not sitting.whole or (sitting.basis == PAID and sitting.playlist_until <= now):
        return delivery.preview_url(sitting.work_id, now=now)
    opened_at = sitting.playlist_until - VIEW_LIVES if now < sitting.playlist_until else now
    return delivery.view_url(sitting.work_id, now=opened_at, lives=VIEW_LIVES)


def forget_uncharged(*, now: datetime, kept_from: datetime | None = None, limit: int = 10_000) -> int:
    """Delete sessions that were never charged and are older than 30 days; return how many.

    Those that began at `kept_from` or later stay: their month's audience is not settled yet.
    """
    before = min(now - UNCHARGED_KEPT, kept_from or now)
    old = Session.objects.filter(charge_id=None, began_at__lt=before).values("id")[:limit]
    return Session.objects.filter(charge_id=None, began_at__lt=before, id__in=old).delete()[0]


def basis_of(*, standing: Standing, held: Held, asked: Quote, now: datetime) -> str | None:
    """Return on what basis the work is heard now, or None where it cannot be. Asks nothing of the database."""
    try:
        return _basis(standing, held, now, asked)
    except WorkUnavailable:
        return None


def _still_heard(live: Session, held: Held, standing: Standing, now: datetime) -> bool:
    """Whether the live session goes on: charged or free of charge, not heard to the end, its addresses alive."""
    if live.playlist_until <= now or live.completed_at is not None or live.reversed_at is not None:
        return False
    if live.basis == OWNED:
        return held.owned_at is not None
    if live.basis == OWN:
        return standing.own
    if standing.is_suspended and held.owned_at is None:
        return False
    return live.basis == FREE or live.charge_id is not None


def _quote(standing: Standing, held: Held, now: datetime) -> Quote:
    pricing = policies.policy_at("pricing", now)
    terms = holdings.terms_now(figure=standing.figure, pricing=pricing.params, version=pricing.seq)
    return holdings.quote(held=held, now=terms)


def _basis_now(standing: Standing, held: Held, now: datetime) -> str:
    """Return on what basis the work is heard now. Raises WorkUnavailable, which names the vote that took it off."""
    try:
        return _basis(standing, held, now)
    except WorkUnavailable as refused:
        refused.extra |= objections.why_off(standing)
        raise


def _basis(standing: Standing, held: Held, now: datetime, asked: Quote | None = None) -> str:
    """Return on what basis the work is heard now. Raises WorkUnavailable."""
    asked = asked or _quote(standing, held, now)
    if held.owned_at is not None:
        return OWNED
    if standing.own:
        return OWN
    allowed = standing.may_play_on(now) if held.terms is not None else standing.may_begin()
    if not allowed:
        raise WorkUnavailable("It was taken off or suspended; only who owns it can hear it.")
    if asked.remaining_micros == 0:
        return OWNED if held.terms is not None else FREE
    return PAID


def _write_quote(
    session: Session, standing: Standing, held: Held, basis: str, now: datetime, *, new: bool = False
) -> Held:
    """Write a fresh quote into the session, and a fallen cap into the holding; return what is held then."""
    asked = _quote(standing, held, now)
    if basis in (PAID, OWNED):
        held = holdings.keep_fallen_cap(
            listener_id=session.listener_id, work_id=session.work_id, held=held, cap_micros=asked.cap_micros, now=now
        )
    gate = openings.of_work(work_id=session.work_id, duration_ms=standing.duration_ms, now=now)
    session.basis = basis
    session.quoted_at = now
    session.expires_at = now + QUOTE_LIVES
    session.play_number = asked.play_number if basis == PAID else None
    session.price_micros = asked.price_micros if basis == PAID else 0
    session.cap_micros = asked.cap_micros
    session.holding_revision = held.revision
    session.terms_price_micros = asked.terms.price_micros
    session.terms_plays = asked.terms.plays
    session.terms_growth_num = asked.terms.growth_num
    session.terms_growth_den = asked.terms.growth_den
    session.pricing_version = asked.terms.pricing_version
    session.opening_version = gate.version
    session.free_ms = gate.free_ms
    session.open_ms = gate.open_ms
    if standing.kind == PHOTO:
        # Of what is paid only the charge opens it, and writes until when.
        session.view_seconds = int(VIEW_LIVES.total_seconds())
        session.playlist_until = now + VIEW_LIVES
    else:
        session.playlist_until = now + min(
            timedelta(milliseconds=2 * standing.duration_ms) + timedelta(hours=1), PLAYLIST_MOST
        )
    session.save(force_insert=new)
    return held


def _steps(asked: Quote, person_id: UUID | None, work_id: UUID) -> list[int]:
    """Return the prices of plays 1..N: what was paid for those paid, what is asked in turn for the rest.

    Together they are the cap, unless a purchase paid some of it. One query for who has begun.
    """
    steps = dict.fromkeys(range(1, asked.terms.plays + 1), 0)
    if asked.paid_plays:
        live = Charge.objects.filter(listener_id=person_id, work_id=work_id, kind=Charge.Kind.PLAY, reversal_id=None)
        steps |= {charge.play_number or 0: charge.amount_micros for charge in live}
    paid, numbers = asked.paid_micros, set(asked.paid_plays)
    while paid < asked.cap_micros and len(numbers) < asked.terms.plays:
        number, price = ladder.next_play(
            cap=asked.cap_micros,
            paid=paid,
            paid_plays=numbers,
            plays=asked.terms.plays,
            num=asked.terms.growth_num,
            den=asked.terms.growth_den,
        )
        steps[number] = price
        paid, numbers = paid + price, numbers | {number}
    return [steps[number] for number in sorted(steps)]


def _sitting(session: Session, standing: Standing, held: Held, overview: WalletOverview) -> Sitting:
    charged = session.charge_id is not None
    basis = OWNED if session.basis == PAID and held.owned_at is not None else session.basis
    asks = session.basis == PAID and not charged and held.owned_at is None
    return Sitting(
        id=session.id,
        work_id=session.work_id,
        kind=standing.kind,
        basis=basis,
        charged=charged,
        play_number=session.play_number,
        price_micros=session.price_micros if asks else 0,
        paid_micros=held.paid_micros,
        cap_micros=session.cap_micros if held.cap_micros is None else held.cap_micros,
        pricing_version=session.pricing_version,
        opening_version=session.opening_version,
        free_seconds=session.free_ms / 1000,
        open_seconds=session.open_ms / 1000,
        duration_seconds=standing.duration_ms / 1000,
        blocked=overview.refusal(session.price_micros) if asks else None,
        expires_at=session.expires_at,
        playlist_until=session.playlist_until,
        position_seconds=session.position_ms / 1000,
        reversed=session.reversed_at is not None,
        withdrawn=standing.is_suspended and basis in (PAID, FREE),
    )
