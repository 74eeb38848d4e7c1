/** The laws of evaluation: nobody frees anything, nothing depends on what was read when. */
import { add, fold, grad, mul, realize, square, sub, sum, type Tensor, tensor, valueAndGrad } from 'tenfold';
import { adam, applyUpdates, updateEma } from 'tenfold/optim';
import { describe, expect, it } from 'vitest';
import { nodeOf } from '../../src/tensor/tensor.js';
import { caught } from '../helpers.js';

const collect = (): number => {
  // Two passes, so that what only finalizers held goes as well. --expose-gc is set in vitest.config.ts.
  (globalThis as unknown as { gc(): void }).gc();
  (globalThis as unknown as { gc(): void }).gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const median = (list: readonly number[]): number => [...list].sort((x, y) => x - y)[list.length >> 1]!;

/** 10,000 Adam steps with an average nobody reads, in ten parts; the memory and the time of each part. */
const run = (readLoss: boolean): { bytes: number[]; milliseconds: number[]; end: number } => {
  const optimizer = adam(0.01);
  const target = tensor(
    Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)),
    [64],
  );
  let params: { w: Tensor; b: Tensor } = { w: tensor(new Float32Array(64), [64]), b: tensor(0) };
  let state = optimizer.init(params);
  let average = params;
  const step = valueAndGrad(
    (p: { w: Tensor; b: Tensor }) => sum(square(sub(add(p.w, p.b) as Tensor, target))) as Tensor,
  );
  const bytes: number[] = [];
  const milliseconds: number[] = [];
  for (let part = 0; part < 10; part++) {
    const started = performance.now();
    for (let i = 0; i < 1000; i++) {
      const [loss, gradient] = step(params);
      const [updates, next] = optimizer.update(gradient, state, params);
      params = applyUpdates(params, updates);
      state = next;
      average = updateEma(average, params, 0.99);
      if (readLoss) loss.item();
    }
    milliseconds.push(performance.now() - started);
    bytes.push(collect());
  }
  realize([params, state, average]);
  return { bytes, milliseconds, end: params.b.item() as number };
};

describe('10,000 un-jitted optimizer steps', () => {
  const ends: number[] = [];
  for (const readLoss of [true, false]) {
    it(`keep memory and time per step flat, ${readLoss ? 'reading the loss each step' : 'reading nothing until the end'}`, () => {
      const { bytes, milliseconds, end } = run(readLoss);
      ends.push(end);
      const [early, late] = [bytes.slice(2, 5), bytes.slice(7)];
      console.log(
        `bytes ${bytes.map(x => (x / 2 ** 20).toFixed(1)).join(' ')} MiB; ms per 1000 steps ${milliseconds.map(x => x.toFixed(0)).join(' ')}`,
      );
      expect(Math.max(...late)).toBeLessThan(Math.max(...early) + 3 * 2 ** 20);
      expect(median(milliseconds.slice(6))).toBeLessThan(1.6 * median(milliseconds.slice(1, 5)));
    });
  }

  it('give the same result either way, to the last bit', () => {
    expect(ends[0]).toBe(ends[1]);
  });
});

describe('evaluation', () => {
  it('a realised node drops its history; one a derivative still wants keeps it until then', () => {
    const x = tensor([1, 2]) as Tensor;
    const y = add(mul(x, 3), 1) as Tensor;
    expect(nodeOf(y).inputs.length).toBe(2);
    y.dataSync();
    expect(nodeOf(y).inputs.length).toBe(0);
    let inside: Tensor | undefined;
    grad((z: Tensor) => {
      inside = mul(z, z) as Tensor;
      inside.dataSync();
      expect(nodeOf(inside).inputs.length).toBe(2);
      return sum(inside) as Tensor;
    })(x);
    expect(nodeOf(inside!).inputs.length).toBe(0);
    expect(inside!.toArray()).toEqual([1, 4]);
  });

  it('keeps interior values that somebody else is going to read', () => {
    const shared = mul(tensor([1, 2, 3]), 2) as Tensor;
    const first = add(shared, 1);
    const second = sub(shared, 1);
    first.dataSync();
    expect(nodeOf(shared).value).not.toBeNull();
    expect(second.toArray()).toEqual([1, 3, 5]);
  });

  it('evaluates what has grown deep, so that nothing pending is deeper than 1000', () => {
    let x = tensor([1]) as Tensor;
    for (let i = 0; i < 3000; i++) {
      x = add(x, 1) as Tensor;
      expect(nodeOf(x).weight).toBeLessThanOrEqual(1000);
    }
    expect(x.toArray()).toEqual([3001]);
  });

  it('evaluates what has grown heavy: large results count for more', () => {
    let x = tensor(new Float32Array(2 ** 20), [2 ** 20]) as Tensor;
    for (let i = 0; i < 70; i++) x = add(x, 1) as Tensor;
    expect(nodeOf(x).weight).toBeLessThan(17 * 70);
    expect(nodeOf(x).weight).toBeLessThanOrEqual(1000);
  });

  it('a loop of 100,000 steps is one node', () => {
    const t = fold((x: Tensor) => add(x, 1) as Tensor)(tensor(0) as Tensor, 100_000);
    expect(t.item()).toBe(100_000);
  });

  it("the caller's arrays are copied in, and what is handed out is the caller's own", () => {
    const mine = Float32Array.of(1, 2);
    const x = tensor(mine, [2]);
    mine[0] = 99;
    const out = x.dataSync();
    out[1] = 99;
    expect(x.toArray()).toEqual([1, 2]);
    expect(Object.isFrozen(x)).toBe(true);
    expect(Object.isFrozen(x.shape)).toBe(true);
  });

  it('an error during evaluation leaves everything readable', async () => {
    const x = tensor([1, 2]) as Tensor;
    expect(caught(() => add(x, tensor([1, 2, 3])))._tag).toBe('ShapeError');
    expect(caught(() => x.item()).message).toMatch(/item: got float32\[2\]/);
    expect([...(await add(x, 1).data())]).toEqual([2, 3]);
  });
});
