"""The staff door. Pages are closed by default: desk.middleware lets in whoever may come."""

from django.urls import include, path, register_converter
from django.urls.converters import StringConverter

from desk.views import (
    agreements,
    arrivals,
    asking,
    auditors,
    clients,
    codes,
    contests,
    datasets,
    findings,
    home,
    keys,
    language,
    people,
    questions,
    recalls,
    releases,
    requests,
    resets,
    reviews,
    shutting,
    signin,
    sittings,
    speaking,
    stops,
    together,
    wiping,
    working,
)
from desk.views.audit import cases, checks, jobs, reading


class Reference(StringConverter):
    """An opaque reference such as `req-7m2kq9d4xw8h5`: anything else is nowhere."""

    regex = "[a-z]{3}-[a-z0-9]{1,28}"


register_converter(Reference, "ref")

pages = [
    path("", home.home, name="home"),
    path("recovery-codes/", signin.recovery_codes, name="recovery-codes"),
    path("device/new/", signin.replace_device, name="replace-device"),
    path("places/", sittings.many, name="places"),
    path("places/others/", sittings.end_others, name="places-end-others"),
    path("places/all/", sittings.end_all, name="places-end-all"),
    path("places/<ref:ref>/end/", sittings.end, name="place-end"),
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
    path("recalls/", recalls.many, name="recalls"),
    path("recalls/<ref:ref>/", recalls.one, name="recall"),
    path("recalls/<ref:ref>/people/", recalls.people, name="recall-people"),
    path("recalls/<ref:ref>/acknowledge/", recalls.acknowledge, name="recall-acknowledge"),
    path("recalls/<ref:ref>/report/", recalls.report, name="recall-report"),
    path("keys/", keys.many, name="keys"),
    path("keys/<ref:ref>/", keys.register, name="key-register"),
    path("keys/<ref:ref>/end/", keys.end, name="key-end"),
    # people
    path("people/", people.many, name="people"),
    path("people/invite/<ref:ref>/", people.invite, name="invite"),
    path("people/invitations/<ref:ref>/withdraw/", people.withdraw, name="invitation-withdraw"),
    path("people/anew/<ref:ref>/", resets.ask, name="reset-ask"),
    path("people/anew/<ref:ref>/agree/", resets.agree, name="reset-agree"),
    path("people/anew/<ref:ref>/withdraw/", resets.withdraw, name="reset-withdraw"),
    path("people/anew/<ref:ref>/read/", resets.acknowledge, name="reset-read"),
    path("people/leave/<ref:ref>/", people.off_board, name="off-board"),
    path(
        "people/leave/<ref:ref>/<ref:organisation>/", people.off_board_here, name="off-board-here"
    ),
    path("people/join/", arrivals.join, name="join"),
    # holding
    path("datasets/", datasets.many, name="datasets"),
    path("asks/", asking.ask, name="ask"),
    path("asks/done/", asking.done, name="ask-done"),
    path("stops/", stops.record, name="stop"),
    path("stops/done/", stops.done, name="stop-done"),
    # helping
    path("clients/", clients.many, name="clients"),
    path("clients/begin/", clients.begin, name="client-begin"),
    path("clients/waiting/", clients.waiting, name="clients-waiting"),
    path("clients/<ref:ref>/", clients.one, name="client"),
    path("clients/<ref:ref>/hand-on/", clients.hand_on, name="client-hand-on"),
    path("clients/<ref:ref>/stops/<ref:stop>/", clients.checked, name="stop-checked"),
    path("clients/<ref:ref>/yes/", together.choose, name="yes"),
    path("clients/<ref:ref>/yes/check/", together.check, name="yes-check"),
    path("clients/<ref:ref>/yes/sign/", together.sign, name="yes-sign"),
    path("blocks/", clients.block, name="block"),
    path("fetching/", working.fetching, name="fetching"),
    path("work/", working.work, name="work"),
    path("work/<ref:ref>/", contests.decide, name="contest-decide"),
    # a client's own way in
    path("codes/", codes.many, name="codes"),
    path("codes/<ref:ref>/cancel/", codes.cancel, name="code-cancel"),
    path("shutting/", shutting.record, name="shutting"),
    path("shutting/done/", shutting.done, name="shutting-done"),
    path("questions/<ref:ref>/", questions.answer, name="question"),
    path("wrong/", contests.record, name="contest"),
    # who speaks for a client
    path("speaking/", speaking.many, name="speaking"),
    path("speaking/note/", speaking.note, name="speaking-note"),
    path("speaking/somebody/", speaking.record, name="speaking-record"),
    path("speaking/<ref:ref>/yes/", speaking.yes, name="speaking-yes"),
    path("speaking/<ref:ref>/stop/", speaking.stop, name="speaking-stop"),
    path("speaking/<ref:ref>/end/", speaking.end, name="speaking-end"),
    path("speaking/<ref:ref>/settle/", speaking.settle, name="dispute-settle"),
    path("speaking/<ref:ref>/agree/", speaking.agree, name="death-agree"),
    path("speaking/<ref:ref>/take-back/", speaking.take_back, name="death-take-back"),
    path("wiping/", wiping.many, name="wiping"),
    path("wiping/ask/", wiping.ask, name="wipe-ask"),
    path("wiping/<ref:ref>/agree/", wiping.agree, name="wipe-agree"),
    path("wiping/<ref:ref>/call-off/", wiping.call_off, name="wipe-call-off"),
    path("wiping/holds/place/", wiping.place, name="hold-place"),
    path("wiping/holds/<ref:ref>/lift/", wiping.lift, name="hold-lift"),
    path("auditors/", auditors.many, name="auditors"),
    path("auditors/papers/<ref:ref>/", auditors.papers, name="papers"),
    path("auditors/papers/<ref:ref>/<int:number>/", auditors.check, name="paper-check"),
    path("auditors/<ref:ref>/", auditors.issue, name="handle-issue"),
    # checking
    path("audit/", cases.many, name="audit"),
    path("audit/coverage/", cases.covered, name="audit-coverage"),
    path("audit/<ref:ref>/", reading.search, name="audit-search"),
    path("audit/<ref:ref>/save/", reading.save, name="audit-save"),
    path("audit/<ref:ref>/close/", cases.close, name="audit-close"),
    path("audit/<ref:ref>/entries/<int:number>/", reading.event, name="audit-event"),
    path("audit/<ref:ref>/days/", reading.days, name="audit-days"),
    path("audit/<ref:ref>/unusual/", reading.hints, name="audit-hints"),
    path("audit/<ref:ref>/verify/", jobs.verify, name="audit-verify"),
    path("audit/<ref:ref>/verify/checkpoint/", jobs.checkpoint, name="audit-checkpoint"),
    path("audit/<ref:ref>/export/", jobs.export, name="audit-export"),
    path("audit/<ref:ref>/export/<ref:job>/<int:place>/", jobs.take, name="audit-take"),
    path("audit/<ref:ref>/roles/", checks.roles, name="audit-access"),
    path("audit/<ref:ref>/roles/<int:number>/", checks.review, name="audit-review"),
    path("audit/<ref:ref>/samples/", checks.samples, name="audit-worksheets"),
    path("audit/<ref:ref>/samples/<ref:sheet>/", checks.sample, name="audit-worksheet"),
    path("audit/<ref:ref>/findings/new/", findings.new, name="finding-new"),
    path("findings/", findings.many, name="findings"),
    path("findings/readings/", findings.readings, name="readings"),
    path("findings/<ref:ref>/", findings.one, name="finding"),
    path("findings/<ref:ref>/answer/", findings.answer, name="finding-answer"),
    path("findings/<ref:ref>/close/", findings.close, name="finding-close"),
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
    path("language/<slug:code>/", language.choose, name="desk-language"),
    path("", include((pages, "desk"))),
]
