/** Contractions: bilinear, each operand's transpose is a contraction again. */
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, range, showAval } from '../shape.js';
import { convolution } from './convolution.js';
import type { Contraction } from './kinds.js';
import { inverse, moveAxis, shifted } from './movement.js';
import type { Build, ContractionPrimitives, DotParams, ParamsOf } from './signatures.js';

/** The axes of an operand that are neither contracted nor batch, in order. */
export const freeAxes = (rank: number, contract: readonly number[], batch: readonly number[]): number[] =>
  range(rank).filter(axis => !contract.includes(axis) && !batch.includes(axis));

const dotAval = ([lhs, rhs]: readonly Aval[], { lhsContract, rhsContract, lhsBatch, rhsBatch }: DotParams): Aval => {
  const given = `${showAval(lhs!)} and ${showAval(rhs!)}`;
  if (lhs!.dtype !== rhs!.dtype || lhs!.dtype === 'bool' || lhs!.dtype === 'uint8') {
    throw new DTypeError({
      operation: 'dotGeneral',
      given,
      rule: 'operands must have one dtype out of float32, float64, int32, uint32',
      hint: "Cast first: cast(x, 'float32').",
    });
  }
  const paired = (xs: readonly number[], ys: readonly number[]): boolean =>
    xs.length === ys.length && xs.every((axis, i) => lhs!.shape[axis] === rhs!.shape[ys[i]!]);
  if (!paired(lhsContract, rhsContract) || !paired(lhsBatch, rhsBatch)) {
    throw new ShapeError({
      operation: 'dotGeneral',
      given,
      rule: `the axes paired (contract [${lhsContract}] with [${rhsContract}], batch [${lhsBatch}] with [${rhsBatch}]) must have equal lengths`,
      hint: 'Check which axes meet; transpose one operand if they are swapped.',
    });
  }
  const shape = [
    ...lhsBatch.map(axis => lhs!.shape[axis]!),
    ...freeAxes(lhs!.shape.length, lhsContract, lhsBatch).map(axis => lhs!.shape[axis]!),
    ...freeAxes(rhs!.shape.length, rhsContract, rhsBatch).map(axis => rhs!.shape[axis]!),
  ];
  return { shape, dtype: lhs!.dtype };
};

const isIdentity = (axes: readonly number[]): boolean => axes.every((axis, i) => axis === i);

/**
 * The cotangent of one operand: contract the cotangent of the result with the other operand over the other's free axes. That
 * leaves (batch, own free, own contracted), or with the two exchanged (batch, own contracted, own free), of which one is often
 * the order that the operand has; else the axes are put back where they were.
 */
const dotTranspose = (b: Build, ct: Node, node: Node, params: DotParams, operand: 0 | 1): Node => {
  const [mine, other] = operand === 0 ? [node.inputs[0]!, node.inputs[1]!] : [node.inputs[1]!, node.inputs[0]!];
  const [myContract, otherContract] =
    operand === 0 ? [params.lhsContract, params.rhsContract] : [params.rhsContract, params.lhsContract];
  const [myBatch, otherBatch] = operand === 0 ? [params.lhsBatch, params.rhsBatch] : [params.rhsBatch, params.lhsBatch];
  const myFree = freeAxes(mine.shape.length, myContract, myBatch);
  const otherFree = freeAxes(other.shape.length, otherContract, otherBatch);
  const batch = range(myBatch.length);
  const firstFree = batch.length + (operand === 0 ? myFree.length : 0);
  const ctContract = range(otherFree.length).map(i => firstFree + i);
  // The other's contracted axes come out in ascending order.
  const contractedInOrder = [...otherContract]
    .sort((p, q) => p - q)
    .map(axis => myContract[otherContract.indexOf(axis)]!);
  const exchanged = [...myBatch, ...contractedInOrder, ...myFree];
  if (isIdentity(exchanged)) {
    const paired = { lhsBatch: otherBatch, rhsBatch: batch, lhsContract: otherFree, rhsContract: ctContract };
    return b.dotGeneral(other, ct, paired);
  }
  const paired = { lhsBatch: batch, rhsBatch: otherBatch, lhsContract: ctContract, rhsContract: otherFree };
  const dot = b.dotGeneral(ct, other, paired);
  const order = [...myBatch, ...myFree, ...contractedInOrder];
  return isIdentity(order) ? dot : b.permute(dot, { axes: inverse(order) });
};

export const contraction: { readonly [P in keyof ContractionPrimitives]: Contraction<ParamsOf<P>> } = {
  dotGeneral: {
    kind: 'contraction',
    aval: dotAval,
    transpose: dotTranspose,
    batch: (b, [lhs, rhs], [lhsBatched, rhsBatched], params) => {
      const { lhsContract, rhsContract, lhsBatch, rhsBatch } = params;
      if (lhsBatched && rhsBatched) {
        return b.dotGeneral(lhs!, rhs!, {
          lhsContract: shifted(lhsContract),
          rhsContract: shifted(rhsContract),
          lhsBatch: [0, ...shifted(lhsBatch)],
          rhsBatch: [0, ...shifted(rhsBatch)],
        });
      }
      // Only one has the new axis: it is a free axis of that operand, and moves to the front afterwards.
      if (lhsBatched) {
        const dot = b.dotGeneral(lhs!, rhs!, {
          ...params,
          lhsContract: shifted(lhsContract),
          lhsBatch: shifted(lhsBatch),
        });
        return moveAxis(b, dot, lhsBatch.length, 0);
      }
      const dot = b.dotGeneral(lhs!, rhs!, {
        ...params,
        rhsContract: shifted(rhsContract),
        rhsBatch: shifted(rhsBatch),
      });
      return moveAxis(b, dot, lhs!.shape.length - lhsContract.length, 0);
    },
  },
  conv: convolution,
};
