"""Every address that there is: the tables of the apps in one, by the routes under which the resolver finds them."""

from collections import defaultdict
from uuid import uuid4

from django.urls import resolve

from tests.journeys.routes import catalog, house, members, playback, royalties
from tests.journeys.routes.ways import Way

# The sign-in comes last: a browser that has gone through it is another one.
WAYS = (
    *(*members.API, *catalog.API, *playback.API, *royalties.API, *house.API),
    *(*members.PAGES, *catalog.PAGES, *playback.PAGES, *royalties.PAGES, *house.PAGES, *house.SIGNING_IN),
)
ROUTES: dict[str, list[Way]] = defaultdict(list)
for _way in WAYS:
    _ids = defaultdict(uuid4, profile="profile")
    ROUTES[resolve(_way.path.format_map(_ids).partition("?")[0]).route].append(_way)
