"""What listeners send from the wallet's pages."""

from typing import Any

from django import forms

from members import money
from members.forms import COUNTRIES, MoneyField
from playback.wallets import WalletOverview


class LimitsForm(forms.Form):
    """The most that may be spent in a day and in a month; empty means no limit."""

    day_limit_micros = MoneyField(label="A day", required=False)
    month_limit_micros = MoneyField(label="A month", required=False)

    @classmethod
    def of(cls, overview: WalletOverview) -> "LimitsForm":
        """Return the form with the limits in force, or those that wait."""
        day = overview.next_day_limit_micros if overview.next_day_limit_at else overview.day_limit_micros
        month = overview.next_month_limit_micros if overview.next_month_limit_at else overview.month_limit_micros
        return cls(initial={"day_limit_micros": day, "month_limit_micros": month})


class GoingOnForm(forms.Form):
    """Whether plays go on by themselves when an opening is over."""

    goes_on = forms.ChoiceField(choices=[("1", "on by themselves"), ("0", "ask")])


class ConsentForm(forms.Form):
    """Which text the listener agreed to."""

    version = forms.IntegerField(min_value=1)


class TopUpForm(forms.Form):
    """How much to pay, gross, and where the payer lives. The key makes a second press the same top-up."""

    AMOUNTS_CENTS = (200, 500, 1000, 2000)

    amount_cents = forms.TypedChoiceField(
        choices=[(cents, money.show_cents(cents)) for cents in AMOUNTS_CENTS],
        coerce=int,
        error_messages={"required": "Choose an amount.", "invalid_choice": "Choose one of the amounts."},
    )
    country = forms.ChoiceField(
        label="Country", choices=COUNTRIES, help_text="Where you live. It stands on the receipt."
    )
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    back = forms.CharField(max_length=300, required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Return what was sent."""
        return self.cleaned_data
