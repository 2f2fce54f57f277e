import pytest

from tests.training.data.shop_files import FORMATS


@pytest.fixture(params=FORMATS)
def file_format(request: pytest.FixtureRequest) -> str:
    """Runs a test once for each format that a table may have."""
    return request.param
