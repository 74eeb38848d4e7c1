/** Graphs on which every backend is held against the reference. Nothing here knows a test runner, so that they run anywhere. */
import { b } from '../../src/tensor/build.js';
import { type DType, dtypes, isFloat, isInteger, type TypedArray } from '../../src/tensor/dtype.js';
import { TenfoldError } from '../../src/tensor/errors.js';
import { bufferNode, type Node, type Params } from '../../src/tensor/graph.js';
import { entryOf, table } from '../../src/tensor/primitives/table.js';
import { type Aval, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage } from '../../src/tensor/storage.js';
import { narrowed, type Random, randomArray, randomOf } from './differential.js';
import { draw, samples } from './samples.js';

export interface Trial {
  readonly name: string;
  /** The pending roots of each graph. */
  graphs(): Iterable<readonly Node[]>;
}

export const leaf = (array: TypedArray, dtype: DType, shape: Shape = [array.length]): Node =>
  bufferNode(shape, new HostStorage(dtype, array));

/** Special values, moderate ones, and ones of every magnitude. */
const mixture = (random: Random, dtype: DType, size: number): TypedArray => {
  const array = randomArray(random, dtype, size, 0.5);
  for (let i = 0; i < size; i += 3) {
    if (isFloat(dtype))
      array[i] = (random() < 0.5 ? -1 : 1) * 2 ** (random() < 0.5 ? random() * 280 - 150 : random() * 20 - 10);
    else if (isInteger(dtype)) array[i] = random() * 2 ** 32;
  }
  return array;
};

/** The parameters an elementwise primitive is tried with. */
const paramsOf: Readonly<Record<string, readonly Params[]>> = {
  cast: dtypes.map(dtype => ({ dtype })),
  threefry2x32: ([0, 1, 'xor'] as const).flatMap(word => [13, 20].map(rounds => ({ rounds, word }))),
};

/** The operands a primitive takes when its values are of a dtype, null where it refuses it. */
const operandsOf = (op: string, dtype: DType, arity: number, params: Params): readonly DType[] | null => {
  const list = Array.from({ length: arity }, (_, i) => (op === 'select' && i === 0 ? 'bool' : dtype));
  try {
    (entryOf(op) as { aval(inputs: readonly Aval[], params: Params): Aval }).aval(
      list.map(each => ({ shape: [], dtype: each })),
      params,
    );
    return list;
  } catch (error) {
    if (error instanceof TenfoldError) return null;
    throw error;
  }
};

/** A primitive on vectors of 1021 elements, on scalars and on nothing. */
const tried = (op: string, operands: readonly DType[], params: Params): readonly Node[] => {
  const random = randomOf(operands.length);
  const shapes: readonly Shape[] = [
    ...Array.from({ length: operands.length === 1 ? 1 : 3 }, () => [1021]),
    [],
    [],
    [0],
    [3, 0],
  ];
  return shapes.map(shape => {
    const inputs = operands.map(dtype => leaf(mixture(random, dtype, sizeOf(shape)), dtype, shape));
    return (b[op as 'abs'] as (...args: readonly unknown[]) => Node)(...inputs, params);
  });
};

/** The samples of every primitive, with two fillings, also in float32. */
export const sampleTrials: readonly Trial[] = Object.entries(samples).map(([name, list]) => ({
  name,
  *graphs() {
    for (const sample of list) {
      for (const seed of [0, 1]) {
        const roots = sample.build(draw(sample, seed));
        yield roots;
        yield narrowed(roots);
      }
    }
  },
}));

/** Every elementwise primitive on special values of every dtype that it takes. */
export const elementwiseTrials = (only: readonly DType[] = dtypes): readonly Trial[] =>
  Object.keys(table)
    .filter(name => entryOf(name).kind === 'elementwise')
    .map(op => {
      const arity = samples[op as 'abs'][0]!.inputs.length;
      const calls = (paramsOf[op] ?? [{}]).flatMap(params =>
        only.flatMap(dtype => {
          const operands = operandsOf(op, dtype, arity, params);
          return operands === null ? [] : [{ dtype, params, operands }];
        }),
      );
      return {
        name: `${op}, special values of ${[...new Set(calls.map(({ dtype }) => dtype))].join(', ')}`,
        *graphs() {
          for (const { params, operands } of calls) yield tried(op, operands, params);
        },
      };
    });

/** Sums and products of all sizes around those at which something changes. */
export const sumTrial: Trial = {
  name: 'sums and contractions of many sizes, of operands that are views',
  *graphs() {
    const random = randomOf(5);
    const [sizes, few] = [
      [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67, 130, 300],
      [1, 2, 3],
    ];
    const of = (list: readonly number[]): number => list[Math.floor(random() * list.length)]!;
    /** A leaf of that shape, or a transposed, reversed or thinned out view of one. */
    const view = (shape: Shape, dtype: DType): Node => {
      const axes = shape.map((_, axis) => axis);
      const turned = random() < 0.5 ? axes : [...axes].reverse();
      const from = turned.map(axis => shape[axis]!);
      const step = from.map(() => (random() < 0.2 ? 2 : 1));
      const long = from.map((n, axis) => n * step[axis]!);
      const x = leaf(randomArray(random, dtype, sizeOf(long), 0), dtype, long);
      const flipped = random() < 0.2 ? b.flip(x, { axes: axes.slice(0, 1) }) : x;
      const thin = step.some(n => n > 1) ? b.slice(flipped, { start: axes.map(() => 0), stop: long, step }) : flipped;
      return turned === axes ? thin : b.permute(thin, { axes: turned });
    };
    for (let i = 0; i < 60; i++) {
      const dtype = of([0, 0, 0, 1, 2]) === 0 ? 'float32' : of([0, 1]) === 0 ? 'float64' : 'int32';
      const [batch, m, k, n] = [of(few), of(sizes), of(sizes), of(sizes)];
      const product = b.dotGeneral(view([batch, m, k], dtype), view([k, batch, n], dtype), {
        lhsBatch: [0],
        rhsBatch: [1],
        lhsContract: [2],
        rhsContract: [0],
      });
      const x = view([of(sizes), of(sizes), of(few)], dtype);
      yield [product, b.sum(x, { axes: [of([0, 1, 2])] }), b.sum(x, { axes: [0, 2] })];
    }
    for (const size of [127, 128, 129, 1023, 4096, 4097, 100_003])
      yield [b.sum(view([size], 'float32'), { axes: [0] }), b.sum(view([size], 'float64'), { axes: [0] })];
  },
};
