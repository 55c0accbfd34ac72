"""Names in the database: PostgreSQL keeps 63 signs and cuts the rest without a word."""

from collections import Counter

from tests.architecture.test_fields import our_models

LONGEST = 63


def names() -> list[str]:
    found = []
    for model in our_models():
        found.append(model._meta.db_table)
        found += [constraint.name for constraint in model._meta.constraints]
        found += [index.name for index in model._meta.indexes]
    return found


def test_no_name_in_the_database_is_longer_than_postgresql_keeps():
    assert [name for name in names() if len(name) > LONGEST] == []


def test_no_two_things_in_the_database_share_a_name():
    assert [name for name, count in Counter(names()).items() if count > 1] == []
