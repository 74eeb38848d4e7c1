/** Tables of sines and cosines that transforms multiply with, computed in float64 and rounded once. */
import { allocate, bytesOf, type FloatDType } from '../../dtype.js';
import { bufferNode, type Node } from '../../graph.js';
import { type Shape, sizeOf } from '../../shape.js';
import { HostStorage } from '../../storage.js';

/** How many bytes of tables are kept for the next transform. */
const capacity = 64 * 2 ** 20;

/** The latest last. A table is a function of its key alone, so keeping one changes nothing but the time. */
const kept = new Map<string, Node>();
let keptBytes = 0;

const bytesIn = (node: Node): number => sizeOf(node.shape) * bytesOf[node.dtype];

const dropOldest = (): void => {
  for (const [key, node] of kept) {
    if (keptBytes <= capacity) return;
    kept.delete(key);
    keptBytes -= bytesIn(node);
  }
};

/** The table of a key, which names everything that its values depend on but the dtype. */
const table = (key: string, dtype: FloatDType, shape: Shape, values: () => Float64Array): Node => {
  const name = `${key} ${dtype}`;
  const found = kept.get(name);
  if (found !== undefined) {
    kept.delete(name);
    kept.set(name, found);
    return found;
  }
  const array = allocate(dtype, sizeOf(shape), 'fft');
  array.set(values());
  const node = bufferNode(Object.freeze([...shape]), new HostStorage(dtype, array));
  kept.set(name, node);
  keptBytes += bytesIn(node);
  dropOldest();
  return node;
};

/** exp(2πi · k / n) for an integer k, from an angle of at most an eighth of a turn, so that quarters are exact. */
const root = (k: number, n: number): readonly [re: number, im: number] => {
  const place = ((k % n) + n) % n;
  // Eighths are counted from the nearest quarter.
  const quarter = Math.floor((4 * place + n / 2) / n);
  const angle = (2 * Math.PI * (4 * place - quarter * n)) / (4 * n);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  if (quarter === 1) return [-s, c];
  if (quarter === 2) return [-c, -s];
  return quarter === 3 ? [s, -c] : [c, s];
};

/** Two arrays of one length, computed together when the first of them is asked for. */
const together = (
  length: number,
  fill: (first: Float64Array, second: Float64Array) => void,
): ((which: 0 | 1) => () => Float64Array) => {
  let filled: readonly [Float64Array, Float64Array] | undefined;
  return which => () => {
    if (filled === undefined) {
      filled = [new Float64Array(length), new Float64Array(length)];
      fill(...filled);
    }
    return filled[which];
  };
};

/** Which part of a complex operand or result a matrix is for: the real one alone, the imaginary one, or both. */
export type Parts = 're' | 'im' | 'both';

const partsOf: Readonly<Record<Parts, readonly number[]>> = { re: [0], im: [1], both: [0, 1] };

/**
 * The matrix of a transform of the length n as real numbers: [j, part of the operand, part of the result, k], where only
 * `rows` elements go in and only the first `columns` come out.
 */
export const dftMatrix = (
  n: number,
  sign: number,
  [rows, from]: readonly [number, Parts],
  [columns, to]: readonly [number, Parts],
  dtype: FloatDType,
): Node => {
  const [given, wanted] = [partsOf[from], partsOf[to]];
  const shape = [rows, given.length, wanted.length, columns];
  return table(`matrix ${n} ${sign} ${rows} ${from} ${columns} ${to}`, dtype, shape, () => {
    const values = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let j = 0; j < rows; j++) {
      for (const part of given) {
        for (const result of wanted) {
          for (let k = 0; k < columns; k++) {
            const [c, s] = root(sign * ((j * k) % n), n);
            values[at++] = part === result ? c : part === 0 ? s : -s;
          }
        }
      }
    }
    return values;
  });
};

/**
 * Factors as two tables that multiply a stacked number and the same with its parts exchanged: (c, c) and (−s, s). The
 * shape is `[rows, 1, 2, columns]`.
 */
const stacked = (
  key: string,
  dtype: FloatDType,
  [rows, columns]: readonly [number, number],
  at: (row: number, column: number) => readonly [number, number],
): readonly [straight: Node, crossed: Node] => {
  const shape = [rows, 1, 2, columns];
  const values = together(sizeOf(shape), (straight, crossed) => {
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < columns; k++) {
        const [c, s] = at(i, k);
        const [re, im] = [2 * i * columns + k, (2 * i + 1) * columns + k];
        straight[re] = c;
        straight[im] = c;
        crossed[re] = -s;
        crossed[im] = s;
      }
    }
  });
  return [table(`${key} straight`, dtype, shape, values(0)), table(`${key} crossed`, dtype, shape, values(1))];
};

/** Twiddle factors exp(2πi · sign · j · k / n), j < n / f and k < f: [n / f, 1, 2, f]. */
export const twiddles = (n: number, f: number, sign: number, dtype: FloatDType): readonly [Node, Node] =>
  stacked(`twiddles ${n} ${f} ${sign}`, dtype, [n / f, f], (j, k) => root(sign * j * k, n));

/** A chirp exp(πi · sign · k² / n); k² is exact below 2²⁶. */
const chirpAt = (k: number, n: number, sign: number): readonly [number, number] =>
  root(sign * ((k * k) % (2 * n)), 2 * n);

/** The first `length` elements of the chirp, real and imaginary ones. */
export const chirp = (n: number, sign: number, length: number, dtype: FloatDType): readonly [Node, Node] => {
  const values = together(length, (re, im) => {
    for (let k = 0; k < length; k++) [re[k], im[k]] = chirpAt(k, n, sign);
  });
  const part = (which: 0 | 1): Node => table(`chirp ${n} ${sign} ${length} ${which}`, dtype, [length], values(which));
  return [part(0), part(1)];
};

/** A transform in place of a length that is a power of two: Cooley and Tukey's with bits reversed. */
const transformInPlace = (re: Float64Array, im: Float64Array): void => {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  const [cosines, sines] = [new Float64Array(n / 2), new Float64Array(n / 2)];
  for (let k = 0; k < n / 2; k++) [cosines[k], sines[k]] = root(-k, n);
  for (let half = 1; half < n; half *= 2) {
    for (let start = 0; start < n; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const [c, s] = [cosines[(k * n) / (2 * half)]!, sines[(k * n) / (2 * half)]!];
        const [p, q] = [start + k, start + k + half];
        const [x, y] = [re[q]! * c - im[q]! * s, re[q]! * s + im[q]! * c];
        [re[q], im[q]] = [re[p]! - x, im[p]! - y];
        [re[p], im[p]] = [re[p]! + x, im[p]! + y];
      }
    }
  }
};

/**
 * The transform, of the length m, of the chirp that Bluestein's convolution is with, divided by m: real and imaginary part.
 *
 * @param m a power of two
 * @param before how many elements stand before the one of index 0, which are put at the end
 * @param after how many follow from it on
 */
export const chirpSpectrum = (
  n: number,
  sign: number,
  m: number,
  [before, after]: readonly [number, number],
  dtype: FloatDType,
): readonly [Node, Node] => {
  const values = together(m, (re, im) => {
    for (let k = -before; k < after; k++) [re[(k + m) % m], im[(k + m) % m]] = chirpAt(Math.abs(k), n, -sign);
    transformInPlace(re, im);
    for (let k = 0; k < m; k++) [re[k], im[k]] = [re[k]! / m, im[k]! / m];
  });
  const key = `spectrum ${n} ${sign} ${m} ${before} ${after}`;
  return [table(`${key} 0`, dtype, [m], values(0)), table(`${key} 1`, dtype, [m], values(1))];
};

/** How often the elements of half a spectrum stand in the whole one: once at 0 and in the middle, else twice. */
export const halfWeights = (n: number, length: number, dtype: FloatDType): Node =>
  table(`weights ${n} ${length}`, dtype, [length], () =>
    Float64Array.from({ length }, (_, k) => (k === 0 || 2 * k === n ? 1 : 2)),
  );
