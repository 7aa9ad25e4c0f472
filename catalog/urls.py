"""The pages of the catalogue."""

from django.urls import include, path

from catalog.views import albums, shelf, upload, works

app_name = "catalog"
urlpatterns = [
    path("works/<uuid:work_id>", works.work, name="work"),
    path("works/<uuid:work_id>/listening", works.listening, name="listening"),
    path("releases/<uuid:release_id>", albums.release, name="release"),
    path("releases/<uuid:release_id>/listening", albums.listening, name="release-part"),
    path("creators/<slug:slug>", shelf.creator, name="creator"),
    path("upload", upload.upload, name="upload"),
    path("", include("catalog.studio_urls")),
]
