"""The figures of a policy as people read them: rates in per cent, amounts in the currency, words as words.

What a figure is stands at the end of its name: `_ppm` a rate, `_micros` and `_cents` amounts, anything else a number.
"""

from dataclasses import dataclass

from members import money
from members.policies import Params, Policy


@dataclass(frozen=True, kw_only=True)
class Change:
    """A figure as it is and as it is asked for, in words; the same twice if it stays."""

    label: str
    before: str
    after: str

    @property
    def stays(self) -> bool:
        """Return whether it stays as it is."""
        return self.before == self.after


def show(name: str, value: int | str) -> str:
    """Return a figure as people read it: `70 %`, `€1.022`, `45`, `labelled`."""
    if isinstance(value, str):
        return value
    if name.endswith("_ppm"):
        return f"{money.percent(value)}\N{NO-BREAK SPACE}%"
    if name.endswith("_micros"):
        return money.show(value)
    return money.show_cents(value) if name.endswith("_cents") else f"{value:,}"


def changes(policy: Policy, before: Params, after: Params) -> list[Change]:
    """Return every figure of a policy, as it was and as it would be."""
    return [
        Change(label=label, before=show(name, before[name]), after=show(name, after[name]))
        for name, label in policy.figures.items()
    ]
