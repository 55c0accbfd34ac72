"""The survivors' addresses. Neutral words only: they stay in the browser's history."""

from django.urls import path

from portal.views import (
    arriving,
    copies,
    entry,
    history,
    keeping,
    names,
    papers,
    settings,
    sharing,
)

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
    # coming in
    path("begin/", arriving.begin, name="begin"),
    path("begin/name/", arriving.name, name="choose_name"),
    path("begin/words/", arriving.first_words, name="first_words"),
    path("lost/", arriving.lost, name="lost"),
    path("lost/words/", arriving.lost_words, name="lost_words"),
    path("paper/", papers.paper, name="paper"),
    path("shut/", papers.shut, name="shut"),
    path("new/<slug:ref>/refuse/", settings.refuse, name="refuse"),
    # settings
    path("settings/", settings.settings_page, name="settings"),
    path("settings/words/", settings.words, name="words"),
    path("settings/language/", settings.language, name="speak"),
    path("settings/places/", settings.places, name="places"),
    path("settings/places/others/", settings.end_others, name="end_others"),
    path("settings/places/all/", settings.end_all, name="end_all"),
    path("settings/places/<slug:ref>/end/", settings.end_place, name="end_place"),
    path("settings/paper/", papers.anew, name="paper_anew"),
    path("settings/close/", settings.close, name="close"),
]
