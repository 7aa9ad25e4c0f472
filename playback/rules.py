"""What playback obeys: the policy `opening`, how much of a work is heard free before a play is charged."""

from members.policies import Policy, Whole

OPENING = Policy(
    key="opening",
    title="What is heard free",
    figures={"seconds": "Seconds of the opening"},
    schema={"seconds": Whole(least=20, most=60)},
    founding={"seconds": 45},
    bounds=lambda _: None,
    explain=lambda params: [f"The first {params['seconds']} seconds of a track, at most half of it, are free."],
)
