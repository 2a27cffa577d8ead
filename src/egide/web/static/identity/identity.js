"use strict";
// Passkeys, and the code of an invitation, which stands behind the # so that no log ever has it.
// Everything else works without scripts.

const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(page.querySelector("#error")?.textContent || `HTTP ${answer.status}`);
  }
  return answer.json();
}

function described(credential) {
  const parts = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) parts[name] = toText(credential.response[name]);
  }
  return JSON.stringify({
    id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    clientExtensionResults: {}, response: parts,
  });
}

async function signIn(button) {
  const { ticket, options } = await post("/signin/passkey/options", {});
  const publicKey = JSON.parse(options);
  publicKey.challenge = toBytes(publicKey.challenge);
  delete publicKey.allowCredentials;
  const credential = await navigator.credentials.get({ publicKey });
  const response = described(credential);
  const { next } = await post("/signin/passkey", { ticket, response, next: button.dataset.next });
  location.assign(next);
}

async function add() {
  const { ticket, options } = await post("/account/passkeys/options", {});
  const publicKey = JSON.parse(options);
  publicKey.challenge = toBytes(publicKey.challenge);
  publicKey.user.id = toBytes(publicKey.user.id);
  for (const known of publicKey.excludeCredentials || []) known.id = toBytes(known.id);
  const credential = await navigator.credentials.create({ publicKey });
  const name = document.getElementById("passkey-name").value;
  const { next, codes } = await post("/account/passkeys", { ticket, response: described(credential), name });
  if (!codes.length) return location.assign(next);
  const box = document.getElementById("codes");
  for (const code of codes) box.querySelector("ul").append(Object.assign(document.createElement("li"), { textContent: code }));
  box.hidden = false;
  box.scrollIntoView();
}

function complain(error) {
  const place = document.getElementById("error");
  place.textContent = error.name === "NotAllowedError" ? "The passkey was not used; try again." : error.message;
  place.hidden = false;
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  // Browsers bind passkeys to names: there are none for a bare address such as 127.0.0.1.
  if (!window.PublicKeyCredential || /^[\d.]+$|^\[/.test(location.hostname)) break;
  button.hidden = false;
  button.addEventListener("click", () =>
    (button.dataset.passkey === "signin" ? signIn(button) : add()).catch(complain));
}

const code = document.getElementById("code");
if (code && location.hash.length > 1) {
  code.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
