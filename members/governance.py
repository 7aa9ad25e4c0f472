"""The policy `governance`: how long each part of a vote takes, how many must come, and how much has to agree.

It binds itself: changing it is a constitutional vote under the version that is in force, and its bounds keep a passing
majority from shutting the door behind it.
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from members import money, policies
from members.deadlines import Starts
from members.policies import Params, Policy, PolicyRefused, Version, Whole
from members.voting.tally import Bar, Kind, Rules

CLASSES = ("creator", "listener", "worker")
DAYS = Whole(least=5, most=30)
# A part is written as two whole numbers, so that two thirds are two thirds.
NUMERATOR, DENOMINATOR = Whole(least=1, most=99), Whole(least=2, most=100)
_BETWEEN = {
    "head_quorum": (Fraction(1, 20), Fraction(1, 3)),
    "support_ordinary": (Fraction(1, 2), Fraction(3, 5)),
    "support_special": (Fraction(3, 5), Fraction(3, 4)),
    "support_constitutional": (Fraction(2, 3), Fraction(4, 5)),
    # Heads never fall below the founding figures.
    "heads_ordinary": (Fraction(1, 3), Fraction(1)),
    "heads_special": (Fraction(1, 2), Fraction(1)),
    "heads_constitutional": (Fraction(2, 3), Fraction(1)),
}
_NAMES = {
    "head_quorum": "the part of all members who have to vote",
    "support_ordinary": "what an ordinary vote needs of the classes’ weight",
    "support_special": "what a special vote needs of the classes’ weight",
    "support_constitutional": "what a constitutional vote needs of the classes’ weight",
    "heads_ordinary": "what an ordinary vote needs of the heads",
    "heads_special": "what a special vote needs of the heads",
    "heads_constitutional": "what a constitutional vote needs of the heads",
}
_LONG = frozenset({Kind.SPECIAL, Kind.CONSTITUTIONAL})


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How many days each part of a proposal's life takes, for its kind."""

    sponsoring: int
    deliberation: int
    notice: int
    voting: int
    contest: int


def in_force(moment: datetime) -> Version:
    """Return the version of `governance` that holds at a moment."""
    return policies.policy_at("governance", moment)


def timings(kind: Kind, params: Params) -> Timings:
    """Return the days of each part; special and constitutional proposals take longer."""
    ending = "_long_days" if kind in _LONG else "_days"
    return Timings(
        sponsoring=int(params["sponsoring_days"]),
        deliberation=int(params[f"deliberation{ending}"]),
        notice=int(params[f"notice{ending}"]),
        voting=int(params[f"voting{ending}"]),
        contest=int(params["contest_days"]),
    )


def rules(params: Params) -> Rules:
    """Return what votes are counted by under these figures."""
    return Rules(
        weights_ppm={name: int(params[f"weight_{name}_ppm"]) for name in CLASSES},
        bars={
            # A majority is more than half; where the law of large ones begins, reaching it is enough.
            Kind.ORDINARY: _bar("ordinary", params, support_exceeded=True, heads_exceeded=False),
            Kind.SPECIAL: _bar("special", params, support_exceeded=False, heads_exceeded=True),
            Kind.CONSTITUTIONAL: _bar("constitutional", params, support_exceeded=False, heads_exceeded=False),
        },
        heads_share=_part("head_quorum", params),
        heads_least=int(params["head_quorum_least"]),
        heads_most=int(params["head_quorum_most"]),
    )


def sponsors_needed(members: int, params: Params) -> int:
    """Return how many members have to sponsor a proposal: a share of all, within bounds, never more than there are."""
    share = -(-members * int(params["sponsors_ppm"]) // money.PPM)
    least, most = int(params["sponsors_least"]), int(params["sponsors_most"])
    return min(members, most, max(least, share))


def _bar(kind: str, params: Params, *, support_exceeded: bool, heads_exceeded: bool) -> Bar:
    return Bar(
        support=_part(f"support_{kind}", params),
        support_exceeded=support_exceeded,
        heads=_part(f"heads_{kind}", params),
        heads_exceeded=heads_exceeded,
    )


def _part(name: str, params: Params) -> Fraction:
    return Fraction(int(params[f"{name}_num"]), int(params[f"{name}_den"]))


def _bounds(params: Params) -> None:
    for name, (least, most) in _BETWEEN.items():
        if not least <= _part(name, params) <= most:
            raise PolicyRefused(
                f"{_NAMES[name]} would be {_part(name, params)}; it is from {least} to {most}",
                figures=[f"{name}_num", f"{name}_den"],
            )
    policies.check_makes_the_whole(params, [f"weight_{name}_ppm" for name in CLASSES], "the weights of the classes")
    if int(params["sponsors_least"]) > int(params["sponsors_most"]):
        raise PolicyRefused(
            "the fewest sponsors cannot be more than the most", figures=["sponsors_least", "sponsors_most"]
        )


def _explain(params: Params) -> list[str]:
    shares = {name: money.percent(int(params[f"weight_{name}_ppm"])) for name in CLASSES}
    weights = ", ".join(f"{name}s {share}\N{NO-BREAK SPACE}%" for name, share in shares.items())
    ordinary, special, constitutional, quorum = (
        str(_part(name, params))
        for name in ("support_ordinary", "support_special", "support_constitutional", "head_quorum")
    )
    least, most = params["head_quorum_least"], params["head_quorum_most"]
    talk, notice, vote, contest = (
        f"{params[f'{name}_days']} days" for name in ("deliberation", "notice", "voting", "contest")
    )
    return [
        f"Of each decision, classes carry: {weights}.",
        f"It passes above {ordinary} of that weight, a special one from {special}, a constitutional {constitutional}.",
        f"At least {quorum} of all members have to vote: {least} of them at least, {most} at most.",
        f"People talk for {talk}, are given notice for {notice}, vote for {vote}, and may contest for {contest}.",
    ]


GOVERNANCE = Policy(
    key="governance",
    title="How the co-op decides",
    figures={
        "sponsoring_days": "Days to find sponsors",
        "deliberation_days": "Days of deliberation",
        "deliberation_long_days": "Days of deliberation, special and constitutional",
        "notice_days": "Days of notice",
        "notice_long_days": "Days of notice, special and constitutional",
        "voting_days": "Days of voting",
        "voting_long_days": "Days of voting, special and constitutional",
        "contest_days": "Days in which a result may be contested",
        "head_quorum_num": "Of all members, so many parts have to vote",
        "head_quorum_den": "of so many",
        "head_quorum_least": "at least so many members",
        "head_quorum_most": "and never more than so many",
        "support_ordinary_num": "Ordinary: above so many parts of the classes’ weight",
        "support_ordinary_den": "of so many (ordinary, weight)",
        "heads_ordinary_num": "Ordinary: from so many parts of the heads",
        "heads_ordinary_den": "of so many (ordinary, heads)",
        "support_special_num": "Special: from so many parts of the classes’ weight",
        "support_special_den": "of so many (special, weight)",
        "heads_special_num": "Special: above so many parts of the heads",
        "heads_special_den": "of so many (special, heads)",
        "support_constitutional_num": "Constitutional: from so many parts of the classes’ weight",
        "support_constitutional_den": "of so many (constitutional, weight)",
        "heads_constitutional_num": "Constitutional: from so many parts of the heads",
        "heads_constitutional_den": "of so many (constitutional, heads)",
        "weight_creator_ppm": "Weight of the creators",
        "weight_listener_ppm": "Weight of the listeners",
        "weight_worker_ppm": "Weight of the workers",
        "sponsors_ppm": "Members who have to sponsor a proposal",
        "sponsors_least": "at least so many sponsors",
        "sponsors_most": "and never more sponsors than",
    },
    schema={
        "sponsoring_days": DAYS,
        "deliberation_days": DAYS,
        "deliberation_long_days": DAYS,
        "notice_days": DAYS,
        "notice_long_days": DAYS,
        "voting_days": DAYS,
        "voting_long_days": DAYS,
        "contest_days": Whole(least=5, most=14),
        "head_quorum_num": NUMERATOR,
        "head_quorum_den": DENOMINATOR,
        "head_quorum_least": Whole(least=3, most=10),
        "head_quorum_most": Whole(least=100, most=10_000),
        **{f"{name}_num": NUMERATOR for name in _BETWEEN if name != "head_quorum"},
        **{f"{name}_den": DENOMINATOR for name in _BETWEEN if name != "head_quorum"},
        **{f"weight_{name}_ppm": Whole(least=50_000, most=500_000) for name in CLASSES},
        "sponsors_ppm": Whole(least=1_000, most=100_000),
        "sponsors_least": Whole(least=2, most=10),
        "sponsors_most": Whole(least=3, most=100),
    },
    founding={
        "sponsoring_days": 14,
        "deliberation_days": 14,
        "deliberation_long_days": 21,
        "notice_days": 7,
        "notice_long_days": 14,
        "voting_days": 7,
        "voting_long_days": 14,
        "contest_days": 7,
        "head_quorum_num": 1,
        "head_quorum_den": 10,
        "head_quorum_least": 5,
        "head_quorum_most": 300,
        "support_ordinary_num": 1,
        "support_ordinary_den": 2,
        "support_special_num": 2,
        "support_special_den": 3,
        "support_constitutional_num": 3,
        "support_constitutional_den": 4,
        "heads_ordinary_num": 1,
        "heads_ordinary_den": 3,
        "heads_special_num": 1,
        "heads_special_den": 2,
        "heads_constitutional_num": 2,
        "heads_constitutional_den": 3,
        "weight_creator_ppm": 450_000,
        "weight_listener_ppm": 350_000,
        "weight_worker_ppm": 200_000,
        "sponsors_ppm": 20_000,
        "sponsors_least": 3,
        "sponsors_most": 25,
    },
    bounds=_bounds,
    explain=_explain,
    kind=Kind.CONSTITUTIONAL,
    starts=Starts.AT_ONCE,
    starts_after_days=0,
)
