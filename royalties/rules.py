"""What royalties obey: the policy `revenue`, how each euro of a charge is divided."""

from members import money
from members.policies import Params, Policy, PolicyRefused, Whole


def _sums_to_the_whole(params: Params) -> None:
    if int(params["creators_ppm"]) + int(params["coop_ppm"]) != money.PPM:
        raise PolicyRefused("the creators' and the co-op's part must sum to the whole, 1 000 000 ppm")


REVENUE = Policy(
    key="revenue",
    schema={"creators_ppm": Whole(least=600_000, most=900_000), "coop_ppm": Whole(least=100_000, most=400_000)},
    founding={"creators_ppm": 700_000, "coop_ppm": 300_000},
    bounds=_sums_to_the_whole,
    explain=lambda params: [
        f"Of each {money.show(money.MICROS)} paid, {money.show(int(params['creators_ppm']))} go to the creators"
        f" and {money.show(int(params['coop_ppm']))} to the co-op."
    ],
)
