/** Kernels of convolutions that all rounds of a loop share are made ready once, before it; no bit depends on that. */
import {
  add,
  cond,
  conv2d,
  convTranspose2d,
  explain,
  fold,
  less,
  mul,
  setThreads,
  stack,
  sum,
  type Tensor,
  take,
  tanh,
  threadInfo,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { afterEach, describe, expect, it } from 'vitest';
import type { Plan, Step } from '../../src/tensor/backend/wasm/steps.js';
import { worth } from '../../src/tensor/backend/wasm/threads/work.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { planFor, same, stored } from './contraction-cases.js';

type T = Tensor;
type Round = (x: T) => T;

const conv = (x: T, kernel: T, options = {}): T => conv2d(x, kernel, { padding: 1, ...options }) as T;
/** Small, so that rounds do not grow. */
const kernelOf = (shape: readonly number[], seed = 3): T =>
  mul(stored(shape, seed), 0.3 / Math.sqrt(shape[1]! * shape[2]! * shape[3]!)) as T;

const bitsOf = (x: T): Float32Array => x.dataSync() as Float32Array;
const planOfResult = (x: T): Plan => planFor(nodeOf(x));
const stepsOf = (plan: Plan): readonly Step[] =>
  plan.steps.flatMap(step => [step, ...(step.kind === 'region' ? step.bodies.flatMap(stepsOf) : [])]);
const count = (plan: Plan, of: (step: Step) => boolean): number => stepsOf(plan).filter(of).length;
const preparations = (plan: Plan): number => count(plan, ({ kind }) => kind === 'preparation');
const prepared = (plan: Plan): number => count(plan, step => step.kind === 'contraction' && step.prepared !== null);
const atTop = (plan: Plan): number => plan.steps.filter(({ kind }) => kind === 'preparation').length;

const repeat =
  (f: Round, times: number): Round =>
  x =>
    fold((y: T) => f(y))(x, times) as T;
const oneByOne = (f: Round, x: T, times: number): Float32Array => {
  let y = x;
  for (let i = 0; i < times; i++) {
    y = f(y);
    y.dataSync();
  }
  return bitsOf(y);
};

const usual = { ...worth };
afterEach(() => {
  Object.assign(worth, usual);
  setThreads(1);
});

/** Rounds from images to images of the same shape. */
const rounds: Readonly<Record<string, () => { readonly x: T; readonly f: Round; readonly kernels: number }>> = {
  'minimal algorithms with tiles of four': () => {
    const [k, l] = [kernelOf([24, 20, 3, 3]), kernelOf([20, 24, 3, 3], 5)];
    return { x: stored([3, 20, 8, 8]), f: x => conv(tanh(conv(x, k)) as T, l), kernels: 2 };
  },
  'minimal algorithms with tiles of two': () => {
    const k = kernelOf([17, 17, 3, 3]);
    return { x: stored([5, 17, 2, 6]), f: x => tanh(conv(x, k)) as T, kernels: 1 };
  },
  'few channels': () => {
    const [k, l] = [kernelOf([24, 3, 3, 3]), kernelOf([3, 24, 3, 3], 5)];
    return { x: stored([2, 3, 10, 12]), f: x => conv(tanh(conv(x, k)) as T, l), kernels: 2 };
  },
  'strides, and back': () => {
    const [k, l] = [kernelOf([8, 6, 4, 4]), kernelOf([8, 6, 4, 4], 5)];
    const f = (x: T): T => convTranspose2d(conv(x, k, { stride: 2 }), l, { stride: 2, padding: 1 }) as T;
    return { x: stored([2, 6, 8, 8]), f, kernels: 2 };
  },
  groups: () => {
    const k = kernelOf([8, 4, 3, 3]);
    return { x: stored([2, 8, 9, 7]), f: x => tanh(conv(x, k, { groups: 2 })) as T, kernels: 1 };
  },
  'one kernel twice': () => {
    const k = kernelOf([16, 16, 3, 3]);
    return { x: stored([2, 16, 4, 4]), f: x => conv(tanh(conv(x, k)) as T, k), kernels: 1 };
  },
};

describe('kernels that a loop captures', () => {
  for (const [name, make] of Object.entries(rounds)) {
    it(`${name}: are prepared once, with the bits of rounds one by one`, () => {
      const { x, f, kernels } = make();
      for (const times of [1, 2, 5]) {
        const plan = planOfResult(repeat(f, times)(x));
        expect([atTop(plan), preparations(plan)]).toEqual([kernels, kernels]);
        expect(prepared(plan)).toBeGreaterThanOrEqual(kernels);
        same(bitsOf(repeat(f, times)(x)), oneByOne(f, x, times), `${times} rounds`);
      }
    });

    it(`${name}: so on three threads`, () => {
      const { x, f } = make();
      const alone = bitsOf(repeat(f, 4)(x));
      Object.assign(worth, { kernel: 0, tile: 1e-9, program: 1e-9, waking: 0, waiting: 5000 });
      setThreads(3);
      // Another length is another program, which is planned for what is worth it now.
      same(bitsOf(repeat(f, 3)(x)), oneByOne(f, x, 3), 'three rounds');
      expect(threadInfo().ready).toBe(3);
      Object.assign(worth, usual);
      same(bitsOf(repeat(f, 4)(x)), alone, 'four rounds');
    });
  }

  it('of a loop in a loop are prepared before the outer one', () => {
    const k = kernelOf([16, 16, 3, 3]);
    const inner = repeat(x => conv(x, k), 3);
    const x = stored([1, 16, 4, 4]);
    const outer = repeat(y => tanh(inner(y)) as T, 4);
    const plan = planOfResult(outer(x));
    expect([atTop(plan), preparations(plan), prepared(plan)]).toEqual([1, 1, 1]);
    same(
      bitsOf(outer(x)),
      oneByOne(y => tanh(conv(conv(conv(y, k), k), k)) as T, x, 4),
      'nested',
    );
  });

  it('that differ from round to round of the outer loop are prepared in it', () => {
    const kernels = stack([kernelOf([16, 16, 3, 3]), kernelOf([16, 16, 3, 3], 4), kernelOf([16, 16, 3, 3], 5)]) as T;
    const x = stored([1, 16, 4, 4]);
    const run = fold((y: T, k: T) => repeat(z => conv(z, k), 2)(y));
    const plan = planOfResult(run(x, kernels) as T);
    expect([atTop(plan), preparations(plan), prepared(plan)]).toEqual([0, 1, 1]);
    let y = x;
    for (const i of [0, 1, 2]) {
      const k = take(kernels, i) as T;
      k.dataSync();
      y = conv(conv(y, k), k);
      y.dataSync();
    }
    same(bitsOf(run(x, kernels) as T), bitsOf(y), 'kernels in turn');
  });

  it('that are carried or elements of a sequence stay in it', () => {
    const x = stored([2, 16, 4, 4]);
    const kernels = stack([kernelOf([16, 16, 3, 3]), kernelOf([16, 16, 3, 3], 4)]) as T;
    const bySequence = fold((y: T, k: T) => conv(y, k))(x, kernels) as T;
    const carried = fold(([y, k]: readonly [T, T]) => [conv(y, k), mul(k, 0.5) as T] as const);
    const [byCarry] = carried([x, kernelOf([16, 16, 3, 3])], 3);
    for (const result of [bySequence, byCarry]) expect(preparations(planOfResult(result))).toBe(0);
  });

  it('are prepared for branches and for the bodies of while', () => {
    const [k, l] = [kernelOf([16, 16, 3, 3]), kernelOf([16, 16, 3, 3], 4)];
    const x = stored([2, 16, 4, 4]);
    const branches = (y: T): T =>
      cond(
        less(sum(y), 0) as T,
        (z: T) => conv(z, k),
        (z: T) => tanh(conv(z, l)) as T,
      )(y);
    const looped = repeat(branches, 4);
    const plan = planOfResult(looped(x));
    expect([atTop(plan), prepared(plan)]).toEqual([2, 2]);
    same(bitsOf(looped(x)), oneByOne(branches, x, 4), 'branches');

    const [result] = whileLoop(
      ([, i]: readonly [T, T]) => less(i, 3) as T,
      ([y, i]: readonly [T, T]) => [conv(y, k), add(i, 1) as T] as const,
    )([x, zeros([]) as T]);
    const ofWhile = planOfResult(result);
    expect([atTop(ofWhile), prepared(ofWhile)]).toEqual([1, 1]);
    same(
      bitsOf(result),
      oneByOne(y => conv(y, k), x, 3),
      'while',
    );
  });

  it('without a loop nothing is prepared', () => {
    const k = kernelOf([16, 16, 3, 3]);
    const x = stored([2, 16, 4, 4]);
    expect(preparations(planOfResult(conv(x, k)))).toBe(0);
    const branch = cond(
      less(sum(x), 0) as T,
      (z: T) => conv(z, k),
      (z: T) => z,
    )(x);
    expect(preparations(planOfResult(branch))).toBe(0);
  });

  it('take 32 MiB at most: further ones are made ready in every round', () => {
    const kernels = Array.from({ length: 40 }, (_, i) => kernelOf([100, 64, 3, 3], i + 1));
    const x = stored([1, 64, 8, 8]);
    const f = (y: T): T => {
      const results = kernels.map(k => sum(conv(y, k), { axis: 1, keepDims: true }) as T);
      return add(y, tanh(results.reduce((a, b) => add(a, b) as T))) as T;
    };
    const plan = planOfResult(repeat(f, 2)(x));
    const bytes = plan.steps.reduce((all, step) => all + (step.kind === 'preparation' ? step.out.bytes : 0), 0);
    expect(bytes).toBeLessThanOrEqual(2 ** 25);
    expect(bytes).toBeGreaterThan(0.9 * 2 ** 25);
    expect(prepared(plan)).toBeLessThan(40);
    same(bitsOf(repeat(f, 2)(x)), oneByOne(f, x, 2), 'many kernels');
  });

  it('are a step of their own to explain', () => {
    const k = kernelOf([16, 16, 3, 3]);
    const report = explain(repeat(x => conv(x, k), 3))(stored([1, 16, 4, 4])).toString();
    expect(report).toMatch(/kernel of a conv/);
  });

  it('are not changed by a run: another with other kernels has its own', () => {
    const run = (k: T): T => repeat(x => conv(x, k), 3)(stored([1, 16, 4, 4]));
    const first = bitsOf(run(kernelOf([16, 16, 3, 3]))).slice();
    bitsOf(run(kernelOf([16, 16, 3, 3], 9)));
    same(bitsOf(run(kernelOf([16, 16, 3, 3]))), first, 'again');
  });

  it('with a batch of loops', () => {
    const k = kernelOf([16, 16, 3, 3]);
    const xs = stored([3, 2, 16, 4, 4]);
    const all = bitsOf(vmap(repeat(x => tanh(conv(x, k)) as T, 3))(xs) as T);
    const each = [0, 1, 2].map(i => bitsOf(repeat(x => tanh(conv(x, k)) as T, 3)(take(xs, i) as T)));
    same(all, Float32Array.from(each.flatMap(values => [...values])), 'a batch');
  });
});
