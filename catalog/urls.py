"""The pages of the catalogue."""

from django.urls import include, path

from catalog.views import albums, creators, discovery, embedding, feeds, upload, works

app_name = "catalog"
urlpatterns = [
    path("works/<uuid:work_id>", works.work, name="work"),
    path("works/<uuid:work_id>/listening", works.listening, name="listening"),
    path("releases/<uuid:release_id>", albums.release, name="release"),
    path("releases/<uuid:release_id>/listening", albums.listening, name="release-part"),
    path("browse", discovery.browse, name="browse"),
    path("photos", discovery.photos, name="photos"),
    path("creators", discovery.creators, name="creators"),
    path("creators/<slug:slug>", creators.creator, name="creator"),
    path("creators/<slug:slug>/feed.atom", feeds.feed, {"form": "atom"}, name="feed-atom"),
    path("creators/<slug:slug>/feed.rss", feeds.feed, {"form": "rss"}, name="feed-rss"),
    path("oembed", embedding.oembed, name="oembed"),
    path("embed/<uuid:work_id>", embedding.embed, name="embed"),
    path("upload", upload.upload, name="upload"),
    path("", include("catalog.studio_urls")),
]
