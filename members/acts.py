"""What a form of a page does: one act of the core, then the page that tells of it, or the same page with why not."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from members.problems import Problem

Done = TypeVar("Done")


class Page(Protocol):
    """A page that can be shown with a refusal on it."""

    def __call__(self, request: HttpRequest, /, *, refused: Problem, status: int) -> HttpResponse:
        """Show it as it stands now."""


def carry_out(
    request: HttpRequest,
    act: Callable[[], Done],
    *,
    said: str | Callable[[Done], str],
    then: str | Callable[[Done], str],
    page: Page,
) -> HttpResponse:
    """Do what a form asks for, say so and go on to `then`, a route or an address.

    Both may be made of what the act returned. Where the act raises a Problem, nothing was done, and `page` says why.
    """
    try:
        done = act()
    except Problem as problem:
        return page(request, refused=problem, status=problem.status)
    messages.success(request, said if isinstance(said, str) else said(done))
    return redirect(then if isinstance(then, str) else then(done))
