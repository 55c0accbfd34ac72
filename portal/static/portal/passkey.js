// Asks the browser for a passkey, then lets the form go its own way. Its button shows only where this works.
(function () {
  var form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) return;
  var asked = JSON.parse(document.getElementById("asked").textContent).publicKey;
  var failed = document.getElementById("failed");
  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), function (sign) {
      return sign.charCodeAt(0);
    });
  }
  function text(buffer) {
    return btoa(String.fromCharCode.apply(null, new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  asked.challenge = bytes(asked.challenge);
  if (asked.user) asked.user.id = bytes(asked.user.id);
  (asked.allowCredentials || asked.excludeCredentials || []).forEach(function (one) {
    one.id = bytes(one.id);
  });
  form.hidden = false;
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    failed.hidden = true;
    navigator.credentials[form.dataset.passkey]({ publicKey: asked }).then(function (found) {
      var said = {};
      ["clientDataJSON", "attestationObject", "authenticatorData", "signature"].forEach(function (name) {
        if (found.response[name]) said[name] = text(found.response[name]);
      });
      form.elements.answer.value = JSON.stringify({
        id: found.id, rawId: text(found.rawId), type: found.type, response: said
      });
      form.submit();
    }).catch(function () { failed.hidden = false; });
  });
})();
