/** What optimizers take: trees of floats of one form, decays, counts. */
import { isFloat } from '../tensor/dtype.js';
import { DTypeError, ShapeError } from '../tensor/errors.js';
import { kindOf } from '../tensor/ops/common/checks.js';
import { isWeakNumber, nodeFor } from '../tensor/ops/common/operands.js';
import { cast } from '../tensor/ops/elementwise/cast.js';
import { checkArgument, type Shape, sameShape, showAval } from '../tensor/shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { type Flat, flattenFor, type Path, sameForm, showPath, tensorsOf } from '../tree/tree.js';

/** The leaves of trees of one form, by place. */
export interface Places<P> {
  readonly leaves: readonly (readonly Tensor[])[];
  readonly paths: readonly Path[];
  /** A tree of the form of the first. */
  readonly unflatten: (leaves: readonly Tensor[]) => P;
}

/**
 * The leaves of trees, place by place.
 *
 * @param shapeOf the shape that the leaf of the i-th tree has to have beside this leaf of the first; the same, if left out
 * @throws TreeError for a leaf that is no tensor and for trees that differ in form, DTypeError for a leaf that is no
 *   float, ShapeError where a leaf has another shape
 */
export const placesOf = <P>(
  operation: string,
  [first, ...others]: readonly [P, ...(readonly unknown[])],
  shapeOf: (leaf: Tensor, tree: number) => Shape = ({ shape }) => shape,
): Places<P> => {
  const flats = [first, ...others].map(tree => flattenFor(operation, tree));
  const [flat] = flats as [Flat, ...Flat[]];
  const trees = flats.map(each => tensorsOf(operation, each));
  for (const other of flats) sameForm(operation, flat, other);
  const leaves = trees[0]!.map((x, i) => {
    const here = trees.map(each => each[i]!);
    const given = (): string => `${here.map(showAval).join(' and ')} at ${showPath(flat.paths[i]!)}`;
    if (!here.every(({ dtype }) => isFloat(dtype))) {
      const hint = 'Keep other tensors out of the tree.';
      throw new DTypeError({ operation, given: given(), rule: 'parameters and their gradients are floats', hint });
    }
    if (!here.every(({ shape }, tree) => sameShape(shape, tree === 0 ? x.shape : shapeOf(x, tree)))) {
      const hint = 'Are both trees of the same model?';
      throw new ShapeError({ operation, given: given(), rule: 'leaves in one place have one shape', hint });
    }
    return here;
  });
  return { leaves, paths: flat.paths, unflatten: flat.unflatten as Places<P>['unflatten'] };
};

/**
 * The leaves of trees combined place by place; the result has the form of the first.
 *
 * @throws as {@link placesOf}
 */
export const zipFloats = <P>(
  operation: string,
  f: (...leaves: readonly Tensor[]) => Tensor,
  first: P,
  ...others: readonly unknown[]
): P => {
  const { leaves, unflatten } = placesOf(operation, [first, ...others]);
  return unflatten(leaves.map(here => f(...here)));
};

/** Refuses decays outside [0, 1], or [0, 1) where 1 would divide by 0. */
export const checkDecay = (operation: string, decay: unknown, open = false): void =>
  checkArgument(
    typeof decay === 'number' && decay >= 0 && (open ? decay < 1 : decay <= 1),
    operation,
    typeof decay === 'number' || isTensor(decay) ? `the decay ${decay}` : `${kindOf(decay)} as a decay`,
    `a decay is a number in [0, 1${open ? ')' : ']'}`,
    open ? 'Usual are 0.9 and 0.999.' : 'Usual is 0.999.',
  );

/** The number of steps done, as a float: float64 stays, all else becomes float32. */
export const floatCount = (operation: string, count: Tensor): Tensor => {
  nodeFor(operation, count);
  return count.dtype === 'float64' && !isWeakNumber(count) ? count : cast(count, 'float32');
};

/** Refuses what came of a function of the number of steps done and is no scalar. */
export const checkScalar = (operation: string, what: string, value: unknown): void =>
  checkArgument(
    isTensor(value) && value.shape.length === 0,
    operation,
    `${isTensor(value) ? `a tensor ${showAval(value)}` : kindOf(value)} as ${what}`,
    `${what} is a number, or a tensor of shape []`,
    'Give tensor(0.5), or compute it from the count with add(), mul() ….',
  );
