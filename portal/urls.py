"""The survivors' addresses. Neutral words only: they stay in the browser's history."""

from django.urls import path

from portal.views import asks, copies, entry, history, keeping, names, never, sharing

app_name = "portal"

urlpatterns = [
    path("", sharing.home, name="home"),
    path("start/", entry.start, name="start"),
    path("sign-in/", entry.sign_in, name="sign_in"),
    path("sign-out/", entry.sign_out, name="sign_out"),
    path("leave/", entry.leave, name="leave"),
    path("language/<slug:code>/", entry.language, name="language"),
    path("details/<slug:ref>/", sharing.details, name="details"),
    path("details/<slug:ref>/stop/", sharing.stop, name="stop"),
    path("details/<slug:ref>/pause/", sharing.pause, name="pause"),
    path("details/<slug:ref>/resume/", sharing.resume, name="resume"),
    path("details/<slug:ref>/done/", sharing.done, name="done"),
    path("details/<slug:ref>/change/", sharing.change, name="change"),
    path("asked/<slug:ref>/", asks.asked, name="asked"),
    path("asked/<slug:ref>/first/", asks.first, name="asked_first"),
    path("asked/<slug:ref>/check/", asks.check, name="asked_check"),
    path("asked/<slug:ref>/sign/", asks.sign, name="asked_sign"),
    path("asked/<slug:ref>/no/", asks.no, name="asked_no"),
    path("asked/<slug:ref>/later/", asks.later, name="asked_later"),
    path("asked/<slug:ref>/now/", asks.now, name="asked_now"),
    path("asked/<slug:ref>/back/", asks.back, name="asked_back"),
    path("asked/<slug:ref>/done/", asks.done, name="asked_done"),
    path("never/", never.never, name="never"),
    path("never/<slug:ref>/undo/", never.undo, name="never_undo"),
    path("never/<slug:ref>/keep/", never.keep, name="never_keep"),
    path("never/<slug:ref>/now/", never.now, name="never_now"),
    path("record/", keeping.record, name="record"),
    path("record/<slug:ref>/keep/", keeping.keep, name="keep"),
    path("history/", history.history, name="history"),
    path("copy/", copies.copy, name="copy"),
    path("copy/key/", copies.own_key, name="own_key"),
    path("names/", names.show, name="names"),
    path("names/hide/", names.hide, name="hide_names"),
    path("settings/", entry.settings_page, name="settings"),
]
