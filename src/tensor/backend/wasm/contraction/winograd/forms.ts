/**
 * Minimal algorithms for convolutions with three taps: m results from n = m + 2 products instead of 3·m, of linear forms in the
 * n elements that are seen and of linear forms in the taps. Applied along two axes, m² results take n² products instead of 9·m².
 *
 * Sources: Winograd 1980, "Arithmetic Complexity of Computations"; Lavin & Gray 2016, "Fast Algorithms for Convolutional Neural
 * Networks", arXiv:1509.09308; the points of interpolation of the larger one are those of Barabasz, Anderson, Soodhalter & Gregg
 * 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution for DNNs", arXiv:1803.10986.
 */
import type { FunctionWriter, Local } from '../../assembler.js';

/** A matrix, its rows being the coefficients of linear forms; those of the results are over the inputs and what is `between`. */
export interface Forms {
  readonly between: readonly (readonly number[])[];
  readonly results: readonly (readonly number[])[];
}

/** y = output · ((kernel · taps) ⊙ (input · elements)) */
export interface Minimal {
  /** Results, and products. */
  readonly results: number;
  readonly products: number;
  readonly input: Forms;
  readonly kernel: Forms;
  readonly output: Forms;
}

/** Interpolation at 0, 1, −1 and ∞: errors are about those of the sum itself, measured with 16 to 256 channels. */
const two: Minimal = {
  results: 2,
  products: 4,
  input: {
    between: [],
    results: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
  },
  kernel: {
    between: [],
    results: [
      [1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ],
  },
  output: {
    between: [],
    results: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
};

/** At 0, −1, 1, ½, −2 and ∞: errors are 3 to 8 times those of the sum itself, two thirds of those with the points 0, ±1, ±2, ∞. */
const four: Minimal = {
  results: 4,
  products: 6,
  input: {
    between: [
      [0, 0, -1, 0, 1, 0],
      [0, -1, 0, 1, 0, 0],
    ],
    results: [
      [1, 0, -2, 0, 1, 0, 0, 1.5],
      [0, 1, -2.5, 0.5, 1, 0, 0, 0],
      [0, -1, 0.5, 2.5, 1, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 1, 2],
      [0, 0, 0, 0, 0, 0, 1, -0.5],
      [0, 1, 0, -2, 0, 1, 1.5, 0],
    ],
  },
  kernel: {
    between: [],
    results: [
      [1, 0, 0],
      [-1 / 3, 1 / 3, -1 / 3],
      [1 / 3, 1 / 3, 1 / 3],
      [-16 / 15, -8 / 15, -4 / 15],
      [1 / 15, -2 / 15, 4 / 15],
      [0, 0, 1],
    ],
  },
  output: {
    between: [
      [0, 1, 1, 0, 0, 0],
      [0, -1, 1, 0, 0, 0],
    ],
    results: [
      [1, 0, 0, 1, 1, 0, 1, 0],
      [0, 0, 0, 0.5, -2, 0, 0, 1],
      [0, 0, 0, 0.25, 4, 0, 1, 0],
      [0, 0, 0, 0.125, -8, 1, 0, 1],
    ],
  },
};

/** The forms of the transposed matrix. */
export const transposed = ({ between, results }: Forms): Forms => {
  const inputs = between[0]?.length ?? results[0]!.length;
  const whole = results.map(form =>
    form
      .slice(0, inputs)
      .map((own, i) => own + between.reduce((sum, each, k) => sum + each[i]! * form[inputs + k]!, 0)),
  );
  return { between: [], results: whole[0]!.map((_, i) => whole.map(form => form[i]!)) };
};

/** By how many results along an axis. */
export const minimal = { 2: two, 4: four } as const;

/** Along an axis. */
export type TileSide = keyof typeof minimal;

export const tileSides: readonly TileSide[] = [2, 4];

/** The largest side of tiles that an image divides into and that fits otherwise; null where none does. */
export const largestSide = (
  [height, width]: readonly [number, number],
  fits: (side: TileSide) => boolean,
): TileSide | null => tileSides.findLast(side => height % side === 0 && width % side === 0 && fits(side)) ?? null;

const splat = (f: FunctionWriter, value: number): Local =>
  f.constant(new Uint8Array(Float32Array.of(value, value, value, value).buffer));

/** Σ coefficient · vector: what is added first, then what is subtracted, then what is multiplied. */
const writeForm = (
  f: FunctionWriter,
  fma: boolean,
  coefficients: readonly number[],
  vectors: readonly Local[],
): Local => {
  const used = vectors.flatMap((vector, i) => (coefficients[i] ? [{ vector, by: coefficients[i]! }] : []));
  const rank = (by: number): number => [1, -1].indexOf(by) >>> 0;
  const [first, ...others] = used.sort((x, y) => rank(x.by) - rank(y.by));
  if (first!.by === 1 && others.length === 0) return first!.vector;
  f.get(first!.vector);
  if (first!.by !== 1) f.get(splat(f, first!.by)).op('f32x4.mul');
  for (const { vector, by } of others) {
    if (by === 1) f.get(vector).op('f32x4.add');
    else if (by === -1) f.get(vector).op('f32x4.sub');
    else if (fma) {
      const sum = f.keep('v128');
      f.get(vector, splat(f, by), sum).op('f32x4.relaxed_madd');
    } else f.get(vector, splat(f, by)).op('f32x4.mul', 'f32x4.add');
  }
  return f.keep('v128');
};

const writeForms = (
  f: FunctionWriter,
  fma: boolean,
  { between, results }: Forms,
  inputs: readonly Local[],
): readonly Local[] => {
  const known = [...inputs, ...between.map(form => writeForm(f, fma, form, inputs))];
  return results.map(form => writeForm(f, fma, form, known));
};

/** The forms along both axes of a square of vectors, in rows. */
export const writeSquare = (
  f: FunctionWriter,
  fma: boolean,
  forms: Forms,
  rows: readonly (() => readonly Local[])[],
): readonly (readonly Local[])[] => {
  const across = rows.map(row => writeForms(f, fma, forms, row()));
  const down = across[0]!.map((_, column) =>
    writeForms(
      f,
      fma,
      forms,
      across.map(row => row[column]!),
    ),
  );
  return forms.results.map((_, row) => down.map(column => column[row]!));
};
