/** The reductions. Batching and both derivatives follow from the kind and the weights declared here. */
import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, range, showAval, sizeOf } from '../shape.js';
import { full } from './full.js';
import type { Missing, Reduction } from './kinds.js';
import { inverse } from './movement.js';
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

/** The product of all others: of those before and of those behind, so that zeros do no harm. */
const productOfOthers = (b: Build, y: Node, { axes }: Axes): Node => {
  const x = y.inputs[0]!;
  const { shape } = x;
  const order = [...range(shape.length).filter(axis => !axes.includes(axis)), ...axes];
  const moved = b.permute(x, { axes: order });
  const [rows, length] = [sizeOf(y.shape), sizeOf(axes.map(axis => shape[axis]!))];
  const flat = b.reshape(moved, { shape: [rows, length] });
  const [none, one] = [[0, 0], full(b, { shape: [rows, 1], dtype: x.dtype }, 1)];
  /** 1 and then products of the first, the first two, …, all but one of the factors. */
  const running = (reverse: boolean): Node => {
    const start = [0, reverse ? 1 : 0];
    const others = b.slice(flat, { start, stop: [rows, length - 1 + start[1]!], step: [1, 1] });
    const factors = b.concat(reverse ? [others, one] : [one, others], { axis: 1 });
    // The recurrence that starts with 1 and adds nothing.
    const pad = { low: reverse ? [0, length - 1] : none, high: reverse ? none : [0, length - 1], interior: none };
    return b.recurrence(factors, b.pad(one, pad), { axis: 1, reverse });
  };
  const others = b.reshape(b.mul(running(false), running(true)), { shape: moved.shape });
  return b.permute(others, { axes: inverse(order) });
};

export const reduction: { readonly [P in keyof ReductionPrimitives]: Reduction<ParamsOf<P>> } = {
  sum: { kind: 'reduction', aval: ([x], params) => reduced('sum', x!, params, false), weights: 'linear' },
  reduceMax: extreme('reduceMax'),
  reduceMin: extreme('reduceMin'),
  prod: { kind: 'reduction', aval: ([x], params) => reduced('prod', x!, params, true), weights: productOfOthers },
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
