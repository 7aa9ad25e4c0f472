"""The pages of playback."""

from django.urls import path

from playback.views import audience, cash_outs, exports, follows, library, queue, transfers, wallet

app_name = "playback"
urlpatterns = [
    path("feed", follows.feed, name="feed"),
    path("creators/<slug:slug>/follow", follows.follow, name="follow"),
    path("works/<uuid:work_id>/favourite", follows.favourite, name="favourite"),
    path("queue", queue.lines, name="queue"),
    path("wallet", wallet.wallet, name="wallet"),
    path("wallet/entries.csv", wallet.table, name="entries-table"),
    path("wallet/limits", wallet.set_limits, name="limits"),
    path("wallet/going-on", wallet.set_going_on, name="going-on"),
    path("wallet/consent", wallet.consent, name="consent"),
    path("wallet/top-ups", wallet.start_top_up, name="top-up"),
    path("wallet/top-ups/<uuid:top_up_id>/receipt", cash_outs.receipt, name="receipt"),
    path("wallet/cash-out", cash_outs.cash_out, name="cash-out"),
    path("wallet/cash-outs/<uuid:cash_out_id>", cash_outs.one_cash_out, name="one-cash-out"),
    path("staff/transfers", transfers.waiting, name="transfers"),
    path("staff/transfers/<uuid:refund_id>/file", transfers.bank_file, name="transfer-file"),
    path("staff/transfers/<uuid:refund_id>/enter", transfers.enter, name="enter-transfer"),
    path("staff/transfers/<uuid:refund_id>/release/<uuid:entry_id>", transfers.release, name="release-transfer"),
    path("staff/transfers/<uuid:refund_id>/give-up", transfers.give_up, name="give-up-transfer"),
    path("wallet/top-ups/returned", wallet.top_up_returned, name="top-up-returned"),
    path("library", library.shelves, name="library"),
    path("library/works/<uuid:work_id>", library.work, name="library-work"),
    path("library/works/<uuid:work_id>/files", library.ask_for_file, name="library-files"),
    path("library/works/<uuid:work_id>/certificate", library.certificate, name="library-certificate"),
    path("library/export", exports.page, name="export"),
    path("library/export/pack", exports.pack, name="export-pack"),
    path("library/export/library.json", exports.document, name="export-document"),
    path("library/export/library.m3u8", exports.playlist, name="export-playlist"),
    path("library/export/addresses.txt", exports.addresses, name="export-addresses"),
    path("certificates/<uuid:certificate_id>", library.certificate_standing, name="certificate"),
    path("studio/works/<uuid:work_id>/audience", audience.page, name="audience"),
    path("studio/works/<uuid:work_id>/audience.csv", audience.table, name="audience-table"),
]
