/**
 * Rows made orthogonal by one-sided Jacobi rotations, in scratch memory in float64. The reference meaning adds in the same order.
 */
import { bytesOf } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import type { FunctionWriter, Local } from '../assembler.js';
import { everyMatrix, matrixOf, partsOf, perElement } from './decompositions.js';
import { copyMatrix, wide } from './rows.js';
import { advance, kernelOfParts, type LoopKernel } from './walk.js';

/** Convergence is quadratic in the end and takes about ten sweeps. */
const [usualSweeps, mostSweeps] = [10, 30];

const vector = 2 * wide;

/** The products of two rows with themselves and with each other, of so many bytes from their starts on. */
const products = (f: FunctionWriter, p: Local, q: Local, bytes: number): readonly [Local, Local, Local] => {
  const [at, other, end] = [
    f.get(p).keep('i32'),
    f.get(q).keep('i32'),
    f.get(p).i32(bytes).op('i32.add').keep('i32'),
  ] as const;
  const [x, y] = [f.local('v128'), f.local('v128')];
  const pairs = [
    [x, x],
    [y, y],
    [x, y],
  ] as const;
  const sums = pairs.map(() => [0, 1].map(() => f.f64(0).op('f64x2.splat').keep('v128')));
  f.while(
    () => f.get(at, end).op('i32.lt_u'),
    () => {
      for (const half of [0, 1]) {
        f.get(at)
          .memory('v128.load', half * vector)
          .set(x);
        f.get(other)
          .memory('v128.load', half * vector)
          .set(y);
        for (const [i, [one, two]] of pairs.entries()) {
          const sum = sums[i]![half]!;
          f.get(sum, one, two).op('f64x2.mul', 'f64x2.add').set(sum);
        }
      }
      advance(f, at, 2 * vector);
      advance(f, other, 2 * vector);
    },
  );
  const both = f.local('v128');
  return sums.map(([first, second]) => {
    f.get(first!, second!).op('f64x2.add').set(both);
    f.get(both).lane('f64x2.extract_lane', 0).get(both).lane('f64x2.extract_lane', 1);
    return f.op('f64.add').keep('f64');
  }) as [Local, Local, Local];
};

/** Two rows turned by an angle, of which the sine and the tangent of its half are given, of so many bytes. */
const turn = (f: FunctionWriter, p: Local, q: Local, sine: Local, half: Local, bytes: number): void => {
  const [at, other, end] = [
    f.get(p).keep('i32'),
    f.get(q).keep('i32'),
    f.get(p).i32(bytes).op('i32.add').keep('i32'),
  ] as const;
  const [s, h] = [sine, half].map(each => f.get(each).op('f64x2.splat').keep('v128')) as [Local, Local];
  const [x, y] = [f.local('v128'), f.local('v128')];
  f.while(
    () => f.get(at, end).op('i32.lt_u'),
    () => {
      f.get(at).memory('v128.load').set(x).get(other).memory('v128.load').set(y);
      f.get(at, x, s, h, x).op('f64x2.mul').get(y).op('f64x2.add', 'f64x2.mul', 'f64x2.sub').memory('v128.store');
      f.get(other, y, s, x, h, y).op('f64x2.mul', 'f64x2.sub', 'f64x2.mul', 'f64x2.add').memory('v128.store');
      advance(f, at, vector);
      advance(f, other, vector);
    },
  );
};

/** √(x² + 1), to the stack. */
const rootOfSquarePlusOne = (f: FunctionWriter, x: Local): void => {
  f.get(x, x).op('f64.mul').f64(1).op('f64.add', 'f64.sqrt');
};

/** Makes two rows orthogonal, and `turned` 1 if they were not. */
const orthogonalise = (
  f: FunctionWriter,
  p: Local,
  q: Local,
  turned: Local,
  { columns, counted, bytes }: { readonly columns: number; readonly counted: number; readonly bytes: number },
): void => {
  const [pp, qq, pq] = products(f, p, q, counted);
  f.get(pq)
    .op('f64.abs')
    .f64(Math.sqrt(columns) * 2 ** -52);
  f.get(pp).op('f64.sqrt', 'f64.mul').get(qq).op('f64.sqrt', 'f64.mul', 'f64.gt');
  f.if(() => {
    const zeta = f.get(qq, pp).op('f64.sub').get(pq, pq).op('f64.add', 'f64.div').keep('f64');
    const large = f.get(zeta).op('f64.abs').keep('f64');
    f.get(large, large);
    rootOfSquarePlusOne(f, zeta);
    // Beyond 2³⁰ the root is that of the square, which may be larger than any number.
    f.get(large)
      .f64(2 ** 30)
      .op('f64.gt', 'select');
    const size = f.op('f64.add').keep('f64');
    f.f64(-1).f64(1).get(zeta).f64(0).op('f64.lt', 'select');
    const tangent = f.get(size).op('f64.div').keep('f64');
    rootOfSquarePlusOne(f, tangent);
    const root = f.keep('f64');
    const sine = f.get(tangent, root).op('f64.div').keep('f64');
    const half = f.get(tangent, root).f64(1).op('f64.add', 'f64.div').keep('f64');
    turn(f, p, q, sine, half, bytes);
    f.get(turned, tangent).f64(0).op('f64.ne', 'i32.or').set(turned);
  });
};

export const orthogonalRows = (
  { columns }: ParamsOf<'orthogonalRows'>,
  [x]: readonly Aval[],
  aval: Aval,
): LoopKernel => {
  const { rows, columns: length } = matrixOf(aval);
  const work = partsOf(aval, usualSweeps * perElement * rows ** 2 * length);
  return kernelOfParts([x!], 1, work, (f, [from], [out], scratch, range) => {
    const unit = bytesOf[aval.dtype];
    // Zeros behind the counted columns and behind the others fill their vectors up.
    const counted = 2 * vector * Math.ceil(columns / 4);
    const bytes = counted + vector * Math.ceil((length - columns) / 2);
    const size = rows * length * unit;
    const parts = [
      { first: 0, width: columns, offset: 0 },
      { first: columns, width: length - columns, offset: counted },
    ];
    const copyParts = (back: boolean): void => {
      for (const { first, width, offset } of parts) {
        const own = f.get(scratch).i32(offset).op('i32.add').keep('i32');
        const outside = f
          .get(back ? out! : from!)
          .i32(first * unit)
          .op('i32.add')
          .keep('i32');
        const inner = { at: own, steps: [bytes, wide], dtype: 'float64' } as const;
        const outer = { at: outside, steps: [length * unit, unit], dtype: aval.dtype } as const;
        copyMatrix(f, [rows, width], back ? outer : inner, back ? inner : outer);
      }
    };
    everyMatrix(f, range, [from!, out!], [size, size], () => {
      f.get(scratch)
        .i32(0)
        .i32(rows * bytes)
        .memoryFill();
      copyParts(false);
      const end = f
        .get(scratch)
        .i32(rows * bytes)
        .op('i32.add')
        .keep('i32');
      const [turned, sweep] = [f.i32(1).keep('i32'), f.i32(0).keep('i32')];
      const [p, q] = [f.local('i32'), f.local('i32')];
      f.while(
        () => f.get(turned, sweep).i32(mostSweeps).op('i32.lt_u', 'i32.and'),
        () => {
          f.i32(0).set(turned).get(scratch).set(p);
          advance(f, sweep, 1);
          f.while(
            () => f.get(p, end).op('i32.lt_u'),
            () => {
              f.get(p).i32(bytes).op('i32.add').set(q);
              f.while(
                () => f.get(q, end).op('i32.lt_u'),
                () => {
                  orthogonalise(f, p, q, turned, { columns, counted, bytes });
                  advance(f, q, bytes);
                },
              );
              advance(f, p, bytes);
            },
          );
        },
      );
      copyParts(true);
    });
    return rows * bytes;
  });
};
