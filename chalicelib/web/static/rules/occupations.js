// The search for an occupation by everyday words, with room for one slip of the finger.

/**
 * @typedef {object} Occupation
 * @property {string} id
 * @property {string} name
 * @property {string} name_en
 * @property {string[]} search
 * @property {string} sector
 */

// How well a phrase fits, the best first.
const [EXACT, BEGINS, WORDS_BEGIN, SIMILAR] = [0, 1, 2, 3];
const MIN_LETTERS_FOR_SLIP = 5;

/**
 * Return the occupations that fit what was typed, the best first.
 * @param {Occupation[]} occupations
 * @param {string} typed
 */
export function searchOccupations(occupations, typed) {
  const wanted = fold(typed);
  if (!wanted) return [];
  const ranked = occupations.map((occupation, position) => {
    const phrases = [occupation.name, occupation.name_en, ...occupation.search].map(fold);
    return { occupation, position, rank: Math.min(...phrases.map((phrase) => rankPhrase(phrase, wanted))) };
  });
  const found = ranked.filter((each) => each.rank <= SIMILAR);
  found.sort((one, other) => one.rank - other.rank || one.position - other.position);
  return found.map((each) => each.occupation);
}

/** @param {string} text */
function fold(text) {
  const letters = text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  return letters.replace(/[^\p{L}\p{Nd}]+/gu, " ").trim();
}

/**
 * @param {string} phrase
 * @param {string} wanted
 */
function rankPhrase(phrase, wanted) {
  if (phrase === wanted) return EXACT;
  if (phrase.startsWith(wanted)) return BEGINS;
  const words = phrase.split(" ");
  const wantedWords = wanted.split(" ");
  if (wantedWords.every((each) => words.some((word) => word.startsWith(each)))) return WORDS_BEGIN;
  const areSimilar = wantedWords.every((each) => words.some((word) => word.startsWith(each) || isSlip(word, each)));
  return areSimilar ? SIMILAR : Infinity;
}

/**
 * Return true if two words differ by one letter that is missing, added, wrong or swapped with the next.
 * @param {string} word
 * @param {string} typed
 */
function isSlip(word, typed) {
  if (Math.min(word.length, typed.length) < MIN_LETTERS_FOR_SLIP) return false;
  let start = 0;
  while (start < Math.min(word.length, typed.length) && word[start] === typed[start]) start += 1;
  const [rest, typedRest] = [word.slice(start), typed.slice(start)];
  return (
    rest.slice(1) === typedRest ||
    rest === typedRest.slice(1) ||
    rest.slice(1) === typedRest.slice(1) ||
    (rest.slice(2) === typedRest.slice(2) && rest[0] === typedRest[1] && rest[1] === typedRest[0])
  );
}
