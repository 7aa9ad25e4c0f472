"""What listeners send from the wallet's pages."""

from typing import Any

from django import forms

from members import money
from members.forms import COUNTRIES, MoneyField
from playback import takings
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


class CashOutForm(forms.Form):
    """How much credit to cash out; nothing is taken by asking."""

    amount_micros = MoneyField(
        label="How much", error_messages={"required": "Write how much of your credit should go back."}
    )


class CashOutConfirmForm(forms.Form):
    """What was shown, confirmed: the sum, the very refunds by their hash, a key that makes a second press the same."""

    amount_micros = forms.IntegerField(min_value=1, max_value=2**53 - 1, widget=forms.HiddenInput)
    plan_hash = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)


class TransferForm(forms.Form):
    """Whose account a refund is paid to."""

    holder = forms.CharField(max_length=120, label="Holder of the account")
    iban = forms.CharField(max_length=42, label="IBAN", widget=forms.TextInput(attrs={"autocomplete": "off"}))


class GiveUpForm(forms.Form):
    """Why the credit comes back instead of a transfer."""

    reason = forms.CharField(max_length=500, label="Why the credit goes back to the wallet instead")


class FormatForm(forms.Form):
    """What a file, or all of them, are wanted as."""

    format = forms.ChoiceField(
        label="Music as", choices=[(name, words) for name, words in takings.NAMES.items()], initial="original"
    )


class FileForm(FormatForm):
    """Which file of a work is wanted: as it is now, or as it was when it became theirs."""

    version = forms.ChoiceField(choices=[("now", "now"), ("bought", "then")], required=False)


class CertificateForm(forms.Form):
    """Whether one's name stands in a certificate."""

    named = forms.BooleanField(required=False)
