"""The claims page: whoever was told a code when they were erased names the account to which they are paid."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from members import access, throttles
from members.problems import Problem
from members.requests import moment_of
from royalties import claims
from royalties.forms import ClaimForm

# Nobody guesses a hundred bits; this keeps who tries from keeping the machine busy.
TRIES_AN_HOUR, HOUR_SECONDS = 20, 3_600


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest) -> HttpResponse:
    """Take a code and an account. What was typed is never sent back."""
    form, refused, claimed = ClaimForm(request.POST or None), None, None
    if request.method == "POST":
        is_whole = form.is_valid()
        try:
            throttles.check(f"claims:{access.address(request)}", limit=TRIES_AN_HOUR, seconds=HOUR_SECONDS)
            if is_whole:
                claimed = claims.claim(now=moment_of(request), **form.cleaned_data)
        except Problem as problem:
            refused = problem
        # A page that is kept somewhere must hold neither a code nor an account.
        form.data = {"holder": request.POST.get("holder", "")}
    status = 200 if claimed or request.method != "POST" else refused.status if refused else 400
    return render(
        request, "royalties/claim.html", {"form": form, "refused": refused, "claimed": claimed}, status=status
    )
