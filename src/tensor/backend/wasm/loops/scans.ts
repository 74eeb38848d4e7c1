/**
 * Running sums, recurrences and positions of running extremes. Results that stand beside each other are computed together, one
 * to a lane. Floats are carried in float64 and rounded where they are stored.
 */
import { bytesOf, type DType, isFloat } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, range } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import type { Op } from '../opcodes.js';
import {
  advance,
  byteSteps,
  inBlocks,
  kernelOf,
  type LoopKernel,
  loadLanes,
  longest,
  merged,
  nest,
  repeat,
} from './walk.js';

/** Vectors of results computed together. */
const blockVectors = 4;

interface Lane {
  /** Number of the first result in it, and how many there are. */
  readonly first: number;
  readonly used: number;
}

/** What is carried from element to element, and what becomes of it: `start` on the first element, `next` on the others. */
interface Scan {
  start(): void;
  next(): void;
}

/** Walks along the axis in blocks of lanes of which `write` knows what to do with one. */
const scanned = (
  inputs: readonly Aval[],
  aval: Aval,
  axis: number,
  reverse: boolean,
  lanes: number,
  write: (f: FunctionWriter, addresses: readonly Local[], out: Local, lane: Lane, steps: readonly number[]) => Scan,
): LoopKernel => {
  const all = [...inputs, aval].map(byteSteps);
  const length = aval.shape[axis]!;
  const axes = range(aval.shape.length)
    .filter(other => other !== axis)
    .map(other => ({ length: aval.shape[other]!, steps: all.map(steps => steps[other]!) }));
  const unit = bytesOf[inputs[0]!.dtype];
  const preferred = ({ steps, length: n }: { steps: readonly number[]; length: number }): boolean =>
    steps[0] === unit && n >= lanes;
  const [blocked = { length: 1, steps: all.map(() => 0) }, others] = longest(merged(axes), preferred);
  return kernelOf(inputs, aval, (f, addresses, out) => {
    const walking = [...addresses, out];
    const go = (elements: number): void => {
      for (const [i, address] of walking.entries()) advance(f, address, elements * all[i]![axis]!);
    };
    nest(f, others, walking, () => {
      inBlocks(f, blocked, lanes * blockVectors, walking, count => {
        const scans = range(Math.ceil(count / lanes)).map(i =>
          write(f, addresses, out, { first: i * lanes, used: Math.min(lanes, count - i * lanes) }, blocked.steps),
        );
        if (reverse) go(length - 1);
        for (const scan of scans) scan.start();
        repeat(f, length - 1, () => {
          go(reverse ? -1 : 1);
          for (const scan of scans) scan.next();
        });
        go(reverse ? 0 : 1 - length);
      });
    });
    return 0;
  });
};

/** Lanes of float64 for floats of either width. */
const lanesOf = (dtype: DType): number => (isFloat(dtype) ? 2 : 4);

/** Running values by arithmetic, all operands and the result of one dtype. */
const arithmetic = (
  inputs: readonly Aval[],
  aval: Aval,
  { axis, reverse }: ParamsOf<'cumsum'>,
  combine: (f: FunctionWriter, shape: 'f64x2' | 'i32x4', carry: Local, terms: readonly Local[]) => void,
): LoopKernel => {
  const { dtype } = aval;
  const [bytes, lanes] = [bytesOf[dtype] as 4 | 8, lanesOf(dtype)];
  return scanned(inputs, aval, axis, reverse, lanes, (f, addresses, out, { first, used }, steps) => {
    const load = (i: number): Local => {
      loadLanes(f, addresses[i]!, first * steps[i]!, steps[i]!, bytes, lanes, used);
      return (dtype === 'float32' ? f.op('f64x2.promote_low_f32x4') : f).keep('v128');
    };
    const carry = f.local('v128');
    const store = (): void => {
      f.get(carry);
      const stored = (dtype === 'float32' ? f.op('f32x4.demote_f64x2_zero') : f).keep('v128');
      for (const lane of range(used)) {
        const op = bytes === 4 ? 'v128.store32_lane' : 'v128.store64_lane';
        f.get(out, stored).memoryLane(op, lane, (first + lane) * steps[inputs.length]!);
      }
    };
    return {
      start: () => {
        f.get(load(inputs.length - 1)).set(carry);
        store();
      },
      next: () => {
        combine(f, isFloat(dtype) ? 'f64x2' : 'i32x4', carry, range(inputs.length).map(load));
        f.set(carry);
        store();
      },
    };
  });
};

export const cumsum = (params: ParamsOf<'cumsum'>, inputs: readonly Aval[], aval: Aval): LoopKernel =>
  arithmetic(inputs, aval, params, (f, shape, carry, [x]) => f.get(carry, x!).op(`${shape}.add`));

export const recurrence = (params: ParamsOf<'recurrence'>, inputs: readonly Aval[], aval: Aval): LoopKernel =>
  arithmetic(inputs, aval, params, (f, shape, carry, [factor, x]) =>
    f.get(factor!, carry).op(`${shape}.mul`).get(x!).op(`${shape}.add`),
  );

const shapeOf = { float32: 'f32x4', float64: 'f64x2', int32: 'i32x4', uint32: 'i32x4' } as const;

const runningPosition =
  (largest: boolean) =>
  ({ axis }: ParamsOf<'cumargmax'>, inputs: readonly Aval[], aval: Aval): LoopKernel => {
    const dtype = inputs[0]!.dtype as keyof typeof shapeOf;
    const [bytes, shape] = [bytesOf[dtype] as 4 | 8, shapeOf[dtype]];
    const sign = isFloat(dtype) ? '' : dtype === 'int32' ? '_s' : '_u';
    const atLeast = `${shape}.${largest ? 'ge' : 'le'}${sign}` as Op;
    const lanes = 16 / bytes;
    return scanned(inputs, aval, axis, false, lanes, (f, [from], out, { first, used }, [step, outStep]) => {
      const [best, found, place, better] = range(4).map(() => f.local('v128')) as [Local, Local, Local, Local];
      const load = (): Local => {
        loadLanes(f, from!, first * step!, step!, bytes, lanes, used);
        return f.keep('v128');
      };
      const store = (): void => {
        for (const lane of range(used)) {
          // In lanes of 64 bits both halves count, and the lower one is stored.
          f.get(out, found).memoryLane('v128.store32_lane', (lane * bytes) / 4, (first + lane) * outStep!);
        }
      };
      return {
        start: () => {
          f.get(load()).set(best);
          f.v128(new Uint8Array(16)).tee(found).set(place);
          store();
        },
        next: () => {
          f.v128(new Uint8Array(Int32Array.of(1, 1, 1, 1).buffer))
            .get(place)
            .op('i32x4.add')
            .set(place);
          const x = load();
          f.get(x, best).op(atLeast);
          if (isFloat(dtype)) f.get(x, x).op(`${shape}.ne` as Op, 'v128.or');
          f.set(better);
          f.get(x, best, better).op('v128.bitselect').set(best);
          f.get(place, found, better).op('v128.bitselect').set(found);
          store();
        },
      };
    });
  };

export const cumargmax = runningPosition(true);
export const cumargmin = runningPosition(false);
