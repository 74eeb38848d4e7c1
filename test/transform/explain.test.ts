/** What explain tells: the graph, the kernels and their costs, traces. */
import {
  add,
  cast,
  explain,
  fold,
  jit,
  leftShift,
  lgamma,
  matmul,
  mul,
  polygamma,
  pow,
  relu,
  sin,
  softmax,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'tenfold';
import { key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { caught } from '../helpers.js';

const square = (n: number): Tensor => normal(key(n), [16, 16]) as Tensor;

describe('explain', () => {
  it('names the kernels, their spaces, arithmetic and bytes', () => {
    const { report } = explain((x: Tensor, w: Tensor) => softmax(matmul(x, w as never)) as Tensor)(
      square(0),
      square(1),
    );
    const [product, rows] = report!.steps;
    expect(report!.steps).toHaveLength(2);
    expect([product!.name, product!.flops, product!.bytes]).toEqual(['matmul', 2 * 16 ** 3, 4 * 3 * 256]);
    expect([rows!.name, rows!.shape]).toEqual(['reduceMax sub exp sum div', 'float32 16 × 16*']);
    // Largest, difference, exponential, sum, quotient: five for each element.
    expect([rows!.flops, rows!.bytes]).toEqual([5 * 256, 4 * 2 * 256]);
  });

  it('says what has no fast form', () => {
    const names = (f: (x: Tensor) => Tensor, x: Tensor): readonly string[] =>
      explain(f)(x).report!.steps.map(step => step.name);
    const x = square(0);
    const wide = cast(x, 'float64') as Tensor;
    expect(names(y => lgamma(add(y, 1)) as Tensor, x)).toEqual(['add lgamma']);
    expect(names(y => lgamma(add(y, 1)) as Tensor, wide)).toEqual(['add lgamma[js]']);
    expect(names(y => polygamma(y, { order: 1 }) as Tensor, x)).toEqual(['polygamma[js]']);
    expect(names(y => sin(pow(y, 3)) as Tensor, x)).toEqual(['pow sin']);
    const counts = cast(x, 'int32') as Tensor;
    expect(names(y => leftShift(y, 3), counts)).toEqual(['shiftLeft']);
    expect(names(y => leftShift(y, y), counts)).toEqual(['shiftLeft[js]']);
    expect(String(explain((y: Tensor) => pow(y, 3) as Tensor)(counts))).toContain('[js]: no fast form');
  });

  it('tells the memory a program needs before it runs', () => {
    const { report } = explain((x: Tensor) => add(mul(x, x), 1) as Tensor)(zeros([1000]) as Tensor);
    expect(report!.memory.inputs).toBe(4000);
    expect(report!.memory.outputs).toBe(4000);
    // One kernel from input to output: nothing in between but the numbers.
    expect(report!.memory.arena).toBeLessThan(200);
  });

  it('measures: times are there, and a larger kernel takes longer than a small one', () => {
    const f = (x: Tensor, y: Tensor): readonly Tensor[] => [softmax(x) as Tensor, relu(y) as Tensor];
    const { report } = explain(f)(normal(key(0), [512, 512]) as Tensor, normal(key(1), [4]) as Tensor);
    const ms = Object.fromEntries(report!.steps.map(step => [step.name.split(' ')[0], step.ms]));
    expect(ms.reduceMax).toBeGreaterThan(0);
    expect(ms.reduceMax).toBeGreaterThan(ms.select ?? ms.max ?? 0);
  });

  it('shows bodies below their loop, with how often they run', () => {
    const f = (x: Tensor): Tensor => fold((c: Tensor) => softmax(c) as Tensor)(x, 7);
    const { report, graph } = explain(f)(square(0));
    const loop = report!.steps.find(step => step.steps.length > 0)!;
    expect(loop.name).toBe('fold of 7 steps');
    expect(loop.steps.map(step => [step.name, step.times])).toEqual([['reduceMax sub exp sum div', 7]]);
    expect(loop.steps[0]!.ms).toBeGreaterThan(0);
    expect(graph).toContain('fold');
    expect(graph).toContain('  body:');
  });

  it('tells why a jitted function was traced again', () => {
    const f = jit((x: Tensor) => sum(x) as Tensor);
    f(zeros([2]) as Tensor);
    f(zeros([3]) as Tensor);
    f(zeros([2]) as Tensor);
    const { traces } = explain(f)(zeros([3]) as Tensor);
    expect(traces.map(({ arguments: list }) => list)).toEqual([['float32[2]'], ['float32[3]']]);
    expect(traces[1]!.reason).toMatch(/float32\[2\] before, now float32\[3\]/);
    expect(explain((x: Tensor) => sum(x) as Tensor)(zeros([2]) as Tensor).traces).toEqual([]);
  });

  it('prints a table, and a page that refers to nothing outside', () => {
    const explanation = explain((x: Tensor) => softmax(x) as Tensor)(square(0));
    const text = String(explanation);
    expect(text).toMatch(/1 step on the wasm backend/);
    expect(text).toMatch(/reduceMax sub exp sum div +float32 16 × 16\*/);
    const page = explanation.toHtml();
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/https?:|src=|<script|<link|@import/);
    expect(page).toContain('reduceMax sub exp sum div');
  });

  it('takes numbers and settings as jit does', () => {
    const f = (x: Tensor, factor: number, axis: number): Tensor => sum(mul(x, factor), { axis }) as Tensor;
    const { report } = explain(f, { static: [2] })(square(0), 3, 0);
    expect(report!.steps.map(step => step.name)).toEqual(['cast', 'mul sum']);
  });

  it('explains a program that computes nothing', () => {
    const { report, graph } = explain((x: Tensor) => x)(tensor([1, 2]) as Tensor);
    expect(report!.steps).toEqual([]);
    expect(graph).toContain('outputs');
  });

  it('refuses what is no function, and reads inside', () => {
    expect(caught(() => explain(3 as never))._tag).toBe('ArgumentError');
    expect(caught(() => explain((x: Tensor) => add(x, x.item() as number) as Tensor)(tensor(1) as Tensor))._tag).toBe(
      'TraceError',
    );
  });
});
