"""What royalties obey: `revenue`, `payouts` and `surplus`.

How each euro of a charge is divided, from how much on royalties are paid, and what becomes of what is left of a year.
"""

from members import money, policies
from members.deadlines import Starts
from members.policies import Params, Policy, PolicyRefused, Step, Whole
from members.voting.tally import Kind


def _sums_to_the_whole(params: Params) -> None:
    policies.check_makes_the_whole(params, ["creators_ppm", "coop_ppm"], "the creators’ and the co-op’s part")


def _explain(params: Params) -> list[str]:
    creators, coop = (money.show(int(params[name])) for name in ("creators_ppm", "coop_ppm"))
    return [f"Of each {money.show(money.MICROS)} paid, {creators} go to the creators and {coop} to the co-op."]


REVENUE = Policy(
    key="revenue",
    title="How each euro is divided",
    figures={"creators_ppm": "To the creators", "coop_ppm": "To the co-op"},
    schema={"creators_ppm": Whole(least=600_000, most=900_000), "coop_ppm": Whole(least=100_000, most=400_000)},
    founding={"creators_ppm": 700_000, "coop_ppm": 300_000},
    bounds=_sums_to_the_whole,
    explain=_explain,
    step=Step(name="creators_ppm", most=50_000),
    starts_after_days=30,
)


def _yearly_is_no_more(params: Params) -> None:
    if int(params["yearly_least_cents"]) > int(params["least_cents"]):
        raise PolicyRefused(
            "what is paid once a year cannot need more than what is paid every month",
            figures=["least_cents", "yearly_least_cents"],
        )


def _explain_payouts(params: Params) -> list[str]:
    monthly, yearly = (money.show_cents(int(params[name])) for name in ("least_cents", "yearly_least_cents"))
    return [f"Royalties are paid every month from {monthly} on, and with December’s from {yearly} on."]


PAYOUTS = Policy(
    key="payouts",
    title="When royalties are paid",
    figures={"least_cents": "Paid every month from", "yearly_least_cents": "Paid with December’s from"},
    schema={"least_cents": Whole(least=100, most=2_500), "yearly_least_cents": Whole(least=1, most=500)},
    founding={"least_cents": 1_000, "yearly_least_cents": 200},
    bounds=_yearly_is_no_more,
    explain=_explain_payouts,
    starts_after_days=30,
)


def _surplus_bounds(params: Params) -> None:
    reserve, common_good = int(params["reserve_ppm"]), int(params["common_good_ppm"])
    if reserve + common_good >= money.PPM:
        raise PolicyRefused(
            "the reserve and the common good cannot take the whole result", figures=["reserve_ppm", "common_good_ppm"]
        )
    parts = [f"{name}_ppm" for name in ("creators", "listeners", "workers")]
    policies.check_makes_the_whole(params, parts, "the parts of creators, listeners and workers")


def _explain_surplus(params: Params) -> list[str]:
    said = {name: f"{money.percent(int(value))}\N{NO-BREAK SPACE}%" for name, value in params.items()}
    creators, listeners, workers = said["creators_ppm"], said["listeners_ppm"], said["workers_ppm"]
    return [
        f"Of what a year leaves, {said['reserve_ppm']} stay in the reserve, {said['common_good_ppm']} are given away.",
        f"Of the rest creators get {creators}, listeners {listeners}, workers {workers}.",
        f"{said['cash_ppm']} of a member's part are paid at once, the rest lies in their capital account.",
    ]


SURPLUS = Policy(
    key="surplus",
    title="What becomes of a year’s surplus",
    figures={
        "reserve_ppm": "To the reserve, for good",
        "common_good_ppm": "To the common good",
        "creators_ppm": "Of the rest, to creators",
        "listeners_ppm": "Of the rest, to listeners",
        "workers_ppm": "Of the rest, to workers",
        "cash_ppm": "Of a member’s part, paid at once",
    },
    schema={
        "reserve_ppm": Whole(least=150_000, most=900_000),
        "common_good_ppm": Whole(least=0, most=300_000),
        "creators_ppm": Whole(least=0, most=money.PPM),
        "listeners_ppm": Whole(least=0, most=money.PPM),
        "workers_ppm": Whole(least=0, most=money.PPM),
        "cash_ppm": Whole(least=200_000, most=money.PPM),
    },
    founding={
        "reserve_ppm": 300_000,
        "common_good_ppm": 50_000,
        "creators_ppm": 450_000,
        "listeners_ppm": 350_000,
        "workers_ppm": 200_000,
        "cash_ppm": 300_000,
    },
    bounds=_surplus_bounds,
    explain=_explain_surplus,
    kind=Kind.SPECIAL,
    starts=Starts.YEAR,
    starts_after_days=0,
)
