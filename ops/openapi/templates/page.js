"use strict";
const find = (id) => document.getElementById(id);
const findAll = (selector) => [...document.querySelectorAll(selector)];
const nav = document.querySelector("nav"), search = find("search"), role = find("role"), count = find("count");
const operations = findAll(".operation"), entries = findAll(".entry"), groups = findAll(".group");
const menuButton = find("menu-button");

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const entry of entries) {
    const roles = entry.dataset.roles?.split(" ");
    const may = !role.value || !roles || roles.includes(role.value) || roles.includes("public");
    entry.hidden = !may || !words.every((word) => entry.dataset.searchText.includes(word));
  }
  for (const item of findAll("[data-for]")) item.hidden = find(item.dataset.for).hidden;
  for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
  const shown = operations.filter((each) => !each.hidden).length;
  count.textContent = shown === operations.length ? `${shown} operations` : `${shown} of ${operations.length} operations`;
  find("nothing").hidden = entries.some((each) => !each.hidden);
}

function clear() {
  search.value = role.value = "";
  filter();
}

function openMenu(isOpen) {
  nav.classList.toggle("open", isOpen);
  menuButton.setAttribute("aria-expanded", isOpen);
}

// A link may lead to an entry that the search has hidden.
function reveal() {
  const target = find(decodeURIComponent(location.hash.slice(1)));
  if (!target?.closest("[hidden]")) return;
  clear();
  target.scrollIntoView();
}

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    // Browsers have no clipboard on plain HTTP, but for the own machine.
    getSelection().selectAllChildren(code);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

document.documentElement.classList.add("js");
for (const each of [find("filters"), menuButton, ...findAll(".copy")]) each.hidden = false;
search.addEventListener("input", filter);
role.addEventListener("change", filter);
find("clear").addEventListener("click", () => { clear(); search.focus(); });
menuButton.addEventListener("click", () => openMenu(!nav.classList.contains("open")));
for (const link of nav.querySelectorAll("a")) link.addEventListener("click", () => openMenu(false));
addEventListener("hashchange", reveal);
for (const button of findAll(".copy")) button.addEventListener("click", () => copy(button));
if (location.protocol.startsWith("http")) {
  const code = document.querySelector("#first-worker code:not(p code)");
  const address = new URL(".", location.href).href.replace(/\/$/, "");
  code.textContent = code.textContent.replace(/DAFTAR_URL=.*/, `DAFTAR_URL=${address}`);
}
