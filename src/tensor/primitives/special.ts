/** Scalar meanings of primitives that JavaScript's Math lacks. */

/** Rounds halves to the even neighbour. */
export const roundHalfEven = (x: number): number => {
  if (!Number.isFinite(x)) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor === 0 && x < 0 ? -0 : floor;
  if (rest > 0.5 || floor % 2 !== 0) return floor + 1 === 0 ? -0 : floor + 1;
  return floor;
};

/** x to the y-th as IEEE 754 has it: unlike Math.pow, 1 to any power is 1, and so is −1 to ±∞. */
export const power = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;

/** x to the y-th on 32-bit integers, modulo 2³²; a negative exponent truncates the fraction, so only ±1 survive it. */
export const integerPower = (x: number, y: number): number => {
  if (y < 0) return x === 1 ? 1 : x === -1 ? (y % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  let square = x;
  for (let bits = y; bits > 0; bits = Math.floor(bits / 2)) {
    if (bits % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
};

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/**
 * One block of Threefry-2x32 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3",
 * SC'11), counter-based: the same key and counter give the same two words anywhere.
 */
export const threefry2x32 = (
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  rounds: number,
  word: 0 | 1 | 'xor',
): number => {
  const keys = [key0, key1, key0 ^ key1 ^ 0x1bd11bda] as const;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let round = 0; round < rounds; round++) {
    const r = rotations[(round >> 2) & 1]![round & 3]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if ((round & 3) === 3) {
      const s = (round + 1) >> 2;
      x0 = (x0 + keys[s % 3]!) | 0;
      x1 = (x1 + keys[(s + 1) % 3]! + s) | 0;
    }
  }
  return (word === 0 ? x0 : word === 1 ? x1 : x0 ^ x1) >>> 0;
};
