"""What tests of royalties share: no policy is remembered from the test before."""

from collections.abc import Iterator

import pytest

from members import policies


@pytest.fixture(autouse=True)
def _fresh_policies() -> Iterator[None]:
    """Forget versions that a test recorded and rolled back."""
    policies.forget()
    yield
    policies.forget()
