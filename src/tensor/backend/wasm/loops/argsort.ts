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

/** From so many wanted elements on, sorting all of them is quicker than keeping the best. */
const fewest = 64;

/**
 * The first `count` in order: those met so far are kept sorted, and an element that is not before the last of them, as nearly all
 * are not, is looked at once.
 */
const selectFirst = (
  f: FunctionWriter,
  dtype: DType,
  { length, step }: { readonly length: number; readonly step: number },
  from: Local,
  scratch: Local,
  count: number,
  entry: 8 | 16,
): void => {
  const wide = entry === 16;
  const [first, last, at, place] = [
    f.get(scratch).i32(entry).op('i32.add').keep('i32'),
    f
      .get(scratch)
      .i32(count * entry)
      .op('i32.add')
      .keep('i32'),
    f.local('i32'),
    f.i32(0).keep('i32'),
  ];
  const key = f.local('i64');
  nest(f, [{ length, steps: [step] }], [from], () => {
    // In a register: what has been stored in two pieces takes long to be loaded as one.
    pushKey(f, dtype, from);
    if (!wide) {
      f.op('i64.extend_i32_s').i32(32).op('i64.extend_i32_s', 'i64.shl');
      f.get(place).op('i64.extend_i32_u', 'i64.or');
    }
    f.set(key);
    f.get(key, last).memory('i64.load').op('i64.lt_s');
    f.get(place)
      .i32(count)
      .op('i32.lt_u', 'i32.or')
      .if(() => {
        // The place behind those there are, or that of the last one.
        f.get(first).get(place).i32(entry).op('i32.mul', 'i32.add').tee(at);
        f.get(last, at, last).op('i32.lt_u', 'select').set(at);
        f.while(
          () => {
            f.get(at, first).op('i32.gt_u').get(key, at).i32(entry).op('i32.sub');
            f.memory('i64.load').op('i64.lt_s', 'i32.and');
          },
          () => {
            f.get(at, at).i32(entry).op('i32.sub');
            if (wide) f.memory('v128.load').memory('v128.store');
            else f.memory('i64.load').memory('i64.store');
            f.get(at).i32(entry).op('i32.sub').set(at);
          },
        );
        f.get(at, key).memory('i64.store');
        if (wide) f.get(at, place).memory('i32.store', 8);
      });
    advance(f, place, 1);
  });
};

export const argsort = ({ axis, count }: ParamsOf<'argsort'>, [x]: readonly Aval[], aval: Aval): LoopKernel =>
  kernelOf([x!], aval, (f, [from], out, scratch) => {
    const { shape, dtype } = x!;
    const length = shape[axis]!;
    const wanted = count ?? length;
    const entry = dtype === 'float64' ? 16 : 8;
    const [steps, outSteps] = [byteSteps(x!), byteSteps(aval)];
    const others = range(shape.length).filter(other => other !== axis);
    const rows = others.map(other => ({ length: shape[other]!, steps: [steps[other]!, outSteps[other]!] }));
    const few = wanted < fewest && 8 * wanted <= length;
    // Entries behind the last are read, though not used; one in front of the first, too.
    const half = (length + 1) * entry;
    const sortedAt = f.local('i32');
    nest(f, merged(rows), [from!, out], () => {
      if (few) {
        selectFirst(f, dtype, { length, step: steps[axis]! }, from!, scratch, wanted, entry);
        f.get(scratch).i32(entry).op('i32.add').set(sortedAt);
      } else sortAll(f, dtype, { length, step: steps[axis]! }, from!, scratch, half, sortedAt);
      nest(f, [{ length: wanted, steps: [entry, outSteps[axis]!] }], [sortedAt, out], () => {
        f.get(out, sortedAt)
          .memory('i32.load', entry === 16 ? 8 : 0)
          .memory('i32.store');
      });
    });
    return few ? (wanted + 2) * entry : 2 * half;
  });

/** All of a row in order: entries are merged to and fro between two halves of scratch memory. */
const sortAll = (
  f: FunctionWriter,
  dtype: DType,
  { length, step }: { readonly length: number; readonly step: number },
  from: Local,
  scratch: Local,
  half: number,
  source: Local,
): void => {
  const wide = dtype === 'float64';
  const entry = wide ? 16 : 8;
  const [target, width, swap, place] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')];
  f.get(scratch).set(source);
  f.get(scratch).i32(half).op('i32.add').set(target);
  f.i32(0).set(place);
  nest(f, [{ length, steps: [step, entry] }], [from, source], () => {
    f.get(source);
    pushKey(f, dtype, from);
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
};
