"""Fills the demo: people in every role, a small real catalogue through the real ingest, and some months of a co-op.

Everything goes through the same doors as anybody's: members apply and are approved, uploads wait for the worker,
top-ups for the gateway's webhook, plays are quoted and charged, proposals are moved by beat's own act. Only the clock
is moved, back to the summer and forward again. Safe to run twice.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.utils.text import slugify

from catalog import publishing, sharing, tasks
from catalog.intake import receiving
from catalog.intake.receiving import AlreadyUploaded
from catalog.models import Creator, CreatorRole, Upload, Work
from catalog.sharing import Payee
from infra.demonstration import first_year, founding, treasurers, votes
from infra.demonstration.founding import FOUNDED_BEFORE, Coop
from infra.demonstration.listening import RUN_BY, DemoFailed, Listening, buy_some
from infra.demonstration.people import EVERYBODY, PASSWORD, PEOPLE, Member
from infra.demonstration.treasurers import THURSDAY, Office
from infra.demonstration.votes import Assembly
from members import clock, notices
from members.models import Person, StaffRole
from members.voting.proposal_models import Proposal
from playback import audience_counting, reversals, shelves
from playback.models import Charge, PromoBudget
from royalties import posting, reconciliation, so_far, treasury
from royalties.periods import CLOSES_ON_DAY

WORKS = Path(__file__).resolve().parent / "works"
# So many days before the end people begin to listen on most evenings. A few works were there in the first year.
BEGINS_BEFORE = 96
EARLY = frozenset(
    {
        "maxstack-through-space.ogg",
        "will-savino-palace.m4a",
        "manolo-camp-morning-coffee.flac",
        "reno-project-system.flac",
        "aitzol-berasategi-friends.jpg",
        "trevor-freespace-fig.jpg",
    }
)
ONE_DAY = timedelta(days=1)
# Members meet before they listen, and parts of a proposal's life end at eight.
TAKEN_IN_AT, MEET_AT, LISTEN_FROM, BEAT_AT = wall_time(9), wall_time(17, 30), wall_time(18), wall_time(22, 30)
LISTEN_MINUTES = 240
# Without another work taken in.
INGEST_SECONDS_MOST = 300
BLOCK_BYTES = 1 << 20
MAILS_AT_ONCE = 1_000


def build(*, say: Callable[[str], None]) -> None:
    """Fill the demo, or find that it is. `say` is told each step."""
    clock.set_offset(timedelta(0))
    people = {member.name: _person(member) for member in PEOPLE}
    _profile("Demo", people["Cleo"])
    if Charge.objects.exists():
        say("  the demo is filled already")
        return
    people |= {member.name: _person(member) for member in EVERYBODY.values()}
    until = clock.now()
    try:
        charged, works = _months(people, until, say)
    finally:
        clock.set_offset(timedelta(0))
    now = clock.now()
    votes.beat(now=now)
    audience_counting.count_all(now=now)
    shelves.fill(now=now)
    so_far.count(now=now)
    posting.post(now=now)
    reconciliation.raise_alarms(now=now)
    treasury.ring_for_disputes(now=now)
    say(f"  {works} works, {charged} plays and purchases in {BEGINS_BEFORE} days")


def _months(people: dict[str, Person], until: datetime, say: Callable[[str], None]) -> tuple[int, int]:
    """Found the co-op, take the works in, and let evening after evening pass; return charges and works."""
    coop, today = Coop(people), clock.day(until)
    story = Story(assembly=votes.assemble(coop, until=until), people=people, until=until, say=say)
    begins = today - timedelta(days=BEGINS_BEFORE)
    early = min(begins, first_year.begins_on(until))
    day = first_year.founded_on(until, latest=today - timedelta(days=FOUNDED_BEFORE))
    _set_clock(day, MEET_AT)
    founding.found(coop, now=clock.now())
    say(f"  {day.isoformat()}: {len(people)} people, and a co-op founded by most of them")
    while (day := day + ONE_DAY) < today:
        if day == early:
            story.take_in(EARLY, day)
            story.office = treasurers.open_office(people, until=until, now=clock.now())
        if day == begins:
            story.take_in(None, day)
            _share(people, story.works)
            _budget()
            story.listening = Listening(people, story.works)
        story.pass_evening(day, left=(today - day).days)
    assert story.listening is not None
    assert story.office is not None
    story.listening.give_back()
    clock.set_offset(timedelta(0))
    treasurers.look_after(story.office, now=clock.now())
    return story.listening.charged, len(story.works)


@dataclass(kw_only=True)
class Story:
    """What evenings are passed with: the members, and in time the treasurers, the works and the listeners."""

    assembly: Assembly
    people: dict[str, Person]
    until: datetime
    say: Callable[[str], None]
    works: list[Work] = field(default_factory=list)
    office: Office | None = None
    listening: Listening | None = None

    def take_in(self, files: frozenset[str] | None, day: date) -> None:
        """Take in the works of some files, or all that are left, in the order of the list."""
        _set_clock(day, TAKEN_IN_AT)
        listed: list[dict[str, Any]] = json.loads((WORKS / "works.json").read_text())["works"]
        known = {work.title for work in self.works}
        wanted = [one for one in listed if one["title"] not in known and (files is None or one["file"] in files)]
        found = {work.title: work for work in (*self.works, *_catalogue(wanted, self.people, self.say))}
        self.works = [found[one["title"]] for one in listed if one["title"] in found]

    def pass_evening(self, day: date, *, left: int) -> None:
        """Let members meet and listeners listen, and beat come by after it. Quiet evenings pass by themselves."""
        heard = first_year.is_heard_on(day, until=self.until)
        if not heard and _is_quiet(day, left):
            return
        _gather(self.assembly, day, left=left)
        if self.listening is not None and 1 < left < BEGINS_BEFORE:
            later = timedelta(minutes=self.listening.fate.randrange(LISTEN_MINUTES))
            _set_clock(day, LISTEN_FROM, later=later)
            self.listening.evening(left=left)
            if left % 16 == 0:
                self.say(f"  {day.isoformat()}: {self.listening.charged} plays and purchases so far")
        else:
            _set_clock(day, LISTEN_FROM)
        if heard:
            buy_some(self.people, self.works)
        if self.office is not None and left > 1:
            treasurers.look_after(self.office, now=clock.now())
            first_year.look_after(self.assembly, now=clock.now())
        _end(day)


def _is_quiet(day: date, left: int) -> bool:
    """Return whether nothing happens on an evening: nothing is under way, and it is neither Thursday nor the third."""
    is_busy = left <= FOUNDED_BEFORE or day.weekday() == THURSDAY or day.day == CLOSES_ON_DAY
    return not is_busy and not Proposal.objects.filter(state__in=Proposal.LIVE).exists()


def _gather(assembly: Assembly, day: date, *, left: int) -> None:
    _set_clock(day, MEET_AT)
    now = clock.now()
    founding.look_after(assembly.coop, left=left, now=now)
    votes.look_after(assembly, left=left, now=now)


def _end(day: date) -> None:
    _set_clock(day, BEAT_AT)
    now = clock.now()
    votes.beat(now=now)
    notices.send_waiting(now=now, limit=MAILS_AT_ONCE)


def _set_clock(day: date, at: wall_time, *, later: timedelta = timedelta(0)) -> None:
    moment = datetime.combine(day, at, clock.zone()) + later
    clock.set_offset(moment - (clock.now() - clock.offset()))


def _person(member: Member) -> Person:
    person = Person.objects.filter(email=member.email).first()
    if person is None:
        person = Person.objects.create_user(
            member.email, PASSWORD if member.part else None, name=member.name, country=member.country
        )
        if member.part:
            EmailAddress.objects.create(user=person, email=member.email, verified=True, primary=True)
        for role in member.roles:
            StaffRole.objects.create(person=person, role=role)
    return person


def _profile(artist: str, person: Person) -> Creator:
    creator, _ = Creator.objects.get_or_create(slug=slugify(artist), defaults={"name": artist})
    CreatorRole.objects.get_or_create(creator=creator, person=person, defaults={"role": CreatorRole.Role.OWNER})
    return creator


def _catalogue(listed: list[dict[str, Any]], people: dict[str, Person], say: Callable[[str], None]) -> list[Work]:
    waiting = [(entry, _send(entry, people)) for entry in listed]
    deadline = clock.ticks() + INGEST_SECONDS_MOST
    said = -1
    while True:
        uploads = {
            upload.id: upload for upload in Upload.objects.filter(id__in=[upload_id for _, upload_id in waiting])
        }
        ready = sum(upload.state == Upload.State.READY for upload in uploads.values())
        rejected = [upload for upload in uploads.values() if upload.state == Upload.State.REJECTED]
        if ready != said:
            say(f"  the worker has taken in {ready} of {len(waiting)} works")
            said, deadline = ready, clock.ticks() + INGEST_SECONDS_MOST
        if rejected:
            raise DemoFailed(f"{rejected[0].filename}: {rejected[0].reason}")
        if ready == len(waiting):
            return [_publish(entry, uploads[upload_id]) for entry, upload_id in waiting]
        if clock.ticks() > deadline:
            raise DemoFailed("the worker did not take the works in; its log says why")
        time.sleep(2)


def _send(entry: dict[str, Any], people: dict[str, Person]) -> UUID:
    person = people[RUN_BY.get(entry["artist"], "Cleo")]
    creator = _profile(entry["artist"], person)
    try:
        upload = receiving.receive(
            person_id=person.id,
            creator_id=creator.id,
            filename=entry["file"],
            chunks=_blocks(WORKS / entry["file"]),
            # Photos of one folder are a series.
            folder=entry.get("series", ""),
            now=clock.now(),
        )
    except AlreadyUploaded as known:
        return Upload.objects.filter(work_id=known.extra["work"]).values_list("id", flat=True)[0]
    tasks.wake(upload.id)
    return upload.id


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _publish(entry: dict[str, Any], upload: Upload) -> Work:
    assert upload.work_id is not None
    work = publishing.change(
        work_id=upload.work_id,
        person_id=upload.person_id,
        now=clock.now(),
        title=entry["title"],
        licence=entry["licence"],
        historic=entry["historic"],
        alternative_text=entry.get("alternative_text", ""),
        credits=[{"role": "attribution", "name": entry["attribution"]}],
    )
    return publishing.publish(work_id=work.id, person_id=upload.person_id, now=clock.now())


def _share(people: dict[str, Person], works: list[Work]) -> None:
    """Let Ana share the first of her works with Ben, who accepts."""
    ana, ben = people["Ana"], people["Ben"]
    work = next(work for work in works if work.creator.roles.filter(person=ana).exists())
    payees = [
        Payee(email=ana.email, share_ppm=600_000, part="music"),
        Payee(email=ben.email, share_ppm=400_000, part="mix"),
    ]
    sheet = sharing.propose(work_id=work.id, person_id=ana.id, payees=payees, now=clock.now())
    sharing.accept(sheet_id=sheet.id, person_id=ben.id)


def _budget() -> None:
    if not PromoBudget.objects.filter(left_micros__gt=0).exists():
        reversals.fund_budget(amount_micros=50_000_000)
