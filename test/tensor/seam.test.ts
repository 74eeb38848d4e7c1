/** The seam between programs and backends, and what TypeScript asks of the primitive table. */
import { add, fold, mul, scan, square, sub, sum, type Tensor, tensor, valueAndGrad } from 'tenfold';
import { adam, applyUpdates } from 'tenfold/optim';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Backend } from '../../src/tensor/backend/backend.js';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { ProgramCache } from '../../src/tensor/compile/cache.js';
import { type Program, programOfPending } from '../../src/tensor/compile/program.js';
import { evaluate, preparedBy } from '../../src/tensor/evaluate.js';
import type { Elementwise, Missing, Movement, Structured } from '../../src/tensor/primitives/kinds.js';
import { type Table, table } from '../../src/tensor/primitives/table.js';
import { nodeOf } from '../../src/tensor/tensor.js';

/** The reference backend, remembering the programs it was given. */
const recording = (): Backend & { readonly programs: Program[] } => {
  const programs: Program[] = [];
  return {
    name: 'recording',
    programs,
    compile: program => {
      programs.push(program);
      return referenceBackend.compile(program);
    },
  };
};

describe('the seam', () => {
  it('a backend gets one program for several roots, with equal subgraphs merged', () => {
    const x = tensor([1, 2, 3]) as Tensor;
    const twice = (): Tensor => mul(add(x, 1), 2);
    const [p, q] = [twice(), sum(twice())];
    const backend = recording();
    evaluate([nodeOf(p), nodeOf(q)], backend);
    expect(backend.programs).toHaveLength(1);
    expect(backend.programs[0]!.instructions.filter(({ op }) => op === 'mul')).toHaveLength(1);
    expect(backend.programs[0]!.instructions.filter(({ op }) => op === 'add')).toHaveLength(1);
    expect([p.toArray(), q.item()]).toEqual([[4, 6, 8], 18]);
  });

  it('operands in another order are not merged, other parameters are not merged', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]) as Tensor;
    const y = mul(x, 10) as Tensor;
    const roots = [sum(x, { axis: 0 }), sum(x, { axis: 1 }), add(x, y), add(y, x)];
    const backend = recording();
    evaluate(
      roots.map(root => nodeOf(root as Tensor)),
      backend,
    );
    expect(backend.programs[0]!.instructions.filter(({ op }) => op === 'sum')).toHaveLength(2);
    expect(roots[1]!.toArray()).toEqual([3, 7]);
  });

  it('a program refers to no node, and values that are there already are its inputs', () => {
    const x = add(tensor([1, 2]), 1) as Tensor;
    x.dataSync();
    const backend = recording();
    evaluate([nodeOf(mul(x, 3))], backend);
    expect(backend.programs[0]!.inputs).toEqual([{ shape: [2], dtype: 'float32' }]);
    expect(backend.programs[0]!.instructions.map(({ op }) => op)).not.toContain('add');
  });

  it('a tuple of results is computed once, however its parts are read', () => {
    const [carry, ys] = scan((c: Tensor, v: Tensor) => [add(c, v) as Tensor, c] as const)(tensor(0), tensor([1, 2, 3]));
    const backend = recording();
    evaluate([nodeOf(carry)], backend);
    evaluate([nodeOf(ys)], backend);
    expect(backend.programs.flatMap(({ instructions }) => instructions.filter(({ op }) => op === 'fold'))).toHaveLength(
      1,
    );
    expect([carry.item(), ys.toArray()]).toEqual([6, [0, 1, 3]]);
  });

  it('a backend that fails leaves the nodes as they were', () => {
    const x = add(tensor([1, 2]), 1) as Tensor;
    const broken: Backend = {
      name: 'broken',
      compile: () => {
        throw new Error('no such luck');
      },
    };
    expect(() => evaluate([nodeOf(x)], broken)).toThrow('no such luck');
    expect(x.toArray()).toEqual([2, 3]);
  });
});

describe('prepared programs', () => {
  it('1,000 un-jitted Adam steps with a decaying rate prepare a handful of programs', () => {
    const target = tensor([1, -2, 3]) as Tensor;
    let params: Tensor = tensor([0, 0, 0]);
    const start = adam(0.1).init(params);
    let state = start;
    const prepared = preparedBy();
    const before = prepared.made;
    const losses: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const optimizer = adam(0.1 * 0.995 ** i);
      const [loss, gradient] = valueAndGrad((p: Tensor) => sum(square(sub(p, target))) as Tensor)(params);
      const [updates, next] = optimizer.update(gradient, state, params);
      params = applyUpdates(params, updates);
      state = next;
      losses.push(loss.item() as number);
    }
    expect(prepared.made - before).toBeLessThanOrEqual(5);
    expect(losses.at(-1)).toBeLessThan(1e-3);
  });

  it('the same expression with other numbers is the same program, with another class of number it is not', () => {
    const x = tensor([1, 2, 3]) as Tensor;
    const prepared = preparedBy();
    const run = (a: number, b: number): number[] => [...(add(mul(x, a), b).dataSync() as Float32Array)];
    run(2.5, 7);
    const before = prepared.made;
    expect(run(3.5, -8)).toEqual([-4.5, -1, 2.5]);
    expect(prepared.made).toBe(before);
    run(3.5, 1);
    expect(prepared.made).toBe(before + 1);
  });

  it('numbers inside loops are inputs too', () => {
    const prepared = preparedBy();
    const run = (rate: number): unknown =>
      fold((c: Tensor, v: Tensor) => add(mul(c, rate), v) as Tensor)(tensor(1), tensor([1, 2])).item();
    expect(run(0.25)).toBe(0.25 * (0.25 + 1) + 2);
    const before = prepared.made;
    expect(run(0.75)).toBe(0.75 * (0.75 + 1) + 2);
    expect(prepared.made).toBe(before);
  });

  it('a cache holds a bounded number of instructions, and drops those used longest ago', () => {
    const cache = new ProgramCache<string>(6);
    const programs = [1, 2, 3].map(
      n => programOfPending([nodeOf(add(tensor(Float32Array.from({ length: n }), [n]), 5))]).program,
    );
    const get = (i: number): string => cache.get(programs[i]!, () => `made ${i}`);
    get(0);
    get(1);
    get(0);
    get(2);
    expect(cache.made).toBe(3);
    get(0);
    expect(cache.made).toBe(3);
    get(1);
    expect(cache.made).toBe(4);
  });
});

describe('the table', () => {
  it('is refused by TypeScript where a primitive or one of its rules is missing', () => {
    const { tanh, ...others } = table;
    // @ts-expect-error a table without tanh
    const incomplete: Table = others;
    // @ts-expect-error an elementwise entry without its partial derivatives
    const underived: Elementwise<object> = {
      kind: 'elementwise',
      traits: [],
      aval: tanh.aval,
      scalar: () => Math.tanh,
    };
    // @ts-expect-error a movement without its batching rule
    const unbatched: Movement<object> = {
      kind: 'movement',
      aval: () => ({ shape: [], dtype: 'bool' }),
      linear: () => true,
      transpose: (_, ct) => ct,
    };
    // @ts-expect-error a structured primitive without reverse mode, and without a reason
    const oneWay: Structured<object> = {
      kind: 'structured',
      aval: () => [],
      jvp: { none: 'why' },
      batch: { none: 'why' },
    };
    expect([incomplete, underived, unbatched, oneWay]).toHaveLength(4);
    expectTypeOf<Missing>().toHaveProperty('none').toBeString();
  });

  it('gives a reason wherever a rule is missing', () => {
    const reasons = Object.values(table).flatMap(entry =>
      Object.values(entry).filter(
        (rule): rule is Missing => typeof rule === 'object' && rule !== null && 'none' in rule,
      ),
    );
    expect(reasons.length).toBeGreaterThan(0);
    for (const { none } of reasons) expect(none.length).toBeGreaterThan(20);
  });
});
