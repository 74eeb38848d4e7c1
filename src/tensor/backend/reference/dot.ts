/** dotGeneral as plain loops over contiguous rows, in float64. */
import { allocate, isFloat, type TypedArray } from '../../dtype.js';
import { freeAxes } from '../../primitives/contraction.js';
import type { DotParams } from '../../primitives/signatures.js';
import { type Aval, sizeOf, stridesOf } from '../../shape.js';
import { copy } from './strided.js';

/** A copy of an operand with its axes in the order batch, free, contracted, so that rows to be multiplied lie contiguous. */
const rows = (array: TypedArray, { shape, dtype }: Aval, axes: readonly number[]): TypedArray => {
  const strides = stridesOf(shape);
  const to = isFloat(dtype) ? new Float64Array(array.length) : allocate(dtype, array.length);
  const lengths = axes.map(axis => shape[axis]!);
  copy(
    lengths,
    { array: to, offset: 0, strides: stridesOf(lengths) },
    { array, offset: 0, strides: axes.map(axis => strides[axis]!) },
  );
  return to;
};

export const dotGeneral = (
  lhs: TypedArray,
  rhs: TypedArray,
  [lhsAval, rhsAval]: readonly [Aval, Aval],
  { lhsContract, rhsContract, lhsBatch, rhsBatch }: DotParams,
  result: Aval,
): TypedArray => {
  const lhsFree = freeAxes(lhsAval.shape.length, lhsContract, lhsBatch);
  const rhsFree = freeAxes(rhsAval.shape.length, rhsContract, rhsBatch);
  const count = (axes: readonly number[], { shape }: Aval): number => sizeOf(axes.map(axis => shape[axis]!));
  const batch = count(lhsBatch, lhsAval);
  const m = count(lhsFree, lhsAval);
  const n = count(rhsFree, rhsAval);
  const k = count(lhsContract, lhsAval);
  const a = rows(lhs, lhsAval, [...lhsBatch, ...lhsFree, ...lhsContract]);
  const b = rows(rhs, rhsAval, [...rhsBatch, ...rhsFree, ...rhsContract]);
  const out = allocate(result.dtype, batch * m * n);
  const multiply = isFloat(result.dtype) ? multiplyFloats : multiplyIntegers;
  for (let i = 0; i < batch; i++) {
    multiply(
      a.subarray(i * m * k, (i + 1) * m * k),
      b.subarray(i * n * k, (i + 1) * n * k),
      out.subarray(i * m * n, (i + 1) * m * n),
      m,
      n,
      k,
    );
  }
  return out;
};

/**
 * out[i, j] = Σ a[i, p] · b[j, p]. Two rows by four columns at a time, which is several times faster than one
 * sum after another; each sum still adds its terms in order, so a result does not depend on where it stands.
 */
const multiplyFloats = (a: TypedArray, b: TypedArray, out: TypedArray, m: number, n: number, k: number): void => {
  let i = 0;
  for (; i + 1 < m; i += 2) {
    let j = 0;
    for (; j + 3 < n; j += 4) block2x4(a as Float64Array, b as Float64Array, out, i, j, n, k);
    for (; j < n; j++) {
      out[i * n + j] = row(a as Float64Array, b as Float64Array, i * k, j * k, k);
      out[(i + 1) * n + j] = row(a as Float64Array, b as Float64Array, (i + 1) * k, j * k, k);
    }
  }
  for (; i < m; i++) {
    for (let j = 0; j < n; j++) out[i * n + j] = row(a as Float64Array, b as Float64Array, i * k, j * k, k);
  }
};

const row = (a: Float64Array, b: Float64Array, i: number, j: number, k: number): number => {
  let sum = 0;
  for (let p = 0; p < k; p++) sum += a[i + p]! * b[j + p]!;
  return sum;
};

const block2x4 = (
  a: Float64Array,
  b: Float64Array,
  out: TypedArray,
  i: number,
  j: number,
  n: number,
  k: number,
): void => {
  const [a0, a1] = [i * k, (i + 1) * k];
  const [b0, b1, b2, b3] = [j * k, (j + 1) * k, (j + 2) * k, (j + 3) * k];
  let s00 = 0;
  let s01 = 0;
  let s02 = 0;
  let s03 = 0;
  let s10 = 0;
  let s11 = 0;
  let s12 = 0;
  let s13 = 0;
  for (let p = 0; p < k; p++) {
    const x = a[a0 + p]!;
    const y = a[a1 + p]!;
    const p0 = b[b0 + p]!;
    const p1 = b[b1 + p]!;
    const p2 = b[b2 + p]!;
    const p3 = b[b3 + p]!;
    s00 += x * p0;
    s01 += x * p1;
    s02 += x * p2;
    s03 += x * p3;
    s10 += y * p0;
    s11 += y * p1;
    s12 += y * p2;
    s13 += y * p3;
  }
  const [o0, o1] = [i * n + j, (i + 1) * n + j];
  out[o0] = s00;
  out[o0 + 1] = s01;
  out[o0 + 2] = s02;
  out[o0 + 3] = s03;
  out[o1] = s10;
  out[o1 + 1] = s11;
  out[o1 + 2] = s12;
  out[o1 + 3] = s13;
};

const multiplyIntegers = (a: TypedArray, b: TypedArray, out: TypedArray, m: number, n: number, k: number): void => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum = (sum + Math.imul(a[i * k + p]!, b[j * k + p]!)) | 0;
      out[i * n + j] = sum;
    }
  }
};
