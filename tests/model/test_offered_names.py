"""What packages offer by name is there, and is all that they take from their modules."""

from types import ModuleType

import model.dns
import model.load


def test_a_package_offers_each_name_that_it_takes_from_its_modules() -> None:
    """`from model.dns import *` neither fails nor leaves one out."""
    for package in (model.dns, model.load):
        taken = {
            name
            for name, value in vars(package).items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        }

        assert sorted(taken) == package.__all__
