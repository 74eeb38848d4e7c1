/** Surrounding a tensor with elements. The dtype stays. */
import { b } from '../../build.js';
import { ArgumentError, IndexError, ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { full } from '../../primitives/full.js';
import { checkArgument, showAval } from '../../shape.js';
import type { Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Pad as Padded } from '../../types/slicing.js';
import { checkHolds, checkList, kindOf } from '../common/checks.js';
import { joined, sliceAlong } from '../common/moving.js';
import { broadcastNode, checkSetting, nodeFor } from '../common/operands.js';
import { dualChecked } from '../common/options.js';

/** Where the elements that {@link pad} adds come from. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** The options of {@link pad}. */
export interface PadOptions {
  /**
   * 'constant' (the default): one value. 'reflect': the axis mirrored at its first and last element, which are not
   * repeated. 'replicate': the first and the last element. 'circular': the axis goes on at its other end.
   */
  readonly mode?: PadMode;
  /** What the new elements are where they are constant; 0 (false) if left out. */
  readonly value?: number | boolean;
}

/** How many elements to add before and after each axis. */
export type Widths = readonly (readonly [before: number, after: number])[];

/** The signatures of {@link pad}. */
export interface Pad {
  <const W extends Widths>(
    widths: W,
    options?: PadOptions,
  ): <X extends Tensor>(x: X & Ok<Padded<X['shape'], W>>) => Tensor<Fit<Padded<X['shape'], W>>, X['dtype']>;
  <X extends Tensor, const W extends Widths>(
    x: X,
    widths: W & Ok<Padded<X['shape'], W>>,
    options?: PadOptions,
  ): Tensor<Fit<Padded<X['shape'], W>>, X['dtype']>;
}

const checkWidths = (x: Node, widths: Widths): void => {
  checkList('pad', 'widths', widths);
  if (widths.length !== x.shape.length || widths.some(pair => !Array.isArray(pair) || pair.length !== 2)) {
    throw new ShapeError({
      operation: 'pad',
      given: `${showAval(x)} and widths ${JSON.stringify(widths)}`,
      rule: `it takes one pair [before, after] for each of the ${x.shape.length} axes`,
      hint: 'Write [0, 0] for an axis that stays as it is.',
    });
  }
  widths.forEach(([before, after], axis) => {
    for (const width of [before, after]) {
      if (Number.isSafeInteger(width) && width >= 0) continue;
      throw new IndexError({
        operation: 'pad',
        given: `${showAval(x)} and the widths ${before} and ${after} on axis ${axis}`,
        rule: 'widths are non-negative integers',
        hint: 'To take elements away, use slice.',
      });
    }
  });
};

const constant = (x: Node, widths: Widths, value: number): Node => {
  const params = {
    low: widths.map(([before]) => before),
    high: widths.map(([, after]) => after),
    interior: widths.map(() => 0),
  };
  const padded = b.pad(x, params);
  if (value === 0) return padded;
  const inside = b.pad(full(b, { shape: x.shape, dtype: 'bool' }, 1), params);
  return b.select(inside, padded, full(b, padded, value));
};

/** What stands before and after an axis: parts of the axis itself, and how wide they can be. */
interface Border {
  readonly widest: (length: number) => number;
  readonly rule: string;
  readonly before: (x: Node, axis: number, width: number, length: number) => Node;
  readonly after: (x: Node, axis: number, width: number, length: number) => Node;
}

const mirrored = (x: Node, axis: number, start: number, stop: number): Node =>
  b.flip(sliceAlong(x, axis, start, stop), { axes: [axis] });

const spread = (x: Node, axis: number, at: number, width: number): Node =>
  broadcastNode(sliceAlong(x, axis, at, at + 1), x.shape.with(axis, width));

const borders: Readonly<Record<Exclude<PadMode, 'constant'>, Border>> = {
  reflect: {
    widest: length => length - 1,
    rule: 'a mirrored axis has one element less to give than its length',
    before: (x, axis, width) => mirrored(x, axis, 1, width + 1),
    after: (x, axis, width, length) => mirrored(x, axis, length - 1 - width, length - 1),
  },
  replicate: {
    widest: length => (length === 0 ? 0 : Number.POSITIVE_INFINITY),
    rule: 'there is no element to repeat',
    before: (x, axis, width) => spread(x, axis, 0, width),
    after: (x, axis, width, length) => spread(x, axis, length - 1, width),
  },
  circular: {
    widest: length => length,
    rule: 'the axis goes round once at most',
    before: (x, axis, width, length) => sliceAlong(x, axis, length - width, length),
    after: (x, axis, width) => sliceAlong(x, axis, 0, width),
  },
};

const bordered = (x: Node, widths: Widths, mode: Exclude<PadMode, 'constant'>): Node => {
  const { widest, rule, before, after } = borders[mode];
  return widths.reduce((y, [low, high], axis) => {
    const length = x.shape[axis]!;
    if (Math.max(low, high) > Math.max(0, widest(length))) {
      throw new ShapeError({
        operation: 'pad',
        given: `${showAval(x)} and the widths ${low} and ${high} on axis ${axis} in the mode '${mode}'`,
        rule,
        hint: length === 0 ? "Use the mode 'constant'." : "Give smaller widths, or use 'constant' or 'replicate'.",
      });
    }
    const parts = [low > 0 ? [before(y, axis, low, length)] : [], y, high > 0 ? [after(y, axis, high, length)] : []];
    return joined(parts.flat(), axis);
  }, x);
};

/**
 * Elements added before and after each axis: all of one value, or taken from the axis itself as the mode says. Axes are
 * padded one after the other, so corners come from what was added before.
 *
 * @param widths a pair `[before, after]` for each axis
 * @returns the same rank; each axis longer by its widths
 * @throws ShapeError unless there is one pair an axis; when a width is more than the axis has to give: its length − 1
 * for 'reflect', its length for 'circular'
 * @throws IndexError when a width is no non-negative integer
 * @throws DTypeError when the dtype does not hold the value
 * @throws ArgumentError for another mode, for a value beside a mode other than 'constant', for an option of another name
 * @numpy np.pad
 * @pytorch torch.nn.functional.pad
 * @example
 * ```js
 * import { pad, tensor } from 'tenfold';
 * pad(tensor([1, 2]), [[1, 2]]).toArray(); // => [0, 1, 2, 0, 0]
 * pad(tensor([[1]]), [[0, 1], [1, 0]], { value: 9 }).toArray(); // => [[9, 1], [9, 9]]
 * pad(tensor([1, 2, 3]), [[2, 1]], { mode: 'reflect' }).toArray(); // => [3, 2, 1, 2, 3, 2]
 * pad(tensor([1, 2, 3]), [[2, 1]], { mode: 'replicate' }).toArray(); // => [1, 1, 1, 2, 3, 3]
 * pad(tensor([1, 2, 3]), [[2, 1]], { mode: 'circular' }).toArray(); // => [2, 3, 1, 2, 3, 1]
 * ```
 */
export const pad: Pad = dualChecked(
  'pad',
  2,
  ['mode', 'value'],
  (x: Tensor, widths: Widths, { mode = 'constant', value }: PadOptions = {}) => {
    const node = nodeFor('pad', x);
    checkSetting('pad', 'value', value);
    checkArgument(
      ['undefined', 'number', 'boolean'].includes(typeof value),
      'pad',
      `${kindOf(value)} as the value`,
      'the value is a number or a boolean',
      'Leave it out for zeros.',
    );
    if (mode !== 'constant' && (!Object.hasOwn(borders, mode) || value !== undefined)) {
      const isKnown = Object.hasOwn(borders, mode);
      throw new ArgumentError({
        operation: 'pad',
        given: isKnown ? `the mode '${mode}' and a value` : `${kindOf(mode)} as the mode`,
        rule: isKnown
          ? 'a value goes with constant elements only'
          : `the modes are constant, ${Object.keys(borders).join(', ')}`,
        hint: isKnown ? 'Leave one of them out.' : "Write { mode: 'reflect' }.",
      });
    }
    checkWidths(node, widths);
    checkHolds('pad', node.dtype, Number(value ?? 0));
    if (widths.every(([before, after]) => before + after === 0)) return wrap(node);
    return wrap(mode === 'constant' ? constant(node, widths, Number(value ?? 0)) : bordered(node, widths, mode));
  },
);
