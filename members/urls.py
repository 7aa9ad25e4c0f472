"""The pages of members."""

from django.urls import path

from members.views import account, hours, membership, policies, secretary

app_name = "members"
urlpatterns = [
    path("policies", policies.all_of_them, name="policies"),
    path("policies/<slug:key>", policies.one, name="policy"),
    path("membership", membership.membership, name="membership"),
    path("membership/application", membership.apply_for, name="apply"),
    path("membership/dues", membership.pay_dues, name="pay-dues"),
    path("membership/shares", membership.ask_shares, name="ask-shares"),
    path("membership/shares/certificate.json", membership.certificate, name="shares-certificate"),
    path("membership/shares/<uuid:holding_id>/drop", membership.drop_shares, name="drop-shares"),
    path("membership/places", membership.ask_place, name="ask-place"),
    path("membership/places/give-up", membership.give_up, name="give-up-place"),
    path("membership/vote", membership.choose, name="choose-class"),
    path("membership/leave", membership.leave, name="leave"),
    path("membership/answer", membership.answer, name="answer-board"),
    path("membership/appeal", membership.appeal, name="appeal-expulsion"),
    path("membership/panels/<uuid:expulsion_id>", membership.decide, name="decide-appeal"),
    path("membership/hours", hours.all_hours, name="hours"),
    path("membership/hours/<uuid:worked_id>/approve", hours.approve, name="approve-hours"),
    path("membership/hours/<uuid:worked_id>/refuse", hours.refuse, name="refuse-hours"),
    path("membership/workers/<uuid:place_id>", hours.give_voice, name="give-voice"),
    path("secretary", secretary.applications, name="secretary"),
    path("secretary/applications/<uuid:membership_id>/approve", secretary.approve, name="approve-application"),
    path("secretary/applications/<uuid:membership_id>/refuse", secretary.refuse, name="refuse-application"),
    path("secretary/places/<uuid:place_id>/approve", secretary.approve_place, name="approve-place"),
    path("secretary/places/<uuid:place_id>/refuse", secretary.refuse_place, name="refuse-place"),
    path("secretary/register", secretary.whole_register, name="register"),
    path("secretary/register.csv", secretary.register_csv, name="register-table"),
    path("secretary/dues-and-shares", secretary.dues_and_shares, name="dues-and-shares"),
    path("secretary/dues/<uuid:membership_id>", secretary.confirm_dues, name="confirm-dues"),
    path("secretary/shares/<uuid:holding_id>/confirm", secretary.confirm_shares, name="confirm-shares"),
    path("secretary/shares/<uuid:holding_id>/repay", secretary.repay_shares, name="repay-shares"),
    path("secretary/expulsions", secretary.all_expulsions, name="expulsions"),
    path("secretary/expulsions/new", secretary.open_expulsion, name="open-expulsion"),
    path("secretary/expulsions/<uuid:expulsion_id>/say", secretary.say, name="say-expulsion"),
    path("secretary/expulsions/<uuid:expulsion_id>/panel", secretary.seat, name="seat-panel"),
    path("account", account.account, name="account"),
    path("account/tokens", account.mint_token, name="mint-token"),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke_token, name="revoke-token"),
]
