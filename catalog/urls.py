"""The pages of the catalogue."""

from django.urls import path

from catalog.views import (
    albums,
    arranging,
    creators,
    discovery,
    editing,
    embedding,
    feeds,
    profile,
    reports,
    splits,
    studio,
    upload,
    works,
)

app_name = "catalog"
studio_pages = [
    path("studio", studio.overview, name="studio"),
    path("studio/creators", studio.found, name="studio-found"),
    path("studio/creators/<slug:slug>", profile.profile, name="studio-profile"),
    path("studio/creators/<slug:slug>/invitations", profile.invite, name="studio-invite"),
    path(
        "studio/creators/<slug:slug>/invitations/<uuid:invitation_id>/withdraw",
        profile.withdraw,
        name="studio-withdraw",
    ),
    path("studio/creators/<slug:slug>/members/<uuid:member_id>", profile.member, name="studio-member"),
    path("studio/creators/<slug:slug>/close", profile.close, name="studio-close"),
    path("studio/creators/<slug:slug>/releases", profile.release, name="studio-found-release"),
    path("studio/invitations/<uuid:invitation_id>", studio.invitation, name="invitation"),
    path("studio/works/<uuid:work_id>", editing.work, name="studio-work"),
    path("studio/works/<uuid:work_id>/ladder", editing.ladder, name="studio-ladder"),
    path("studio/works/<uuid:work_id>/publish", editing.publish, name="studio-publish"),
    path("studio/works/<uuid:work_id>/take-off", editing.take_off, name="studio-take-off"),
    path("studio/works/<uuid:work_id>/split-sheet", editing.split_sheet, name="studio-split-sheet"),
    path("studio/releases/<uuid:release_id>", arranging.release, name="studio-release"),
    path("studio/releases/<uuid:release_id>/works", arranging.arrange, name="studio-arrange"),
    path("studio/releases/<uuid:release_id>/publish", arranging.publish, name="studio-publish-release"),
    path("splits/<uuid:sheet_id>", splits.split, name="split"),
]
urlpatterns = [
    path("works/<uuid:work_id>", works.work, name="work"),
    path("works/<uuid:work_id>/listening", works.listening, name="listening"),
    path("works/<uuid:work_id>/report", reports.report, name="report"),
    path("works/<uuid:work_id>/appeal", reports.appeal, name="appeal"),
    path("reports", reports.numbers, name="reports"),
    path("staff/reports", reports.queue, name="queue"),
    path("staff/works/<uuid:work_id>/dismiss-reports", reports.dismiss, name="dismiss-reports"),
    path("staff/works/<uuid:work_id>/suspend", reports.suspend, name="suspend"),
    path("staff/works/<uuid:work_id>/lift", reports.lift, name="lift"),
    path("staff/appeals/<uuid:appeal_id>/decide", reports.decide_appeal, name="decide-appeal"),
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
    *studio_pages,
]
