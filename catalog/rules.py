"""What the catalogue obeys: the policies `pricing` and `content`, their founding figures and bounds."""

from catalog import ladder
from members import money
from members.deadlines import Starts
from members.policies import OneOf, Params, Policy, PolicyRefused, Whole

MICROS_MOST = 1_000_000_000


def _pricing_bounds(params: Params) -> None:
    least, default, most = (
        int(params[name]) for name in ("price_min_micros", "price_default_micros", "price_max_micros")
    )
    if not least <= default <= most:
        raise PolicyRefused(
            f"the default price {money.show(default)} is not between {money.show(least)} and {money.show(most)}",
            figures=["price_min_micros", "price_default_micros", "price_max_micros"],
        )
    try:
        ladder.check_shape(
            plays=int(params["plays"]), num=int(params["growth_num"]), den=int(params["growth_den"]), price_min=least
        )
    except ladder.LadderRefused as error:
        raise PolicyRefused(str(error), figures=["growth_num", "growth_den"]) from error


def _explain_pricing(params: Params) -> list[str]:
    steps = ladder.ladder(
        int(params["price_default_micros"]), int(params["plays"]), int(params["growth_num"]), int(params["growth_den"])
    )
    first, last = money.show(steps[0]), money.show(steps[-1])
    least, most = (money.show(int(params[name])) for name in ("price_min_micros", "price_max_micros"))
    return [
        f"A work is owned after {params['plays']} plays.",
        f"Without a figure of its own it costs {money.show(sum(steps))}: {first} for the first play, {last} the last.",
        f"A creator may ask from {least} to {most}, or nothing.",
    ]


PRICING = Policy(
    key="pricing",
    title="What a play costs",
    figures={
        "plays": "Plays until a work is owned",
        "growth_num": "Each play costs the one before, times",
        "growth_den": "and divided by",
        "price_default_micros": "Price of a work whose creator names none",
        "price_min_micros": "Lowest price of a work",
        "price_max_micros": "Highest price of a work",
    },
    schema={
        "plays": Whole(least=ladder.PLAYS_MIN, most=ladder.PLAYS_MAX),
        "growth_num": Whole(least=1, most=ladder.GROWTH_MAX * ladder.DENOMINATOR_MAX),
        "growth_den": Whole(least=1, most=ladder.DENOMINATOR_MAX),
        "price_default_micros": Whole(least=1, most=MICROS_MOST),
        "price_min_micros": Whole(least=1, most=MICROS_MOST),
        "price_max_micros": Whole(least=1, most=MICROS_MOST),
    },
    founding={
        "plays": 9,
        "growth_num": 2,
        "growth_den": 1,
        "price_default_micros": 1_022_000,
        "price_min_micros": 200_000,
        "price_max_micros": 50_000_000,
    },
    bounds=_pricing_bounds,
    explain=_explain_pricing,
)

LICENCES = ("all-rights-reserved", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0")

CONTENT = Policy(
    key="content",
    title="What the catalogue admits",
    figures={
        "ai_generated": "Works made by machines alone",
        "lossless": "Lossless originals",
        "sample_rate_min": "Fewest samples of sound in a second",
        "photo_edge_min": "Fewest pixels along a photo’s longer edge",
    },
    schema={
        "ai_generated": OneOf(words=("forbidden", "labelled", "allowed")),
        "lossless": OneOf(words=("required", "encouraged", "free")),
        "sample_rate_min": Whole(least=8_000, most=192_000),
        "photo_edge_min": Whole(least=100, most=10_000),
    },
    founding={"ai_generated": "labelled", "lossless": "encouraged", "sample_rate_min": 44_100, "photo_edge_min": 1_600},
    bounds=lambda _: None,
    starts=Starts.DAY,
    starts_after_days=60,
    explain=lambda params: [
        f"Works made by machines alone: {params['ai_generated']}.",
        f"Lossless originals: {params['lossless']}.",
        f"Sound has at least {int(params['sample_rate_min']):,} samples a second, unless it is marked historic.",
        f"The longer edge of a photo has at least {int(params['photo_edge_min']):,} pixels.",
    ],
)
