"""Every address of Refrain, and that of a ballot by its election: for measuring and testing that alone."""

from django.urls import path

from infra.urls import urlpatterns as refrain
from members.api.ballots import CastBallot

urlpatterns = [path("api/v1/elections/<uuid:election_id>/ballot", CastBallot.as_view()), *refrain]
