/**
 * argsort: every row is copied into scratch memory as entries of a key and a place, which a merge sort brings into order
 * from runs of 1, 2, 4, … entries. Keys are integers in the order of the elements (−0 as 0, every NaN the largest), so one
 * comparison serves all dtypes. Keys of 32 bits stand above their place in one word of 64; keys of 64 beside it in 16 bytes.
 */
import { bytesOf, type DType } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, range } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { advance, byteSteps, kernelOf, type LoopKernel, loadElement, merged, nest } from './walk.js';

/** The key of the element at the address: i64 for float64, i32 for all others; in order as signed numbers. */
const pushKey = (f: FunctionWriter, dtype: DType, address: Local): void => {
  if (dtype === 'float32') {
    // Adding 0 makes −0 a 0. Below 0 the order of the bits is the other way round.
    const x = f.get(address).memory('f32.load').f32(0).op('f32.add').keep('f32');
    const bits = f.get(x).op('i32.reinterpret_f32').keep('i32');
    f.i32(0x7fffffff);
    f.get(bits, bits).i32(31).op('i32.shr_s').i32(1).op('i32.shr_u', 'i32.xor');
    f.get(x, x).op('f32.ne', 'select');
  } else if (dtype === 'float64') {
    const x = f.get(address).memory('f64.load').f64(0).op('f64.add').keep('f64');
    const bits = f.get(x).op('i64.reinterpret_f64').keep('i64');
    const i64 = (value: number): FunctionWriter => f.i32(value).op('i64.extend_i32_s');
    i64(-1);
    i64(1).op('i64.shr_u');
    f.get(bits, bits);
    i64(63).op('i64.shr_s');
    i64(1).op('i64.shr_u', 'i64.xor');
    f.get(x, x).op('f64.ne', 'select');
  } else {
    loadElement(f, address, bytesOf[dtype]);
    if (dtype === 'uint32') f.i32(0x80000000).op('i32.xor');
  }
};

/** Merges pairs of runs of `width` bytes from `source` into runs of twice as many in `target`. */
const mergeRuns = (
  f: FunctionWriter,
  source: Local,
  target: Local,
  width: Local,
  entry: 8 | 16,
  total: number,
): void => {
  const [left, right, to] = [f.get(source).keep('i32'), f.local('i32'), f.get(target).keep('i32')];
  const [middle, end, last] = [f.local('i32'), f.local('i32'), f.get(source).i32(total).op('i32.add').keep('i32')];
  const [stop, second] = [f.local('i32'), f.local('i32')];
  /** The place a run further, or the last one. */
  const runBehind = (from: Local): FunctionWriter =>
    f.get(from, width).op('i32.add').get(last, last, from).op('i32.sub').get(width).op('i32.gt_u', 'select');
  f.while(
    () => f.get(left, last).op('i32.lt_u'),
    () => {
      runBehind(left).tee(middle).set(right);
      runBehind(middle).set(end);
      f.get(to, end).op('i32.add').get(left).op('i32.sub').set(stop);
      // Without branches, which nobody could predict.
      f.loop(to, stop, entry, () => {
        f.get(right).memory('i64.load').get(left).memory('i64.load').op('i64.lt_s');
        f.get(left, middle).op('i32.ge_u', 'i32.or');
        f.get(right, end).op('i32.lt_u', 'i32.and').set(second);
        f.get(to, right, left, second).op('select');
        if (entry === 8) f.memory('i64.load').memory('i64.store');
        else f.memory('v128.load').memory('v128.store');
        f.get(second).i32(entry).op('i32.mul').tee(second).get(right).op('i32.add').set(right);
        f.get(left).i32(entry).op('i32.add').get(second).op('i32.sub').set(left);
      });
      f.get(end).set(left);
    },
  );
};

export const argsort = ({ axis }: ParamsOf<'argsort'>, [x]: readonly Aval[], aval: Aval): LoopKernel =>
  kernelOf([x!], aval, (f, [from], out, scratch) => {
    const { shape, dtype } = x!;
    const length = shape[axis]!;
    const wide = dtype === 'float64';
    const entry = wide ? 16 : 8;
    // Entries behind the last are read, though not used.
    const half = (length + 1) * entry;
    const [steps, outSteps] = [byteSteps(x!), byteSteps(aval)];
    const others = range(shape.length).filter(other => other !== axis);
    const rows = others.map(other => ({ length: shape[other]!, steps: [steps[other]!, outSteps[other]!] }));
    const [source, target, width, swap, place] = [
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
      f.local('i32'),
    ];
    nest(f, merged(rows), [from!, out], () => {
      f.get(scratch).set(source);
      f.get(scratch).i32(half).op('i32.add').set(target);
      f.i32(0).set(place);
      nest(f, [{ length, steps: [steps[axis]!, entry] }], [from!, source], () => {
        f.get(source);
        pushKey(f, dtype, from!);
        if (wide) f.memory('i64.store').get(source, place).memory('i32.store', 8);
        else f.memory('i32.store', 4).get(source, place).memory('i32.store');
        advance(f, place, 1);
      });
      f.i32(entry).set(width);
      const total = f.i32(length * entry).keep('i32');
      f.while(
        () => f.get(width, total).op('i32.lt_u'),
        () => {
          mergeRuns(f, source, target, width, entry, length * entry);
          f.get(source).set(swap).get(target).set(source).get(swap).set(target);
          f.get(width, width).op('i32.add').set(width);
        },
      );
      nest(f, [{ length, steps: [entry, outSteps[axis]!] }], [source, out], () => {
        f.get(out, source)
          .memory('i32.load', wide ? 8 : 0)
          .memory('i32.store');
      });
    });
    return 2 * half;
  });
