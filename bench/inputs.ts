/** Numbers to compute with, the same for every implementation and in every run. */

export interface Input {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** Float32 values evenly spread over [low, high): splitmix32 of the seed and the position. */
export const uniform = (seed: number, shape: readonly number[], low = -1, high = 1): Input => {
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  for (let i = 0; i < values.length; i++) {
    let z = (Math.imul(seed + 1, 0x85ebca6b) + Math.imul(i + 1, 0x9e3779b9)) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    values[i] = low + (high - low) * (((z ^ (z >>> 15)) >>> 8) / 2 ** 24);
  }
  return { values, shape };
};
