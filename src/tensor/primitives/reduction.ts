/** The reductions. Batching and both derivatives follow from the kind and the weights declared here. */
import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, showAval } from '../shape.js';
import type { Missing, Reduction } from './kinds.js';
import type { Build, ParamsOf, ReductionPrimitives } from './signatures.js';

type Axes = ParamsOf<'sum'>;

/** The reduced shape. */
const reduced = (name: string, { shape, dtype }: Aval, { axes }: Axes, nonEmpty: boolean): Aval => {
  if (dtype === 'bool' || dtype === 'uint8') {
    throw new DTypeError({
      operation: name,
      given: dtype,
      rule: 'reductions compute on float32, float64, int32 and uint32',
      hint: "Cast first: cast(x, 'int32').",
    });
  }
  if (nonEmpty && axes.some(axis => shape[axis] === 0)) {
    throw new ShapeError({
      operation: name,
      given: showAval({ shape, dtype }),
      rule: 'there is no such value among no elements',
      hint: 'Reduce over axes with at least one element.',
    });
  }
  return { shape: shape.filter((_, axis) => !axes.includes(axis)), dtype };
};

/** A reduced tensor spread over the axes it lost. */
export const unreduce = (b: Build, y: Node, like: Aval, axes: readonly number[]): Node => {
  const kept = b.reshape(y, { shape: like.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)) });
  return b.broadcast(kept, { shape: like.shape });
};

/** Where the extreme is; ties share equally. */
const shares = (b: Build, y: Node, { axes }: Axes): Node => {
  const x = y.inputs[0]!;
  const hit = b.cast(b.eq(x, unreduce(b, y, x, axes)), { dtype: x.dtype });
  return b.div(hit, unreduce(b, b.sum(hit, { axes }), x, axes));
};

const extreme = (name: string): Reduction<Axes> => ({
  kind: 'reduction',
  aval: ([x], params) => reduced(name, x!, params, true),
  weights: shares,
});

const position: Missing = { none: 'its results are positions, so there is no tangent' };

const arg = (name: string): Reduction<Axes> => ({
  kind: 'reduction',
  aval: ([x], params) => ({ shape: reduced(name, x!, params, true).shape, dtype: 'int32' as DType }),
  weights: position,
});

export const reduction: { readonly [P in keyof ReductionPrimitives]: Reduction<ParamsOf<P>> } = {
  sum: { kind: 'reduction', aval: ([x], params) => reduced('sum', x!, params, false), weights: 'linear' },
  reduceMax: extreme('reduceMax'),
  reduceMin: extreme('reduceMin'),
  argmax: arg('argmax'),
  argmin: arg('argmin'),
};

/** The tangent of a reduction from the tangent of its input; its transpose is {@link reductionVjp}. */
export const reductionJvp = (b: Build, entry: Reduction<Axes>, y: Node, params: Axes, t: Node): Node => {
  const weights = weightsOf(b, entry, y, params);
  return b.sum(weights === null ? t : b.mul(weights, t), params);
};

export const reductionVjp = (b: Build, entry: Reduction<Axes>, y: Node, params: Axes, ct: Node): Node => {
  const weights = weightsOf(b, entry, y, params);
  const spread = unreduce(b, ct, y.inputs[0]!, params.axes);
  return weights === null ? spread : b.mul(weights, spread);
};

const weightsOf = (b: Build, entry: Reduction<Axes>, y: Node, params: Axes): Node | null => {
  if (entry.weights === 'linear' || typeof entry.weights === 'object') return null;
  return entry.weights(b, y, params);
};
