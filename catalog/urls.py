"""The pages of the catalogue."""

from django.urls import path

from catalog.views import shelf, upload, works

app_name = "catalog"
urlpatterns = [
    path("works/<uuid:work_id>", works.work, name="work"),
    path("works/<uuid:work_id>/listening", works.listening, name="listening"),
    path("creators/<slug:slug>", shelf.creator, name="creator"),
    path("upload", upload.upload, name="upload"),
]
