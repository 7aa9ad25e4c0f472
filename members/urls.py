"""The pages of members."""

from django.urls import path

from members.views import account

app_name = "members"
urlpatterns = [
    path("account", account.account, name="account"),
    path("account/tokens", account.mint_token, name="mint-token"),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke_token, name="revoke-token"),
]
