"""The royalty run: a month is closed, counted, divided, checked, booked, told to its payees, published and sealed.

Each step is one transaction that begins by locking what it works on, asks whether it is still to be done, and writes
down that it is done; so it does not matter who takes the next turn, how many do, or when one of them dies. Three steps
are shared out, by works or by payees. Whatever a step reads stands still since the month closed: the same months make
the same bytes.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from members import months, patience
from members.problems import NotFound
from royalties import accounts, earning, ledger, periods, posting, run_letters, statements, transparency
from royalties.id_shares import IdShare
from royalties.ledger import Entry
from royalties.run_models import Line, Run, RunShard

# Each share reads the month and the split sheets again, so there are as many as workers who take them.
SHARDS = 2
Step, State = Run.Step, Run.State

# What a person reads while it happens, and how far the run is when the step begins.
WORDS = {
    Step.POSTING: (0, "Posting what is not in the ledger yet"),
    Step.GATHERING: (10, "Gathering the month's charges by work"),
    Step.LINING: (30, "Dividing each work's part by its split sheet"),
    Step.COUNTING: (45, "Counting plays, purchases and listeners"),
    Step.CHECKING: (65, "Checking that nothing is missing and nothing too much"),
    Step.BOOKING: (70, "Booking what everyone is owed"),
    Step.STATING: (75, "Writing the statements"),
    Step.PUBLISHING: (85, "Publishing the month"),
    Step.SEALING: (97, "Sealing the month"),
}
STEPS = list(WORDS)
SHARED = {
    Step.LINING: RunShard.State.LINED,
    Step.COUNTING: RunShard.State.COUNTED,
    Step.STATING: RunShard.State.STATED,
}
_BEFORE = dict(zip(SHARED, [RunShard.State.WAITING, *SHARED.values()], strict=False))


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a turn at a run did. `took` is False where others have all of it, or it is over."""

    took: bool
    # The step that can be shared out began with this turn: others may come and help.
    opened_shares: bool = False


def begin(*, month: date, now: datetime, tries: int = periods.TRIES_MOST) -> Run:
    """Close a month and open its run; asked again, it is the same run. Raises what `periods.close` does."""
    closed = periods.close(month=month, tries=tries)
    with transaction.atomic():
        run, made = Run.objects.get_or_create(
            month=closed.starts_on, defaults={"begun_at": now, "words": WORDS[Step.POSTING][1]}
        )
        if made:
            RunShard.objects.bulk_create(RunShard(run=run, number=number) for number in range(SHARDS))
    return run


def advance(*, month: date, now: datetime) -> Turn:
    """Take the next turn at a run: one step, or one share of it, in one transaction. Raises NotFound.

    A run whose equations do not hold stops, `stuck`, with the words that say which.
    """
    run = of_month(month)
    if run.state != State.RUNNING:
        return Turn(took=False)
    if run.step in SHARED:
        return _take_share(month, Step(run.step))
    return _take_step(month, now)


def start_over(*, month: date) -> None:
    """Let a run that is stuck begin again with gathering, once a person has looked why. Raises NotFound."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(month=month, state=State.STUCK).first()
        if run is None:
            raise NotFound("no such run is stuck")
        run.shards.update(state=RunShard.State.WAITING)
        run.state = State.RUNNING
        _go_to(run, Step.GATHERING)


def of_month(month: date) -> Run:
    """Return the run of a month. One query. Raises NotFound."""
    run = Run.objects.filter(month=month).first()
    if run is None:
        raise NotFound(f"the month {month:%Y-%m} is not being closed")
    return run


def running() -> list[date]:
    """Return the months whose runs go on. One query."""
    return list(Run.objects.filter(state=State.RUNNING).order_by("month").values_list("month", flat=True))


def _take_step(month: date, now: datetime) -> Turn:
    with transaction.atomic():
        run = Run.objects.select_for_update(skip_locked=True).filter(month=month, state=State.RUNNING).first()
        if run is None or run.step in SHARED:
            return Turn(took=False)
        step = Step(run.step)
        patience.take_time(minutes=120, megabytes=128)
        try:
            with transaction.atomic():
                _DONE_BY[step](run, now)
        except earning.NotEqual as wrong:
            _stop(run, wrong)
            return Turn(took=True)
        if step == Step.SEALING:
            return Turn(took=True)
        following = STEPS[STEPS.index(step) + 1]
        _go_to(run, following)
    return Turn(took=True, opened_shares=following in SHARED)


def _take_share(month: date, step: Run.Step) -> Turn:
    with transaction.atomic():
        shard = (
            RunShard.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(run_id=month, run__step=step, run__state=State.RUNNING, state=_BEFORE[step])
            .order_by("number")
            .first()
        )
        if shard is None:
            return Turn(took=False)
        patience.take_time(minutes=120, megabytes=128)
        try:
            with transaction.atomic():
                shares = RunShard.objects.filter(run_id=month).count()
                _SHARE_DONE_BY[step](month, IdShare.of(shard.number, shares=shares))
        except earning.NotEqual as wrong:
            _stop(Run.objects.select_for_update().get(month=month), wrong)
            return Turn(took=True)
        shard.state = SHARED[step]
        shard.save(update_fields=["state"])
        # The last one to get here sees what all others have committed, for they held this row as they did.
        run = Run.objects.select_for_update().get(month=month)
        left = run.shards.filter(state=_BEFORE[step]).count()
        following = STEPS[STEPS.index(step) + 1]
        if left == 0:
            _go_to(run, following)
        else:
            first, last = WORDS[step][0], WORDS[following][0]
            run.percent = last - (last - first) * left // run.shards.count()
            run.save(update_fields=["percent"])
    return Turn(took=True, opened_shares=left == 0 and following in SHARED)


def _stop(run: Run, wrong: earning.NotEqual) -> None:
    run.state, run.words = State.STUCK, str(wrong)[:200]
    run.save(update_fields=["state", "words"])


def _go_to(run: Run, step: Run.Step) -> None:
    run.step = step
    run.percent, run.words = WORDS[step]
    run.save(update_fields=["state", "step", "percent", "words"])


def _post(_run: Run, now: datetime) -> None:
    posting.post(now=now)


def _gather(run: Run, _now: datetime) -> None:
    earning.start_over(run.month)
    earning.gather(run.month)


def _check(run: Run, _now: datetime) -> None:
    figures = earning.check(run.month)
    for name, micros in vars(figures).items():
        setattr(run, name, micros)
    run.save(update_fields=list(vars(figures)))


def _book(run: Run, now: datetime) -> None:
    ledger.book(_entries(run), now=now)


def _entries(run: Run) -> Iterable[Entry]:
    """Yield what the month adds to each payee's account, and what waits for a sheet."""
    happened_at = periods.bounds(run.month)[1]

    def entry(kind: str, *, debit: str, credit: str, micros: int, name: str) -> Entry:
        return Entry(
            debit=debit,
            credit=credit,
            amount_micros=micros,
            kind=kind,
            key=f"{kind}:{run.month:%Y-%m}{name}",
            happened_at=happened_at,
            month=run.month,
            group=f"royalties:{run.month:%Y-%m}",
        )

    if run.held_micros:
        yield entry(
            "royalties-held",
            debit=accounts.ROYALTIES,
            credit=accounts.ROYALTIES_HELD,
            micros=run.held_micros,
            name="",
        )
    for kind, source, sums in (
        ("royalties", accounts.ROYALTIES, Line.objects.filter(month=run.month, of_month=run.month)),
        ("royalties-released", accounts.ROYALTIES_HELD, Line.objects.filter(month=run.month, of_month__lt=run.month)),
    ):
        for payee_id, micros in statements.by_payee(sums):
            if micros:
                yield entry(kind, debit=source, credit=accounts.payable(payee_id), micros=micros, name=f":{payee_id}")


def _publish(run: Run, now: datetime) -> None:
    transparency.publish(run.month, now)


def _seal(run: Run, now: datetime) -> None:
    run_letters.tell(run.month, now=now)
    months.seal(month=run.month, now=now)
    run.state, run.sealed_at, run.percent, run.words = State.SEALED, now, 100, "Sealed"
    run.save(update_fields=["state", "sealed_at", "percent", "words"])


_DONE_BY: dict[Run.Step, Callable[[Run, datetime], None]] = {
    Step.POSTING: _post,
    Step.GATHERING: _gather,
    Step.CHECKING: _check,
    Step.BOOKING: _book,
    Step.PUBLISHING: _publish,
    Step.SEALING: _seal,
}
_SHARE_DONE_BY: dict[Run.Step, Callable[[date, IdShare], object]] = {
    Step.LINING: earning.line,
    Step.COUNTING: earning.count,
    Step.STATING: statements.write,
}
