/** makeGraph: what the text looks like, that it is stable and that nothing is computed for it. */
import { inspect } from 'node:util';
import {
  add,
  cast,
  cond,
  DeviceError,
  explain,
  fold,
  full,
  grad,
  greater,
  jit,
  less,
  makeGraph,
  matmul,
  mul,
  neg,
  ones,
  pad,
  slice,
  softmax,
  sum,
  type Tensor,
  tanh,
  tensor,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { key, uniform } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { bufferNode } from '../../src/tensor/graph.js';
import type { Storage } from '../../src/tensor/storage.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import { caught } from '../helpers.js';

type T = Tensor;

const text = (x: unknown): string => String(x);

interface Layer {
  readonly w: T;
  readonly b: T;
}

const layer: Layer = { w: zeros([3, 2]), b: zeros([2]) };
const apply = ({ w, b }: Layer, x: T): T => tanh(add(matmul(x, w) as T, b));

describe('makeGraph', () => {
  it('writes a line for each argument, operation and result', () => {
    expect(text(makeGraph(apply)(layer, zeros([4, 3])))).toMatchInlineSnapshot(`
      "args[0].b: float32[2]
      args[0].w: float32[3, 2]
      args[1]: float32[4, 3]
      %0: float32[4, 2] = dotGeneral(args[1], args[0].w) { lhsContract: [1], rhsContract: [0] }
      %1: float32[4, 2] = broadcast(args[0].b)
      %2: float32[4, 2] = add(%0, %1)
      %3: float32[4, 2] = tanh(%2)
      outputs %3"
    `);
  });

  it('writes a gradient', () => {
    const loss = (p: Layer, x: T): T => sum(apply(p, x));
    expect(text(makeGraph(grad(loss))(layer, zeros([4, 3])))).toMatchInlineSnapshot(`
      "args[0].b: float32[2]
      args[0].w: float32[3, 2]
      args[1]: float32[4, 3]
      %0: float32[1, 1] = reshape(1)
      %1: float32[4, 2] = broadcast(%0)
      %2: float32[4, 2] = broadcast(1)
      %3: float32[4, 2] = dotGeneral(args[1], args[0].w) { lhsContract: [1], rhsContract: [0] }
      %4: float32[4, 2] = broadcast(args[0].b)
      %5: float32[4, 2] = add(%3, %4)
      %6: float32[4, 2] = tanh(%5)
      %7: float32[4, 2] = sub(%2, %6)
      %8: float32[4, 2] = add(%6, %2)
      %9: float32[4, 2] = mul(%7, %8)
      %10: float32[4, 2] = mul(%1, %9)
      %11: float32[2] = sum(%10) { axes: [0] }
      %12: float32[2] = reshape(%11)
      %13: float32[3, 2] = dotGeneral(args[1], %10) { lhsContract: [0], rhsContract: [0] }
      outputs
        b: %12
        w: %13"
    `);
  });

  it('writes numbers where they are used, with the dtype where it is not float32', () => {
    const f = (x: T): readonly T[] => [
      mul(x, 0.1),
      add(cast(x, 'int32'), -2),
      cast(full([2], true), 'float64'),
      mul(cast(x, 'float64'), 0.1),
    ];
    expect(text(makeGraph(f)(zeros([2])))).toMatchInlineSnapshot(`
      "args[0]: float32[2]
      %0: float32[2] = broadcast(0.1)
      %1: float32[2] = mul(args[0], %0)
      %2: int32[2] = cast(args[0])
      %3: int32[2] = broadcast(-2:int32)
      %4: int32[2] = add(%2, %3)
      %5: bool[2] = broadcast(true)
      %6: float64[2] = cast(%5)
      %7: float64[2] = cast(args[0])
      %8: float64[2] = broadcast(0.1:float64)
      %9: float64[2] = mul(%7, %8)
      outputs
        [0]: %1
        [1]: %4
        [2]: %6
        [3]: %9"
    `);
  });

  it('names numbers and settings among the arguments', () => {
    const f = (x: T, { rate, flip }: { rate: number; flip: boolean }, name: string): T =>
      cond(
        flip as unknown as T,
        (y: T): T => neg(y),
        (y: T): T => mul(y, name === 'twice' ? 2 : 1),
      )(mul(x, rate));
    const graph = text(makeGraph(f)(zeros([2]), { rate: 0.1, flip: true }, 'twice'));
    expect(graph).toMatchInlineSnapshot(`
      "args[0]: float32[2]
      args[1].flip: boolean
      args[1].rate: number
      %0: int32[] = cast(args[1].flip)
      %1: float32[] = cast(args[1].rate)
      %2: float32[2] = broadcast(%1)
      %3: float32[2] = mul(args[0], %2)
      %4: (float32[2]) = cond(%0, %3)
        branches[0]:
          operand[0]: float32[2]
          %0: float32[2] = broadcast(2)
          %1: float32[2] = mul(operand[0], %0)
          outputs %1
        branches[1]:
          operand[0]: float32[2]
          %0: float32[2] = neg(operand[0])
          outputs %0
      outputs %4.0"
    `);
    expect(text(makeGraph(f)(zeros([2]), { rate: 0.7, flip: false }, 'twice'))).toBe(graph);
    const fixed = (x: T, axis: number): T => sum(x, { axis });
    expect(text(makeGraph(fixed, { static: [1] })(zeros([2, 3]), 1))).toContain('sum(args[0]) { axes: [1] }');
  });

  it('indents the bodies of loops, numbered on their own', () => {
    const f = (x: T, xs: T): { last: T; until: T } => ({
      last: fold((c: T, e: T): T => add(mul(c, x), e))(x, xs),
      until: whileLoop(
        (c: T) => less(sum(c), 100) as T,
        (c: T): T => mul(c, add(x, 1)),
      )(x),
    });
    expect(text(makeGraph(f)(zeros([2]), zeros([5, 2])))).toMatchInlineSnapshot(`
      "args[0]: float32[2]
      args[1]: float32[5, 2]
      %0: (float32[2]) = fold(args[0], args[0], args[1]) { length: 5 }
        body:
          captured[0]: float32[2]
          carry[0]: float32[2]
          element[0]: float32[2]
          %0: float32[2] = mul(carry[0], captured[0])
          %1: float32[2] = add(%0, element[0])
          outputs %1
      %1: float32[2] = broadcast(1)
      %2: float32[2] = add(args[0], %1)
      %3: (float32[2]) = while(%2, args[0])
        test:
          carry[0]: float32[2]
          %0: float32[] = sum(carry[0]) { axes: [0] }
          %1: bool[] = lt(%0, 100)
          outputs %1
        body:
          captured[0]: float32[2]
          carry[0]: float32[2]
          %0: float32[2] = mul(carry[0], captured[0])
          outputs %0
      outputs
        last: %0.0
        until: %3.0"
    `);
  });

  it('says which way a movement goes and leaves out what goes without saying', () => {
    const f = (x: T): T =>
      pad(slice(x, [1, 0], [4, 3], [1, 2]), [
        [0, 0],
        [1, 0],
      ]);
    expect(text(makeGraph(f)(zeros([4, 3])))).toMatchInlineSnapshot(`
      "args[0]: float32[4, 3]
      %0: float32[3, 2] = slice(args[0]) { start: [1, 0], stop: [4, 3], step: [1, 2] }
      %1: float32[3, 3] = pad(%0) { low: [0, 1] }
      outputs %1"
    `);
  });

  it('shows what is closed over, with its elements where they are few', () => {
    const [few, many, flags] = [
      tensor([
        [0.1, -0],
        [2, 1e-7],
      ]),
      ones([100]),
      tensor([true, false]),
    ];
    for (const each of [few, many, flags]) each.dataSync();
    const f = (x: T): readonly T[] => [matmul(few, x) as T, many, flags];
    expect(text(makeGraph(f)(zeros([2])))).toMatchInlineSnapshot(`
      "captured[0]: float32[2, 2] = [[0.1, -0], [2, 1e-7]]
      captured[1]: float32[100]
      captured[2]: bool[2] = [true, false]
      args[0]: float32[2]
      %0: float32[2] = dotGeneral(captured[0], args[0]) { lhsContract: [1], rhsContract: [0] }
      outputs
        [0]: %0
        [1]: captured[1]
        [2]: captured[2]"
    `);
  });

  it('writes out what random code does with its key', () => {
    const graph = text(makeGraph((k: T) => uniform(k as never, [3]))(key(0)));
    expect(graph).toMatch(/^args\[0\]: uint32\[2\]$/m);
    expect(graph).toMatch(/threefry2x32\(.*\) \{ rounds: 20, word: xor \}$/m);
  });

  it('is the same text each time, and that of a jitted function', () => {
    const f = (p: Layer, x: T): T => softmax(apply(p, x));
    const graph = text(makeGraph(f)(layer, zeros([4, 3])));
    expect(text(makeGraph(f)(layer, ones([4, 3])))).toBe(graph);
    expect(text(makeGraph(jit(f))(layer, zeros([4, 3])))).toBe(graph);
    expect(inspect(makeGraph(f)(layer, zeros([4, 3])))).toBe(graph);
  });

  it('changes in a line where the function does', () => {
    const lines = (rate: number): string[] =>
      text(makeGraph((p: Layer, x: T) => mul(apply(p, x), rate))(layer, zeros([4, 3]))).split('\n');
    const [before, after] = [lines(0.1), lines(0.2)];
    expect(after.filter((line, i) => line !== before[i])).toEqual(['%4: float32[4, 2] = broadcast(0.2)']);
  });

  it('names results by their places, and hands arguments through', () => {
    const f = (x: T): unknown => ({ b: [x, null, mul(x, x)], a: x, name: 'text' });
    expect(text(makeGraph(f)(zeros([2])))).toBe(
      [
        'args[0]: float32[2]',
        '%0: float32[2] = mul(args[0], args[0])',
        'outputs',
        '  a: args[0]',
        '  b[0]: args[0]',
        '  b[2]: %0',
      ].join('\n'),
    );
    expect(text(makeGraph(() => null)())).toBe('outputs');
  });

  it('computes nothing', () => {
    const [x, w] = [mul(tensor([1, 2]), 3) as T, mul(tensor([3, 4]), 5) as T];
    const graph = text(makeGraph((y: T) => fold((c: T): T => mul(c, w))(y, 3))(x));
    expect([nodeOf(x).value, nodeOf(w).value]).toEqual([null, null]);
    // What is pending is part of the graph.
    expect(graph).toMatch(/captured\[0\]: float32\[2\] = \[3, 4\]\n[\s\S]*mul\(captured\[0\], %/);
    w.dataSync();
    expect(text(makeGraph((y: T) => mul(y, w))(x))).toContain('captured[0]: float32[2] = [15, 20]');
  });

  it('a part of a result that has been computed is closed over', () => {
    const y = fold((c: T): T => mul(c, 2))(tensor([1, 2]) as T, 3);
    y.dataSync();
    expect(text(makeGraph((x: T) => mul(x, y))(tensor([1, 1])))).not.toContain('fold');
  });

  it('goes without elements that cannot be had at once', () => {
    const far: Storage = {
      dtype: 'float32',
      size: 2,
      read: () => Promise.resolve(Float32Array.of(1, 2)),
      readSync: () => {
        throw new DeviceError({ operation: 'test', given: 'a read', rule: 'not now', hint: 'Wait.' });
      },
    };
    const x = wrap(bufferNode([2], far)) as T;
    expect(text(makeGraph((y: T) => add(x, y))(zeros([2])))).toMatch(/^captured\[0\]: float32\[2\]$/m);
    const broken: Storage = {
      ...far,
      readSync: () => {
        throw new Error('broken');
      },
    };
    const z = wrap(bufferNode([2], broken)) as T;
    expect(() => makeGraph((y: T) => add(z, y))(zeros([2]))).toThrow('broken');
  });

  it('is what explain shows, and can be had inside of other transforms', () => {
    const f = (x: T): T => softmax(mul(x, 2));
    expect(explain(f)(zeros([2, 3])).graph).toBe(text(makeGraph(f)(zeros([2, 3]))));
    let inside = '';
    vmap((x: T) => {
      inside = text(makeGraph((y: T) => add(x, y))(zeros([3])));
      return grad((y: T): T => {
        inside += text(makeGraph((z: T) => greater(y, z))(zeros([3])));
        return sum(y);
      })(x);
    })(zeros([2, 3]));
    expect(inside).toContain('add(');
    expect(inside).toContain('gt(');
  });

  it('refuses what is no function, reads, promises, wrong positions', () => {
    expect(caught(() => makeGraph(3 as never)).message).toMatch(/^makeGraph: got number 3/);
    expect(caught(() => makeGraph((x: T) => add(x, x.item() as number))(tensor(1)))).toMatchObject({
      _tag: 'TraceError',
      operation: 'makeGraph',
    });
    expect(caught(() => makeGraph(async (x: T) => x)(tensor(1))).message).toMatch(/^makeGraph: .*a promise/);
    expect(caught(() => makeGraph((x: T) => x, { static: [-1] }))._tag).toBe('ArgumentError');
    expect(caught(() => makeGraph((x: Float32Array) => x)(new Float32Array(2)))._tag).toBe('ArgumentError');
  });
});
