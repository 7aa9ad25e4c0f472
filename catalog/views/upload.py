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
from members.problems import Problem
from members.requests import moment_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Show where files are dropped, and each one's way to a draft; who runs no profile yet founds one first."""
    assert request.user.pk is not None
    form = ProfileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            founded = profiles.found(person_id=request.user.pk, name=form.cleaned_data["name"], now=moment_of(request))
        except Problem as problem:
            form.add_error("name", problem.detail)
        else:
            messages.success(request, f"The profile “{founded.name}” is yours. Upload its first work.")
            return redirect("catalog:upload")
    context = {
        "form": form,
        "creators": profiles.run_by(request.user.pk),
        "chosen": request.GET.get("creator", ""),
        "bytes_most": settings.UPLOAD_BYTES_MAX,
        "photo_bytes_most": settings.PHOTO_BYTES_MAX,
        "largest": _size(settings.UPLOAD_BYTES_MAX),
        "largest_photo": _size(settings.PHOTO_BYTES_MAX),
        "hours": settings.UPLOAD_SECONDS_MAX // 3600,
    }
    return render(request, "catalog/upload.html", context, status=400 if form.errors else 200)


def _size(size: int) -> str:
    return f"{size // 1_000_000_000} GB" if size >= 1_000_000_000 else f"{size // 1_000_000} MB"
