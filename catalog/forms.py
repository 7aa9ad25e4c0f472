"""What creators send from the catalogue's pages."""

from django import forms


class ProfileForm(forms.Form):
    """The name under which works will appear."""

    name = forms.CharField(
        max_length=120,
        label="Name of the profile",
        help_text="The musician, band or label as listeners know them. It stands beside every work.",
    )
