"use strict";
// Keeps the board fresh. The token lives in this tab's session storage and travels in a header alone.
(() => {
  const { address, seconds } = document.body.dataset;
  const form = document.querySelector("form");
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
    if (form && !form.isConnected) document.querySelector("main").replaceChildren(form);
    showNotice("refused");
  };

  const refresh = async () => {
    const path = address.replace("{campaign_id}", encodeURIComponent(storage.getItem("campaign")));
    try {
      const response = await fetch(`${path}?language=${document.documentElement.lang}`, {
        cache: "no-store",
        credentials: "omit",
        headers: { Authorization: `Bearer ${storage.getItem("token")}` },
      });
      if ([401, 403, 404].includes(response.status)) return signOut();
      if (!response.ok) throw new Error(response.status);
      const newest = new DOMParser().parseFromString(await response.text(), "text/html");
      document.querySelector("main").replaceWith(document.adoptNode(newest.querySelector("main")));
      document.title = newest.title;
      showNotice(null);
    } catch {
      showNotice("stale");
    }
    setTimeout(refresh, seconds * 1000);
  };

  if (form) {
    form.campaign.value = decodeURIComponent(location.hash.slice(1)) || storage.getItem("campaign") || "";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      storage.setItem("campaign", form.campaign.value.trim());
      storage.setItem("token", form.token.value.trim());
      form.token.value = "";
      refresh();
    });
  }
  if (storage.getItem("token") && storage.getItem("campaign")) refresh();
})();
