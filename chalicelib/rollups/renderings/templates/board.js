"use strict";
// Keeps the board fresh. The token lives in this tab's session storage and travels in a header alone.
(() => {
  const { address, seconds, timeoutSeconds } = document.body.dataset;
  const form = document.querySelector("[data-form=token]");
  const pairing = document.querySelector("[data-form=code]");
  const signInTitle = document.title;
  let storage;
  try {
    storage = sessionStorage;
  } catch {
    return; // A page without an address of its own, such as a saved one: it stays as it is.
  }

  const showNotice = (name) => {
    for (const notice of document.querySelectorAll("[data-note]")) notice.hidden = notice.dataset.note !== name;
  };

  const signOut = () => {
    storage.removeItem("token");
    if (form) {
      form.token.value = "";
      if (!form.isConnected) document.querySelector("main").replaceWith(signInMain);
      document.title = signInTitle;
    }
    showNotice("refused");
  };

  const showBoard = (html) => {
    const newest = new DOMParser().parseFromString(html, "text/html");
    const main = newest.querySelector("main[data-board]");
    if (!main) throw new Error("not a board");
    document.querySelector("main").replaceWith(document.adoptNode(main));
    document.title = newest.title;
    if (form) form.token.value = "";
  };

  const send = (path, request) =>
    fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...request });

  // Returns the status of the answer, and its text if that is a board. Rejects if none arrives before `signal` aborts.
  const load = async (signal) => {
    const token = storage.getItem("token");
    if (!/^[\x21-\x7e]+$/.test(token)) return { status: 401 }; // No header can hold it: it is no token of ours.
    const path = address.replace("{campaign_id}", () => encodeURIComponent(storage.getItem("campaign")));
    const response = await send(`${path}?language=${document.documentElement.lang}`, {
      headers: { Authorization: `Bearer ${token}` },
      signal,
    });
    return { status: response.status, html: response.ok ? await response.text() : null };
  };

  let timer, current;

  // Starts the only loop: what an earlier call began is given up.
  const refresh = async () => {
    clearTimeout(timer);
    current?.abort();
    const mine = (current = new AbortController());
    const limit = setTimeout(() => mine.abort(), timeoutSeconds * 1000);
    let answer;
    try {
      answer = await load(mine.signal);
    } catch {
      answer = { status: null };
    }
    clearTimeout(limit);
    if (mine !== current) return;
    if (answer.status === 401) return signOut();
    timer = setTimeout(refresh, seconds * 1000);
    try {
      if (!answer.html) throw new Error("no board");
      showBoard(answer.html);
      showNotice("fresh");
    } catch {
      showNotice(form?.isConnected && [403, 404].includes(answer.status) ? "denied" : "stale");
    }
  };

  // Exchanges the code that a manager made for this screen for a token of its own. The same id, so that the code
  // is not lost with an answer that does not arrive.
  const pair = async (code) => {
    storage.pairing ??= crypto.randomUUID();
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const body = JSON.stringify({ code, enrolment_id: storage.pairing, for_screen: true });
    const headers = { "Content-Type": "application/json" };
    const answer = await send("v1/enrolments", { method: "POST", headers, body, signal });
    if (answer.status >= 500 || answer.status === 429) throw new Error("try again");
    if (!answer.ok) return false;
    const { token } = await answer.json();
    const caller = await send("v1/caller", { headers: { Authorization: `Bearer ${token}` }, signal });
    const { campaigns } = await caller.json();
    storage.setItem("token", token);
    storage.setItem("campaign", campaigns[0]);
    storage.removeItem("pairing");
    return true;
  };

  const startPairing = async (code) => {
    showNotice(null);
    try {
      if (await pair(code)) refresh();
      else showNotice("unpaired");
    } catch {
      showNotice("unreached");
    }
  };

  const readFragment = () => {
    const text = location.hash.slice(1);
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // A stray per cent sign.
    }
  };

  const signInMain = document.querySelector("main");
  const pairingCode = /^pair=(\w+)$/.exec(readFragment())?.[1];
  if (pairing) {
    pairing.addEventListener("submit", (event) => {
      event.preventDefault();
      startPairing(pairing.code.value.trim());
    });
  }
  if (form) {
    form.campaign.value = (pairingCode ? "" : readFragment()) || storage.getItem("campaign") || "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      storage.setItem("campaign", form.campaign.value.trim());
      storage.setItem("token", form.token.value.trim());
      showNotice(null);
      refresh();
    });
  }
  if (pairingCode && pairing) {
    history.replaceState(null, "", location.pathname); // Good once: a reload must not ask with it again.
    pairing.code.value = pairingCode;
    startPairing(pairingCode);
  } else if (storage.getItem("token") && storage.getItem("campaign")) refresh();
})();
