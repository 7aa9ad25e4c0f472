"""Every address of Refrain: the API, what machines call, and the pages of each app."""

from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from catalog import files
from infra import front, pages
from infra.demonstration import bank_pages
from members import wellknown
from playback.api import listening, wallet

machines = [
    path("webhooks/gateway", csrf_exempt(wallet.webhook), name="gateway-webhook"),
    path("play/<str:capability>.m3u8", listening.playlist, name="playlist"),
    path("files/<int:expires>/<str:mac>/<path:key>", files.file, name="file"),
    path(".well-known/refrain-keys.json", wellknown.refrain_keys, name="keys"),
]
for_people = [
    path("", front.front, name="front"),
    path("problems", pages.problems, name="problems"),
    path("problems/<slug:slug>", pages.problem, name="problem"),
    path("outbox", pages.outbox, name="outbox"),
    path("play-bank/<str:month>.xml", bank_pages.bank_statement, name="play-bank"),
    path("play-bank/answers/<uuid:batch_id>.xml", bank_pages.bank_answer, name="play-bank-answer"),
    path("accounts/", include("allauth.urls")),
    path("", include("members.urls")),
    path("", include("catalog.urls")),
    path("", include("playback.urls")),
    path("", include("royalties.urls")),
]
urlpatterns = [path("api/v1/", include("infra.api_urls")), *machines, *for_people]
handler500 = pages.broke
