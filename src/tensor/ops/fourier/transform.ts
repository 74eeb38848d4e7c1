/**
 * Discrete Fourier transforms made of contractions with small matrices: Cooley and Tukey's algorithm with factors as large
 * as a matrix product is still cheap for (Math. Comp. 19, 1965), and Bluestein's for lengths with a large prime factor
 * (IEEE Trans. Audio Electroacoust. 18, 1970).
 */
import { b } from '../../build.js';
import type { FloatDType } from '../../dtype.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { permuteNode, reshapeNode, sliceAlong } from '../common/moving.js';
import { broadcastNode } from '../common/operands.js';
import { chirp, chirpSpectrum, dftMatrix, type Parts, twiddles } from './tables.js';

/** The real part, and the imaginary one unless it is 0: [batch, n] each. */
export type Signal = readonly [re: Node, im?: Node];

/** What is asked of a transform of the length n. */
export interface Transform {
  readonly n: number;
  /** −1 for exp(−2πi · jk / n), 1 for its inverse without the factor. */
  readonly sign: -1 | 1;
  /** How many elements of the result are wanted, from the first on. */
  readonly wanted: number;
  /** Whether the imaginary part is not. */
  readonly realOnly?: boolean;
}

/** Lengths up to this one, and prime factors, are one contraction. */
const direct = 64;
const largestPrime = 97;

const primesOf = (n: number): number[] => {
  const primes: number[] = [];
  let left = n;
  for (let p = 2; p * p <= left; p++) {
    for (; left % p === 0; left /= p) primes.push(p);
  }
  return left > 1 ? [...primes, left] : primes;
};

/** As few factors as there can be up to `direct`, as equal as they come out; undefined where a prime is too large. */
const factorsOf = (n: number): readonly number[] | undefined => {
  if (n <= direct) return [n];
  const primes = primesOf(n).reverse();
  if (primes[0]! > largestPrime) return undefined;
  for (let count = Math.ceil(Math.log(n) / Math.log(direct)); ; count++) {
    const factors = new Array<number>(count).fill(1);
    // The largest prime that is left goes to the smallest product.
    for (const p of primes) factors[factors.indexOf(Math.min(...factors))]! *= p;
    if (Math.max(...factors) <= Math.max(direct, primes[0]!)) return factors.sort((p, q) => q - p).filter(f => f > 1);
  }
};

const withZeros = (x: Node, length: number): Node => {
  const more = length - x.shape[1]!;
  return more === 0 ? x : b.pad(x, { low: [0, 0], high: [0, more], interior: [0, 0] });
};

/** (c + i s) · z for z with its parts along the axis 3. */
const turned = (z: Node, [straight, crossed]: readonly [Node, Node]): Node =>
  b.add(b.mul(z, broadcastNode(straight, z.shape)), b.mul(b.flip(z, { axes: [3] }), broadcastNode(crossed, z.shape)));

/**
 * By factors n = f₁ · f₂ · … · fₘ. Between two stages the signal is [batch, what is left of n, K, part, k], where k is the
 * digit of the result that the last stage gave and K those before it, the first one outermost.
 */
const byFactors = (signal: Signal, factors: readonly number[], { n, sign, wanted, realOnly }: Transform): Signal => {
  const dtype = signal[0].dtype as FloatDType;
  const [batch, given] = signal[0].shape as readonly [number, number];
  const last = factors.length - 1;
  const to = realOnly === true ? 're' : 'both';
  /** How many digits come out of a stage, and which parts. */
  const results = (stage: number): readonly [number, Parts] =>
    stage < last ? [factors[stage]!, 'both'] : [Math.ceil((wanted * factors[last]!) / n), to];

  let left = n / factors[0]!;
  const rows = Math.max(1, Math.ceil(given / left));
  const sums = signal.map((part, i): Node => {
    const matrix = dftMatrix(factors[0]!, sign, [rows, i === 0 ? 're' : 'im'], results(0), dtype);
    const [, , parts, digits] = matrix.shape as readonly [number, number, number, number];
    return b.dotGeneral(
      reshapeNode(withZeros(part!, rows * left), [batch, rows, left]),
      b.reshape(matrix, { shape: [rows, parts, digits] }),
      { lhsContract: [1], rhsContract: [0], lhsBatch: [], rhsBatch: [] },
    );
  });
  const first = sums.reduce((x, y) => b.add(x, y));
  let state = reshapeNode(first, [batch, left, 1, ...first.shape.slice(2)]);
  for (let stage = 1; stage <= last; stage++) {
    const f = factors[stage]!;
    const [, , before, , digit] = state.shape as readonly number[];
    const z = turned(state, twiddles(left * factors[stage - 1]!, factors[stage - 1]!, sign, dtype));
    left /= f;
    const known = before! * digit!;
    const product = b.dotGeneral(
      b.reshape(z, { shape: [batch, f, left, before!, 2, digit!] }),
      dftMatrix(f, sign, [f, 'both'], results(stage), dtype),
      { lhsContract: [1, 4], rhsContract: [0, 1], lhsBatch: [], rhsBatch: [] },
    );
    state = reshapeNode(product, [batch, left, known, ...product.shape.slice(4)]);
  }
  const [, , , parts, digits] = state.shape as readonly number[];
  const order = [batch, ...factors.slice(0, last), parts!, digits!];
  const axes = [0, last + 1, last + 2, ...factors.slice(0, last).map((_, i) => last - i)];
  const whole = permuteNode(b.reshape(state, { shape: order }), axes);
  const stackedResult = b.reshape(whole, { shape: [batch, parts!, (digits! * n) / factors[last]!] });
  const pick = (part: number): Node =>
    b.reshape(sliceAlong(sliceAlong(stackedResult, 1, part, part + 1), 2, 0, wanted), { shape: [batch, wanted] });
  return realOnly === true ? [pick(0)] : [pick(0), pick(1)];
};

/** The product with a complex vector along the last axis. */
const timesVector = ([x, y]: Signal, [c, s]: readonly [Node, Node]): Signal => {
  const [p, q] = [broadcastNode(c, x.shape), broadcastNode(s, x.shape)];
  if (y === undefined) return [b.mul(x, p), b.mul(x, q)];
  return [b.sub(b.mul(x, p), b.mul(y, q)), b.add(b.mul(x, q), b.mul(y, p))];
};

/** Bluestein's: with jk = (j² + k² − (k − j)²) / 2 the transform is a convolution with a chirp. */
const byChirps = (signal: Signal, { n, sign, wanted, realOnly }: Transform): Signal => {
  const dtype = signal[0].dtype as FloatDType;
  const given = signal[0].shape[1]!;
  let m = 1;
  while (m < given + wanted - 1) m *= 2;
  const spectrum = dft(timesVector(signal, chirp(n, sign, given, dtype)), { n: m, sign: -1, wanted: m });
  const product = timesVector(spectrum, chirpSpectrum(n, sign, m, [given - 1, wanted], dtype));
  const convolved = dft(product, { n: m, sign: 1, wanted });
  const result = timesVector(convolved, chirp(n, sign, wanted, dtype));
  return realOnly === true ? [result[0]] : result;
};

/** Σⱼ xⱼ · exp(2πi · sign · jk / n), where x, of up to n elements, is followed by zeros. */
export const dft = (signal: Signal, transform: Transform): Signal => {
  const [batch, given] = signal[0].shape as readonly [number, number];
  if (batch === 0 || given === 0) {
    const zeros = full(b, { shape: [batch, transform.wanted], dtype: signal[0].dtype }, 0);
    return transform.realOnly === true ? [zeros] : [zeros, zeros];
  }
  const factors = factorsOf(transform.n);
  return factors === undefined ? byChirps(signal, transform) : byFactors(signal, factors, transform);
};
