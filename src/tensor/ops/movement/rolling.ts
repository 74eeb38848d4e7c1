/** The elements in another order along their axes. The dtype stays. */
import { b } from '../../build.js';
import { ShapeError } from '../../errors.js';
import type { Node } from '../../graph.js';
import { checkInteger, normalizeAxes, normalizeAxis, showAval, sizeOf } from '../../shape.js';
import type { Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { Along, Axes } from '../../types/axes.js';
import type { NotAny } from '../../types/known.js';
import type { Rolled } from '../../types/ordering.js';
import { joined, reshapeNode, sliceAlong } from '../common/moving.js';
import { dual, nodeFor } from '../common/operands.js';
import { dualChecked } from '../common/options.js';

/** The signatures of {@link flip}. */
export interface Flip {
  <X extends Tensor, const Axis extends Axes | undefined = undefined>(
    x: X,
    axis?: Axis & Ok<Along<'flip', X['shape'], Axis>>,
  ): Tensor<X['shape'], X['dtype']>;
  <const Axis extends Axes | undefined = undefined>(
    axis?: Axis & NotAny<Axis>,
  ): <X extends Tensor>(x: X & Ok<Along<'flip', X['shape'], Axis>>) => Tensor<X['shape'], X['dtype']>;
}

/**
 * The elements in reverse order along the axis, the axes, or, if none is named, all of them.
 *
 * @returns the shape of `x`
 * @throws AxisError when there is no such axis
 * @numpy np.flip
 * @pytorch torch.flip
 * @example
 * ```js
 * import { flip, tensor } from 'tenfold';
 * flip(tensor([[1, 2], [3, 4]]), 1).toArray(); // => [[2, 1], [4, 3]]
 * flip(tensor([[1, 2], [3, 4]])).toArray(); // => [[4, 3], [2, 1]]
 * ```
 */
export const flip: Flip = dual('tensor', (x: Tensor, axis?: number | readonly number[]) => {
  const node = nodeFor('flip', x);
  const axes = normalizeAxes('flip', axis, node.shape);
  return wrap(axes.length === 0 ? node : b.flip(node, { axes }));
});

/** The options of {@link roll}. */
export interface RollOptions<Axis extends Axes | null = Axes | null> {
  /** One axis or several, negative ones counted from the end; without one the flattened tensor rolls. */
  readonly axis?: Axis;
}

/** The signatures of {@link roll}. */
export interface Roll {
  <const N extends Axes, const Axis extends Axes | null = null>(
    shift: N,
    options?: RollOptions<Axis>,
  ): <X extends Tensor>(x: X & Ok<Rolled<X['shape'], N, Axis>>) => Tensor<X['shape'], X['dtype']>;
  <X extends Tensor, const N extends Axes, const Axis extends Axes | null = null>(
    x: X,
    shift: N & Ok<Rolled<X['shape'], N, Axis>>,
    options?: RollOptions<Axis>,
  ): Tensor<X['shape'], X['dtype']>;
}

const rolled = (x: Node, axis: number, shift: number): Node => {
  const length = x.shape[axis]!;
  const cut = length === 0 ? 0 : (length - (shift % length)) % length;
  return cut === 0 ? x : joined([sliceAlong(x, axis, cut, length), sliceAlong(x, axis, 0, cut)], axis);
};

/**
 * The elements moved `shift` places along an axis; those that leave at the end come in at the start again. Negative
 * shifts move towards the start. With lists, axis by axis; an axis named twice is shifted by the sum.
 *
 * @param shift one for all axes, or one for each
 * @returns the shape of `x`
 * @throws IndexError when a shift is no integer
 * @throws ShapeError when there is another number of shifts than of axes
 * @throws AxisError when there is no such axis
 * @throws ArgumentError for an option of another name
 * @numpy np.roll
 * @pytorch torch.roll
 * @example
 * ```js
 * import { roll, tensor } from 'tenfold';
 * roll(tensor([1, 2, 3, 4]), 1).toArray(); // => [4, 1, 2, 3]
 * roll(tensor([[1, 2], [3, 4]]), 1).toArray(); // => [[4, 1], [2, 3]]
 * roll(tensor([[1, 2, 3], [4, 5, 6]]), [1, -1], { axis: [0, 1] }).toArray(); // => [[5, 6, 4], [2, 3, 1]]
 * ```
 */
export const roll: Roll = dualChecked(
  'roll',
  2,
  ['axis'],
  (x: Tensor, shift: number | readonly number[], { axis }: RollOptions = {}) => {
    const node = nodeFor('roll', x);
    const flat = (axis ?? null) === null;
    const from = flat ? reshapeNode(node, [sizeOf(node.shape)]) : node;
    const axes = flat ? [0] : [axis].flat().map(at => normalizeAxis('roll', at as number, node.shape));
    const shifts = [shift].flat() as number[];
    for (const n of shifts) checkInteger('roll', 'the shift', n, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (Array.isArray(shift) && shifts.length !== axes.length) {
      throw new ShapeError({
        operation: 'roll',
        given: `${showAval(node)}, ${shifts.length} shifts and ${axes.length} axes`,
        rule: 'there is one shift for all axes, or one for each',
        hint: 'Give lists of the same length.',
      });
    }
    const result = axes.reduce((y, at, i) => rolled(y, at, Array.isArray(shift) ? shifts[i]! : shifts[0]!), from);
    return wrap(reshapeNode(result, node.shape));
  },
);
