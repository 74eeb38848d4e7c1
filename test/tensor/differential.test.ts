/** Every backend against the reference: the samples, all elementwise primitives on special values, random graphs. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/tensor/backend/backend.js';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { type DType, dtypes, isFloat, isInteger, type TypedArray } from '../../src/tensor/dtype.js';
import { TenfoldError } from '../../src/tensor/errors.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { bufferNode, DynamicNumber, type Node, type Params } from '../../src/tensor/graph.js';
import { entryOf, table } from '../../src/tensor/primitives/table.js';
import { type Aval, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import {
  carelessBackend,
  compare,
  graphs,
  narrowed,
  operationsOf,
  type Random,
  randomArray,
  randomOf,
} from './differential.js';
import { draw, samples } from './samples.js';

/** The reference itself is among them: as a whole program it must do what it does one instruction at a time. */
const backends: readonly Backend[] = [referenceBackend, wasmBackend];

/** A counterexample is made smaller for so long only. */
const patience = { interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true };

const leaf = (array: TypedArray, dtype: DType, shape: Shape = [array.length]): Node =>
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

const isIntegers = (array: TypedArray): boolean => !(array instanceof Float32Array || array instanceof Float64Array);

/** A backend whose results are tampered with. */
const tampered = (change: (array: TypedArray, output: number) => TypedArray): Backend => ({
  name: 'tampered',
  compile: program => {
    const executable = referenceBackend.compile(program);
    const storage = (value: Storage, output: number): Storage =>
      new HostStorage(value.dtype, change(value.readSync().slice(), output));
    return {
      run: (inputs, scalars) =>
        executable
          .run(inputs, scalars)
          .map((value, i) =>
            Array.isArray(value) ? value.map(part => storage(part, i)) : storage(value as Storage, i),
          ),
    };
  },
});

for (const backend of backends) {
  describe(`the ${backend.name} backend agrees with the reference`, () => {
    for (const [name, list] of Object.entries(samples)) {
      it(`on the samples of ${name}`, () => {
        for (const sample of list) {
          for (const seed of [0, 1]) {
            const roots = sample.build(draw(sample, seed));
            compare(roots, backend);
            compare(narrowed(roots), backend);
          }
        }
      });
    }

    for (const op of Object.keys(table).filter(name => entryOf(name).kind === 'elementwise')) {
      const arity = samples[op as 'abs'][0]!.inputs.length;
      const calls = (paramsOf[op] ?? [{}]).flatMap(params =>
        dtypes.flatMap(dtype => {
          const operands = operandsOf(op, dtype, arity, params);
          return operands === null ? [] : [{ dtype, params, operands }];
        }),
      );
      it(`on ${op}, special values of ${[...new Set(calls.map(({ dtype }) => dtype))].join(', ')}`, () => {
        expect(calls.length).toBeGreaterThan(0);
        for (const { params, operands } of calls) {
          const { elements, compared } = compare(tried(op, operands, params), backend);
          expect(compared).toBeGreaterThan(0.99 * elements);
        }
      });
    }

    it('on 400 random graphs', () => {
      const seen = new Set<string>();
      const count = { elements: 0, compared: 0 };
      fc.assert(
        fc.property(graphs(), ({ roots }) => {
          for (const op of operationsOf(roots)) seen.add(op);
          const { elements, compared } = compare(roots, backend);
          count.elements += elements;
          count.compared += compared;
        }),
        { numRuns: 400, seed: 20260, ...patience },
      );
      console.log(`${backend.name}: ${count.compared} of ${count.elements} elements known`);
      // These are in no program: values, other names, and what has become a call.
      const elsewhere = ['buffer', 'parameter', 'mark', 'custom'];
      expect(Object.keys(table).filter(op => !seen.has(op) && !elsewhere.includes(op))).toEqual([]);
      expect(count.compared).toBeGreaterThan(0.9 * count.elements);
    });

    it('on sums and contractions of many sizes, of operands that are views', () => {
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
        compare([product, b.sum(x, { axes: [of([0, 1, 2])] }), b.sum(x, { axes: [0, 2] })], backend);
      }
      for (const size of [127, 128, 129, 1023, 4096, 4097, 100_003])
        compare(
          [b.sum(view([size], 'float32'), { axes: [0] }), b.sum(view([size], 'float64'), { axes: [0] })],
          backend,
        );
    });

    it('on a small program again, after a much larger one has been run', () => {
      const x = leaf(Float32Array.of(1, 2, 3), 'float32');
      const { program, scalars } = programOfPending([b.exp(x), b.sum(b.mul(x, x), { axes: [0] })]);
      const executable = backend.compile(program);
      const run = () => executable.run([x.value as Storage], scalars).map(value => [...(value as Storage).readSync()]);
      const before = run();
      const large = leaf(randomArray(randomOf(1), 'float32', 800_001, 0), 'float32');
      compare([b.flip(b.add(large, b.mul(large, large)), { axes: [0] })], backend);
      expect(run()).toEqual(before);
    });

    it('on graphs over its own results', () => {
      fc.assert(
        fc.property(graphs(), ({ roots }) => {
          evaluate(roots, backend);
          const next = roots.map(x => {
            const turned = b.flip(b.permute(x, { axes: x.shape.map((_, axis) => axis).reverse() }), {
              axes: x.shape.map((_, axis) => axis),
            });
            return b.select(b.eq(turned, turned), turned, turned);
          });
          compare([...next, ...roots.map(x => b.reshape(x, { shape: [x.shape.reduce((p, n) => p * n, 1)] }))], backend);
        }),
        { numRuns: 40, seed: 7, ...patience },
      );
    });
  });
}

describe('the comparison', () => {
  const x = leaf(Float32Array.of(1, 2, NaN, Infinity, 0), 'float32');
  const roots = (): readonly Node[] => [
    b.exp(x),
    b.cast(x, { dtype: 'int32' }),
    b.sum(b.slice(x, { start: [0], stop: [2], step: [1] }), { axes: [0] }),
  ];
  const set = (output: number, place: number, change: (value: number) => number): Backend =>
    tampered((array, at) => {
      if (at === output) array[place] = change(array[place]!);
      return array;
    });

  it('accepts a function that is off by a few units in the last place, and a zero of the other sign', () => {
    compare(
      roots(),
      set(0, 1, y => y * (1 + 4 * 2 ** -23)),
    );
    compare(
      [b.neg(x)],
      set(0, 4, () => 0),
    );
  });

  it('refuses a result off by 1e-3, and says where', () => {
    const far = set(0, 1, y => y + 1e-3);
    expect(() => compare(roots(), far)).toThrow(
      /output 0 .* worst at \[1\].*expected 7\.389.*first wrong one is .*exp/s,
    );
    expect(() => compare(roots(), far)).toThrow('%1: float32[5] = exp(%0)');
    expect(() =>
      compare(
        roots(),
        set(2, 0, y => y - 1e-3),
      ),
    ).toThrow('output 2');
  });

  it('refuses an exact result off by one unit in the last place', () => {
    expect(() =>
      compare(
        [b.mul(x, x)],
        set(0, 1, y => y * (1 + 2 ** -23)),
      ),
    ).toThrow('expected 4');
    expect(() =>
      compare(
        roots(),
        set(1, 0, y => y + 1),
      ),
    ).toThrow('expected 1, got 2');
  });

  it('refuses NaN and infinities in other places', () => {
    expect(() =>
      compare(
        roots(),
        set(0, 2, () => 1),
      ),
    ).toThrow('expected NaN');
    expect(() =>
      compare(
        roots(),
        set(0, 3, () => 3e38),
      ),
    ).toThrow('expected Infinity');
    expect(() =>
      compare(
        roots(),
        set(0, 3, () => -Infinity),
      ),
    ).toThrow('expected Infinity');
    expect(() =>
      compare(
        roots(),
        set(0, 0, () => NaN),
      ),
    ).toThrow('got NaN');
  });

  it('refuses another dtype and another size', () => {
    expect(() =>
      compare(
        roots(),
        tampered(array => array.subarray(1)),
      ),
    ).toThrow('elements');
    expect(() =>
      compare(
        roots(),
        tampered(array => Float64Array.from(array as Float32Array)),
      ),
    ).toThrow('Float64Array');
  });

  it('shows the program on which a backend throws', () => {
    const throwing: Backend = {
      name: 'throwing',
      compile: () => {
        throw new Error('no such luck');
      },
    };
    expect(() => compare(roots(), throwing)).toThrow(/no such luck.*%1: float32\[5\] = exp/s);
  });

  it('refuses numbers that are kept, memory that is used again, and bits that change from run to run', () => {
    /** The reference, with what becomes of the scalars and the first result of each run. */
    const changed = (
      scalarsOf: (scalars: readonly number[]) => readonly number[],
      resultOf: (array: TypedArray) => TypedArray,
    ): Backend => ({
      name: 'changed',
      compile: program => {
        const executable = referenceBackend.compile(program);
        return {
          run: (inputs, scalars) => {
            const [first] = executable.run(inputs, scalarsOf(scalars)) as [Storage];
            return [new HostStorage(first.dtype, resultOf(first.readSync()))];
          },
        };
      },
    });
    const number = b.broadcast(b.constant({ value: new DynamicNumber(2.5), dtype: 'float32' }), { shape: [5] });
    const product = [b.mul(x, number)];
    let kept: readonly number[] | undefined;
    const keeping = changed(
      scalars => (kept ??= scalars),
      array => array,
    );
    expect(() => compare(product, keeping)).toThrow('with other scalars output 0');
    const memory = new Float32Array(5);
    const sharing = changed(
      scalars => scalars,
      array => {
        memory.set(array);
        return memory;
      },
    );
    expect(() => compare(product, sharing)).toThrow('with other scalars output 0');
    let runs = 0;
    const wavering = changed(
      scalars => scalars,
      array => (array as Float32Array).map(y => y * (1 + 2 ** -23 * runs++)),
    );
    expect(() => compare([b.exp(x)], wavering)).toThrow('run again it gives other bits');
  });

  it('accepts whatever lies within its bounds', () => {
    fc.assert(
      fc.property(graphs(), ({ roots: generated }) => {
        compare(generated, carelessBackend(12));
      }),
      { numRuns: 300, seed: 11, ...patience },
    );
  });

  it('catches one wrong element of a random graph', () => {
    let [tries, caught] = [0, 0];
    fc.assert(
      fc.property(graphs(), fc.nat(), ({ roots: generated }, place) => {
        let changes = false;
        const backend = tampered((array, output) => {
          if (output > 0 || array.length === 0) return array;
          const at = place % array.length;
          const value = array[at]!;
          array[at] = value + (isIntegers(array) ? 1 : 1e-3 * Math.max(1, Math.abs(value)));
          changes ||= !Object.is(array[at], value);
          return array;
        });
        let message = '';
        try {
          compare(generated, backend);
        } catch (error) {
          message = (error as Error).message;
        }
        if (changes) tries++;
        if (message.includes('output 0') && message.includes('is wrong in 1 of')) caught++;
      }),
      { numRuns: 100, seed: 3 },
    );
    expect(tries).toBeGreaterThan(60);
    expect(caught).toBeGreaterThan(0.95 * tries);
  });
});
