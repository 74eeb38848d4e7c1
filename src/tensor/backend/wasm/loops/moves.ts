/** Elements that go to other places: pad, concat, gather, and scatterAdd, which adds them up there. */
import { bytesOf, type DType } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, sizeOf } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import {
  advance,
  byteSteps,
  copyBytes,
  copyElements,
  inBlocks,
  kernelOf,
  type LoopKernel,
  nest,
  repeat,
  storeElement,
} from './walk.js';

export const pad = ({ low, interior }: ParamsOf<'pad'>, [x]: readonly Aval[], aval: Aval): LoopKernel =>
  kernelOf([x!], aval, (f, [from], out) => {
    const bytes = bytesOf[aval.dtype];
    const [own, steps] = [byteSteps(x!), byteSteps(aval)];
    const size = sizeOf(aval.shape);
    if (size > sizeOf(x!.shape))
      f.get(out)
        .i32(0)
        .i32(size * bytes)
        .memoryFill();
    advance(
      f,
      out,
      low.reduce((sum, n, axis) => sum + n * steps[axis]!, 0),
    );
    const axes = x!.shape.map((length, axis) => ({
      length,
      steps: [steps[axis]! * (interior[axis]! + 1), own[axis]!],
    }));
    copyElements(f, axes, out, from!, bytes);
    return 0;
  });

export const concat = ({ axis }: ParamsOf<'concat'>, inputs: readonly Aval[], aval: Aval): LoopKernel =>
  kernelOf(inputs, aval, (f, addresses, out) => {
    const bytes = bytesOf[aval.dtype];
    const outer = sizeOf(aval.shape.slice(0, axis));
    const all = sizeOf(aval.shape.slice(axis));
    inputs.forEach(({ shape }, i) => {
      const block = sizeOf(shape.slice(axis));
      const axes = [
        { length: outer, steps: [all * bytes, block * bytes] },
        { length: block, steps: [bytes, bytes] },
      ];
      copyElements(f, axes, out, addresses[i]!, bytes);
      advance(f, out, block * bytes);
    });
    return 0;
  });

/** The body runs for each index that is inside, with its place on the stack; `outside`, if there is one, for the others. */
const whereInside = (
  f: FunctionWriter,
  indices: Local,
  length: number,
  inside: () => void,
  outside?: () => void,
): void => {
  const index = f.get(indices).memory('i32.load').keep('i32');
  // Negative indices are large as unsigned numbers.
  f.get(index).i32(length).op('i32.lt_u');
  f.if(() => {
    f.get(index);
    inside();
  }, outside);
};

export const gather = ({ axis }: ParamsOf<'gather'>, [x, indices]: readonly Aval[], aval: Aval): LoopKernel =>
  kernelOf([x!, indices!], aval, (f, [from, at], out) => {
    const { shape, dtype } = x!;
    const bytes = bytesOf[dtype];
    const elements = sizeOf(shape.slice(axis + 1));
    const block = elements * bytes;
    const count = sizeOf(indices!.shape);
    const source = f.local('i32');
    const missing = (): void =>
      nest(f, [{ length: elements, steps: [bytes] }], [out], () => {
        f.get(out);
        if (dtype === 'float32') f.f32(Number.NaN).memory('f32.store');
        else if (dtype === 'float64') f.f64(Number.NaN).memory('f64.store');
        else storeElement(f.i32(0), bytes);
      });
    repeat(f, sizeOf(shape.slice(0, axis)), () => {
      nest(f, [{ length: count, steps: [4] }], [at!], () => {
        const found = (): void => {
          f.i32(block).op('i32.mul').get(from!).op('i32.add').set(source);
          copyBytes(f, out, source, block);
        };
        whereInside(f, at!, shape[axis]!, found, missing);
        advance(f, out, block);
      });
      advance(f, from!, shape[axis]! * block);
    });
    return 0;
  });

/** to[i] += from[i], with float32 added to float64. */
const addElements = (f: FunctionWriter, dtype: DType, length: number, to: Local, from: Local): void => {
  const bytes = bytesOf[dtype];
  if (dtype === 'float32') {
    inBlocks(f, { length, steps: [8, 4] }, 4, [to, from], count => {
      for (let i = 0; i < count; i += 2) {
        if (i + 1 < count) {
          f.get(to, to).memory('v128.load', 8 * i);
          f.get(from)
            .memory('v128.load64_zero', 4 * i)
            .op('f64x2.promote_low_f32x4', 'f64x2.add');
          f.memory('v128.store', 8 * i);
        } else {
          f.get(to, to).memory('f64.load', 8 * i);
          f.get(from)
            .memory('f32.load', 4 * i)
            .op('f64.promote_f32', 'f64.add');
          f.memory('f64.store', 8 * i);
        }
      }
    });
    return;
  }
  const lanes = bytes === 1 ? 1 : 16 / bytes;
  inBlocks(f, { length, steps: [bytes, bytes] }, lanes, [to, from], count => {
    if (count === lanes && lanes > 1) {
      f.get(to, to).memory('v128.load').get(from).memory('v128.load');
      f.op(dtype === 'float64' ? 'f64x2.add' : 'i32x4.add').memory('v128.store');
      return;
    }
    for (let i = 0; i < count; i++) {
      const [load, add, store] =
        dtype === 'float64'
          ? (['f64.load', 'f64.add', 'f64.store'] as const)
          : bytes === 4
            ? (['i32.load', 'i32.add', 'i32.store'] as const)
            : (['i32.load8_u', 'i32.add', 'i32.store8'] as const);
      f.get(to, to)
        .memory(load, i * bytes)
        .get(from)
        .memory(load, i * bytes)
        .op(add)
        .memory(store, i * bytes);
    }
  });
};

/** float32 from float64, possibly in place. */
export const roundElements = (f: FunctionWriter, length: number, to: Local, from: Local): void =>
  inBlocks(f, { length, steps: [4, 8] }, 2, [to, from], count => {
    if (count === 2) {
      f.get(to, from).memory('v128.load').op('f32x4.demote_f64x2_zero').memoryLane('v128.store64_lane', 0);
    } else f.get(to, from).memory('f64.load').op('f32.demote_f64').memory('f32.store');
  });

/** float32 is added up in float64, one row of the axes before the indexed one at a time, and rounded once. */
export const scatterAdd = (
  { axis, length }: ParamsOf<'scatterAdd'>,
  [updates, indices]: readonly Aval[],
  aval: Aval,
): LoopKernel | null => {
  const { shape, dtype } = aval;
  if (dtype === 'bool') return null;
  return kernelOf([updates!, indices!], aval, (f, [from, at], out, scratch) => {
    const bytes = bytesOf[dtype];
    const elements = sizeOf(shape.slice(axis + 1));
    const row = length * elements;
    const [sums, sumBytes] = dtype === 'float32' ? [scratch, 8] : [out, bytes];
    const place = f.local('i32');
    repeat(f, sizeOf(shape.slice(0, axis)), () => {
      f.get(sums)
        .i32(0)
        .i32(row * sumBytes)
        .memoryFill();
      nest(f, [{ length: sizeOf(indices!.shape), steps: [4] }], [at!], () => {
        whereInside(f, at!, length, () => {
          f.i32(elements * sumBytes)
            .op('i32.mul')
            .get(sums)
            .op('i32.add')
            .set(place);
          addElements(f, dtype, elements, place, from!);
        });
        advance(f, from!, elements * bytes);
      });
      if (dtype === 'float32') roundElements(f, row, out, scratch);
      advance(f, out, row * bytes);
    });
    return dtype === 'float32' ? row * 8 : 0;
  });
};
