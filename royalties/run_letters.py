"""What payees are told by mail when a month is sealed: that their statement is there, and no figure of it."""

from datetime import date, datetime

from members import letters
from members.letters import Letter
from royalties.run_models import Statement

AT_ONCE = 1_000


def tell(month: date, *, now: datetime) -> None:
    """Write to everyone who has a statement with something on it, once."""
    letter = Letter(
        subject=f"Your statement for {month:%B %Y} is ready",
        paragraphs=[
            f"The royalties of {month:%B %Y} have been divided and sealed, and your statement is ready.",
            "It shows every work with its plays, what was paid for it, and your share, to the millionth of a euro.",
            "You can recompute it yourself from what the co-op publishes.",
        ],
        act="See your statement",
        path=f"/statements/{month:%Y-%m}",
    )
    told = (
        Statement.objects.filter(month=month)
        .exclude(earned_micros=0, released_micros=0, paid_out_micros=0, returned_micros=0)
        .order_by("person_id")
        .values_list("person_id", flat=True)
    )
    letters.send_to_people(letter, told.iterator(chunk_size=AT_ONCE), topic=f"statement:{month:%Y-%m}", now=now)
