"""The addresses of the API, as shared rules name them: /api/v1/..., no trailing slash."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from catalog.api import discovery, splits, uploads, works
from members import api as members
from playback.api import audience, listening, releases, staff, wallet

urlpatterns = [
    path("works", discovery.Works.as_view()),
    path("works/<uuid:work_id>", works.OneWork.as_view()),
    path("works/<uuid:work_id>/ladder", works.Ladder.as_view()),
    path("works/<uuid:work_id>/publish", works.Publish.as_view()),
    path("works/<uuid:work_id>/take-off", works.TakeOff.as_view()),
    path("works/<uuid:work_id>/split-sheets", splits.SplitSheets.as_view()),
    path("works/<uuid:work_id>/split-sheet", splits.ProposeSplitSheet.as_view()),
    path("split-sheets/<uuid:sheet_id>/accept", splits.AcceptSplitSheet.as_view()),
    path("split-sheets/<uuid:sheet_id>/decline", splits.DeclineSplitSheet.as_view()),
    path("works/<uuid:work_id>/opening", listening.Opening.as_view()),
    path("works/<uuid:work_id>/purchase", listening.Purchase.as_view()),
    path("works/<uuid:work_id>/audience", audience.Audience.as_view()),
    path("uploads", uploads.Uploads.as_view()),
    path("uploads/<uuid:upload_id>", uploads.OneUpload.as_view()),
    path("creators", discovery.Creators.as_view()),
    path("creators/<slug:slug>", discovery.OneCreator.as_view()),
    path("releases", discovery.Releases.as_view()),
    path("releases/<uuid:release_id>", discovery.OneRelease.as_view()),
    path("releases/<uuid:release_id>/purchase", releases.ReleasePurchase.as_view()),
    path("sessions", listening.Sessions.as_view()),
    path("sessions/<uuid:session_id>", listening.OneSession.as_view()),
    path("sessions/<uuid:session_id>/charge", listening.ChargeSession.as_view()),
    path("sessions/<uuid:session_id>/progress", listening.Progress.as_view()),
    path("wallet", wallet.Wallet.as_view()),
    path("wallet/limits", wallet.Limits.as_view()),
    path("wallet/entries", wallet.Entries.as_view()),
    path("wallet/top-ups", wallet.TopUps.as_view()),
    path("wallet/top-ups/<uuid:top_up_id>", wallet.OneTopUp.as_view()),
    path("staff/reversals", staff.Reversals.as_view()),
    path("staff/grants", staff.Grants.as_view()),
    path("policies", members.Policies.as_view()),
    path("policies/<slug:key>", members.OnePolicy.as_view()),
    path("schema", members.open_to_all(SpectacularAPIView).as_view(), name="schema"),
    path("docs", members.open_to_all(SpectacularSwaggerSplitView).as_view(url_name="schema"), name="docs"),
    re_path("", members.Nowhere.as_view()),
]
