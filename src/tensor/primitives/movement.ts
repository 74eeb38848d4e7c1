/** The primitives that move elements, with their transposes and batching rules. */
import { AxisError, DTypeError, ShapeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, broadcastShapes, range, type Shape, sameShape, showAval, showShape, sizeOf } from '../shape.js';
import { broadcasted, flipped, padded, permuted, reshaped, sliced } from '../view.js';
import { full } from './full.js';
import type { BatchRule, Movement } from './kinds.js';
import { cumsum } from './scans.js';
import type { Build, MovementPrimitives, ParamsOf } from './signatures.js';

const every = (): boolean => true;
const first = (operand: number): boolean => operand === 0;

/** The axes of a permutation turned round. */
export const inverse = (axes: readonly number[]): number[] => {
  const result = new Array<number>(axes.length);
  axes.forEach((axis, i) => {
    result[axis] = i;
  });
  return result;
};

/** Axes counted after a new first axis was put in front. */
export const shifted = (axes: readonly number[]): number[] => axes.map(axis => axis + 1);

/** Moves one axis to another place, the others keeping their order. */
export const moveAxis = (b: Build, x: Node, from: number, to: number): Node => {
  if (from === to) return x;
  const axes = range(x.shape.length).filter(axis => axis !== from);
  axes.splice(to, 0, from);
  return b.permute(x, { axes });
};

/** An unbatched operand repeated along a new first axis. */
export const repeat = (b: Build, x: Node, size: number): Node => b.broadcast(x, { shape: [size, ...x.shape] });

/** Undoes a broadcast: sums the axes that were repeated. The only place where that is done. */
const unbroadcast = (b: Build, ct: Node, shape: Shape): Node => {
  const added = ct.shape.length - shape.length;
  const axes = range(ct.shape.length).filter(
    axis => axis < added || (shape[axis - added] === 1 && ct.shape[axis] !== 1),
  );
  return b.reshape(b.sum(ct, { axes }), { shape });
};

const fail = (operation: string, inputs: readonly Aval[], rule: string, hint: string): never => {
  throw new ShapeError({ operation, given: inputs.map(showAval).join(' and '), rule, hint });
};

/** gather and scatterAdd over a batch: the batch axis and the indexed one become one, indices are offset. */
const batchedIndices = (b: Build, indices: Node, length: number, size: number): Node => {
  // An index outside its own row must not land in a neighbour's, so it is sent outside of all.
  const inside = b.and(b.ge(indices, full(b, indices, 0)), b.lt(indices, full(b, indices, length)));
  const rows = b.mul(b.iota({ shape: indices.shape, dtype: indices.dtype, axis: 0 }), full(b, indices, length));
  return b.select(inside, b.add(indices, rows), full(b, indices, size * length));
};

const gatherBatch: BatchRule<{ axis: number }> = (b, [x, indices], [xBatched, iBatched], { axis }, size) => {
  if (!iBatched) return b.gather(x!, indices!, { axis: axis + 1 });
  if (!xBatched) {
    // The batch axis of the indices lands at `axis`; bring it to the front.
    return moveAxis(b, b.gather(x!, indices!, { axis }), axis, 0);
  }
  const length = x!.shape[axis + 1]!;
  const aligned = moveAxis(b, x!, axis + 1, 1);
  const rest = aligned.shape.slice(2);
  const merged = b.reshape(aligned, { shape: [size * length, ...rest] });
  const taken = b.gather(merged, batchedIndices(b, indices!, length, size), { axis: 0 });
  // taken: [size, ...indices, ...x before axis, ...x after axis]; the index axes belong at `axis`.
  const k = indices!.shape.length - 1;
  const before = range(axis).map(i => 1 + k + i);
  const middle = range(k).map(i => 1 + i);
  const after = range(rest.length - axis).map(i => 1 + k + axis + i);
  return b.permute(taken, { axes: [0, ...before, ...middle, ...after] });
};

const scatterBatch: BatchRule<{ axis: number; length: number }> = (b, inputs, batched, { axis, length }, size) => {
  if (!batched[1]) return b.scatterAdd(inputs[0]!, inputs[1]!, { axis: axis + 1, length });
  const updates = batched[0] ? inputs[0]! : repeat(b, inputs[0]!, size);
  const indices = inputs[1]!;
  const k = indices.shape.length - 1;
  const rank = updates.shape.length;
  const before = range(axis).map(i => 1 + i);
  const middle = range(k).map(i => 1 + axis + i);
  const after = range(rank - 1 - axis - k).map(i => 1 + axis + k + i);
  const aligned = b.permute(updates, { axes: [0, ...middle, ...before, ...after] });
  const sum = b.scatterAdd(aligned, batchedIndices(b, indices, length, size), { axis: 0, length: size * length });
  const split = b.reshape(sum, { shape: [size, length, ...sum.shape.slice(1)] });
  return moveAxis(b, split, 1, axis + 1);
};

export const movement: { readonly [P in keyof MovementPrimitives]: Movement<ParamsOf<P>> } = {
  reshape: {
    kind: 'movement',
    aval: ([x], { shape }) => {
      if (sizeOf(x!.shape) !== sizeOf(shape)) {
        fail(
          'reshape',
          [x!],
          `the shape ${showShape(shape)} has another number of elements`,
          'Check the product of the lengths.',
        );
      }
      return { shape, dtype: x!.dtype };
    },
    linear: every,
    transpose: (b, ct, node) => b.reshape(ct, { shape: node.inputs[0]!.shape }),
    batch: (b, [x], _, { shape }, size) => b.reshape(x!, { shape: [size, ...shape] }),
    view: (view, { shape }) => reshaped(view, shape),
  },
  permute: {
    kind: 'movement',
    aval: ([x], { axes }) => {
      if (
        !sameShape(
          [...axes].sort((p, q) => p - q),
          range(x!.shape.length),
        )
      ) {
        throw new AxisError({
          operation: 'permute',
          given: `${showAval(x!)} and the axes [${axes.join(', ')}]`,
          rule: 'the axes must name each axis once',
          hint: `Give a permutation of 0 … ${x!.shape.length - 1}.`,
        });
      }
      return { shape: axes.map(axis => x!.shape[axis]!), dtype: x!.dtype };
    },
    linear: every,
    transpose: (b, ct, _, { axes }) => b.permute(ct, { axes: inverse(axes) }),
    batch: (b, [x], _, { axes }) => b.permute(x!, { axes: [0, ...shifted(axes)] }),
    view: (view, { axes }) => permuted(view, axes),
  },
  broadcast: {
    kind: 'movement',
    aval: ([x], { shape }) => {
      if (!sameShape(broadcastShapes('broadcast', x!.shape, shape), shape)) {
        fail(
          'broadcast',
          [x!],
          `it does not spread over ${showShape(shape)}`,
          'Only axes of length 1, and missing first axes, can repeat.',
        );
      }
      return { shape, dtype: x!.dtype };
    },
    linear: every,
    transpose: (b, ct, node) => unbroadcast(b, ct, node.inputs[0]!.shape),
    batch: (b, [x], _, { shape }, size) => {
      const own = x!.shape.slice(1);
      const ones = new Array<number>(shape.length - own.length).fill(1);
      return b.broadcast(b.reshape(x!, { shape: [size, ...ones, ...own] }), { shape: [size, ...shape] });
    },
    view: (view, { shape }) => broadcasted(view, shape),
  },
  slice: {
    kind: 'movement',
    aval: ([x], { start, stop, step }) => {
      const rank = x!.shape.length;
      const fits = x!.shape.every(
        (length, axis) => step[axis]! >= 1 && start[axis]! >= 0 && start[axis]! <= stop[axis]! && stop[axis]! <= length,
      );
      if (start.length !== rank || stop.length !== rank || step.length !== rank || !fits) {
        fail(
          'slice',
          [x!],
          `start [${start.join(', ')}], stop [${stop.join(', ')}], step [${step.join(', ')}] do not lie within it`,
          'Use 0 ≤ start ≤ stop ≤ length and step ≥ 1 on every axis.',
        );
      }
      return { shape: start.map((from, axis) => Math.ceil((stop[axis]! - from) / step[axis]!)), dtype: x!.dtype };
    },
    linear: every,
    transpose: (b, ct, node, { start, step }) => {
      const lengths = node.inputs[0]!.shape;
      const used = ct.shape.map((length, axis) => (length === 0 ? 0 : (length - 1) * step[axis]! + 1));
      return b.pad(ct, {
        low: start,
        high: lengths.map((length, axis) => length - start[axis]! - used[axis]!),
        interior: step.map(s => s - 1),
      });
    },
    batch: (b, [x], _, { start, stop, step }, size) =>
      b.slice(x!, { start: [0, ...start], stop: [size, ...stop], step: [1, ...step] }),
    view: (view, { start, step }, shape) => sliced(view, start, step, shape),
  },
  pad: {
    kind: 'movement',
    aval: ([x], { low, high, interior }) => {
      const rank = x!.shape.length;
      if (
        low.length !== rank ||
        high.length !== rank ||
        interior.length !== rank ||
        [...low, ...high, ...interior].some(n => n < 0)
      ) {
        fail(
          'pad',
          [x!],
          `low [${low.join(', ')}], high [${high.join(', ')}], interior [${interior.join(', ')}] must be one non-negative integer an axis`,
          'Use slice to take elements away.',
        );
      }
      const shape = x!.shape.map(
        (length, axis) => low[axis]! + high[axis]! + length + Math.max(0, length - 1) * interior[axis]!,
      );
      return { shape, dtype: x!.dtype };
    },
    linear: every,
    transpose: (b, ct, node, { low, high, interior }) =>
      b.slice(ct, {
        start: low,
        stop: ct.shape.map((length, axis) => (node.inputs[0]!.shape[axis] === 0 ? low[axis]! : length - high[axis]!)),
        step: interior.map(n => n + 1),
      }),
    batch: (b, [x], _, { low, high, interior }) =>
      b.pad(x!, { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] }),
    view: (view, { low, interior }, shape) => padded(view, low, interior, shape),
  },
  flip: {
    kind: 'movement',
    aval: ([x]) => x!,
    linear: every,
    transpose: (b, ct, _, { axes }) => b.flip(ct, { axes }),
    batch: (b, [x], _, { axes }) => b.flip(x!, { axes: shifted(axes) }),
    view: (view, { axes }) => flipped(view, axes),
  },
  concat: {
    kind: 'movement',
    aval: (inputs, { axis }) => {
      const { shape, dtype } = inputs[0]!;
      const fits = inputs.every(
        x =>
          x.dtype === dtype && x.shape.length === shape.length && x.shape.every((n, i) => i === axis || n === shape[i]),
      );
      if (!fits) {
        fail(
          'concat',
          inputs,
          `apart from axis ${axis} they must have one shape, and one dtype`,
          'Cast or reshape them first.',
        );
      }
      const total = inputs.reduce((sum, x) => sum + x.shape[axis]!, 0);
      return { shape: shape.map((n, i) => (i === axis ? total : n)), dtype };
    },
    linear: every,
    transpose: (b, ct, node, { axis }, operand) => {
      const from = node.inputs.slice(0, operand).reduce((sum, x) => sum + x.shape[axis]!, 0);
      const length = node.inputs[operand]!.shape[axis]!;
      return b.slice(ct, {
        start: ct.shape.map((_, i) => (i === axis ? from : 0)),
        stop: ct.shape.map((n, i) => (i === axis ? from + length : n)),
        step: ct.shape.map(() => 1),
      });
    },
    batch: (b, inputs, batched, { axis }, size) =>
      b.concat(
        inputs.map((x, i) => (batched[i] ? x : repeat(b, x, size))),
        { axis: axis + 1 },
      ),
    view: null,
  },
  gather: {
    kind: 'movement',
    aval: ([x, indices], { axis }) => {
      checkIndices('gather', indices!);
      return { shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)], dtype: x!.dtype };
    },
    linear: first,
    transpose: (b, ct, node, { axis }) =>
      b.scatterAdd(ct, node.inputs[1]!, { axis, length: node.inputs[0]!.shape[axis]! }),
    batch: gatherBatch,
    view: null,
  },
  scatterAdd: {
    kind: 'movement',
    aval: ([updates, indices], { axis, length }) => {
      if (updates!.dtype === 'bool') {
        throw new DTypeError({
          operation: 'scatterAdd',
          given: showAval(updates!),
          rule: 'bools cannot be added up',
          hint: "Cast them first: cast(updates, 'int32').",
        });
      }
      checkIndices('scatterAdd', indices!);
      const k = indices!.shape.length;
      if (!sameShape(updates!.shape.slice(axis, axis + k), indices!.shape)) {
        fail(
          'scatterAdd',
          [updates!, indices!],
          `from axis ${axis} on the updates must have the shape of the indices`,
          'Broadcast the updates first.',
        );
      }
      return {
        shape: [...updates!.shape.slice(0, axis), length, ...updates!.shape.slice(axis + k)],
        dtype: updates!.dtype,
      };
    },
    linear: first,
    // An index outside drops its update, so nothing flows back: gather would say NaN there.
    transpose: (b, ct, node, { axis, length }) => {
      const indices = node.inputs[1]!;
      const rank = ct.shape.length - 1;
      const k = indices.shape.length;
      const inside = b.and(b.ge(indices, full(b, indices, 0)), b.lt(indices, full(b, indices, length)));
      const taken = b.gather(ct, b.select(inside, indices, full(b, indices, 0)), { axis });
      const aligned = b.reshape(inside, { shape: [...indices.shape, ...new Array<number>(rank - axis).fill(1)] });
      const spread = k + rank === 0 ? aligned : b.broadcast(aligned, { shape: taken.shape });
      return length === 0 ? full(b, node.inputs[0]!, 0) : b.select(spread, taken, full(b, taken, 0));
    },
    batch: scatterBatch,
    view: null,
  },
  cumsum,
  mark: {
    kind: 'movement',
    aval: ([x]) => x!,
    linear: every,
    transpose: (_, ct) => ct,
    batch: (_, [x]) => x!,
    view: view => view,
  },
};

const checkIndices = (operation: string, indices: Aval): void => {
  if (indices.dtype !== 'int32') {
    throw new DTypeError({
      operation,
      given: `indices ${showAval(indices)}`,
      rule: 'indices are int32',
      hint: "Cast them: cast(indices, 'int32').",
    });
  }
};
