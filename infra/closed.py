"""The closed co-op: while a restored backup has not recovered, pages are read and nothing moves (members/lineage.py).

The database refuses to move money by itself. Here whoever would change something is told so at once, in words, before
half of it is done: a checkout would be opened that nobody here remembers.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from infra.pages import refusal_page
from members import lineage
from members.access import problem_answer
from members.lineage import Recovering

READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Who signs in, and who hears what is theirs: it moves nothing, and what would is refused by the database.
OPEN_PATHS = ("/accounts/", "/api/v1/sessions")
FOR_PROGRAMS = ("/api/", "/webhooks/")
BALLOT_PATH = "/ballot"


class ClosedMiddleware:
    """Refuses changes while the co-op is closed, and puts the database's own refusal in words."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Take what answers."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or say that nothing is changed now. One query for a request that changes something."""
        changes = request.method not in READS and not request.path.startswith(OPEN_PATHS)
        return _refusal(request) if changes and lineage.is_closed() else self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say why the database refused, where a view met that."""
        closed = isinstance(exception, Recovering) or lineage.is_refusal(exception)
        return _refusal(request) if closed else None


def _refusal(request: HttpRequest) -> HttpResponse:
    problem = lineage.refusal()
    if request.path.endswith(BALLOT_PATH):
        problem.detail = "The records are being restored. Your ballot was not cast."
    if request.path.startswith(FOR_PROGRAMS):
        return problem_answer(problem)
    answer = refusal_page(request, problem)
    answer.headers["Retry-After"] = str(lineage.RETRY_SECONDS)
    return answer
