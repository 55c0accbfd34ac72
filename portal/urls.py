"""The survivors' addresses. Neutral words only: they stay in the browser's history."""

from django.urls import path

from portal.views import copies, entry, history, keeping, names, sharing

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
    path("record/", keeping.record, name="record"),
    path("record/<slug:ref>/keep/", keeping.keep, name="keep"),
    path("history/", history.history, name="history"),
    path("copy/", copies.copy, name="copy"),
    path("copy/key/", copies.own_key, name="own_key"),
    path("names/", names.show, name="names"),
    path("names/hide/", names.hide, name="hide_names"),
    path("settings/", entry.settings_page, name="settings"),
]
