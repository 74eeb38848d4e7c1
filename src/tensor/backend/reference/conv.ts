/** Convolutions as plain sums over the places where a kernel lies on an input, in float64. */
import { allocate, isFloat, type TypedArray } from '../../dtype.js';
import { firstSpatial, operandRoles } from '../../primitives/convolution.js';
import type { ConvParams, ConvRole } from '../../primitives/signatures.js';
import { type Aval, range, type Shape, sizeOf } from '../../shape.js';

/** Flat spatial places in input, kernel and output that meet. */
type Term = Readonly<Record<ConvRole, number>>;

/** Instead of a place, where there is none: a zero is multiplied. */
const outside = -1;

/** All index vectors of a shape, in row-major order. */
const indicesOf = (shape: Shape): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (list, length) => list.flatMap(index => range(length).map(i => [...index, i])),
    [[]],
  );

const flatten = (index: readonly number[], shape: Shape): number =>
  index.every((i, axis) => i >= 0 && i < shape[axis]!)
    ? index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)
    : outside;

/** What meets by s = t · stride + k · dilation − low, for each place of the result. */
const termsOf = (
  { of, strides, dilation, padding }: ConvParams,
  spatial: Readonly<Record<ConvRole, Shape>>,
): Term[] => {
  const known = of === 'input' ? 'input' : 'output';
  const terms: Term[] = [];
  indicesOf(spatial[known]).forEach((at, i) => {
    indicesOf(spatial.kernel).forEach((k, kernel) => {
      const shift = k.map((each, axis) => each * dilation[axis]! - padding[axis]![0]);
      if (known === 'output') {
        const s = at.map((t, axis) => t * strides[axis]! + shift[axis]!);
        terms.push({ input: flatten(s, spatial.input), kernel, output: i });
        return;
      }
      const t = at.map((s, axis) => (s - shift[axis]!) / strides[axis]!);
      if (t.every(Number.isInteger)) terms.push({ input: i, kernel, output: flatten(t, spatial.output) });
    });
  });
  return terms;
};

export const conv = (
  x: TypedArray,
  y: TypedArray,
  [xAval, yAval]: readonly Aval[],
  params: ConvParams,
  { shape, dtype }: Aval,
): TypedArray => {
  const { of } = params;
  const [p, q] = operandRoles(of);
  const shapes = { [of]: shape, [p]: xAval!.shape, [q]: yAval!.shape } as Record<ConvRole, Shape>;
  const sums = isFloat(dtype) ? new Float64Array(sizeOf(shape)) : allocate(dtype, sizeOf(shape));
  if (x.length === 0 || y.length === 0) return dtype === 'float32' ? Float32Array.from(sums) : sums;

  const [n, g, o] = shapes.output as readonly [number, number, number];
  const c = shapes.input[2]!;
  const spatial = {
    input: shapes.input.slice(firstSpatial),
    kernel: shapes.kernel.slice(firstSpatial),
    output: shapes.output.slice(firstSpatial),
  };
  const terms = termsOf(params, spatial);
  const [first, second, result] = [p, q, of].map(role => Int32Array.from(terms, term => term[role]));
  const add = isFloat(dtype)
    ? (sum: number, a: number, b: number): number => sum + a * b
    : (sum: number, a: number, b: number): number => (sum + Math.imul(a, b)) | 0;
  for (const [i, j, k, l] of indicesOf([n, g, o, c]) as readonly (readonly [number, number, number, number])[]) {
    const bases = {
      input: ((i * g + j) * c + l) * sizeOf(spatial.input),
      kernel: ((j * o + k) * c + l) * sizeOf(spatial.kernel),
      output: ((i * g + j) * o + k) * sizeOf(spatial.output),
    };
    const [xs, ys, to] = [bases[p], bases[q], bases[of]];
    for (let term = 0; term < terms.length; term++) {
      const [a, b] = [first![term]!, second![term]!];
      const at = to + result![term]!;
      sums[at] = add(sums[at]!, a === outside ? 0 : x[xs + a]!, b === outside ? 0 : y[ys + b]!);
    }
  }
  return dtype === 'float32' ? Float32Array.from(sums) : sums;
};
