"""The staff door. Pages are closed by default: desk.middleware lets in whoever may come."""

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from desk.views import (
    agreements,
    datasets,
    home,
    keys,
    language,
    releases,
    requests,
    reviews,
    signin,
    stops,
)


class Reference(StringConverter):
    """An opaque reference such as `req-7m2kq9d4xw8h5`: anything else is nowhere."""

    regex = "[a-z]{3}-[a-z0-9]{1,28}"


register_converter(Reference, "ref")

pages = [
    path("", home.home, name="home"),
    path("recovery-codes/", signin.recovery_codes, name="recovery-codes"),
    path("device/new/", signin.replace_device, name="replace-device"),
    # asking
    path("requests/", requests.many, name="requests"),
    path("requests/new/", requests.choose, name="request-choose"),
    path("requests/new/<ref:agreement>/<ref:dataset>/", requests.draft, name="request-draft"),
    path("requests/<ref:ref>/", requests.one, name="request"),
    path("requests/<ref:ref>/submit/", requests.submit, name="request-submit"),
    path("requests/<ref:ref>/end/", requests.end, name="request-end"),
    path("requests/<ref:ref>/release/", releases.ask, name="release-ask"),
    # deciding
    path("requests/<ref:ref>/vote/", reviews.vote, name="vote"),
    path("requests/<ref:ref>/recuse/", reviews.recuse, name="recuse"),
    path("requests/<ref:ref>/decide/", reviews.decide, name="decide"),
    # agreeing
    path("agreements/", agreements.many, name="agreements"),
    path("agreements/<ref:ref>/", agreements.one, name="agreement"),
    path("agreements/<ref:ref>/sign/", agreements.sign, name="agreement-sign"),
    path("agreements/<ref:ref>/suspend/", agreements.suspend, name="agreement-suspend"),
    path("agreements/<ref:ref>/resume/", agreements.resume, name="agreement-resume"),
    path("agreements/<ref:ref>/end/", agreements.end, name="agreement-end"),
    # receiving
    path("releases/", releases.many, name="releases"),
    path("releases/<ref:ref>/", releases.one, name="release"),
    path("releases/<ref:ref>/proof/", releases.proof, name="release-proof"),
    path("releases/<ref:ref>/package/", releases.package, name="release-package"),
    path("keys/", keys.many, name="keys"),
    path("keys/<ref:ref>/", keys.register, name="key-register"),
    # holding
    path("datasets/", datasets.many, name="datasets"),
    path("stops/", stops.record, name="stop"),
    path("stops/done/", stops.done, name="stop-done"),
]

urlpatterns = [
    # allauth looks these up by their bare names
    path("sign-in/", signin.SignIn.as_view(), name="account_login"),
    path("code/", signin.Code.as_view(), name="mfa_authenticate"),
    path("device/", signin.device, name="mfa_activate_totp"),
    path("sign-out/", signin.sign_out, name="account_logout"),
    path("language/<slug:code>/", language.choose, name="desk-language"),
    path("", include((pages, "desk"))),
]
