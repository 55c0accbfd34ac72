"""The staff door. Pages are closed by default: desk.middleware lets in whoever may come."""

from django.urls import include, path

from desk.views import (
    agreements,
    arrivals,
    datasets,
    home,
    keys,
    language,
    people,
    releases,
    requests,
    resets,
    reviews,
    signin,
    stops,
)

pages = [
    path("", home.home, name="home"),
    path("recovery-codes/", signin.recovery_codes, name="recovery-codes"),
    path("device/new/", signin.replace_device, name="replace-device"),
    # asking
    path("requests/", requests.many, name="requests"),
    path("requests/new/", requests.choose, name="request-choose"),
    path("requests/new/<str:agreement>/<str:dataset>/", requests.draft, name="request-draft"),
    path("requests/<str:ref>/", requests.one, name="request"),
    path("requests/<str:ref>/submit/", requests.submit, name="request-submit"),
    path("requests/<str:ref>/end/", requests.end, name="request-end"),
    path("requests/<str:ref>/release/", releases.ask, name="release-ask"),
    # deciding
    path("requests/<str:ref>/vote/", reviews.vote, name="vote"),
    path("requests/<str:ref>/recuse/", reviews.recuse, name="recuse"),
    path("requests/<str:ref>/decide/", reviews.decide, name="decide"),
    # agreeing
    path("agreements/", agreements.many, name="agreements"),
    path("agreements/<str:ref>/", agreements.one, name="agreement"),
    path("agreements/<str:ref>/sign/", agreements.sign, name="agreement-sign"),
    path("agreements/<str:ref>/suspend/", agreements.suspend, name="agreement-suspend"),
    path("agreements/<str:ref>/resume/", agreements.resume, name="agreement-resume"),
    path("agreements/<str:ref>/end/", agreements.end, name="agreement-end"),
    # receiving
    path("releases/", releases.many, name="releases"),
    path("releases/<str:ref>/", releases.one, name="release"),
    path("releases/<str:ref>/proof/", releases.proof, name="release-proof"),
    path("releases/<str:ref>/package/", releases.package, name="release-package"),
    path("keys/", keys.many, name="keys"),
    path("keys/<str:ref>/", keys.register, name="key-register"),
    path("keys/<str:ref>/end/", keys.end, name="key-end"),
    # people
    path("people/", people.many, name="people"),
    path("people/invite/<str:ref>/", people.invite, name="invite"),
    path("people/invitations/<str:ref>/withdraw/", people.withdraw, name="invitation-withdraw"),
    path("people/anew/<str:ref>/", resets.ask, name="reset-ask"),
    path("people/anew/<str:ref>/agree/", resets.agree, name="reset-agree"),
    path("people/anew/<str:ref>/withdraw/", resets.withdraw, name="reset-withdraw"),
    path("people/anew/<str:ref>/read/", resets.acknowledge, name="reset-read"),
    path("people/leave/<str:ref>/", people.off_board, name="off-board"),
    path(
        "people/leave/<str:ref>/<str:organisation>/", people.off_board_here, name="off-board-here"
    ),
    path("people/join/", arrivals.join, name="join"),
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
    path("invited/", arrivals.invited, name="desk-invited"),
    path("invited/account/", arrivals.account, name="desk-invited-account"),
    path("anew/", arrivals.anew, name="desk-anew"),
    path("anew/set/", arrivals.set_anew, name="desk-anew-set"),
    path("language/<str:code>/", language.choose, name="desk-language"),
    path("", include((pages, "desk"))),
]
