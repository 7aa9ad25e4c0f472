"""The pages of royalties."""

from django.urls import path

from royalties.views import batches, books, journal, payouts, periods, statements, treasury

app_name = "royalties"
urlpatterns = [
    path("books", books.page, name="books"),
    path("books.csv", books.table, name="books-table"),
    path("periods", periods.all_of_them, name="periods"),
    path("periods/<str:month>/account.csv", periods.table, name="period-table"),
    path("periods/<str:month>/my-proof.json", periods.my_proof, name="my-proof"),
    path("periods/<str:month>", periods.page, name="period"),
    path("statements", statements.all_of_mine, name="statements"),
    path("statements/<str:month>.csv", statements.table, name="statement-table"),
    path("statements/<str:month>.json", statements.document, name="statement-document"),
    path("statements/<str:month>", statements.page, name="statement"),
    path("earnings/account", payouts.account, name="payout-account"),
    path("earnings/account/remove", payouts.remove_account, name="remove-payout-account"),
    path("earnings/payouts", payouts.all_of_mine, name="payouts"),
    path("treasury", treasury.overview, name="treasury"),
    path("treasury/months", treasury.all_months, name="treasury-months"),
    path("treasury/months/<str:month>/balance", treasury.enter_balance, name="enter-balance"),
    path("treasury/months/<str:month>/close", treasury.close, name="close-month"),
    path("treasury/months/<str:month>/run", treasury.progress, name="run-progress"),
    path("treasury/balances/<uuid:balance_id>/lock", treasury.lock, name="lock-month"),
    path("treasury/journal", journal.journal_page, name="treasury-journal"),
    path("treasury/journal/files", journal.take_file, name="take-bank-file"),
    path("treasury/journal/entries", journal.enter, name="enter-entry"),
    path("treasury/journal/lines/<uuid:line_id>", journal.explain, name="explain-line"),
    path("treasury/journal/entries/<uuid:entry_id>/confirm", journal.confirm, name="confirm-entry"),
    path("treasury/journal/entries/<uuid:entry_id>/drop", journal.drop, name="drop-entry"),
    path("treasury/payouts", batches.payouts_page, name="treasury-payouts"),
    path("treasury/payouts/<str:month>/prepare", batches.prepare, name="prepare-payouts"),
    path("treasury/batches/<uuid:batch_id>", batches.one, name="treasury-batch"),
    path("treasury/batches/<uuid:batch_id>/release", batches.release, name="release-payouts"),
    path("treasury/batches/<uuid:batch_id>/drop", batches.drop, name="drop-payouts"),
    path("treasury/batches/<uuid:batch_id>/file", batches.bank_file, name="payout-file"),
    path("treasury/disputes", treasury.disputes, name="treasury-disputes"),
    path("treasury/disputes/<uuid:chargeback_id>", treasury.decide, name="decide-dispute"),
    path("treasury/reconciliation", treasury.doubts, name="treasury-doubts"),
]
