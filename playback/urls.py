"""The pages of playback."""

from django.urls import path

from playback.views import audience, queue, wallet

app_name = "playback"
urlpatterns = [
    path("queue", queue.lines, name="queue"),
    path("wallet", wallet.wallet, name="wallet"),
    path("wallet/limits", wallet.set_limits, name="limits"),
    path("wallet/going-on", wallet.set_going_on, name="going-on"),
    path("wallet/consent", wallet.consent, name="consent"),
    path("wallet/top-ups", wallet.start_top_up, name="top-up"),
    path("wallet/top-ups/returned", wallet.top_up_returned, name="top-up-returned"),
    path("studio/works/<uuid:work_id>/audience", audience.page, name="audience"),
    path("studio/works/<uuid:work_id>/audience.csv", audience.table, name="audience-table"),
]
