/** Rows of float64 numbers in scratch memory: how they come there, and how they are lessened by multiples of others. */
import type { Aval } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { advance, nest } from './walk.js';

/** Bytes of a float64. */
export const wide = 8;

/** Loads a float as float64; the address is on the stack. */
export const loadFloat = (f: FunctionWriter, dtype: Aval['dtype']): FunctionWriter =>
  dtype === 'float32' ? f.memory('f32.load').op('f64.promote_f32') : f.memory('f64.load');

/** Stores the float64 on the stack, the address below it. */
const storeFloat = (f: FunctionWriter, dtype: Aval['dtype']): FunctionWriter =>
  dtype === 'float32' ? f.op('f32.demote_f64').memory('f32.store') : f.memory('f64.store');

/** Copies a matrix through steps in bytes, floats of `from` to float64 or back. */
export const copyMatrix = (
  f: FunctionWriter,
  [rows, columns]: readonly [rows: number, columns: number],
  to: { readonly at: Local; readonly steps: readonly [number, number]; readonly dtype: Aval['dtype'] },
  from: { readonly at: Local; readonly steps: readonly [number, number]; readonly dtype: Aval['dtype'] },
): void => {
  const axes = [
    { length: rows, steps: [to.steps[0], from.steps[0]] },
    { length: columns, steps: [to.steps[1], from.steps[1]] },
  ];
  nest(f, axes, [to.at, from.at], () => {
    f.get(to.at, from.at);
    storeFloat(loadFloat(f, from.dtype), to.dtype);
  });
};

/** The float64 numbers from `row` up to `end` lessened by `factor` times those from `other` on. */
export const subtractMultiple = (f: FunctionWriter, row: Local, end: Local, other: Local, factor: Local): void => {
  const [at, from, both] = [f.get(row).keep('i32'), f.get(other).keep('i32'), f.local('i32')];
  const pair = f.get(factor).op('f64x2.splat').keep('v128');
  f.get(end).i32(wide).op('i32.sub').set(both);
  f.while(
    () => f.get(at, both).op('i32.lt_u'),
    () => {
      f.get(at, at).memory('v128.load').get(from).memory('v128.load').get(pair).op('f64x2.mul', 'f64x2.sub');
      f.memory('v128.store');
      advance(f, at, 2 * wide);
      advance(f, from, 2 * wide);
    },
  );
  f.get(at, end)
    .op('i32.lt_u')
    .if(() => {
      f.get(at, at).memory('f64.load').get(from).memory('f64.load').get(factor).op('f64.mul', 'f64.sub');
      f.memory('f64.store');
    });
};

/** A row from an element on, rows that stand before it, and what these are multiplied with. */
interface Combination {
  /** The element, and where the row ends. */
  readonly row: Local;
  readonly end: Local;
  /** The element of the first of the other rows in the column of `row`; they follow each other by `pitch` bytes up to it. */
  readonly first: Local;
  readonly pitch: number;
  /** The factor of the first of them; the others follow by `step` bytes. */
  readonly factor: Local;
  readonly step: number;
  readonly dtype: Aval['dtype'];
}

/** Vectors that are lessened at once: each factor is loaded once for all of them, and none is stored between two rows. */
const vectors = 4;

/** A row lessened by one multiple of each row before it, one after the other. */
export const subtractCombination = (f: FunctionWriter, { row, end, first, ...rest }: Combination): void => {
  const { pitch, factor, step, dtype } = rest;
  const [at, start] = [f.get(row).keep('i32'), f.get(first).keep('i32')];
  const [other, factorAt, pair] = [f.local('i32'), f.local('i32'), f.local('v128')];
  const throughRows = (body: () => void): void => {
    f.get(start).set(other).get(factor).set(factorAt);
    f.while(
      () => f.get(other, at).op('i32.ne'),
      () => {
        body();
        advance(f, other, pitch);
        advance(f, factorAt, step);
      },
    );
  };
  const sums = Array.from({ length: vectors }, () => f.local('v128'));
  for (const count of [vectors, 1]) {
    const own = sums.slice(0, count);
    const bytes = 2 * wide * count;
    f.while(
      () =>
        f
          .get(at)
          .i32(bytes - wide)
          .op('i32.add')
          .get(end)
          .op('i32.lt_u'),
      () => {
        for (const [i, sum] of own.entries())
          f.get(at)
            .memory('v128.load', 2 * wide * i)
            .set(sum);
        throughRows(() => {
          loadFloat(f.get(factorAt), dtype).op('f64x2.splat').set(pair);
          for (const [i, sum] of own.entries()) {
            f.get(sum, other)
              .memory('v128.load', 2 * wide * i)
              .get(pair)
              .op('f64x2.mul', 'f64x2.sub')
              .set(sum);
          }
        });
        for (const [i, sum] of own.entries()) f.get(at, sum).memory('v128.store', 2 * wide * i);
        advance(f, at, bytes);
        advance(f, start, bytes);
      },
    );
  }
  f.get(at, end)
    .op('i32.lt_u')
    .if(() => {
      const single = f.get(at).memory('f64.load').keep('f64');
      throughRows(() => {
        f.get(single, other).memory('f64.load');
        loadFloat(f.get(factorAt), dtype).op('f64.mul', 'f64.sub').set(single);
      });
      f.get(at, single).memory('f64.store');
    });
};
