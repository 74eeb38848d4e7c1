/** Decompositions and triangular systems, matrix by matrix, as the textbooks have them. */
import type { TypedArray } from '../../dtype.js';
import type { TriangularParams } from '../../primitives/signatures.js';
import { type Aval, range, sizeOf } from '../../shape.js';

/** Calls `each` for every matrix of a stack with the place of its first element. */
export const matrices = (
  { shape }: Aval,
  each: (start: number, rows: number, columns: number, index: number) => void,
): void => {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  for (const i of range(sizeOf(shape.slice(0, -2)))) each(i * rows * columns, rows, columns, i);
};

export const cholesky = (x: TypedArray, aval: Aval): Float64Array => {
  const l = new Float64Array(x.length);
  matrices(aval, (start, n) => {
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const [p, q] = [start + i * n, start + j * n];
        let sum = x[p + j]!;
        for (let k = 0; k < j; k++) sum -= l[p + k]! * l[q + k]!;
        if (i === j) l[p + j] = sum > 0 ? Math.sqrt(sum) : Number.NaN;
        else l[p + j] = sum / l[q + j]!;
      }
    }
  });
  return l;
};

export const triangularSolve = (
  a: TypedArray,
  y: TypedArray,
  { upper, transpose, unit }: TriangularParams,
  aval: Aval,
): Float64Array => {
  const x = Float64Array.from(y);
  matrices(aval, (start, n, columns, index) => {
    const at = (i: number, j: number): number => a[index * n * n + (transpose ? j * n + i : i * n + j)]!;
    const backwards = upper !== transpose;
    for (let step = 0; step < n; step++) {
      const i = backwards ? n - 1 - step : step;
      for (let c = 0; c < columns; c++) {
        let sum = x[start + i * columns + c]!;
        for (let known = 0; known < step; known++) {
          const k = backwards ? n - 1 - known : known;
          sum -= at(i, k) * x[start + k * columns + c]!;
        }
        x[start + i * columns + c] = unit ? sum : sum / at(i, i);
      }
    }
  });
  return x;
};

export const lu = (x: TypedArray, aval: Aval): readonly [packed: Float64Array, order: Int32Array] => {
  const w = Float64Array.from(x);
  const order = new Int32Array(sizeOf(aval.shape.slice(0, -1)));
  matrices(aval, (start, rows, columns, index) => {
    const own = order.subarray(index * rows, (index + 1) * rows);
    own.forEach((_, i) => {
      own[i] = i;
    });
    const row = (i: number): Float64Array => w.subarray(start + i * columns, start + (i + 1) * columns);
    for (let j = 0; j < Math.min(rows, columns); j++) {
      let best = j;
      for (let i = j + 1; i < rows; i++) if (Math.abs(row(i)[j]!) > Math.abs(row(best)[j]!)) best = i;
      const exchanged = row(best).slice();
      row(best).set(row(j));
      row(j).set(exchanged);
      [own[j], own[best]] = [own[best]!, own[j]!];
      const pivot = row(j)[j]!;
      if (pivot === 0) continue;
      for (let i = j + 1; i < rows; i++) {
        const factor = row(i)[j]! / pivot;
        row(i)[j] = factor;
        for (let k = j + 1; k < columns; k++) row(i)[k] = row(i)[k]! - factor * row(j)[k]!;
      }
    }
  });
  return [w, order];
};
