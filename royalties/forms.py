"""What payees and treasurers send."""

from django import forms

from members.forms import MoneyField
from royalties import journal

DAY = forms.DateInput(attrs={"type": "date"})


class AccountForm(forms.Form):
    """Where royalties go."""

    holder = forms.CharField(max_length=70, label="Holder of the account")
    iban = forms.CharField(
        max_length=42,
        label="IBAN",
        help_text="Kept sealed. Afterwards only its last four digits are shown.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class ClaimForm(AccountForm):
    """The code that somebody was told when they were erased, and where to pay to."""

    code = forms.CharField(
        max_length=40,
        label="Claim code",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    field_order = ["code", "holder", "iban"]


class EntryForm(forms.Form):
    """An entry of the journal."""

    kind = forms.ChoiceField(label="What", choices=[(kind.code, kind.name) for kind in journal.KINDS.values()])
    amount_micros = MoneyField(label="Amount", error_messages={"required": "Write the amount."})
    happened_on = forms.DateField(label="Day", widget=DAY)
    words = forms.CharField(max_length=200, label="What for")


class LineForm(forms.Form):
    """What a line of the bank is."""

    kind = forms.ChoiceField(label="What it is")
    words = forms.CharField(max_length=200, label="What for")

    def __init__(self, *given: object, comes_in: bool, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (kind.code, kind.name)
            for kind in journal.KINDS.values()
            if kind.is_at_the_bank and kind.comes_in == comes_in
        ]


class BankFileForm(forms.Form):
    """A file of the bank."""

    file = forms.FileField(
        label="File of the bank",
        help_text="camt.053, camt.054 or pain.002 as the bank sends it, or a table with booked_on and amount.",
        widget=forms.FileInput(attrs={"accept": ".xml,.csv,text/csv,application/xml"}),
    )


class BalanceForm(forms.Form):
    """What the bank says at a month's end; minus where it is overdrawn."""

    amount_micros = MoneyField(label="The bank's balance at its end", error_messages={"required": "Write the balance."})
    overdrawn = forms.BooleanField(required=False, label="The account is overdrawn by it")


class ReasonForm(forms.Form):
    """Why a wallet moves again."""

    reason = forms.CharField(max_length=500, label="Why it moves again; the listener reads it")


class PlanForm(forms.Form):
    """The very payouts that were looked at."""

    plan = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
