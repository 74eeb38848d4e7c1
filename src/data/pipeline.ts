/** From tensors to what a training loop goes through: shuffled, in batches, mapped, prepared ahead of time. */
import type { Key } from '../random/key.js';
import { keyNode } from '../random/key.js';
import { ShapeError, TraceError } from '../tensor/errors.js';
import { traceOf } from '../tensor/graph.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { checkSetting } from '../tensor/ops/common/operands.js';
import { checkFlag, checkOptions } from '../tensor/ops/common/options.js';
import { take as takeRows } from '../tensor/ops/indexing/indexing.js';
import { stack } from '../tensor/ops/movement/joining.js';
import { squeeze } from '../tensor/ops/movement/movement.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import { checkArgument, checkInteger, range, sameAval, showAval } from '../tensor/shape.js';
import type { Ok } from '../tensor/shape-types.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { realize } from '../tensor/transform/realize.js';
import { flattenFor, sameForm, showPath, tensorsOf } from '../tree/tree.js';
import { type Dataset, datasetOf, isDataset, type Plan, planFor, type Rows, type Signal } from './dataset.js';
import { mostEpochs, ordersOf } from './order.js';
import type { Batched, CommonLength, Row } from './row-types.js';

/** `f(dataset, …)` and `pipe(dataset, f(…))`; what follows the data set is checked before there is one. */
const dualOf = <F>(
  operation: string,
  check: (...args: never[]) => void,
  f: (plan: Plan<unknown>, ...args: never[]) => Dataset<unknown>,
): F =>
  ((...args: never[]) => {
    const [first, ...rest] = args;
    if (isDataset(first)) {
      check(...rest);
      return f(planFor(operation, first), ...rest);
    }
    check(...args);
    return (dataset: unknown) => f(planFor(operation, dataset), ...args);
  }) as F;

/** The rows at places `start` up to but not including `stop` of an epoch. */
const rowsAt = ({ tensors, order }: Rows, epoch: number, start: number, stop: number): readonly Tensor[] => {
  if (order === undefined) return tensors.map(x => slice(x, [start], [stop]) as Tensor);
  const places = slice(order(epoch), [start], [stop]) as Tensor<readonly number[], 'int32'>;
  return tensors.map(x => takeRows(x, places) as Tensor);
};

const rowAt = (rows: Rows, epoch: number, index: number): unknown =>
  rows.flat.unflatten(rowsAt(rows, epoch, index, index + 1).map(x => squeeze(x, 0)));

/**
 * A data set of the rows of tensors: of images and their labels, say. One epoch, in the order of the rows.
 *
 * @param arrays a tree of tensors, whose first axes have one length: the number of examples
 * @returns a data set whose elements are trees of the same form without the first axis
 * @throws TreeError when a leaf is no tensor, ShapeError when the first axes differ or are empty or there is none,
 *   ArgumentError for a tree without tensors
 * @example
 * ```js
 * import { tensor } from 'tenfold';
 * import { batch, fromArrays } from 'tenfold/data';
 * const points = fromArrays({ x: tensor([[1, 2], [3, 4], [5, 6]]), y: tensor([0, 1, 0]) });
 * points.length; // => 3
 * (await points.at(1)).x.toArray(); // => [3, 4]
 * const seen = [];
 * for await (const { y } of batch(points, 2)) seen.push(y.toArray());
 * seen; // => [[0, 1], [0]]
 * ```
 */
export const fromArrays = <T>(arrays: T & Ok<CommonLength<T>>): Dataset<Row<T>> => {
  const operation = 'fromArrays';
  const flat = flattenFor(operation, arrays);
  const tensors = tensorsOf(operation, flat);
  checkArgument(
    tensors.length > 0,
    operation,
    'a tree without tensors',
    'examples are rows of tensors',
    'Write fromArrays({ x, y }).',
  );
  const length = tensors[0]!.shape[0];
  const odd = tensors.findIndex(({ shape }) => shape.length === 0 || shape[0] === 0 || shape[0] !== length);
  if (odd >= 0) {
    const others = odd === 0 ? '' : ` beside ${showAval(tensors[0]!)} at ${showPath(flat.paths[0]!)}`;
    throw new ShapeError({
      operation,
      given: `${showAval(tensors[odd]!)} at ${showPath(flat.paths[odd]!)}${others}`,
      rule: 'the first axes of all tensors have one length, the number of examples, and it is not 0',
      hint: 'Give every tensor a row for each of the examples.',
    });
  }
  const rows: Rows = { flat, tensors };
  return datasetOf<Row<T>>({
    length: length!,
    epochs: 1,
    ahead: 0,
    rows,
    element: (_, index) => rowAt(rows, 0, index) as Row<T>,
  });
};

/** The signatures of {@link shuffle}. */
export interface Shuffle {
  <T>(dataset: Dataset<T>, key: Key): Dataset<T>;
  (key: Key): <T>(dataset: Dataset<T>) => Dataset<T>;
}

/**
 * The elements of every epoch in an order of its own, which depends on the key and the number of the epoch alone: that of
 * `permutation(foldIn(key, epoch), length)`, as in `shuffledIndices`.
 *
 * Shuffle before `batch`; after it whole batches change places.
 *
 * @throws ArgumentError when `key` is no key or it is applied to something else than a data set; TraceError for the key
 *   of a function that is being traced
 * @example
 * ```js
 * import { arange, sort } from 'tenfold';
 * import { batch, fromArrays, shuffle } from 'tenfold/data';
 * import { key } from 'tenfold/random';
 * const all = batch(shuffle(fromArrays(arange(4)), key(0)), 4);
 * sort(await all.at(0)).toArray(); // => [0, 1, 2, 3]
 * ```
 */
export const shuffle: Shuffle = dualOf(
  'shuffle',
  (key: Key) => {
    if (traceOf(keyNode('shuffle', key)) === undefined) return;
    throw new TraceError({
      operation: 'shuffle',
      given: 'the key of a function that is being traced',
      rule: 'a data set has an order before it is iterated',
      hint: 'Use shuffledIndices inside of such a function.',
    });
  },
  (plan, key: Key) => {
    const orders = ordersOf('shuffle', key, plan.length);
    const { rows } = plan;
    if (rows !== undefined) {
      const { order } = rows;
      const shuffled: Rows = {
        ...rows,
        order:
          order === undefined ? orders : epoch => takeRows(order(epoch), orders(epoch) as Tensor<[number], 'int32'>),
      };
      return datasetOf({ ...plan, rows: shuffled, element: (epoch, index) => rowAt(shuffled, epoch, index) });
    }
    let last: { readonly epoch: number; readonly places: Promise<ArrayLike<number>> } | undefined;
    return datasetOf({
      ...plan,
      element: async (epoch, index, signal) => {
        if (last?.epoch !== epoch) last = { epoch, places: orders(epoch).data() };
        return plan.element(epoch, (await last.places)[index]!, signal);
      },
    });
  },
);

/** Options of {@link batch}. */
export interface BatchOptions<L extends boolean = boolean> {
  /** Leaves out what does not fill a batch at the end of an epoch (false). */
  readonly dropLast?: L;
}

/** The signatures of {@link batch}. */
export interface Batch {
  <T, const N extends number, const L extends boolean = false>(
    dataset: Dataset<T>,
    size: N,
    options?: BatchOptions<L>,
  ): Dataset<Batched<T, L extends true ? N : number>>;
  <const N extends number, const L extends boolean = false>(
    size: N,
    options?: BatchOptions<L>,
  ): <T>(dataset: Dataset<T>) => Dataset<Batched<T, L extends true ? N : number>>;
}

/** Elements as one: their leaves stacked. */
const stacked = (elements: readonly unknown[]): unknown => {
  const flats = elements.map(each => flattenFor('batch', each));
  const [first, ...others] = flats;
  for (const other of others) sameForm('batch', first!, other);
  const leaves = flats.map(flat => tensorsOf('batch', flat));
  return first!.unflatten(
    leaves[0]!.map((x, i) => {
      const odd = leaves.find(each => !sameAval(each[i]!, x));
      if (odd === undefined) return stack(leaves.map(each => each[i]!));
      throw new ShapeError({
        operation: 'batch',
        given: `${showAval(x)} and ${showAval(odd[i]!)} at ${showPath(first!.paths[i]!)}`,
        rule: 'the elements of a batch have one shape and dtype',
        hint: 'Pad or crop them in map, before batch.',
      });
    }),
  );
};

/**
 * Elements by the batch: trees of the same form, with the batch as the first axis. No batch has elements of two epochs;
 * the last one of an epoch may be smaller.
 *
 * @param size how many elements make a batch
 * @param options `dropLast` (false) leaves a smaller one out
 * @throws IndexError for a size that is none, or with `dropLast` one beyond the elements; ArgumentError for an unknown
 *   option or what is no data set; where the elements are no rows of tensors also, when it is iterated, TreeError or
 *   ShapeError for elements that differ in form, shape or dtype
 * @example
 * ```js
 * import { zeros } from 'tenfold';
 * import { batch, fromArrays } from 'tenfold/data';
 * const images = fromArrays(zeros([10, 8, 8]));
 * batch(images, 4).length; // => 3
 * batch(images, 4, { dropLast: true }).length; // => 2
 * (await batch(images, 4).at(2)).shape; // => [2, 8, 8]
 * ```
 */
export const batch: Batch = dualOf(
  'batch',
  (size: number, options?: BatchOptions) => {
    checkSetting('batch', 'the batch size', size);
    checkInteger('batch', 'the batch size', size, 1, 2 ** 31 - 1);
    checkOptions('batch', ['dropLast'], options);
    checkFlag('batch', 'dropLast', options?.dropLast);
  },
  ({ rows, ...plan }, size: number, { dropLast = false }: BatchOptions = {}) => {
    if (dropLast) checkInteger('batch', 'the batch size', size, 1, plan.length);
    return datasetOf({
      ...plan,
      length: dropLast ? Math.floor(plan.length / size) : Math.ceil(plan.length / size),
      element: async (epoch, index, signal) => {
        const start = index * size;
        const stop = Math.min(start + size, plan.length);
        if (rows !== undefined) return rows.flat.unflatten(rowsAt(rows, epoch, start, stop));
        return stacked(await Promise.all(range(stop - start).map(i => plan.element(epoch, start + i, signal))));
      },
    });
  },
);

/** What the function of {@link map} is told of an element. */
export interface MapContext {
  /** Its number, counted through all epochs: `foldIn(key, step)` is a key for it. */
  readonly step: number;
  /** Aborted when the loop is left, or its signal aborted, before the element is there. */
  readonly signal: Signal;
}

/** The signatures of {@link map}. */
export interface MapDataset {
  <T, B>(dataset: Dataset<T>, f: (element: T, context: MapContext) => B | Promise<B>): Dataset<B>;
  <T, B>(f: (element: T, context: MapContext) => B | Promise<B>): (dataset: Dataset<T>) => Dataset<B>;
}

/**
 * The data set of `f` of every element; a function that gives a promise is waited for. To stay resumable, what it gives
 * must depend on its arguments alone: draw random numbers from `foldIn(key, step)`.
 *
 * @param f called with the element and its `{ step, signal }`
 * @throws ArgumentError when `f` is no function or it is applied to something else than a data set
 * @example
 * ```js
 * import { arange, mul } from 'tenfold';
 * import { batch, fromArrays, map } from 'tenfold/data';
 * const doubled = map(batch(fromArrays(arange(4)), 2), x => mul(x, 2));
 * (await doubled.at(1)).toArray(); // => [4, 6]
 * ```
 */
export const map: MapDataset = dualOf(
  'map',
  (f: unknown) =>
    checkArgument(
      typeof f === 'function',
      'map',
      kindOf(f),
      'a function of elements belongs there',
      'Write map(dataset, x => …).',
    ),
  ({ rows: _, ...plan }, f: (element: unknown, context: MapContext) => unknown) =>
    datasetOf({
      ...plan,
      element: async (epoch, index, signal) => {
        const element = await plan.element(epoch, index, signal);
        signal.throwIfAborted();
        return f(element, Object.freeze({ step: epoch * plan.length + index, signal }));
      },
    }),
);

/** A function of a data set and a count, which come in either order. */
export interface Counted {
  <T>(dataset: Dataset<T>, count: number): Dataset<T>;
  (count: number): <T>(dataset: Dataset<T>) => Dataset<T>;
}

const checkCount = (operation: string, what: string, count: unknown, low: number, high: number): void => {
  checkSetting(operation, what, count);
  checkInteger(operation, what, count as number, low, high);
};

/**
 * The first elements, as one epoch. Repeated, that gives the first ones of each epoch, which are others where the epoch was
 * shuffled before; what was taken from several epochs is followed by as many from those after them.
 *
 * @param count how many; of fewer elements it takes all
 * @throws IndexError for a count that is none, ArgumentError for what is no data set
 * @example
 * ```js
 * import { arange } from 'tenfold';
 * import { batch, fromArrays, take } from 'tenfold/data';
 * const few = take(batch(fromArrays(arange(6)), 2), 2);
 * few.steps; // => 2
 * (await few.at(1)).toArray(); // => [2, 3]
 * ```
 */
export const take: Counted = dualOf(
  'take',
  (count: number) => checkCount('take', 'the count', count, 1, Number.MAX_SAFE_INTEGER),
  ({ rows, ...plan }, count: number) => {
    const length = Math.min(count, plan.length * plan.epochs);
    if (plan.epochs === 1) return datasetOf({ ...plan, ...(rows && { rows }), length });
    const epochs = Math.ceil(length / plan.length);
    return datasetOf({
      ...plan,
      length,
      epochs: 1,
      element: (epoch, index, signal) =>
        plan.element(epoch * epochs + Math.floor(index / plan.length), index % plan.length, signal),
    });
  },
);

/** The signatures of {@link repeat}. */
export interface Repeat {
  <T>(dataset: Dataset<T>, epochs?: number): Dataset<T>;
  (epochs?: number): <T>(dataset: Dataset<T>) => Dataset<T>;
}

/**
 * So many epochs, each shuffled anew where the data set is shuffled; without a count there is no end.
 *
 * @param epochs 1 to 2³²; Infinity by default
 * @throws IndexError for a count that is none, ArgumentError for what is no data set
 * @example
 * ```js
 * import { arange } from 'tenfold';
 * import { batch, fromArrays, repeat } from 'tenfold/data';
 * const batches = batch(fromArrays(arange(6)), 2);
 * repeat(batches, 10).steps; // => 30
 * (await repeat(batches).at(301)).toArray(); // => [2, 3]
 * ```
 */
export const repeat: Repeat = dualOf(
  'repeat',
  (epochs: number = Number.POSITIVE_INFINITY) => {
    if (epochs !== Number.POSITIVE_INFINITY) checkCount('repeat', 'the number of epochs', epochs, 1, mostEpochs);
  },
  (plan, epochs: number = Number.POSITIVE_INFINITY) => datasetOf({ ...plan, epochs: plan.epochs * epochs }),
);

/**
 * The same elements, of which so many are begun before a loop asks for them: what `map` waits for (files, decoding,
 * devices) happens beside what the loop does. Tensors of an element are computed when it is prepared.
 *
 * A loop that is left aborts what has been begun and lets go of it.
 *
 * @param count how many elements ahead, 0 to 65536; 0 only computes an element before it is given
 * @throws IndexError for a count that is none, ArgumentError for what is no data set
 * @example
 * ```js
 * import { arange } from 'tenfold';
 * import { batch, fromArrays, prefetch } from 'tenfold/data';
 * const seen = [];
 * for await (const x of prefetch(batch(fromArrays(arange(4)), 2), 1)) seen.push(x.toArray());
 * seen; // => [[0, 1], [2, 3]]
 * ```
 */
export const prefetch: Counted = dualOf(
  'prefetch',
  (count: number) => checkCount('prefetch', 'the count', count, 0, 2 ** 16),
  ({ rows: _, ...plan }, count: number) =>
    datasetOf({
      ...plan,
      ahead: count,
      element: async (epoch, index, signal) => {
        const element = await plan.element(epoch, index, signal);
        signal.throwIfAborted();
        realize(flattenFor('prefetch', element).leaves.filter(isTensor));
        return element;
      },
    }),
);
