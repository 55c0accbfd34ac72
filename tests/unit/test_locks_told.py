"""A lock that was not to be had is told by the database's own code, in whatever language it speaks."""

import psycopg
import pytest
from django.db import OperationalError

from common.errors import NotReady
from governance.actions.scopes import _later


def raised(cause: Exception, words: str) -> None:
    with _later():
        raise OperationalError(words) from cause


@pytest.mark.parametrize(
    "words",
    [
        "canceling statement due to lock timeout",
        "cancelando la sentencia debido a que se agotó el tiempo de espera de candados",
        "annulation de la requête à cause du délai écoulé pour l'obtention des verrous",
    ],
)
def test_a_lock_that_others_held_is_busy_whatever_the_words(words):
    with pytest.raises(NotReady) as refusal:
        raised(psycopg.errors.LockNotAvailable(), words)
    assert refusal.value.code == "busy"


def test_another_error_is_not_taken_for_it_by_its_words():
    with pytest.raises(OperationalError):
        raised(psycopg.errors.QueryCanceled(), "a row says: lock timeout")
    with pytest.raises(OperationalError):
        raised(psycopg.OperationalError(), "the server has gone")
