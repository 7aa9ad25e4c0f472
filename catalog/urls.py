"""The pages of the catalogue."""

from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("works/<uuid:work_id>", views.work, name="work"),
    path("works/<uuid:work_id>/listening", views.listening, name="listening"),
    path("creators/<slug:slug>", views.creator, name="creator"),
    path("upload", views.upload, name="upload"),
]
