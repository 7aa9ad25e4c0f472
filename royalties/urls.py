"""The pages of royalties."""

from django.urls import path

from royalties.views import periods, statements

app_name = "royalties"
urlpatterns = [
    path("periods", periods.all_of_them, name="periods"),
    path("periods/<str:month>/account.csv", periods.table, name="period-table"),
    path("periods/<str:month>/my-proof.json", periods.my_proof, name="my-proof"),
    path("periods/<str:month>", periods.page, name="period"),
    path("statements", statements.all_of_mine, name="statements"),
    path("statements/<str:month>.csv", statements.table, name="statement-table"),
    path("statements/<str:month>.json", statements.document, name="statement-document"),
    path("statements/<str:month>", statements.page, name="statement"),
]
