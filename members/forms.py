"""What people send about themselves, and the field in which an amount is typed."""

from typing import Any

from django import forms
from django.http import HttpRequest

from members import money
from members.models import Person

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


class MoneyField(forms.Field):
    """An amount as people type it (`2`, `2.50`, `2,50`), as whole micros; exact, without a float on the way."""

    default_error_messages = {"invalid": "Write an amount like 2.50, with at most six decimals."}

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 20})

    def prepare_value(self, value: Any) -> Any:
        """Return micros as the field shows them, and what was typed as it was typed."""
        return money.show_digits(value).replace(",", "") if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        """Return the micros, or None for an empty field. Raises ValidationError for anything that is no amount."""
        text = str(value or "").strip().removeprefix("€").strip().replace(",", ".")
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
