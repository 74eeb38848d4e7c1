/**
 * The row filters of PNG: a byte is stored as its difference from what its neighbours to the left (a), above (b) and
 * above left (c) predict. Of 0 none, 1 a, 2 b, 3 the mean of a and b, 4 whichever is nearest to a + b − c.
 */
const paeth = (a: number, b: number, c: number): number => {
  const [fromA, fromB, fromC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (fromA <= fromB && fromA <= fromC) return a;
  return fromB <= fromC ? b : c;
};

const predictions: readonly ((a: number, b: number, c: number) => number)[] = [
  () => 0,
  a => a,
  (_, b) => b,
  (a, b) => (a + b) >> 1,
  paeth,
];

/**
 * The bytes of the rows, each of which stands after the number of its filter.
 *
 * @param stride bytes of a row
 * @param step bytes of a pixel, at least 1
 * @returns null for a filter that there is not
 */
export const unfilterRows = (filtered: Uint8Array, height: number, stride: number, step: number): Uint8Array | null => {
  const rows = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const [from, to] = [y * (stride + 1) + 1, y * stride];
    const predict = predictions[filtered[from - 1]!];
    if (predict === undefined) return null;
    for (let x = 0; x < stride; x++) {
      const left = x >= step;
      const a = left ? rows[to + x - step]! : 0;
      const b = y > 0 ? rows[to + x - stride]! : 0;
      const c = left && y > 0 ? rows[to + x - stride - step]! : 0;
      rows[to + x] = filtered[from + x]! + predict(a, b, c);
    }
  }
  return rows;
};

/** The rows with a filter each: the one whose differences are smallest in sum, as bytes with a sign. */
export const filterRows = (rows: Uint8Array, height: number, stride: number, step: number): Uint8Array => {
  const filtered = new Uint8Array(height * (stride + 1));
  const candidate = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const [from, to] = [y * stride, y * (stride + 1) + 1];
    let least = Number.POSITIVE_INFINITY;
    for (const [filter, predict] of predictions.entries()) {
      let sum = 0;
      for (let x = 0; x < stride; x++) {
        const left = x >= step;
        const a = left ? rows[from + x - step]! : 0;
        const b = y > 0 ? rows[from + x - stride]! : 0;
        const c = left && y > 0 ? rows[from + x - stride - step]! : 0;
        const difference = (rows[from + x]! - predict(a, b, c)) & 255;
        candidate[x] = difference;
        sum += difference < 128 ? difference : 256 - difference;
      }
      if (sum >= least) continue;
      least = sum;
      filtered[to - 1] = filter;
      filtered.set(candidate, to);
    }
  }
  return filtered;
};
