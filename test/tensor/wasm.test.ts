/** The WebAssembly backend beside what the differential tests hold it to: memory, batches, limits. */
import { add, argsort, cast, concat, fold, matmul, mul, pow, sin, slice, type Tensor, tanh, tensor } from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { place } from '../../src/tensor/backend/wasm/arena.js';
import { FunctionWriter, link } from '../../src/tensor/backend/wasm/assembler.js';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import type { RegionStep } from '../../src/tensor/backend/wasm/steps.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { nodeOf } from '../../src/tensor/tensor.js';

const stepsOf = (...roots: readonly Tensor[]): readonly string[] =>
  planOf(programOfPending(roots.map(nodeOf)).program).steps.map(({ kind }) => kind);

describe('plans', () => {
  it('a chain of elementwise operations with numbers and rows is one kernel', () => {
    const x = normal(key(0), [8, 16]);
    x.dataSync();
    const row = tensor(new Float32Array(16), [16]);
    expect(stepsOf(tanh(add(mul(x, 1.1), row)))).toEqual(['kernel']);
  });

  it('siblings over one space share a kernel', () => {
    const [a, b] = [normal(key(0), [8, 16]), normal(key(1), [8, 16])];
    a.dataSync();
    b.dataSync();
    expect(stepsOf(mul(a, b), add(a, b))).toEqual(['kernel']);
  });

  it('steps are kernels, contractions, loops with kernels of their own, regions, and in bodies copies', () => {
    const x = normal(key(0), [4, 4]) as Tensor;
    x.dataSync();
    expect(stepsOf(matmul(tanh(x), x as never) as Tensor)).toEqual(['kernel', 'contraction']);
    expect(stepsOf(argsort(x) as Tensor, concat([x, x]))).toEqual(['loop', 'loop']);
    // Products are of float32; in float64 they are loops.
    const wide = cast(x, 'float64') as Tensor;
    expect(stepsOf(matmul(wide, wide as never) as Tensor)).toEqual(['kernel', 'loop']);
    const pair = fold(([p, q]: readonly [Tensor, Tensor]) => [q, tanh(p) as Tensor] as const)([x, x] as const, 5);
    const { steps } = planOf(programOfPending([nodeOf(pair[0])]).program);
    // The numbers of the steps are not written out: none is read.
    expect(steps.map(({ kind }) => kind)).toEqual(['region']);
    const [body] = (steps[0] as RegionStep).bodies;
    expect(body!.steps.map(({ kind }) => kind)).toEqual(['kernel', 'copy']);
  });

  it('memory is used again by values that are not alive together', () => {
    const make = (first: number, last: number) => ({ bytes: 1000, first, last, offset: 0 });
    const blocks = [make(0, 1), make(1, 2), make(2, 3), make(3, 4)];
    expect(place(blocks, 0)).toBeLessThan(2 * 1100);
    for (const p of blocks) {
      for (const q of blocks) {
        if (p === q || p.last < q.first || q.last < p.first) continue;
        expect(Math.abs(p.offset - q.offset)).toBeGreaterThanOrEqual(1000);
      }
    }
  });

  it('a long chain needs no more memory than a short one', () => {
    const chain = (length: number): number => {
      let x = normal(key(0), [64, 64]) as Tensor;
      x.dataSync();
      const w = x;
      for (let i = 0; i < length; i++) x = matmul(x, w as never) as Tensor;
      return planOf(programOfPending([nodeOf(x)]).program).bytes;
    };
    expect(chain(40)).toBeLessThan(1.5 * chain(4));
  });
});

describe('results', () => {
  it('a product of one row equals that row of a product of many, bit for bit, at odd sizes', () => {
    for (const [m, k, n] of [
      [16, 64, 64],
      [13, 37, 29],
      [5, 1, 3],
      [4, 129, 8],
      // Many rows are worth packing the other operand, one is not.
      [300, 40, 24],
      [300, 33, 13],
    ] as const) {
      const [a, b] = [normal(key(1), [m, k]) as Tensor, normal(key(2), [k, n]) as Tensor];
      const all = (matmul(a, b as never) as Tensor).toArray() as number[][];
      for (const row of [0, m >> 1, m - 1]) {
        const one = matmul(slice(a, [row], [row + 1]) as Tensor, b as never) as Tensor;
        expect((one.toArray() as number[][])[0]).toEqual(all[row]);
      }
    }
  });

  it('large angles are right: lanes beyond the vector form’s reduction are computed one by one', () => {
    const x = [1, 1e6, -3e8, 1e30, 2, 3, 4, 205888];
    const got = [...(sin(tensor(x)).dataSync() as Float32Array)];
    x.forEach((value, i) => {
      expect(Math.abs(got[i]! - Math.sin(Math.fround(value)))).toBeLessThan(2e-7);
    });
    expect((pow(tensor([2, 3], { dtype: 'int32' }), 5) as Tensor).toArray()).toEqual([32, 243]);
  });

  it('steps may swap their carries', () => {
    const [a, b] = fold(([x, y]: readonly [Tensor, Tensor]) => [y, x] as const)(
      [tensor(1), tensor(2)] as readonly [Tensor, Tensor],
      3,
    );
    expect([a.item(), b.item()]).toEqual([2, 1]);
  });
});

describe('the assembler', () => {
  it('writes modules that validate and compute', () => {
    const f = new FunctionWriter(['i32', 'i32'], ['i32']);
    const [total, i] = [f.local('i32'), f.local('i32')];
    f.loop(i, 0, 1, () => f.get(total, 1).op('i32.add').set(total)).get(total);
    const { bytes } = link([{ name: 'times', writer: f }]);
    const { Module, Instance, Memory } = (
      globalThis as never as { WebAssembly: Record<string, new (...args: never[]) => never> }
    ).WebAssembly as never as {
      Module: new (bytes: Uint8Array) => object;
      Instance: new (module: object, imports: object) => { exports: { times(a: number, b: number): number } };
      Memory: new (limits: object) => object;
    };
    const { exports } = new Instance(new Module(bytes), { env: { memory: new Memory({ initial: 1 }) } });
    expect(exports.times(6, 7)).toBe(42);
    expect(exports.times(300, -5)).toBe(-1500);
  });
});
