"""The pages of members."""

from django.urls import path

from members.views import account, policies

app_name = "members"
urlpatterns = [
    path("policies", policies.all_of_them, name="policies"),
    path("policies/<slug:key>", policies.one, name="policy"),
    path("account", account.account, name="account"),
    path("account/tokens", account.mint_token, name="mint-token"),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke_token, name="revoke-token"),
]
