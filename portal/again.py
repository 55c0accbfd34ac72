"""Her secret words once more, before a page shows or gives what others must not see."""

from django.http import HttpRequest

from governance.models import User
from portal import attempts
from portal.forms import Names


def right(request: HttpRequest, form: Names) -> str:
    """Empty where they are hers; otherwise what was wrong: `credentials`, or too many `attempts`."""
    assert isinstance(request.user, User)
    wrong = "credentials"
    if form.is_valid():
        if attempts.take(request, request.user.username):
            if request.user.check_password(form.cleaned_data["passphrase"]):
                attempts.forget(request, request.user.username)
                return ""
        else:
            wrong = "attempts"
        attempts.failed(request, request.user.username)
    return wrong
