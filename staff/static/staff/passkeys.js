// Forms with data-passkey: ask the server for options, the browser for a passkey, then send the form.
"use strict";

function toBytes(text) {
  const padded = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(padded), (letter) => letter.charCodeAt(0));
}

function toText(buffer) {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

function withBytes(options) {
  options.challenge = toBytes(options.challenge);
  if (options.user) {
    options.user.id = toBytes(options.user.id);
  }
  for (const list of [options.excludeCredentials, options.allowCredentials]) {
    for (const known of list || []) {
      known.id = toBytes(known.id);
    }
  }
  return options;
}

function asJson(credential) {
  const response = { clientDataJSON: toText(credential.response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) {
      response[name] = toText(credential.response[name]);
    }
  }
  if (credential.response.getTransports) {
    response.transports = credential.response.getTransports();
  }
  const id = toText(credential.rawId);
  return JSON.stringify({ id: id, rawId: id, type: credential.type, response: response });
}

async function ask(form) {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
  });
  if (!answer.ok || answer.headers.get("Content-Type") !== "application/json") {
    throw new Error("Load this page again: the server asks you to confirm that it is you.");
  }
  const options = { publicKey: withBytes(await answer.json()) };
  const credential = await navigator.credentials[form.dataset.passkey](options);
  form.elements.credential.value = asJson(credential);
  form.submit();
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form).catch((error) => {
      const note = form.querySelector("[role=alert]");
      note.textContent = error.message;
      note.hidden = false;
    });
  });
}
