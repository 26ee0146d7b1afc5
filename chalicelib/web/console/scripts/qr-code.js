// QR codes (ISO/IEC 18004): bytes, error correction M, the smallest version that holds the text. Pure.

const ECC_PER_BLOCK = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, ...Array(19).fill(28)];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49];

/** @type {((row: number, column: number) => boolean)[]} */
const MASKS = [
  (y, x) => (x + y) % 2 === 0,
  (y) => y % 2 === 0,
  (_, x) => x % 3 === 0,
  (y, x) => (x + y) % 3 === 0,
  (y, x) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (y, x) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (y, x) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (y, x) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/**
 * Return the modules of a code, row by row: true is dark. Raise RangeError if the text is too long for a code.
 * @param {string} text
 * @param {number} [mask] The mask that reads best if left out.
 * @returns {boolean[][]}
 */
export function encodeQrCode(text, mask) {
  const bytes = new TextEncoder().encode(text);
  const version = findVersion(bytes.length);
  const codewords = addErrorCorrection(makeData(bytes, version), version);
  const masks = mask === undefined ? MASKS.map((_, index) => index) : [mask];
  const drawn = masks.map((each) => draw(version, codewords, each));
  return drawn.map((modules) => ({ modules, penalty: computePenalty(modules) })).reduce((best, each) => (each.penalty < best.penalty ? each : best)).modules;
}

/** @param {number} version */
function countCodewords(version) {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const alignments = Math.floor(version / 7) + 2;
    modules -= (25 * alignments - 10) * alignments - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

/** @param {number} version */
function countDataCodewords(version) {
  return countCodewords(version) - ECC_PER_BLOCK[version - 1] * BLOCKS[version - 1];
}

/** @param {number} version */
function countLengthBits(version) {
  return version < 10 ? 8 : 16;
}

/** @param {number} length */
function findVersion(length) {
  for (let version = 1; version <= 40; version += 1) {
    if (4 + countLengthBits(version) + 8 * length <= 8 * countDataCodewords(version)) return version;
  }
  throw new RangeError("too long for a QR code");
}

/**
 * @param {Uint8Array} bytes
 * @param {number} version
 */
function makeData(bytes, version) {
  /** @type {number[]} */
  const bits = [];
  const append = (/** @type {number} */ value, /** @type {number} */ length) => {
    for (let index = length - 1; index >= 0; index -= 1) bits.push((value >>> index) & 1);
  };
  append(4, 4);
  append(bytes.length, countLengthBits(version));
  for (const byte of bytes) append(byte, 8);
  const capacity = 8 * countDataCodewords(version);
  append(0, Math.min(4, capacity - bits.length));
  append(0, (8 - (bits.length % 8)) % 8);
  for (let padding = 0xec; bits.length < capacity; padding ^= 0xec ^ 0x11) append(padding, 8);
  return Array.from({ length: bits.length / 8 }, (_, index) => bits.slice(8 * index, 8 * index + 8).reduce((byte, bit) => 2 * byte + bit, 0));
}

/**
 * @param {number} first
 * @param {number} second
 */
function multiply(first, second) {
  let product = 0;
  for (let index = 7; index >= 0; index -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((second >>> index) & 1) * first;
  }
  return product;
}

/** @param {number} degree */
function makeDivisor(degree) {
  const divisor = [...Array(degree - 1).fill(0), 1];
  let root = 1;
  for (let round = 0; round < degree; round += 1) {
    for (let index = 0; index < degree; index += 1) divisor[index] = multiply(divisor[index], root) ^ (divisor[index + 1] ?? 0);
    root = multiply(root, 2);
  }
  return divisor;
}

/**
 * @param {number[]} data
 * @param {number[]} divisor
 */
function computeRemainder(data, divisor) {
  const remainder = divisor.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ /** @type {number} */ (remainder.shift());
    remainder.push(0);
    divisor.forEach((each, index) => (remainder[index] ^= multiply(each, factor)));
  }
  return remainder;
}

/**
 * Return the codewords of all blocks in the order in which they are drawn.
 * @param {number[]} data
 * @param {number} version
 */
function addErrorCorrection(data, version) {
  const [blockCount, eccLength] = [BLOCKS[version - 1], ECC_PER_BLOCK[version - 1]];
  const total = countCodewords(version);
  const shortCount = blockCount - (total % blockCount);
  const shortLength = Math.floor(total / blockCount) - eccLength;
  const divisor = makeDivisor(eccLength);
  let start = 0;
  const blocks = Array.from({ length: blockCount }, (_, index) => {
    const part = data.slice(start, (start += shortLength + (index < shortCount ? 0 : 1)));
    return { part, ecc: computeRemainder(part, divisor) };
  });
  const woven = [];
  for (let index = 0; index <= shortLength; index += 1) woven.push(...blocks.flatMap(({ part }) => (index < part.length ? [part[index]] : [])));
  for (let index = 0; index < eccLength; index += 1) woven.push(...blocks.map(({ ecc }) => ecc[index]));
  return woven;
}

/**
 * @param {number} version
 * @param {number[]} codewords
 * @param {number} mask
 */
function draw(version, codewords, mask) {
  const size = 4 * version + 17;
  /** @type {(boolean | null)[][]} */
  const modules = Array.from({ length: size }, () => Array(size).fill(null));
  const set = (/** @type {number} */ y, /** @type {number} */ x, /** @type {boolean} */ isDark) => {
    if (y >= 0 && x >= 0 && y < size && x < size) modules[y][x] = isDark;
  };
  for (let index = 0; index < size; index += 1) {
    set(6, index, index % 2 === 0);
    set(index, 6, index % 2 === 0);
  }
  for (const [top, left] of [[3, 3], [3, size - 4], [size - 4, 3]]) drawSquares(set, top, left, 4, (ring) => ring !== 2 && ring !== 4);
  const positions = listAlignments(version, size);
  const last = positions.length - 1;
  positions.forEach((y, row) => positions.forEach((x, column) => {
    const isFinder = (row === 0 && column === 0) || (row === 0 && column === last) || (row === last && column === 0);
    if (!isFinder) drawSquares(set, y, x, 2, (ring) => ring !== 1);
  }));
  drawFormat(set, size, mask);
  if (version >= 7) drawVersion(set, size, version);
  drawCodewords(modules, size, codewords, mask);
  return /** @type {boolean[][]} */ (modules);
}

/** @typedef {(y: number, x: number, isDark: boolean) => void} SetModule */

/**
 * @param {SetModule} set
 * @param {number} centreY
 * @param {number} centreX
 * @param {number} radius
 * @param {(ring: number) => boolean} isDark
 */
function drawSquares(set, centreY, centreX, radius, isDark) {
  for (let y = -radius; y <= radius; y += 1) {
    for (let x = -radius; x <= radius; x += 1) set(centreY + y, centreX + x, isDark(Math.max(Math.abs(y), Math.abs(x))));
  }
}

/**
 * @param {number} version
 * @param {number} size
 */
function listAlignments(version, size) {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.floor((version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, index) => size - 7 - index * step).reverse()];
}

/**
 * @param {number} value
 * @param {number} length
 * @param {number} generator
 */
function appendCheckBits(value, length, generator) {
  let remainder = value;
  for (let index = 0; index < length; index += 1) remainder = (remainder << 1) ^ ((remainder >>> (length - 1)) * generator);
  return (value << length) | remainder;
}

/**
 * @param {SetModule} set
 * @param {number} size
 * @param {number} mask Error correction M is 00, so that the mask is all of the data.
 */
function drawFormat(set, size, mask) {
  const bits = appendCheckBits(mask, 10, 0x537) ^ 0x5412;
  const bit = (/** @type {number} */ index) => ((bits >>> index) & 1) === 1;
  for (let index = 0; index <= 5; index += 1) set(index, 8, bit(index));
  set(7, 8, bit(6));
  set(8, 8, bit(7));
  set(8, 7, bit(8));
  for (let index = 9; index < 15; index += 1) set(8, 14 - index, bit(index));
  for (let index = 0; index < 8; index += 1) set(8, size - 1 - index, bit(index));
  for (let index = 8; index < 15; index += 1) set(size - 15 + index, 8, bit(index));
  set(size - 8, 8, true);
}

/**
 * @param {SetModule} set
 * @param {number} size
 * @param {number} version
 */
function drawVersion(set, size, version) {
  const bits = appendCheckBits(version, 12, 0x1f25);
  for (let index = 0; index < 18; index += 1) {
    const isDark = ((bits >>> index) & 1) === 1;
    const [far, near] = [size - 11 + (index % 3), Math.floor(index / 3)];
    set(near, far, isDark);
    set(far, near, isDark);
  }
}

/**
 * @param {(boolean | null)[][]} modules Those that are null hold data.
 * @param {number} size
 * @param {number[]} codewords
 * @param {number} mask
 */
function drawCodewords(modules, size, codewords, mask) {
  let position = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const isUpward = ((right + 1) & 2) === 0;
    for (let step = 0; step < size; step += 1) {
      const y = isUpward ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (modules[y][x] !== null) continue;
        const bit = position < 8 * codewords.length ? (codewords[position >>> 3] >>> (7 - (position & 7))) & 1 : 0;
        modules[y][x] = (bit === 1) !== MASKS[mask](y, x);
        position += 1;
      }
    }
  }
}

/**
 * Return how badly a code reads: runs, blocks, what looks like a finder, and more of one colour.
 * @param {boolean[][]} modules
 */
function computePenalty(modules) {
  const size = modules.length;
  const lines = [...modules, ...modules.map((_, x) => modules.map((row) => row[x]))].map((line) => line.map(Number).join(""));
  let penalty = 0;
  for (const line of lines) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    for (const pattern of ["10111010000", "00001011101"]) {
      for (let at = line.indexOf(pattern); at >= 0; at = line.indexOf(pattern, at + 1)) penalty += 40;
    }
  }
  for (let y = 1; y < size; y += 1) {
    for (let x = 1; x < size; x += 1) {
      const isDark = modules[y][x];
      if (modules[y - 1][x] === isDark && modules[y][x - 1] === isDark && modules[y - 1][x - 1] === isDark) penalty += 3;
    }
  }
  const dark = modules.flat().filter(Boolean).length;
  return penalty + 10 * Math.floor(Math.abs((20 * dark) / (size * size) - 10));
}
