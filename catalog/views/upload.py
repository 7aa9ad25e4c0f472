"""The page where works are uploaded."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import profiles
from catalog.forms import ProfileForm
from catalog.licences import WORDS as LICENCES
from catalog.models import Work
from members.problems import Problem
from members.requests import moment_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Show the upload of a track; who runs no profile yet founds one first."""
    assert request.user.pk is not None
    form = ProfileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            founded = profiles.found(person_id=request.user.pk, name=form.cleaned_data["name"], now=moment_of(request))
        except Problem as problem:
            form.add_error("name", problem.detail)
        else:
            messages.success(request, f"The profile “{founded.name}” is yours. Upload its first track.")
            return redirect("catalog:upload")
    context = {
        "form": form,
        "creators": profiles.run_by(request.user.pk),
        "megabytes": settings.UPLOAD_BYTES_MAX // 1_000_000,
        "minutes": settings.UPLOAD_SECONDS_MAX // 60,
        "origins": Work.Origin.choices,
        "licences": [(key, words[0]) for key, words in LICENCES.items()],
    }
    return render(request, "catalog/upload.html", context, status=400 if form.errors else 200)
