"""The pages of the studio, included by the catalogue's."""

from django.urls import path

from catalog.views import arranging, editing, profile, splits, studio

urlpatterns = [
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
