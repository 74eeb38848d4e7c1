/** Contractions of float64, int32 and uint32 over any axes. float32 has kernels of its own. */
import { freeAxes } from '../../../primitives/contraction.js';
import type { DotParams } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import { hasProducts, writeProducts } from './products.js';
import { byteSteps, kernelOf, type LoopKernel, merged, nest } from './walk.js';

export const dotGeneral = (
  { lhsContract, rhsContract, lhsBatch, rhsBatch }: DotParams,
  [lhs, rhs]: readonly Aval[],
  aval: Aval,
): LoopKernel | null => {
  const { dtype } = aval;
  if (!hasProducts(dtype) || dtype === 'float32') return null;
  const [left, right, out] = [byteSteps(lhs!), byteSteps(rhs!), byteSteps(aval)];
  const lengths = lhs!.shape;
  const batch = lhsBatch.map((axis, i) => ({
    length: lengths[axis]!,
    steps: [left[axis]!, right[rhsBatch[i]!]!, out[i]!],
  }));
  const rows = freeAxes(left.length, lhsContract, lhsBatch).map((axis, i) => ({
    length: lengths[axis]!,
    steps: [left[axis]!, out[batch.length + i]!],
  }));
  const columns = freeAxes(right.length, rhsContract, rhsBatch).map((axis, i) => ({
    length: rhs!.shape[axis]!,
    steps: [right[axis]!, out[batch.length + rows.length + i]!],
  }));
  const contract = lhsContract.map((axis, i) => ({
    length: lengths[axis]!,
    steps: [left[axis]!, right[rhsContract[i]!]!],
  }));
  return kernelOf([lhs!, rhs!], aval, (f, [a, b], to, scratch) => {
    let bytes = 0;
    nest(f, merged(batch), [a!, b!, to], () => {
      bytes = writeProducts(f, { dtype, result: dtype, rows, columns, contract }, { a: a!, b: b!, to, scratch });
    });
    return bytes;
  });
};
