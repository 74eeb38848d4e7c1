/** Sums of products written with letters for axes. */
import type { Arithmetic, Fit, Ok } from '../../shape-types.js';
import { type Tensor, wrap } from '../../tensor.js';
import type { EinsumShape } from '../../types/einsum.js';
import { factors } from '../common/checks.js';
import type { PromoteAll } from '../movement/joining.js';
import { contractionOrder, type Order } from './contraction-order.js';
import { checkCount, type Equation, labelling, parseEquation } from './einsum-equation.js';
import { arranged, diagonal, type Labelled, product, summed, withoutBroadcasts } from './labelled.js';

/** At least one tensor. */
export type Factors = readonly [Tensor, ...(readonly Tensor[])];

/** What an equation makes of the shapes of tensors. */
type EinsumOf<Equation extends string, T extends Factors> = EinsumShape<
  Equation,
  { readonly [I in keyof T]: T[I]['shape'] }
>;

/** The signatures of {@link einsum}. */
export interface Einsum {
  <const E extends string, const T extends Factors>(
    equation: E & Ok<EinsumOf<E, T>>,
    ...operands: T
  ): Tensor<Fit<EinsumOf<E, T>>, Arithmetic<PromoteAll<T>>>;
  <const E extends string>(
    equation: E,
  ): <const T extends Factors>(
    ...operands: T & Ok<EinsumOf<E, T>>
  ) => Tensor<Fit<EinsumOf<E, T>>, Arithmetic<PromoteAll<T>>>;
}

const evaluated = (equation: Equation, operands: readonly unknown[]): Tensor => {
  checkCount(equation, operands.length);
  const nodes = factors('einsum', operands);
  const { operands: names, output, lengths } = labelling(equation, nodes);
  const prepared = nodes.map((node, i) => diagonal(withoutBroadcasts({ node, labels: names[i]! }, lengths)));
  const count = (label: string): number => prepared.filter(({ labels }) => labels.includes(label)).length;
  const keep = (label: string): boolean => output.includes(label) || count(label) > 1;
  // What only one operand has is summed before anything is multiplied.
  const reduced = prepared.map(x => summed(prepared.length === 1 ? arranged(x, output) : x, keep));
  const terms = reduced.map(({ labels }) => labels);
  const labelsIn = (order: Order): readonly string[] =>
    typeof order === 'number' ? terms[order]! : order.flatMap(labelsIn);
  /** The product of the operands in the order; `outside` are the labels that are needed afterwards. */
  const multiplied = (order: Order, outside: readonly string[], wanted: readonly string[]): Labelled => {
    if (typeof order === 'number') return reduced[order]!;
    const [left, right] = order;
    return product(
      multiplied(left, [...outside, ...labelsIn(right)], []),
      multiplied(right, [...outside, ...labelsIn(left)], []),
      label => outside.includes(label),
      wanted,
      lengths,
    );
  };
  return wrap(multiplied(contractionOrder(terms, output, lengths), output, output).node);
};

/**
 * The sum of products that an equation describes. It has a term for each operand, with a letter for each axis:
 * axes with one letter meet, and letters that are not in the result, behind the arrow, are summed over.
 *
 * A letter that repeats in a term is a diagonal. An ellipsis stands for any further axes, aligned at the right. Axes of
 * length 1 broadcast. Without an arrow the result has the axes of the ellipsis, then the letters that stand only once, in
 * alphabetical order, capitals first; if it names no ellipsis, those axes are summed over. Blanks mean nothing.
 *
 * Two operands are one contraction, or an elementwise product where nothing is summed. More of them are multiplied in the
 * order with the least multiplications, found exactly for up to 8 and greedily beyond (Smith and Gray, opt_einsum, Journal
 * of Open Source Software 3(26):753, 2018).
 *
 * @param operands a tensor for each term; with none of them the result is a function of them
 * @returns an axis for each letter behind the arrow; the promoted dtype, bools counting as int32
 * @throws ArgumentError when the equation is none, or has another number of terms
 * @throws ShapeError when a term does not fit its operand, or axes with one letter differ in length
 * @throws DTypeError for int32 with uint32, and for uint8
 * @numpy np.einsum
 * @pytorch torch.einsum
 * @example
 * ```js
 * import { einsum, tensor } from 'tenfold';
 * const [a, b] = [tensor([[1, 2], [3, 4]]), tensor([[0, 1], [1, 0]])];
 * einsum('ij,jk->ik', a, b).toArray(); // => [[2, 1], [4, 3]]
 * einsum('ij->ji', a).toArray(); // => [[1, 3], [2, 4]]
 * einsum('ii', a).item(); // => 5
 * const bilinear = einsum('i,ij,j->');
 * bilinear(tensor([1, 1]), a, tensor([1, 2])).item(); // => 16
 * einsum('ij,jk->il', a, b); // throws ArgumentError
 * ```
 */
export const einsum: Einsum = ((text: string, ...operands: readonly unknown[]) => {
  const equation = parseEquation(text);
  return operands.length > 0
    ? evaluated(equation, operands)
    : (...later: readonly unknown[]) => evaluated(equation, later);
}) as Einsum;
