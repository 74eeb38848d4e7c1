/**
 * argmax and argmin over any axes. Results that stand beside each other are computed together, one to a lane: all lanes
 * meet their terms in the same order, and the place of a term is the same for all.
 */
import { bytesOf, isFloat } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, range } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import type { Op } from '../opcodes.js';
import { byteSteps, inBlocks, kernelOf, type LoopKernel, loadLanes, longest, merged, nest } from './walk.js';

/** Vectors of results computed together. */
const blockVectors = 4;

const shapeOf = { float32: 'f32x4', float64: 'f64x2', int32: 'i32x4', uint32: 'i32x4' } as const;
const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint32: Uint32Array };
type Numeric = keyof typeof shapeOf;

/** Leaves a vector of one number on the stack. */
const splat = (f: FunctionWriter, dtype: Numeric, value: number): FunctionWriter =>
  f.v128(new Uint8Array(new arrays[dtype](16 / bytesOf[dtype]).fill(value).buffer));

/** What every number is better than, or as good as. */
const worst = (dtype: Numeric, largest: boolean): number => {
  if (isFloat(dtype)) return largest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (dtype === 'int32') return largest ? -(2 ** 31) : 2 ** 31 - 1;
  return largest ? 0 : 2 ** 32 - 1;
};

/** Leaves on the stack where x is better than the best so far. A NaN is better than everything but another NaN. */
const isBetter = (f: FunctionWriter, dtype: Numeric, largest: boolean, x: Local, best: Local): FunctionWriter => {
  const shape = shapeOf[dtype];
  if (!isFloat(dtype)) {
    const compare = `${shape}.${largest ? 'gt' : 'lt'}${dtype === 'int32' ? '_s' : '_u'}` as Op;
    return f.get(x, best).op(compare);
  }
  // x stays out if it is no better, and if a NaN was there before.
  f.get(best, best).op(`${shape}.eq` as Op);
  return f.get(x, best).op(`${shape}.${largest ? 'le' : 'ge'}` as Op, 'v128.andnot');
};

/** Where the first best is. */
const position =
  (largest: boolean) =>
  ({ axes }: ParamsOf<'argmax'>, [x]: readonly Aval[], aval: Aval): LoopKernel => {
    const { shape } = x!;
    const dtype = x!.dtype as Numeric;
    const bytes = bytesOf[dtype] as 4 | 8;
    const lanes = 16 / bytes;
    const [steps, outSteps] = [byteSteps(x!), byteSteps(aval)];
    const kept = range(shape.length).filter(axis => !axes.includes(axis));
    const outer = merged(kept.map((axis, i) => ({ length: shape[axis]!, steps: [steps[axis]!, outSteps[i]!] })));
    const inner = merged(axes.map(axis => ({ length: shape[axis]!, steps: [steps[axis]!] })));
    const [blocked = { length: 1, steps: [0, 0] }, others] = longest(
      outer,
      ({ steps: [step], length }) => step === bytes && length >= lanes,
    );
    const [step, outStep] = blocked.steps as [number, number];

    return kernelOf([x!], aval, (f, [from], out) => {
      const term = f.local('v128');
      const better = f.local('v128');
      nest(f, others, [from!, out], () => {
        inBlocks(f, blocked, lanes * blockVectors, [from!, out], count => {
          const vectors = range(Math.ceil(count / lanes)).map(i => ({
            first: i * lanes,
            used: Math.min(lanes, count - i * lanes),
            best: splat(f, dtype, worst(dtype, largest)).keep('v128'),
            found: splat(f, 'int32', 0).keep('v128'),
          }));
          const place = splat(f, 'int32', 0).keep('v128');
          nest(f, inner, [from!], () => {
            for (const { first, used, best, found } of vectors) {
              loadLanes(f, from!, first * step, step, bytes, lanes, used);
              f.set(term);
              isBetter(f, dtype, largest, term, best).set(better);
              f.get(term, best, better).op('v128.bitselect').set(best);
              f.get(place, found, better).op('v128.bitselect').set(found);
            }
            splat(f, 'int32', 1).get(place).op('i32x4.add').set(place);
          });
          for (const { first, used, found } of vectors) {
            for (const lane of range(used)) {
              // In lanes of 64 bits both halves count, and the lower one is stored.
              f.get(out, found).memoryLane('v128.store32_lane', (lane * bytes) / 4, (first + lane) * outStep);
            }
          }
        });
      });
      return 0;
    });
  };

export const argmax = position(true);
export const argmin = position(false);
