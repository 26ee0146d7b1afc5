"use strict";
// Keeps the board fresh. The token lives in this tab's session storage and travels in a header alone.
(() => {
  const { address, seconds } = document.body.dataset;
  const asked = document.querySelector("form");
  let kept;
  try {
    kept = sessionStorage;
  } catch {
    return; // A page without an address of its own, such as a saved one: it stays as it is.
  }

  const say = (what) => {
    for (const note of document.querySelectorAll("[data-note]")) note.hidden = note.dataset.note !== what;
  };

  const forget = () => {
    kept.removeItem("token");
    if (asked && !asked.isConnected) document.querySelector("main").replaceChildren(asked);
    say("refused");
  };

  const show = async () => {
    const path = address.replace("{campaign_id}", encodeURIComponent(kept.getItem("campaign")));
    try {
      const answer = await fetch(`${path}?language=${document.documentElement.lang}`, {
        cache: "no-store",
        credentials: "omit",
        headers: { Authorization: `Bearer ${kept.getItem("token")}` },
      });
      if ([401, 403, 404].includes(answer.status)) return forget();
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelector("main").replaceWith(document.adoptNode(fresh.querySelector("main")));
      document.title = fresh.title;
      say(null);
    } catch {
      say("stale");
    }
    setTimeout(show, seconds * 1000);
  };

  if (asked) {
    asked.campaign.value = decodeURIComponent(location.hash.slice(1)) || kept.getItem("campaign") || "";
    asked.addEventListener("submit", (event) => {
      event.preventDefault();
      kept.setItem("campaign", asked.campaign.value.trim());
      kept.setItem("token", asked.token.value.trim());
      asked.token.value = "";
      show();
    });
  }
  if (kept.getItem("token") && kept.getItem("campaign")) show();
})();
