/** Every backend against the reference: the samples, all elementwise primitives on special values, random graphs. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/tensor/backend/backend.js';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import type { TypedArray } from '../../src/tensor/dtype.js';
import { evaluate } from '../../src/tensor/evaluate.js';
import { DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { table } from '../../src/tensor/primitives/table.js';
import { HostStorage, type Storage } from '../../src/tensor/storage.js';
import { carelessBackend, compare, graphs, operationsOf, randomArray, randomOf } from './differential.js';
import { elementwiseTrials, leaf, sampleTrials, sumTrial } from './trials.js';

/** The reference itself is among them: as a whole program it must do what it does one instruction at a time. */
const backends: readonly Backend[] = [referenceBackend, wasmBackend];

/** A counterexample is made smaller for so long only. */
const patience = { interruptAfterTimeLimit: 40_000, markInterruptAsFailure: true };

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
    for (const { name, graphs: all } of sampleTrials) {
      it(`on the samples of ${name}`, () => {
        for (const roots of all()) compare(roots, backend);
      });
    }

    for (const { name, graphs: all } of elementwiseTrials()) {
      it(`on ${name}`, () => {
        for (const roots of all()) {
          const { elements, compared } = compare(roots, backend);
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

    it(`on ${sumTrial.name}`, () => {
      for (const roots of sumTrial.graphs()) compare(roots, backend);
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
