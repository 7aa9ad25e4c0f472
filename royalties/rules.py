"""What royalties obey: `revenue`, how each euro of a charge is divided, and `payouts`, from how much on it is paid."""

from members import money
from members.policies import Params, Policy, PolicyRefused, Step, Whole


def _sums_to_the_whole(params: Params) -> None:
    if int(params["creators_ppm"]) + int(params["coop_ppm"]) != money.PPM:
        raise PolicyRefused("the creators' and the co-op's part must sum to the whole, 1 000 000 ppm")


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
        raise PolicyRefused("what is paid once a year cannot need more than what is paid every month")


def _explain_payouts(params: Params) -> list[str]:
    monthly, yearly = (money.show_cents(int(params[name])) for name in ("least_cents", "yearly_least_cents"))
    return [f"Royalties are paid every month from {monthly} on, and with December's from {yearly} on."]


PAYOUTS = Policy(
    key="payouts",
    title="When royalties are paid",
    figures={"least_cents": "Paid every month from", "yearly_least_cents": "Paid with December’s from"},
    schema={"least_cents": Whole(least=100, most=5_000), "yearly_least_cents": Whole(least=1, most=5_000)},
    founding={"least_cents": 1_000, "yearly_least_cents": 200},
    bounds=_yearly_is_no_more,
    explain=_explain_payouts,
    starts_after_days=30,
)
