/** Drawing by rejection: each element is proposed anew until it is accepted. */
import { b } from '../tensor/build.js';
import type { Node } from '../tensor/graph.js';
import { plus } from '../tensor/ops/common/numbers.js';
import { scalar } from '../tensor/primitives/full.js';
import { nodeOf, type Tensor, wrap } from '../tensor/tensor.js';
import { whileLoop } from '../tensor/transform/loops.js';
import { asKey, foldIn } from './key.js';

/** A round accepts two of three, or nearly so, whatever the parameters: of 2⁶⁴ elements none is left after these. */
const maxRounds = 64;

/** An independent key. */
export const subkey = (key: Node, place: number | Tensor): Node => nodeOf(foldIn(asKey(key), place));

/** Whether any element is true; of none, none is. */
export const anyTrue = (x: Node): Node => {
  if (x.shape.includes(0)) return scalar(b, 0, 'bool');
  const most = b.reduceMax(b.cast(x, { dtype: 'int32' }), { axes: x.shape.map((_, axis) => axis) });
  return b.gt(most, scalar(b, 0, 'int32'));
};

/** Values of one round, and which of them are accepted. */
interface Proposal {
  readonly value: Node;
  readonly accepted: Node;
}

interface State {
  readonly round: Tensor;
  readonly open: Tensor;
  readonly value: Tensor;
}

/**
 * The first proposal that is accepted, for each element by itself.
 *
 * @param open which elements are drawn
 * @param others the values of those that are not
 */
export const untilAccepted = (key: Node, open: Node, others: Node, propose: (key: Node) => Proposal): Node => {
  const step = ({ round, open, value }: State): State => {
    const { value: proposed, accepted } = propose(subkey(key, round));
    const before = nodeOf(open);
    return {
      round: wrap(plus(nodeOf(round), 1)),
      open: wrap(b.and(before, b.not(accepted))),
      value: wrap(b.select(b.and(accepted, before), proposed, nodeOf(value))),
    };
  };
  const goesOn = ({ round, open }: State): Tensor =>
    wrap(b.and(b.lt(nodeOf(round), scalar(b, maxRounds, 'int32')), anyTrue(nodeOf(open))));
  const init: State = { round: wrap(scalar(b, 0, 'int32')), open: wrap(open), value: wrap(others) };
  return nodeOf(whileLoop(goesOn, step)(init).value);
};
