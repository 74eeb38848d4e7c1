/**
 * Reductions over any axes. Results that stand beside each other are computed together, one to a lane, so that each of them
 * meets its own terms one after another, in the same way wherever it stands.
 */
import { bytesOf, type DType, isFloat } from '../../../dtype.js';
import type { ParamsOf, ReductionPrimitives } from '../../../primitives/signatures.js';
import { type Aval, range, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local, Op } from '../assembler.js';
import {
  type Axis,
  byteSteps,
  inBlocks,
  kernelOf,
  type LoopKernel,
  loadLanes,
  longest,
  merged,
  nest,
  splat,
} from './walk.js';

/** The code for some vectors of results. */
interface Reducing {
  /** Adds the terms on the stack to a vector of results. */
  term(vector: number): void;
  /** After the terms of all vectors. */
  next(): void;
  /** Leaves a vector of results on the stack. */
  result(vector: number): void;
}

interface Reducer {
  readonly lanes: number;
  /** Vectors computed together: more where a step takes long. */
  readonly block: number;
  /** Where in a vector of results, in elements of the result, that of a lane is. */
  readonly spread: number;
  /** Where terms may be combined in any order: with what, and whether a term may count several times. */
  readonly free?: { readonly op: Op; readonly idempotent: boolean };
  begin(f: FunctionWriter, vectors: number, terms: number): Reducing;
}

const shapeOf = { float32: 'f32x4', float64: 'f64x2', int32: 'i32x4', uint32: 'i32x4' } as const;
type Numeric = keyof typeof shapeOf;

const accumulators = (f: FunctionWriter, count: number, dtype: DType, value: number): Local[] =>
  range(count).map(() => {
    splat(f, dtype, value);
    return f.keep('v128');
  });

/** Terms of a float64 sum that are added one to another before they are added to the rest. */
const sumBlock = 1024;

/** float32 in float64, float64 in blocks: either way as accurate as the reference. */
const summing = (dtype: Numeric): Reducer => ({
  lanes: isFloat(dtype) ? 2 : 4,
  block: 4,
  spread: 1,
  ...(isFloat(dtype) ? {} : { free: { op: 'i32x4.add', idempotent: false } }),
  begin: (f, vectors, terms) => {
    const add: Op = isFloat(dtype) ? 'f64x2.add' : 'i32x4.add';
    const sums = accumulators(f, vectors, dtype, 0);
    const blocked = dtype === 'float64' && terms > sumBlock;
    const totals = blocked ? accumulators(f, vectors, dtype, 0) : [];
    const left = blocked ? f.i32(sumBlock).keep('i32') : 0;
    const flush = (): void => {
      sums.forEach((sum, i) => {
        f.get(totals[i]!, sum).op(add).set(totals[i]!);
        splat(f, dtype, 0);
        f.set(sum);
      });
    };
    return {
      term: vector => {
        if (dtype === 'float32') f.op('f64x2.promote_low_f32x4');
        f.get(sums[vector]!).op(add).set(sums[vector]!);
      },
      next: () => {
        if (!blocked) return;
        f.get(left).i32(1).op('i32.sub').tee(left).op('i32.eqz');
        f.if(() => {
          flush();
          f.i32(sumBlock).set(left);
        });
      },
      result: vector => {
        f.get(sums[vector]!);
        if (blocked) f.get(totals[vector]!).op(add);
        if (dtype === 'float32') f.op('f32x4.demote_f64x2_zero');
      },
    };
  },
});

/** What every number is better than, or as good as. */
const worst = (dtype: Numeric, largest: boolean): number => {
  if (isFloat(dtype)) return largest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (dtype === 'int32') return largest ? -(2 ** 31) : 2 ** 31 - 1;
  return largest ? 0 : 2 ** 32 - 1;
};

const suffix = (dtype: Numeric): '' | '_s' | '_u' => (isFloat(dtype) ? '' : dtype === 'int32' ? '_s' : '_u');

const extremum = (dtype: Numeric, largest: boolean): Reducer => {
  const better = `${shapeOf[dtype]}.${largest ? 'max' : 'min'}${suffix(dtype)}` as Op;
  return {
    lanes: 16 / bytesOf[dtype],
    block: 8,
    spread: 1,
    free: { op: better, idempotent: true },
    begin: (f, vectors) => {
      const best = accumulators(f, vectors, dtype, worst(dtype, largest));
      return {
        term: vector => f.get(best[vector]!).op(better).set(best[vector]!),
        next: () => {},
        result: vector => f.get(best[vector]!),
      };
    },
  };
};

/** The first best; a NaN is better than everything. */
const position = (dtype: Numeric, largest: boolean): Reducer => ({
  lanes: 16 / bytesOf[dtype],
  block: 4,
  spread: bytesOf[dtype] / 4,
  begin: (f, vectors) => {
    const best = accumulators(f, vectors, dtype, worst(dtype, largest));
    const places = accumulators(f, vectors, 'int32', 0);
    const place = accumulators(f, 1, 'int32', 0)[0]!;
    const x = f.local('v128');
    const shape = shapeOf[dtype];
    return {
      term: vector => {
        const held = best[vector]!;
        f.set(x);
        // The new one stays out if it is no better, and if a NaN was there before.
        if (isFloat(dtype)) {
          f.get(held, held).op(`${shape}.eq` as Op);
          f.get(x, held).op(`${shape}.${largest ? 'le' : 'ge'}` as Op, 'v128.andnot');
        } else f.get(x, held).op(`${shape}.${largest ? 'gt' : 'lt'}${suffix(dtype)}` as Op);
        const better = f.keep('v128');
        f.get(x, held, better).op('v128.bitselect').set(held);
        f.get(place, places[vector]!, better).op('v128.bitselect').set(places[vector]!);
      },
      // In lanes of 64 bits both halves count, and the lower one is stored.
      next: () => {
        splat(f, 'int32', 1);
        f.get(place).op('i32x4.add').set(place);
      },
      result: vector => f.get(places[vector]!),
    };
  },
});

const reducers: { readonly [P in keyof ReductionPrimitives]: (dtype: Numeric) => Reducer } = {
  sum: summing,
  reduceMax: dtype => extremum(dtype, true),
  reduceMin: dtype => extremum(dtype, false),
  argmax: dtype => position(dtype, true),
  argmin: dtype => position(dtype, false),
};

/** One result out of contiguous terms, in an order of its own: all lanes have a part of them. Leaves it in the first lane. */
const reduceAcross = (f: FunctionWriter, reducer: Reducer, inner: readonly Axis[], bytes: 4 | 8, from: Local): void => {
  const { lanes, block, free, begin } = reducer;
  const { op, idempotent } = free!;
  const parts = begin(f, block, 0);
  const single = idempotent ? (bytes === 4 ? 'v128.load32_splat' : 'v128.load64_splat') : 'v128.load32_zero';
  nest(f, inner.slice(0, -1), [from], () => {
    inBlocks(f, inner[inner.length - 1]!, lanes * block, [from], count => {
      const whole = Math.floor(count / lanes);
      for (let i = 0; i < whole; i++) {
        f.get(from).memory('v128.load', 16 * i);
        parts.term(i);
      }
      for (let i = whole * lanes; i < count; i++) {
        f.get(from).memory(single, i * bytes);
        parts.term(i % block);
      }
    });
  });
  for (let i = 0; i < block; i++) {
    parts.result(i);
    if (i > 0) f.op(op);
  }
  const all = f.keep('v128');
  for (let half = 8; half >= bytes; half /= 2) {
    f.get(all, all, all)
      .shuffle(range(16).map(i => (i + half) % 16))
      .op(op)
      .set(all);
  }
  f.get(all);
};

export const reduction =
  (name: keyof ReductionPrimitives) =>
  ({ axes }: ParamsOf<'sum'>, [x]: readonly Aval[], aval: Aval): LoopKernel | null => {
    const { shape, dtype } = x!;
    if (!(dtype in shapeOf)) return null;
    const reducer = reducers[name](dtype as Numeric);
    const { lanes, block, spread, free, begin } = reducer;
    const bytes = bytesOf[dtype] as 4 | 8;
    const storeLane = bytesOf[aval.dtype] === 4 ? 'v128.store32_lane' : 'v128.store64_lane';
    const [steps, outSteps] = [byteSteps(x!), byteSteps(aval)];
    const kept = range(shape.length).filter(axis => !axes.includes(axis));
    const outer = merged(kept.map((axis, i) => ({ length: shape[axis]!, steps: [steps[axis]!, outSteps[i]!] })));
    const inner = merged(axes.map(axis => ({ length: shape[axis]!, steps: [steps[axis]!] })));
    const terms = sizeOf(axes.map(axis => shape[axis]!));
    const last = inner[inner.length - 1];
    const across = free !== undefined && last?.steps[0] === bytes && last.length >= lanes * block;
    const [blocked = { length: 1, steps: [0, 0] }, others] = longest(
      outer,
      ({ steps: [step], length }) => step === bytes && length >= lanes,
    );
    const [step, outStep] = blocked.steps as [number, number];

    return kernelOf([x!], aval, (f, [from], out) => {
      if (across) {
        nest(f, outer, [from!, out], () => {
          f.get(out);
          reduceAcross(f, reducer, inner, bytes, from!);
          f.memoryLane(storeLane, 0);
        });
        return 0;
      }
      nest(f, others, [from!, out], () => {
        inBlocks(f, blocked, lanes * block, [from!, out], count => {
          const vectors = range(Math.ceil(count / lanes));
          const used = (vector: number): number => Math.min(lanes, count - vector * lanes);
          const reducing = begin(f, vectors.length, terms);
          nest(f, inner, [from!], () => {
            for (const vector of vectors) {
              loadLanes(f, from!, vector * lanes * step, step, bytes, lanes, used(vector));
              reducing.term(vector);
            }
            reducing.next();
          });
          for (const vector of vectors) {
            reducing.result(vector);
            const value = f.keep('v128');
            for (let lane = 0; lane < used(vector); lane++) {
              f.get(out, value).memoryLane(storeLane, lane * spread, (vector * lanes + lane) * outStep);
            }
          }
        });
      });
      return 0;
    });
  };
