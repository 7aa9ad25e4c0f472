"""The pages of members."""

from django.urls import path

from members import views

app_name = "members"
urlpatterns = [
    path("account", views.account, name="account"),
    path("account/tokens", views.mint_token, name="mint-token"),
    path("account/tokens/<uuid:token_id>/revoke", views.revoke_token, name="revoke-token"),
]
