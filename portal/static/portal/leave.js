// Hide at once, then let the form go its own way: the server ends the session.
(function () {
  var form = document.querySelector("form.leave");
  if (!form) return;
  function hide() {
    document.documentElement.style.visibility = "hidden";
    document.title = "\u200b";
  }
  form.addEventListener("submit", hide);
  addEventListener("pageshow", function (e) {
    if (e.persisted) { hide(); location.replace("/"); }
  });
})();
