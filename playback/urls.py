"""The pages of playback."""

from django.urls import path

from playback import views

app_name = "playback"
urlpatterns = [
    path("wallet", views.wallet, name="wallet"),
    path("wallet/limits", views.set_limits, name="limits"),
    path("wallet/going-on", views.set_going_on, name="going-on"),
    path("wallet/consent", views.consent, name="consent"),
    path("wallet/top-ups", views.start_top_up, name="top-up"),
    path("wallet/top-ups/returned", views.top_up_returned, name="top-up-returned"),
]
