"""Classes of devices and their service categories."""

import pytest

from carbon.device_classes import CLASSES, SERVICE_CATEGORIES, device_class
from carbon.errors import CarbonError


def test_every_class_belongs_to_a_service_category_and_every_category_has_a_class() -> None:
    assert {one.category for one in CLASSES.values()} == set(SERVICE_CATEGORIES)


def test_names_and_words_of_classes_are_told_apart() -> None:
    assert len({one.words for one in CLASSES.values()}) == len(CLASSES)


def test_an_unknown_class_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(CarbonError, match=r"toaster is no class of devices: use one of server, .*, other"):
        device_class("toaster")
