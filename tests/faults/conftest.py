"""One house for all faults: broken again and again, and what it holds must be right each time."""

from collections.abc import Iterator

import pytest

from infra.bench import ground
from tests.faults.house import CROWD, Crowd, House, Listener


@pytest.fixture(scope="session")
def standing_house() -> Iterator[House]:
    with ground.laid() as stack:
        house = House(stack)
        house.serve()
        yield house
        house.kill_web()


@pytest.fixture
def house(standing_house: House) -> House:
    """Give the house with everything in it running, whatever the test before did to it."""
    for part in (standing_house.stack.postgres, standing_house.stack.valkey):
        if not part.child.is_running():
            part.start()
    if standing_house.web is None or not standing_house.web.is_running():
        standing_house.serve()
    return standing_house


@pytest.fixture
def crowd(house: House) -> Crowd:
    """Give listeners who never played before in this test; what they played in earlier ones stays in the database."""
    return Crowd([Listener(house.port, number) for number in CROWD])
