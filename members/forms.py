"""What people send about themselves, and the field in which an amount is typed."""

import re
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest

from members import figures, money, policies
from members.models import Person
from members.policies import OneOf, Policy, Whole
from members.voting import panels

COUNTRIES = (
    ("AT", "Austria"), ("BE", "Belgium"), ("BG", "Bulgaria"), ("HR", "Croatia"), ("CY", "Cyprus"), ("CZ", "Czechia"),
    ("DK", "Denmark"), ("EE", "Estonia"), ("FI", "Finland"), ("FR", "France"), ("DE", "Germany"), ("GR", "Greece"),
    ("HU", "Hungary"), ("IS", "Iceland"), ("IE", "Ireland"), ("IT", "Italy"), ("LV", "Latvia"), ("LI", "Liechtenstein"),
    ("LT", "Lithuania"), ("LU", "Luxembourg"), ("MT", "Malta"), ("NL", "Netherlands"), ("NO", "Norway"),
    ("PL", "Poland"), ("PT", "Portugal"), ("RO", "Romania"), ("SK", "Slovakia"), ("SI", "Slovenia"), ("ES", "Spain"),
    ("SE", "Sweden"), ("CH", "Switzerland"), ("GB", "United Kingdom"),
)  # fmt: skip
DIGITS_BEFORE_MAX = 9
DIGITS_AFTER_MAX = 6
PERCENT_DIGITS_BEFORE_MAX, PERCENT_DIGITS_AFTER_MAX = 3, 4
# Thousands as they are shown, and as others write them.
GROUPED = {mark: re.compile(rf"[0-9]{{1,3}}({re.escape(mark)}[0-9]{{3}})+") for mark in (",", ".")}
_SPACED = re.compile(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}\b)")


class MoneyField(forms.Field):
    """An amount as people type it (`2`, `2.50`, `2,50`), as whole micros; exact, without a float on the way."""

    default_error_messages = {"invalid": "Write an amount like 2.50, with at most six decimals."}

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 20})

    def prepare_value(self, value: Any) -> Any:
        """Return micros as the field shows them, and what was typed as it was typed."""
        return money.show_digits(value).replace(",", "") if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        """Return the micros, or None for an empty field. Raises ValidationError for anything that is no amount."""
        text = _without_groups(str(value or "").strip().removeprefix("€").strip()).replace(",", ".")
        if not text:
            return None
        whole, _, part = text.partition(".")
        figures = whole + part
        if (
            not (figures.isascii() and figures.isdigit())
            or len(whole) > DIGITS_BEFORE_MAX
            or len(part) > DIGITS_AFTER_MAX
        ):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return int(whole or "0") * money.MICROS + int(part.ljust(6, "0"))


def _without_groups(text: str) -> str:
    """Return an amount without what parts its thousands, where that is plain: `1,000.00`, `1.000,00`, `1 000`."""
    grouped = _SPACED.sub("", text)
    for parts, ends in ((",", "."), (".", ",")):
        whole, end, part = grouped.partition(ends)
        if end and GROUPED[parts].fullmatch(whole):
            return f"{whole.replace(parts, '')}.{part}"
    return grouped


class SignUpForm(forms.Form):
    """What an account needs beside e-mail and password: a name to be called by."""

    name = forms.CharField(max_length=120, label="Name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ["name", "email", "password1"]

    def signup(self, request: HttpRequest, user: Person) -> None:
        """Keep the name; called when the account is made."""
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])


class PersonForm(forms.ModelForm):
    """Name and country."""

    class Meta:
        model = Person
        fields = ("name", "country")

    name = forms.CharField(max_length=120)
    country = forms.ChoiceField(choices=[("", "not stated"), *COUNTRIES], required=False)


class TokenForm(forms.Form):
    """A new token: what it is for, and what it may do."""

    SCOPES = (
        ("listen", "Listen: sessions, library and progress"),
        ("spend", "Spend: charge plays and buy, within your limits"),
        ("publish", "Publish: upload and change your works"),
        ("earnings", "Read what your works earned"),
        ("vote", "Vote: after your second factor, for 15 minutes"),
        ("treasury", "Move the co-op's money, for treasurers: after your second factor, for 15 minutes"),
    )

    name = forms.CharField(max_length=80, label="What is it for?")
    scopes = forms.MultipleChoiceField(
        choices=SCOPES,
        widget=forms.CheckboxSelectMultiple,
        label="What may it do?",
        error_messages={"required": "Choose at least one thing it may do."},
    )


CLASSES = (("listener", "Listener"), ("creator", "Creator"), ("worker", "Worker"), ("supporter", "Supporter"))


class ApplicationForm(forms.Form):
    """Who wants to belong, and in which classes."""

    legal_name = forms.CharField(max_length=120, label="Full name", help_text="For the register, which the law wants.")
    postal_address = forms.CharField(
        max_length=400,
        label="Postal address",
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    member_classes = forms.MultipleChoiceField(
        choices=CLASSES,
        widget=forms.CheckboxSelectMultiple,
        label="As what do you want to belong?",
        error_messages={"required": "Choose at least one class."},
    )
    voting_class = forms.ChoiceField(choices=CLASSES, label="In which class do you want to vote?")


class SharesForm(forms.Form):
    """How many shares."""

    count = forms.IntegerField(min_value=1, max_value=500, label="How many shares?")


class HoursForm(forms.Form):
    """Time worked on a day."""

    worked_on = forms.DateField(label="Day", widget=forms.DateInput(attrs={"type": "date"}))
    hours = forms.IntegerField(min_value=0, max_value=16, label="Hours")
    minutes = forms.IntegerField(min_value=0, max_value=59, label="Minutes", initial=0)
    words = forms.CharField(max_length=200, label="What did you do?")


class PasswordForm(forms.Form):
    """One's password, once more, before something that nobody else may do."""

    password = forms.CharField(
        label="Your password", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class AddressForm(forms.Form):
    """The address by which somebody signs in."""

    email = forms.EmailField(
        label="The address they sign in with", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )


class WhyForm(forms.Form):
    """Words that say why."""

    words = forms.CharField(max_length=4000, label="In your words", widget=forms.Textarea(attrs={"rows": 3}))


class TransferForm(forms.Form):
    """From which account a transfer came."""

    iban = forms.CharField(
        max_length=42,
        label="IBAN it came from",
        help_text="Only a digest of it is kept: one account carries one membership.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


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
        digits = whole + part
        if (
            not (digits.isascii() and digits.isdigit())
            or len(whole) > PERCENT_DIGITS_BEFORE_MAX
            or len(part) > PERCENT_DIGITS_AFTER_MAX
        ):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return int(whole or "0") * (money.PPM // 100) + int(part.ljust(PERCENT_DIGITS_AFTER_MAX, "0"))


class CentsField(MoneyField):
    """An amount as people type it, as whole cents."""

    default_error_messages = {"invalid": "Write an amount in whole cents, like 2.50."}

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
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return cents


class WholeField(forms.IntegerField):
    """A whole number as people type it, thousands parted or not (`1600`, `1,600`, `1 600`)."""

    default_error_messages = {"invalid": "Write a whole number, like {}."}

    def __init__(self, *, like: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error_messages["invalid"] = self.error_messages["invalid"].format(like)

    def to_python(self, value: Any) -> int | None:
        """Return the number, or None for an empty field. Raises ValidationError for anything that is none."""
        text = _SPACED.sub("", str("" if value is None else value).strip())
        for mark, grouped in GROUPED.items():
            if grouped.fullmatch(text):
                text = text.replace(mark, "")
        if text and not (text.isascii() and text.isdigit()):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        found: int | None = super().to_python(text)
        return found


class FiguresForm(forms.Form):
    """The figures of a policy, one field each, made of what the policy says of itself; bounds stand beside each.

    `together` are the figures that break a bound with each other, if they do.
    """

    def __init__(self, policy: Policy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        self.together: list[str] = []
        # In the order in which the policy names them: what belongs together stands together.
        for name, label in policy.figures.items():
            self.fields[name] = _field(name, label, policy.schema[name])

    def rows(self) -> list[list[forms.BoundField]]:
        """Return the fields as they stand in rows: the two parts of a fraction beside each other."""
        rows: list[list[forms.BoundField]] = []
        for field in self:
            if field.name.endswith("_den") and rows and rows[-1][-1].name == f"{field.name.removesuffix('_den')}_num":
                rows[-1].append(field)
            else:
                rows.append([field])
        return rows

    def clean(self) -> dict[str, Any]:
        """Return the figures once the policy's own bounds were found to hold. Raises ValidationError."""
        found = {name: self.cleaned_data[name] for name in self.policy.schema if name in self.cleaned_data}
        if not self.errors:
            try:
                policies.check(self.policy.key, found)
            except policies.PolicyRefused as refused:
                words = refused.detail.rstrip(".")
                self.together = refused.extra.get("figures", [])
                for name in self.together:
                    self.fields[name].widget.attrs["aria-invalid"] = "true"
                raise forms.ValidationError(f"{words[0].upper()}{words[1:]}.") from refused
        return found


def _field(name: str, label: str, sort: Whole | OneOf) -> forms.Field:
    if isinstance(sort, OneOf):
        return forms.ChoiceField(label=label, choices=[(word, word) for word in sort.words])
    said = f"From {figures.show(name, sort.least)} to {figures.show(name, sort.most)}."
    # Django fills its own figures into the message, by the sign that stands for per cent here.
    refusal = said.replace("%", "%%")
    bounds = [MinValueValidator(sort.least, message=refusal), MaxValueValidator(sort.most, message=refusal)]
    for ending, made in (("_ppm", PercentField), ("_micros", MoneyField), ("_cents", CentsField)):
        if name.endswith(ending):
            return made(label=label, help_text=said, validators=bounds)
    number = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": 12})
    return WholeField(like=sort.least, label=label, help_text=said, validators=bounds, widget=number)


class WordsForm(forms.Form):
    """What a proposal is called, and why it is made."""

    title = forms.CharField(max_length=120, label="Title", help_text="What would change, in a few words.")
    reasons = forms.CharField(
        max_length=20_000,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="What is wrong now, and what this would mend.",
    )


class RemarkForm(forms.Form):
    """Something said about a proposal."""

    text = forms.CharField(max_length=20_000, label="Say something", widget=forms.Textarea(attrs={"rows": 3}))


class GroundsForm(forms.Form):
    """What was wrong with a vote."""

    grounds = forms.CharField(
        max_length=panels.TEXT_MOST, label="What was wrong with the vote?", widget=forms.Textarea(attrs={"rows": 4})
    )


class RulingForm(forms.Form):
    """What one of a panel says, of so many rulings; none is marked beforehand."""

    ruling = forms.ChoiceField(label="Your decision", widget=forms.RadioSelect)
    reasons = forms.CharField(
        max_length=panels.TEXT_MOST, label="Your reasons", widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, rulings: list[tuple[str, str]], *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fields["ruling"].choices = rulings  # type: ignore[attr-defined]  # it is a ChoiceField


class TrackerForm(forms.Form):
    """The tracker of a ballot that somebody looks for."""

    tracker = forms.CharField(
        min_length=64,
        max_length=64,
        label="Your tracker",
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
