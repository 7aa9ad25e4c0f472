"""What people send about a work that is reported: the report, the decision, the appeal."""

from typing import Any

from django import forms

from catalog import reports
from catalog.report_models import Report


def text(label: str, *, help_text: str = "", rows: int = 4) -> forms.CharField:
    """Return a field for some sentences."""
    return forms.CharField(
        label=label, help_text=help_text, max_length=reports.TEXT_MOST, widget=forms.Textarea(attrs={"rows": rows})
    )


class ReportForm(forms.Form):
    """What is wrong, in whose words, and where to answer."""

    category = forms.ChoiceField(
        label="What is it about?",
        choices=Report.Category.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what it is about."},
    )
    text = text("What is wrong, and how do you know?", help_text="If it is your own work, say where it can be found.")
    contact = forms.EmailField(
        label="Where we may answer",
        required=False,
        max_length=254,
        help_text="An address only for this. Without one you will not hear what was decided.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class DismissForm(forms.Form):
    """Why a work stays."""

    reasons = text("Why the work stays as it is", help_text="Whoever reported it reads this.", rows=3)


class SuspendForm(forms.Form):
    """The statement of reasons."""

    facts = text("What was found", rows=3)
    rule = text("The rule or law that it breaks", rows=2)
    scope = text(
        "What the decision covers", help_text="The work everywhere, until when, or under what condition.", rows=2
    )


class AppealForm(forms.Form):
    """What speaks against a suspension."""

    text = text("Why should it not be suspended?", rows=6)


class ObjectionAppealForm(forms.Form):
    """Why a work should stay though a voted rule does not admit it."""

    text = text("Why should it stay?", help_text="Three members, drawn by lot, read this.", rows=6)


class DecideForm(forms.Form):
    """What becomes of an appeal; neither is marked beforehand."""

    lifts = forms.TypedChoiceField(
        label="Decision",
        choices=[("1", "Lift the suspension"), ("0", "Let it stand")],
        coerce=lambda said: said == "1",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    reasons = text("The reasons", help_text="The people of the work read this.", rows=3)

    def clean(self) -> dict[str, Any]:
        """Return what was decided."""
        return self.cleaned_data


class LiftForm(forms.Form):
    """Why a suspension ends without an appeal."""

    reasons = text("Why it is lifted", help_text="The people of the work read this.", rows=2)
