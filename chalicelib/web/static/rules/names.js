// People's names, kept as typed. One word is a whole name in Indonesia.

import { APOSTROPHES, cleanText } from "./typed.js";

// The visible part of an emoji of a digit.
const KEYCAP = "\u20e3";

/**
 * Return the cleaned name, or the code of the rule that it breaks.
 * @param {string} text
 * @param {string} punctuation The signs allowed beside letters, from the bundle.
 * @returns {{value: string} | {code: string}}
 */
export function parseName(text, punctuation) {
  const name = cleanText(text);
  for (const character of name) {
    const isAllowed = punctuation.includes(character) || (character !== KEYCAP && /[\p{L}\p{M}]/u.test(character));
    if (!isAllowed) return { code: "name_characters" };
  }
  const hasLetter = [...name].some((each) => /\p{L}/u.test(each) && !APOSTROPHES.includes(each));
  return hasLetter ? { value: name } : { code: "name_empty" };
}

/**
 * Return a name with all but the first letter of each word replaced: `S*** A*****`.
 * @param {string} name
 */
export function maskName(name) {
  const words = name.split(/\s+/u).filter(Boolean);
  return words.map((word) => [...word].map((letter, index) => (index ? "*" : letter)).join("")).join(" ");
}
