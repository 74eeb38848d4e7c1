/** What vmap refuses, and how it says so; placeholders that outlive their trace. */
import {
  add,
  cond,
  fold,
  jit,
  less,
  makeGraph,
  mul,
  scan,
  sort,
  sum,
  type Tensor,
  tensor,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { table } from '../../src/tensor/primitives/table.js';
import { caught } from '../helpers.js';

type T = Tensor;

describe('what it refuses', () => {
  const f = (x: T): T => mul(x, 2);
  const matrix = zeros([2, 3]) as T;

  it('axes that a tensor has not, by the place of the tensor', () => {
    expect(caught(() => vmap(f, { in: 2 })(matrix)).message).toMatch(
      /^vmap: got axis 2 of float32\[2, 3\], argument 0; an axis there is an integer from -2 to 1/,
    );
    const tree = caught(() => vmap((_: T, p: { w: readonly T[] }) => p)(matrix, { w: [tensor(1)] }));
    expect([tree._tag, tree.message]).toEqual([
      'AxisError',
      expect.stringMatching(/axis 0 of float32\[\], argument 1 w\[0\]; a scalar has no batch axis.*in: \[0, null\]/),
    ]);
    expect(caught(() => vmap(f, { in: 0.5 })(matrix))._tag).toBe('AxisError');
    const out = caught(() => vmap((x: T) => ({ y: sum(x) }), { out: 1 })(matrix));
    expect(out.message).toMatch(/^vmap: got axis 1 of float32\[2\], y of the result; .* from -1 to 0/);
  });

  it('batch axes of different lengths, by their places', () => {
    const error = caught(() => vmap((p: { a: T }, x: T) => add(p.a, x), { in: [0, 0] })({ a: zeros([3]) }, matrix));
    expect(error._tag).toBe('ShapeError');
    expect(error.message).toMatch(
      /float32\[3\] and float32\[2, 3\]: axis 0 of argument 0 a has length 3, axis 0 of argument 1 has length 2; all batch axes have one length/,
    );
  });

  it('options of another form than the trees', () => {
    const two = (x: T, y: T): T => add(x, y);
    expect(caught(() => vmap(two, { in: [0] })(matrix, matrix)).message).toMatch(
      /^vmap: got in with an array of 1 for the arguments; there is an array of 2 there/,
    );
    const record = (p: { a: T }): T => p.a;
    expect(caught(() => vmap(record, { in: [{ c: 0 }] })({ a: matrix }))).toMatchObject({
      _tag: 'TreeError',
      given: 'in with a record of c for argument 0',
      rule: 'there is a record of a there',
    });
    expect(caught(() => vmap(f, { in: [[0]] })(matrix)).message).toMatch(/for argument 0; there is a tensor there/);
    expect(caught(() => vmap(f, { out: [0] })(matrix)).message).toMatch(
      /out with an array of 1 for the result; there is a tensor there/,
    );
    expect(caught(() => vmap(f, { in: ['first'] as never })(matrix))).toMatchObject({
      _tag: 'ArgumentError',
      given: 'in with first for argument 0',
    });
    expect(caught(() => vmap(f, { in: [null] })(matrix))).toMatchObject({
      _tag: 'ArgumentError',
      rule: expect.stringContaining('at least one argument is batched'),
    });
    expect(caught(() => vmap(() => matrix)())._tag).toBe('ArgumentError');
  });

  it('results without batch axis that differ', () => {
    const error = caught(() => vmap((x: T) => ({ y: x, z: matrix }), { out: { y: null, z: null } })(matrix));
    expect(error.message).toMatch(/^vmap: got out with null for y of the result, which differs between the examples/);
  });

  it('what is no function, no tensor, no value yet', () => {
    expect(caught(() => vmap(3 as never)).message).toMatch(/^vmap: got number 3/);
    expect(caught(() => vmap(f)(2 as never))).toMatchObject({ _tag: 'TreeError', operation: 'vmap' });
    expect(caught(() => vmap((() => 'text') as never)(matrix as never))._tag).toBe('TreeError');
    expect(caught(() => vmap((async (x: T) => x) as never)(matrix as never)).message).toMatch(/returns a promise/);
    const reading = caught(() => vmap((x: T) => mul(x, x.item() as number))(tensor([1, 2])));
    expect([reading._tag, reading.message]).toEqual([
      'TraceError',
      expect.stringMatching(/^vmap: got a read of float32\[\] inside.*Return the tensor and read it outside/),
    ]);
  });

  it('a primitive without batching rule, by name and reason; it is never looped over', () => {
    const { argsort: entry } = table as unknown as Record<string, { batch: unknown }>;
    const rule = entry!.batch;
    entry!.batch = { none: 'this test took it away' };
    try {
      const error = caught(() => vmap((x: T) => sort(x))(matrix));
      expect(error._tag).toBe('MissingRuleError');
      expect(error.message).toBe(
        'vmap: got the primitive argsort int32[3]; it has no such rule, because this test took it away. Keep it outside of vmap, or compute the result another way.',
      );
    } finally {
      entry!.batch = rule;
    }
  });

  it('placeholders that outlive their trace, whatever traced them', () => {
    let leaked: T | undefined;
    const keep = (x: T): T => {
      leaked = mul(x, 2);
      return leaked;
    };
    const traces: Readonly<Record<string, () => unknown>> = {
      vmap: () => vmap(keep)(tensor([1, 2])),
      jit: () => jit(keep)(tensor([1, 2]) as T),
      makeGraph: () => makeGraph(keep)(tensor([1, 2])),
      fold: () => fold(keep)(tensor(1) as T, 2),
      scan: () => scan((x: T): readonly [T, T] => [keep(x), x])(tensor(1) as T, 2),
      whileLoop: () => whileLoop((x: T) => less(x, 4) as T, keep)(tensor(1) as T),
      cond: () => cond(less(tensor(1), 2) as T, keep, keep)(tensor(1)),
    };
    for (const [name, run] of Object.entries(traces)) {
      run();
      const used = caught(() => add(leaked!, 1));
      expect([used._tag, used.operation], name).toEqual(['TraceError', name]);
      expect(used.message).toMatch(/used after the trace ended.*Return the tensor from the function/);
      const read = caught(() => leaked!.toArray());
      expect([read._tag, read.operation], name).toEqual(['TraceError', name]);
    }
  });
});
