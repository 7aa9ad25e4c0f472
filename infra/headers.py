"""The headers of every page: what a browser may load for us, and what not. Computed once when the server starts."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def origin_of(address: str) -> str:
    """Return the scheme and host of an address, or nothing for an empty one."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def content_security_policy(*, store: str, checkout: str, framed_by: str = "'none'") -> str:
    """Return the policy: everything from here, files also from the store, and forms that end at the gateway's checkout.

    `framed_by` says which sites may show the page in a frame.

    `style-src-attr` is open because ladders and meters carry their numbers in style attributes; no style sheet and no
    script may stand in a page.
    """
    rules = {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:", store],
        "media-src": ["'self'", "blob:", store],
        "connect-src": ["'self'", store],
        "worker-src": ["'self'", "blob:"],
        "form-action": ["'self'", checkout],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": [framed_by],
    }
    return "; ".join(" ".join([name, *filter(None, sources)]) for name, sources in rules.items())


class PageHeadersMiddleware:
    """Sets the policy on pages; answers of the API and files need none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Compute the headers from the settings."""
        self.get_response = get_response
        endpoint = settings.S3_ENDPOINT or f"https://s3.{settings.S3_REGION}.amazonaws.com"
        store = origin_of(endpoint) if settings.STORE == "s3" else ""
        checkout = origin_of(settings.GATEWAY_URL)
        # The page with a work's opening is made to stand on other people's sites; no other page may be framed.
        self.framed = content_security_policy(store=store, checkout="", framed_by="*")
        self.headers = (
            ("Content-Security-Policy", content_security_policy(store=store, checkout=checkout)),
            ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and add the headers where the answer is a page that does not bring its own."""
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            if getattr(response, "embeddable", False):
                response.headers.setdefault("Content-Security-Policy", self.framed)
            for name, value in self.headers:
                response.headers.setdefault(name, value)
        return response
