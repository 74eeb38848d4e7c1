/**
 * Keys: randomness as a value. A key is split or folded, never advanced in secret, and an element of a draw
 * depends on the key and its own flat index alone, so the same key gives the same bits on every backend and
 * a shorter draw is a prefix of a longer one.
 *
 * The generator is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
 * easy as 1, 2, 3", SC'11). Drawing from a key and splitting it too is a mistake: the draws would be correlated.
 */
import { b } from '../tensor/build.js';
import { ArgumentError, DTypeError } from '../tensor/errors.js';
import type { Node } from '../tensor/graph.js';
import { broadcastNode, castNode, dtypeOfWeak, isWeakNumber } from '../tensor/ops/common/operands.js';
import { checkOptions } from '../tensor/ops/common/options.js';
import { scalar } from '../tensor/primitives/full.js';
import { checkArgument, checkInteger, type Shape, showAval, sizeOf } from '../tensor/shape.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor/tensor.js';

declare const keyBrand: unique symbol;

/** A random key: a uint32 tensor of shape [2]. */
export type Key = Tensor<readonly [2], 'uint32'> & { readonly [keyBrand]: true };

/**
 * Which counter belongs to which element. `index`: the flat index as a 64-bit counter, both output words xor-ed
 * into one. `original`: JAX's first layout, which pairs element i with element i + n/2 (and so has no prefixes).
 */
export type Layout = 'index' | 'original';

/** @internal The layout that options name. */
export const layoutOf = (operation: string, options: LayoutOptions): Layout => {
  checkOptions(operation, ['layout'], options);
  const { layout = 'index' } = options;
  checkArgument(
    layout === 'index' || layout === 'original',
    operation,
    `the layout ${String(layout)}`,
    "the layouts are 'index' and 'original'",
    'Leave it out, unless the bits must be those of JAX.',
  );
  return layout;
};

const rounds = 20;

/** @internal The node of a key, checked. */
export const keyNode = (operation: string, key: unknown): Node => {
  if (isTensor(key) && key.dtype === 'uint32' && key.shape.length === 1 && key.shape[0] === 2) return nodeOf(key);
  throw new ArgumentError({
    operation,
    given: isTensor(key) ? `a tensor ${showAval(key)} as the key` : `${typeof key} ${String(key)} as the key`,
    rule: 'a key is a uint32 tensor of shape [2]',
    hint: 'Make one with key(seed), and more with split(key, n).',
  });
};

export const asKey = (node: Node): Key => wrap<readonly [2], 'uint32'>(node) as Key;

/** @internal One word of the cipher at the counters (0, index), for a flat index of any shape. */
const wordsAt = (key: Node, counter0: Node, counter1: Node, word: 0 | 1 | 'xor'): Node => {
  const half = (i: number): Node =>
    broadcastNode(b.reshape(b.slice(key, { start: [i], stop: [i + 1], step: [1] }), { shape: [] }), counter1.shape);
  return b.threefry2x32(half(0), half(1), broadcastNode(counter0, counter1.shape), counter1, { rounds, word });
};

const zero = (): Node => scalar(b, 0, 'uint32');

/** @internal 0, 1, 2, … as uint32. */
const flatIndex = (shape: Shape): Node =>
  b.reshape(b.iota({ shape: [sizeOf(shape)], dtype: 'uint32', axis: 0 }), { shape });

/** @internal The words of a draw of this shape. */
export const drawWords = (key: Node, shape: Shape, word: 0 | 1 | 'xor'): Node =>
  b.reshape(wordsAt(key, zero(), flatIndex([sizeOf(shape)]), word), { shape });

/** @internal JAX's first layout: the counters 0 … n−1 in two halves, one for each counter word. */
export const originalWords = (key: Node, shape: Shape): Node => {
  const size = sizeOf(shape);
  const half = Math.ceil(size / 2);
  const first = flatIndex([half]);
  // An odd count is filled up with the counter 0.
  const second = b.pad(b.slice(flatIndex([size]), { start: [half], stop: [size], step: [1] }), {
    low: [0],
    high: [2 * half - size],
    interior: [0],
  });
  const words = b.concat([wordsAt(key, first, second, 0), wordsAt(key, first, second, 1)], { axis: 0 });
  return b.reshape(b.slice(words, { start: [0], stop: [size], step: [1] }), { shape });
};

/**
 * A key from a seed, as JAX's PRNGKey: the seed's high and low 32 bits.
 *
 * @param seed an integer from 0 to 2⁵³ − 1
 * @throws IndexError for another number
 * @example
 * ```js
 * import { key } from 'tenfold/random';
 * key(42).toArray(); // => [0, 42]
 * ```
 */
export const key = (seed: number): Key => {
  checkInteger('key', 'the seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const high = b.reshape(scalar(b, Math.floor(seed / 2 ** 32), 'uint32'), { shape: [1] });
  const low = b.reshape(scalar(b, seed >>> 0, 'uint32'), { shape: [1] });
  return asKey(b.concat([high, low], { axis: 0 }));
};

/** n keys as one [n, 2] node. */
const splitNode = (key: Node, count: number, layout: Layout): Node => {
  if (layout === 'original') return originalWords(key, [count, 2]);
  const index = flatIndex([count]);
  const column = (word: 0 | 1): Node => b.reshape(wordsAt(key, zero(), index, word), { shape: [count, 1] });
  return b.concat([column(0), column(1)], { axis: 1 });
};

/** Options of the functions that can follow JAX's first layout. */
export interface LayoutOptions {
  /** Default `index`. */
  readonly layout?: Layout;
}

/**
 * Independent keys from one. `split(key, n)[i]` equals `foldIn(key, i)`, whatever n.
 *
 * @param count how many, default 2
 * @returns a frozen array of keys
 * @throws ArgumentError when `key` is no key or there is no such layout, IndexError when `count` is no positive integer
 * @example
 * ```js
 * import { key, split } from 'tenfold/random';
 * const [a, b] = split(key(0));
 * a.shape; // => [2]
 * ```
 */
export const split = (key: Key, count = 2, options: LayoutOptions = {}): readonly Key[] => {
  const node = keyNode('split', key);
  const layout = layoutOf('split', options);
  checkInteger('split', 'the count', count, 1, 2 ** 31 - 1);
  const all = splitNode(node, count, layout);
  return Object.freeze(
    Array.from({ length: count }, (_, i) =>
      asKey(b.reshape(b.slice(all, { start: [i, 0], stop: [i + 1, 2], step: [1, 1] }), { shape: [2] })),
    ),
  );
};

/**
 * As {@link split}, the keys stacked into one tensor: for `vmap` and `fold`, which hand them out row by row.
 *
 * @returns uint32 of shape [count, 2]
 * @throws as {@link split}
 * @example
 * ```js
 * import { vmap } from 'tenfold';
 * import { key, splitStack, uniform } from 'tenfold/random';
 * vmap(k => uniform(k, [3]))(splitStack(key(0), 5)).shape; // => [5, 3]
 * ```
 */
export const splitStack = <const N extends number>(
  key: Key,
  count: N,
  options: LayoutOptions = {},
): Tensor<readonly [N, 2], 'uint32'> => {
  const node = keyNode('splitStack', key);
  const layout = layoutOf('splitStack', options);
  checkInteger('splitStack', 'the count', count, 1, 2 ** 31 - 1);
  return wrap(splitNode(node, count, layout));
};

/**
 * The key of a numbered place: a step, a sample, a layer. Different numbers give independent keys.
 *
 * @param data an integer from 0 to 2³² − 1, or an int32 or uint32 scalar tensor
 * @throws ArgumentError when `key` is no key, IndexError or DTypeError when `data` is no such integer
 * @example
 * ```js
 * import { foldIn, key } from 'tenfold/random';
 * foldIn(key(0), 4).toArray(); // => [0x883ffec1, 0x19dbc576]
 * ```
 */
export const foldIn = (key: Key, data: number | Tensor): Key => {
  const node = keyNode('foldIn', key);
  const place = b.reshape(placeNode(data), { shape: [1] });
  const word = (which: 0 | 1): Node => wordsAt(node, zero(), place, which);
  return asKey(b.concat([word(0), word(1)], { axis: 0 }));
};

const placeNode = (data: number | Tensor): Node => {
  if (typeof data === 'number') {
    checkInteger('foldIn', 'the number', data, 0, 2 ** 32 - 1);
    return scalar(b, data, 'uint32');
  }
  if (isWeakNumber(data)) return castNode(nodeOf(data), dtypeOfWeak('foldIn', data, 'uint32'));
  if (isTensor(data) && data.shape.length === 0 && (data.dtype === 'int32' || data.dtype === 'uint32')) {
    return castNode(nodeOf(data), 'uint32');
  }
  throw new DTypeError({
    operation: 'foldIn',
    given: isTensor(data) ? showAval(data) : typeof data,
    rule: 'the place is a non-negative integer, or an int32 or uint32 scalar',
    hint: 'Use vmap to fold in many places at once.',
  });
};
