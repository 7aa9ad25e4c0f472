"""What the demo's members asked each other: each proposal, who stands behind it, what is said, and how people vote.

Days are counted back from the day on which the demo begins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

# A price holds from a month's first day on if it was submitted so long before: 38 days to the end of the contest, two
# weeks between, and three to spare.
BEFORE_THE_MONTH = 55
# In the first days of a month there is nothing yet to see of it.
FEW_DAYS = 4
NOBODY_BUT_FEW = "." * 19


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A proposal of the demo, submitted so many days before the end; a draft was written then.

    `changes` are the figures that differ from those of the policy `key`. `ballots` gives for each class what its
    members say, one letter each in the order in which they joined, again from the front where there are more: y, n, a,
    and a dot for who stays away; `again` is said instead at a second call. Who signs in to the demo keeps their ballot
    where `is_left`. `amendment` is who offers other figures, which, and why; `contest` who objects to a vote, why, and
    how the panel rules (nothing: it has not yet).
    """

    day: int
    title: str
    reasons: str
    author: str
    key: str = ""
    changes: Mapping[str, int | str] = field(default_factory=dict)
    sponsors: Sequence[str] = ()
    ballots: Mapping[str, str] = field(default_factory=dict)
    again: Mapping[str, str] | None = None
    is_left: bool = False
    is_draft: bool = False
    retracted: int | None = None
    remarks: Sequence[tuple[str, str]] = ()
    amendment: tuple[str, Mapping[str, int | str], str] | None = None
    contest: tuple[str, str, str] | None = None


def all_asked(*, until: date) -> list[Asked]:
    """Return the proposals of a demo that begins on a day, oldest first. The price follows the calendar."""
    holds_from = until.replace(day=1)
    if until.day <= FEW_DAYS:
        holds_from = (holds_from - timedelta(days=1)).replace(day=1)
    pricing = Asked(
        day=(until - holds_from).days + BEFORE_THE_MONTH,
        key="pricing",
        changes={"price_default_micros": 766_500},
        title="A quarter less for works that name no price",
        reasons="Most who try a work stop after four plays. A work without a price of its own should cost €0.7665 and"
        " not €1.022: the first play stays under a cent, the last costs 38 cents, and more people get to the end.",
        author="Lena",
        sponsors=("Lena", "Lars", "Ana", "Wen"),
        remarks=(
            ("Ana", "I could name a price of my own and never do. I would rather be heard to the end."),
            ("Tom", "I looked: the co-op's part of last month would have been some euros less. We can carry that."),
        ),
        ballots={"creator": "yyn", "listener": "yyynyyyy.", "worker": "yy", "supporter": "y"},
    )
    return sorted((pricing, *_ASKED), key=lambda one: -one.day)


_ASKED = (
    Asked(
        day=94,
        title="Meet in person twice a year",
        reasons="Once in spring and once in autumn, in a town that is not always Berlin.",
        author="Wim",
        sponsors=("Wim", "Ben", "Tom"),
        ballots={"creator": "yyy", "listener": "yyyyynyyy", "worker": "yy", "supporter": "y"},
        contest=("Bo", "The notice named a wrong town and half of us planned for it.", "voided"),
    ),
    Asked(
        day=90,
        key="payouts",
        changes={"least_cents": 2_000},
        title="Fewer, larger payouts",
        reasons="Each transfer costs the co-op a fee. Paying from €20.00 on would halve them.",
        author="Tom",
        sponsors=("Tom", "Tess", "Ben"),
        ballots={"creator": "y..", "listener": "y" + NOBODY_BUT_FEW},
        again={"creator": ".y.", "listener": "." + NOBODY_BUT_FEW},
    ),
    Asked(
        day=86,
        key="opening",
        changes={"seconds": 20},
        title="Twenty seconds are enough",
        reasons="Who is not caught after twenty seconds is not caught after forty-five.",
        author="Ben",
        sponsors=("Ben", "Cleo", "Lars"),
        remarks=(("Dora", "Some of what I love has an intro longer than that."),),
        ballots={"creator": "yyn", "listener": "nnnynnnnnan", "worker": "nn", "supporter": "n"},
    ),
    Asked(
        day=80,
        title="A jingle before every work",
        reasons="Two seconds that say where you are, as the radio does.",
        author="Cleo",
        sponsors=("Cleo",),
    ),
    Asked(
        day=75,
        title="Write to libraries",
        reasons="Public libraries lend records. The board should ask three of them whether they would pay for a year of"
        " listening for their readers, and tell us what they say.",
        author="Lars",
        sponsors=("Lars", "Wen", "Ana"),
        ballots={"creator": "yay", "listener": "yyyyyyn", "worker": "yy", "supporter": "y"},
    ),
    Asked(
        day=70,
        title="Stickers in two colours",
        reasons="Black and the green of the house.",
        author="Wen",
        sponsors=("Wen", "Tess"),
        retracted=66,
    ),
    Asked(
        day=55,
        key="revenue",
        changes={"creators_ppm": 800_000, "coop_ppm": 200_000},
        title="Four fifths to the creators",
        reasons="What we are here for is the music. The co-op should run on a fifth.",
        author="Ana",
        sponsors=("Ana", "Ben", "Lena"),
        remarks=(
            ("Tess", "On a fifth the books of October end below zero. Please look at them before you vote."),
            ("Ana", "I did. Then we have to cost less, or be more."),
        ),
        ballots={"creator": "yyy", "listener": "nynnynnya", "worker": "nn", "supporter": "y"},
        contest=("Cem", "The reminder came on the last day. I was away and could not vote.", ""),
    ),
    Asked(
        day=52,
        key="content",
        changes={"ai_generated": "forbidden"},
        title="No works made by machines alone",
        reasons="We pay people. A label is not enough when a machine can fill the catalogue over night.",
        author="Ben",
        sponsors=("Ben", "Wen", "Lola"),
        ballots={"creator": "yya", "listener": "yyyynyyya", "worker": "yy", "supporter": "y"},
    ),
    Asked(
        day=26,
        key="opening",
        changes={"seconds": 30},
        title="Half a minute of opening",
        reasons="Twenty seconds were too few for most of us. Thirty are a verse; forty-five are half a song.",
        author="Lars",
        sponsors=("Lars", "Ana", "Emil"),
        remarks=(("Dora", "Thirty I can live with."),),
        ballots={"listener": "yyynyay"},
        is_left=True,
    ),
    Asked(
        day=17,
        key="payouts",
        changes={"least_cents": 500},
        title="Pay royalties from five euros on",
        reasons="Small creators wait for months until they have ten euros together. A transfer costs us a few cents.",
        author="Cleo",
        sponsors=("Cleo", "Ben", "Tom"),
    ),
    Asked(
        day=8,
        key="governance",
        changes={"voting_days": 10},
        title="Ten days to vote",
        reasons="A week has one weekend. Ten days reach those who only look in now and then.",
        author="Lena",
        sponsors=("Lena", "Wim", "Ana"),
        remarks=(
            ("Sam", "Everything then takes three days longer. I would not mind."),
            ("Cem", "As long as the reminder comes on the first of them."),
        ),
        amendment=("Wim", {"voting_days": 9}, "Nine days begin and end on a weekend, and cost us two and not three."),
    ),
    Asked(
        day=4,
        key="surplus",
        changes={"reserve_ppm": 250_000, "common_good_ppm": 100_000},
        title="A tenth to the common good",
        reasons="There are two rehearsal rooms in town that close for want of a roof. A tenth of a good year is one.",
        author="Wen",
        sponsors=("Wen", "Dora"),
    ),
    Asked(
        day=2,
        key="pricing",
        changes={"plays": 7},
        title="Owned after seven plays",
        reasons="Nine plays are many for a photograph.",
        author="Ana",
        is_draft=True,
    ),
)
