"use strict";
// Keeps the board fresh. The token lives in this tab's session storage and travels in a header alone.
(() => {
  const { address, seconds, timeoutSeconds } = document.body.dataset;
  const form = document.querySelector("form");
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

  // Returns the status of the answer, and its text if that is a board. Rejects if none arrives before `signal` aborts.
  const load = async (signal) => {
    const token = storage.getItem("token");
    if (!/^[\x21-\x7e]+$/.test(token)) return { status: 401 }; // No header can hold it: it is no token of ours.
    const path = address.replace("{campaign_id}", () => encodeURIComponent(storage.getItem("campaign")));
    const response = await fetch(`${path}?language=${document.documentElement.lang}`, {
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
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

  const readFragment = () => {
    const text = location.hash.slice(1);
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // A stray per cent sign.
    }
  };

  const signInMain = document.querySelector("main");
  if (form) {
    form.campaign.value = readFragment() || storage.getItem("campaign") || "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      storage.setItem("campaign", form.campaign.value.trim());
      storage.setItem("token", form.token.value.trim());
      showNotice(null);
      refresh();
    });
  }
  if (storage.getItem("token") && storage.getItem("campaign")) refresh();
})();
