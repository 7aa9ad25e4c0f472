"""The figures of a policy as people read and type them: rates in per cent, amounts in the currency, words as words.

What a figure is stands at the end of its name: `_ppm` a rate, `_micros` and `_cents` amounts, anything else a number.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator

from members import money, policies
from members.forms import MoneyField
from members.policies import OneOf, Params, Policy, Whole

PERCENT_DIGITS_MOST = 4


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
        Change(label=policy.figures[name], before=show(name, before[name]), after=show(name, after[name]))
        for name in policy.schema
    ]


class PercentField(forms.Field):
    """A rate as people type it (`70`, `33.3333`), as parts in a million; exact."""

    default_error_messages = {"invalid": "Write a rate in per cent like 70 or 12.5, with at most four decimals."}
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 9})

    def prepare_value(self, value: Any) -> Any:
        """Return parts in a million as the field shows them, and what was typed as it was typed."""
        return money.percent(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        """Return parts in a million. Raises ValidationError for anything that is no rate."""
        text = str(value or "").strip().removesuffix("%").strip().replace(",", ".")
        if not text:
            return None
        whole, _, part = text.partition(".")
        figures = whole + part
        if not (figures.isascii() and figures.isdigit()) or len(whole) > 3 or len(part) > PERCENT_DIGITS_MOST:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return int(whole or "0") * (money.PPM // 100) + int(part.ljust(PERCENT_DIGITS_MOST, "0"))


class CentsField(MoneyField):
    """An amount as people type it, as whole cents."""

    def prepare_value(self, value: Any) -> Any:
        """Return cents as the field shows them, and what was typed as it was typed."""
        return super().prepare_value(money.from_cents(value) if isinstance(value, int) else value)

    def to_python(self, value: Any) -> int | None:
        """Return the cents. Raises ValidationError for anything that is no amount in whole cents."""
        micros = super().to_python(value)
        if micros is None:
            return None
        cents, rest = divmod(micros, money.MICROS_PER_CENT)
        if rest:
            raise ValidationError("Write an amount in whole cents, like 2.50.", code="invalid")
        return cents


class FiguresForm(forms.Form):
    """The figures of a policy, one field each, made of what the policy says of itself; bounds stand beside each."""

    def __init__(self, policy: Policy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        for name, sort in policy.schema.items():
            self.fields[name] = _field(name, policy.figures[name], sort)

    def clean(self) -> dict[str, Any]:
        """Return the figures once the policy's own bounds were found to hold. Raises ValidationError."""
        found = {name: self.cleaned_data[name] for name in self.policy.schema if name in self.cleaned_data}
        if not self.errors:
            try:
                policies.check(self.policy.key, found)
            except policies.PolicyRefused as refused:
                raise ValidationError(refused.detail) from refused
        return found


def _field(name: str, label: str, sort: Whole | OneOf) -> forms.Field:
    if isinstance(sort, OneOf):
        return forms.ChoiceField(label=label, choices=[(word, word) for word in sort.words])
    said = f"From {show(name, sort.least)} to {show(name, sort.most)}."
    # Django fills its own figures into the message, by the sign that stands for per cent here.
    refusal = said.replace("%", "%%")
    bounds = [MinValueValidator(sort.least, message=refusal), MaxValueValidator(sort.most, message=refusal)]
    for ending, made in (("_ppm", PercentField), ("_micros", MoneyField), ("_cents", CentsField)):
        if name.endswith(ending):
            return made(label=label, help_text=said, validators=bounds)
    number = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": 12})
    return forms.IntegerField(label=label, help_text=said, validators=bounds, widget=number)
