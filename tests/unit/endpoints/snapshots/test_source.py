"""The version of a row that has none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.snapshots import image_version
from connector.mapping.values import Image, Value

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)
IMAGES = st.lists(VALUES, max_size=4).map(tuple)


def typed(image: Image) -> list[tuple[type, Value]]:
    return [(type(value), value) for value in image]


@given(IMAGES, IMAGES)
def test_versions_are_equal_where_images_are(one: Image, other: Image) -> None:
    assert (image_version(one) == image_version(other)) == (typed(one) == typed(other))


def test_equal_values_have_one_spelling() -> None:
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert image_version((Decimal("1.50"),)) == image_version((Decimal("1.5"),))
    assert image_version((noon,)) == image_version((noon.astimezone(timezone(timedelta(hours=2))),))
    assert image_version((date(2024, 5, 1),)) != image_version((datetime(2024, 5, 1, tzinfo=UTC),))


def test_the_last_of_many_digits_counts() -> None:
    long = "12345678901234567890123456789.00000000"
    assert image_version((Decimal(f"{long}1"),)) != image_version((Decimal(f"{long}2"),))


def test_a_version_stays_the_same_from_process_to_process() -> None:
    image = ("Zoë", None, True, 1, Decimal("2.5"), date(2024, 2, 29))
    assert image_version(image) == "02d9bde29f75941621979381e219acd8"
