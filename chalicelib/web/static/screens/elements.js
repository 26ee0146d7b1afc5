// Small makers of DOM elements. Texts become text nodes, never markup.

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 *
 * @typedef {object} Properties
 * @property {string} [class]
 * @property {string} [testid]
 * @property {Record<string, string | number>} [data]
 * @property {Record<string, (event: any) => void>} [on]
 */

let lastId = 0;

/**
 * Return an element. Attributes that are false, null or undefined are left out; true is an empty one.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties & Record<string, any>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { testid, data = {}, on = {}, ...attributes } = properties;
  if (testid) element.dataset.testid = testid;
  for (const [name, value] of Object.entries(data)) element.dataset[name] = String(value);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...listNodes(children));
  return element;
}

/** @param {(Child | Child[])[]} children */
function listNodes(children) {
  return children.flat().flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return [typeof child === "number" ? String(child) : child];
  });
}

let isPointerDown = false;
addEventListener("pointerdown", () => (isPointerDown = true), { capture: true, passive: true });
for (const name of ["pointerup", "pointercancel"]) {
  addEventListener(name, () => (isPointerDown = false), { capture: true, passive: true });
}

/**
 * Do something that moves what is on the screen, once the finger is up: the tap that left a field would miss
 * its button otherwise.
 * @param {() => void} action
 */
export function afterTap(action) {
  if (!isPointerDown) return action();
  addEventListener("pointerup", () => setTimeout(action), { once: true });
}

/** Return an id that no other element has. */
export function makeId() {
  lastId += 1;
  return `e${lastId}`;
}

/**
 * @param {string} label
 * @param {() => void} onClick
 * @param {Properties & Record<string, any>} [properties]
 */
export function button(label, onClick, properties = {}) {
  return h("button", { type: "button", class: "button", ...properties, on: { click: onClick } }, label);
}

/**
 * Return a text field. The browser keeps nothing of what is typed into it.
 * @param {Properties & Record<string, any>} properties
 */
export function textInput(properties) {
  return h("input", { type: "text", ...withoutMemory, ...properties });
}

/** The attributes that keep a browser from remembering, correcting or translating what is typed. */
export const withoutMemory = {
  autocomplete: "off",
  autocapitalize: "off",
  autocorrect: "off",
  spellcheck: "false",
  translate: "no",
};

/**
 * A field with its label, hint and error message.
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {(message: string | null) => void} showError
 * @property {HTMLElement} input
 */

/**
 * Return a labelled field. `input` gets an id where it has none.
 * @param {string} label
 * @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} input
 * @param {{hint?: string, isLabelHidden?: boolean}} [options]
 * @returns {Field}
 */
export function field(label, input, { hint, isLabelHidden = false } = {}) {
  input.id ||= makeId();
  const hintId = `${input.id}-hint`;
  const error = h("p", { class: "error", id: `${input.id}-error`, role: "alert" });
  const describedBy = [hint ? hintId : "", error.id].filter(Boolean).join(" ");
  input.setAttribute("aria-describedby", describedBy);
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: input.id, class: isLabelHidden ? "hidden" : "label" }, label),
    hint ? h("p", { class: "hint", id: hintId }, hint) : null,
    input,
    error,
  );
  return { element, input, showError: (message) => showError(element, input, error, message) };
}

/**
 * Return a group of choices with its legend and error message.
 * @param {string} legend
 * @param {Child[]} children
 * @param {{hint?: string, isLegendHidden?: boolean}} [options]
 * @returns {Field}
 */
export function choiceGroup(legend, children, { hint, isLegendHidden = false } = {}) {
  const error = h("p", { class: "error", role: "alert", id: makeId() });
  const element = h(
    "fieldset",
    { class: "field" },
    h("legend", { class: isLegendHidden ? "hidden" : "label" }, legend),
    hint ? h("p", { class: "hint" }, hint) : null,
    error,
    ...children,
  );
  return { element, input: element, showError: (message) => showError(element, element, error, message) };
}

/**
 * @param {HTMLElement} element
 * @param {HTMLElement} input
 * @param {HTMLElement} error
 * @param {string | null} message
 */
function showError(element, input, error, message) {
  error.textContent = message ?? "";
  element.classList.toggle("invalid", message !== null);
  if (input.tagName === "FIELDSET") return;
  if (message === null) input.removeAttribute("aria-invalid");
  else input.setAttribute("aria-invalid", "true");
}

/**
 * Return a large choice: a radio button or a check box that covers its tile.
 * @param {Properties & {type: "radio" | "checkbox", name?: string, checked?: boolean} & Record<string, any>} properties
 * @param {string} label
 * @param {string} [detail]
 */
export function tile(properties, label, detail) {
  const input = h("input", { class: "cover", autocomplete: "off", ...properties });
  const text = h("span", { class: "tile-text" }, h("b", {}, label), detail ? h("small", {}, detail) : null);
  return { input, element: h("label", { class: `tile ${properties.type}` }, input, text) };
}
