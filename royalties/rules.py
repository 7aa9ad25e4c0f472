"""What royalties obey: the policy `revenue`, how each euro of a charge is divided."""

from members import money
from members.policies import Params, Policy, PolicyRefused, Whole


def _sums_to_the_whole(params: Params) -> None:
    if int(params["creators_ppm"]) + int(params["coop_ppm"]) != money.PPM:
        raise PolicyRefused("the creators' and the co-op's part must sum to the whole, 1 000 000 ppm")


def _explain(params: Params) -> list[str]:
    creators, coop = (money.show(int(params[name])) for name in ("creators_ppm", "coop_ppm"))
    return [f"Of each {money.show(money.MICROS)} paid, {creators} go to the creators and {coop} to the co-op."]


REVENUE = Policy(
    key="revenue",
    schema={"creators_ppm": Whole(least=600_000, most=900_000), "coop_ppm": Whole(least=100_000, most=400_000)},
    founding={"creators_ppm": 700_000, "coop_ppm": 300_000},
    bounds=_sums_to_the_whole,
    explain=_explain,
)
