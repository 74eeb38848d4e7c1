/** Loops as values: fold, scan, forLoop, whileLoop. The loop is one node; nothing is unrolled. */

import { sameForm } from '../../tree/tree.js';
import { b } from '../build.js';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../errors.js';
import { DynamicNumber, type Node } from '../graph.js';
import { kindOf } from '../ops/common/checks.js';
import { checkSetting, isWeakNumber } from '../ops/common/operands.js';
import { add } from '../ops/elementwise/arithmetic.js';
import { less } from '../ops/elementwise/comparison.js';
import { checkCarries } from '../primitives/loops.js';
import { results } from '../primitives/results.js';
import { type Aval, checkArgument, showAval } from '../shape.js';
import { isTensor, nodeOf, type Tensor, wrap } from '../tensor.js';
import { checkFunction, type Leaves, leavesOf, refusePromise } from './arguments.js';
import { checkPredicate } from './branches.js';
import { loopResults } from './hoisting.js';
import { trace } from './trace.js';

const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

interface Sequences {
  readonly length: number;
  readonly nodes: readonly Node[];
  readonly element: (slices: readonly Node[]) => unknown;
}

/** @internal What a loop runs over: a tree of tensors with one first axis, or a number of steps (then each gets its index). */
export const sequencesOf = (operation: string, xs: unknown): Sequences => {
  if (typeof xs === 'number') {
    if (!Number.isSafeInteger(xs) || xs < 0) {
      throw new ArgumentError({
        operation,
        given: `${xs} steps`,
        rule: 'the number of steps is a non-negative integer',
        hint: 'Round it, or pass a tensor to run over its first axis.',
      });
    }
    const index = b.iota({ shape: [xs], dtype: 'int32', axis: 0 });
    return { length: xs, nodes: [index], element: ([i]) => wrap(i!) };
  }
  if (isWeakNumber(xs)) checkSetting(operation, 'the number of steps', xs);
  const leaves = leavesOf(operation, xs);
  const lengths = leaves.nodes.map(node => node.shape[0]);
  if (lengths.length === 0 || lengths[0] === undefined || lengths.some(length => length !== lengths[0])) {
    throw new ShapeError({
      operation,
      given: lengths.length === 0 ? 'no sequence' : leaves.nodes.map(showAval).join(' and '),
      rule: 'the sequences must have a first axis of one length',
      hint: 'Pass a number of steps to run without sequences.',
    });
  }
  return { length: lengths[0], nodes: leaves.nodes, element: leaves.rebuild };
};

/** Options of {@link fold} and {@link scan}. */
export interface FoldOptions {
  /** Run over the sequences from the last element to the first. */
  readonly reverse?: boolean;
  /**
   * How many segments the steps are cut into on the way back of a derivative; `'sqrt'` for ⌈√T⌉ of them. Without, the
   * carries of all T steps are kept. With k, only those at the k starts are, and each segment is run once more before its
   * way back: k + T/k carries for one more run of the loop, and the same bits. A list cuts segments into segments:
   * `[10, 10]` keeps 30 carries of 1000 steps.
   */
  readonly segments?: number | 'sqrt' | readonly number[] | undefined;
}

const segmentsOf = (operation: string, { segments }: FoldOptions, length: number): readonly number[] | null => {
  if (segments === undefined) return null;
  checkSetting(operation, 'segments', segments);
  if (segments === 'sqrt') return [Math.max(1, Math.ceil(Math.sqrt(length)))];
  const levels = typeof segments === 'number' ? [segments] : segments;
  if (Array.isArray(levels)) {
    const wrong = levels.find(count => !Number.isSafeInteger(count) || count < 1);
    if (wrong === undefined) return [...levels];
  }
  throw new (typeof segments === 'number' ? IndexError : ArgumentError)({
    operation,
    given: `segments: ${String(segments)}`,
    rule: "it is a positive integer, a list of such, or 'sqrt'",
    hint: "Take 'sqrt' for the least memory with one level of segments.",
  });
};

/** @internal Traces a step, runs the loop. */
export const loop = (
  operation: string,
  step: (carry: unknown, x: unknown) => readonly [unknown, unknown],
  init: unknown,
  xs: unknown,
  options: FoldOptions,
): readonly [unknown, unknown] => {
  const { reverse = false } = options;
  checkSetting(operation, 'reverse', reverse);
  const first = leavesOf(operation, init);
  const sequences = sequencesOf(operation, xs);
  const segments = segmentsOf(operation, options, sequences.length);
  let ys: Leaves | undefined;
  const elements = sequences.nodes.map(({ shape, dtype }) => ({ shape: shape.slice(1), dtype }));
  const traced = trace(operation, [...first.nodes.map(avalOf), ...elements], parameters => {
    const carry = first.rebuild(parameters.slice(0, first.nodes.length));
    const [next, y] = step(carry, sequences.element(parameters.slice(first.nodes.length)));
    const after = leavesOf(operation, next);
    sameForm(operation, first.flat, after.flat);
    checkCarries(operation, first.nodes, after.nodes);
    ys = leavesOf(operation, y);
    return [...after.nodes, ...ys.nodes];
  });
  const carries = first.nodes.length;
  const { length } = sequences;
  const body = { ...traced, first: first.nodes, sequences: sequences.nodes, length };
  const outputs = loopResults(body, { reverse, segments });
  return [first.rebuild(outputs.slice(0, carries)), ys!.rebuild(outputs.slice(carries))];
};

/**
 * The loop as a value: `carry = step(carry, x)` for every x along the first axis of `xs`.
 *
 * `step` is called once, on placeholders: the loop is one node of the graph, however long it is.
 *
 * @param step takes the carry (a tree of tensors) and one element of `xs`, returns the next carry of the same form
 * @returns a function of the first carry and `xs`: a tree of tensors with one first axis, or a number of steps,
 *   when each step gets its index as an int32 scalar
 * @throws ShapeError when the step changes the carry's shape or dtype, or sequences differ in length
 * @example
 * ```js
 * import { add, fold, mul, tensor } from 'tenfold';
 * fold((total, x) => add(total, x))(tensor(0), tensor([1, 2, 3])).item(); // => 6
 * fold(x => mul(x, 2))(tensor(1), 10).item(); // => 1024
 * ```
 */
export const fold =
  <C = Tensor, X = Tensor>(step: (carry: C, x: X) => C, options: FoldOptions = {}) =>
  (init: C, xs: X | number): C => {
    checkFunction('fold', step);
    const [carry] = loop('fold', (c, x) => [step(c as C, x as X), null], init, xs, options);
    return carry as C;
  };

/**
 * As {@link fold}, with a result for every step: `[carry, y] = step(carry, x)`; the ys come back stacked along a
 * new first axis.
 *
 * @returns a function of the first carry and `xs`, giving `[last carry, stacked ys]`
 * @throws ShapeError when the step changes the carry's shape or dtype, or sequences differ in length
 * @example
 * ```js
 * import { add, scan, tensor } from 'tenfold';
 * const [total, sums] = scan((t, x) => [add(t, x), add(t, x)])(tensor(0), tensor([1, 2, 3]));
 * sums.toArray(); // => [1, 3, 6]
 * ```
 */
export const scan =
  <C = Tensor, Y = Tensor, X = Tensor>(step: (carry: C, x: X) => readonly [C, Y], options: FoldOptions = {}) =>
  (init: C, xs: X | number): readonly [carry: C, ys: Y] => {
    checkFunction('scan', step);
    const result = loop('scan', (c, x) => pairOf(step(c as C, x as X)), init, xs, options);
    return Object.freeze(result) as readonly [C, Y];
  };

/** What a step of {@link scan} gives. */
const pairOf = <P>(result: P): P => {
  refusePromise('scan', result);
  checkArgument(
    Array.isArray(result) && result.length === 2,
    'scan',
    `a step that returns ${kindOf(result)}`,
    'a step returns the next carry and what it leaves behind',
    'Write (carry, x) => [next, y], with null for y where there is none.',
  );
  return result;
};

/** A loop that goes on as long as a test holds. */
const loopWhile = (
  operation: string,
  test: (carry: unknown) => Tensor,
  step: (carry: unknown) => unknown,
  init: unknown,
): unknown => {
  const first = leavesOf(operation, init);
  const avals = first.nodes.map(avalOf);
  const tested = trace(operation, avals, parameters => [
    checkPredicate(operation, leavesOf(operation, test(first.rebuild(parameters)))),
  ]);
  const stepped = trace(operation, avals, parameters => {
    const after = leavesOf(operation, step(first.rebuild(parameters)));
    sameForm(operation, first.flat, after.flat);
    checkCarries(operation, first.nodes, after.nodes);
    return after.nodes;
  });
  const node = b.while([...tested.captures, ...stepped.captures, ...first.nodes], {
    test: tested.graph,
    body: stepped.graph,
    testCaptures: tested.captures.length,
    bodyCaptures: stepped.captures.length,
  });
  return first.rebuild(results(b, node));
};

/**
 * `carry = step(carry)` as long as `test(carry)` holds. Has forward derivatives, no reverse ones: the number of
 * steps is not known beforehand.
 *
 * @param test gives a bool scalar
 * @param step returns a carry of the same form
 * @throws DTypeError when the test gives no bool scalar
 * @throws ShapeError when the step changes the carry's shape or dtype
 * @example
 * ```js
 * import { less, mul, tensor, whileLoop } from 'tenfold';
 * whileLoop(x => less(x, 100), x => mul(x, 2))(tensor(3)).item(); // => 192
 * ```
 */
export const whileLoop =
  <C = Tensor>(test: (carry: C) => Tensor, step: (carry: C) => C) =>
  (init: C): C => {
    checkFunction('whileLoop', test);
    checkFunction('whileLoop', step);
    return loopWhile(
      'whileLoop',
      carry => test(carry as C),
      carry => step(carry as C),
      init,
    ) as C;
  };

/** Options of {@link forLoop}. */
export type ForLoopOptions = Pick<FoldOptions, 'segments'>;

/**
 * `carry = step(carry, i)` for i = 0, 1, …, n − 1.
 *
 * With a number it is {@link fold} over the indices. The count may also be computed: an int32 scalar. Then the program is
 * the same for every count, none is negative (it runs no step), and there are forward derivatives only.
 *
 * @param n how many steps
 * @param step takes the carry (a tree of tensors) and the index, an int32 scalar; returns the next carry of the same form
 * @returns a function of the first carry
 * @throws ArgumentError when the number is no non-negative integer, or segments are asked for with a computed count
 * @throws DTypeError when a computed count is no int32 scalar
 * @throws ShapeError when the step changes the carry's shape or dtype
 * @example
 * ```js
 * import { add, forLoop, mul, tensor } from 'tenfold';
 * forLoop(4, (sum, i) => add(sum, i))(tensor(0, { dtype: 'int32' })).item(); // => 6
 * forLoop(tensor(3, { dtype: 'int32' }), x => mul(x, 2))(tensor(1)).item(); // => 8
 * ```
 */
export const forLoop =
  <C = Tensor>(n: number | Tensor, step: (carry: C, i: Tensor) => C, options: ForLoopOptions = {}) =>
  (init: C): C => {
    checkFunction('forLoop', step);
    if (!isTensor(n) || isWeakNumber(n)) {
      const [carry] = loop('forLoop', (c, i) => [step(c as C, i as Tensor), null], init, n, options);
      return carry as C;
    }
    const count = nodeOf(n);
    if (count.dtype !== 'int32' || count.shape.length > 0) {
      throw new DTypeError({
        operation: 'forLoop',
        given: `the count ${showAval(count)}`,
        rule: 'a count that is computed is an int32 scalar',
        hint: "Reduce it to one element and cast(n, 'int32').",
      });
    }
    if (options.segments !== undefined) {
      throw new ArgumentError({
        operation: 'forLoop',
        given: `segments: ${String(options.segments)} and a count that is computed`,
        rule: 'only a loop of a length that is known has a way back, and segments on it',
        hint: 'Give the count as a number, or leave segments out.',
      });
    }
    const next = ({ i, carry }: Counted<C>): Counted<C> => ({ i: add(i, 1) as Tensor, carry: step(carry, i) });
    const start = { i: wrap(b.constant({ value: new DynamicNumber(0), dtype: 'int32' })), carry: init };
    const end = loopWhile(
      'forLoop',
      at => less((at as Counted<C>).i, n),
      at => next(at as Counted<C>),
      start,
    );
    return (end as Counted<C>).carry;
  };

interface Counted<C> {
  readonly i: Tensor;
  readonly carry: C;
}
