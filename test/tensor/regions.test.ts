/** Primitives with bodies as regions of one WebAssembly function: what they compute, and that no JavaScript runs between steps. */
import {
  add,
  bitwiseAnd,
  cast,
  cond,
  cos,
  equal,
  fold,
  less,
  matmul,
  mul,
  pow,
  scan,
  softmax,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  whileLoop,
} from 'tenfold';
import { bernoulli, foldIn, key, normal } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { link } from '../../src/tensor/backend/wasm/assembler.js';
import { writeProgram } from '../../src/tensor/backend/wasm/emit.js';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import type { Plan, Step } from '../../src/tensor/backend/wasm/steps.js';
import { wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { b } from '../../src/tensor/build.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import type { DType } from '../../src/tensor/dtype.js';
import { bufferNode, DynamicNumber, type Node } from '../../src/tensor/graph.js';
import { type Aval, range, type Shape, sizeOf } from '../../src/tensor/shape.js';
import { HostStorage } from '../../src/tensor/storage.js';
import { nodeOf, wrap } from '../../src/tensor/tensor.js';
import { graphs as bodies } from '../../src/tensor/transform/graphs.js';
import { compare, randomArray, randomOf } from './differential.js';

const leaf = (shape: Shape, dtype: DType = 'float32', seed = 1): Node =>
  bufferNode(shape, new HostStorage(dtype, randomArray(randomOf(seed), dtype, sizeOf(shape), 0)));
const number = (value: number, { shape, dtype }: Aval): Node =>
  b.broadcast(b.constant({ value: new DynamicNumber(value), dtype }), { shape });
const int = (value: number): Node => number(value, { shape: [], dtype: 'int32' });
const avalOf = ({ shape, dtype }: Aval): Aval => ({ shape, dtype });

/** All results of a primitive that has several. */
const results = (tuple: Node): Node[] => tuple.outputs!.map((_, index) => b.output(tuple, { index }));
const check = (roots: readonly Node[]): void => {
  const { elements, compared } = compare(roots, wasmBackend);
  if (compared !== elements) expect.fail(`only ${compared} of ${elements} elements are known`);
};

interface Fold {
  readonly captures?: readonly Node[];
  readonly carries: readonly Node[];
  readonly sequences?: readonly Node[];
  /** Next carries, then what is stacked. */
  readonly body: (captures: readonly Node[], carries: readonly Node[], elements: readonly Node[]) => readonly Node[];
}

/** A fold of every length around those that buffers taking turns care about, there and back. */
const checkFolds = (make: (length: number) => Fold): void => {
  for (const length of [0, 1, 2, 3, 4, 7, 8]) {
    for (const reverse of [false, true]) {
      const { captures = [], carries, sequences = [], body } = make(length);
      const elements = sequences.map(({ shape, dtype }): Aval => ({ shape: shape.slice(1), dtype }));
      const graph = bodies.trace([...captures, ...carries].map(avalOf).concat(elements), parameters => {
        const [c, d] = [captures.length, captures.length + carries.length];
        return body(parameters.slice(0, c), parameters.slice(c, d), parameters.slice(d));
      });
      const params = { body: graph, length, captures: captures.length, carries: carries.length, reverse };
      check(results(b.fold([...captures, ...carries, ...sequences], params)));
    }
  }
};

describe('folds', () => {
  const x = (): Node => leaf([3, 5]);

  it('return a carry as it is, another one, a capture, an element, a constant', () => {
    checkFolds(length => ({
      captures: [leaf([3, 5], 'float32', 2)],
      carries: [x(), leaf([3, 5], 'float32', 3), leaf([3, 5], 'float32', 4), leaf([3, 5], 'float32', 5), x()],
      sequences: [leaf([length, 3, 5], 'float32', 6)],
      body: ([capture], [p, q, r], [element]) => [
        p!,
        r!,
        capture!,
        element!,
        number(2.5, p!),
        ...[p!, q!, capture!, element!, number(0, { shape: [2], dtype: 'bool' })],
      ],
    }));
  });

  it('swap and rotate their carries', () => {
    checkFolds(() => ({ carries: [x(), leaf([3, 5], 'float32', 2)], body: (_, [p, q]) => [q!, p!] }));
    checkFolds(() => ({
      carries: [1, 2, 3].map(seed => leaf([4], 'float64', seed)),
      body: (_, [p, q, r]) => [q!, r!, b.sub(p!, q!), p!],
    }));
  });

  it('return the same thing twice, and a carry made of all the others', () => {
    checkFolds(() => ({
      carries: [x(), x(), x()],
      body: (_, [p, q, r]) => {
        const y = b.tanh(b.add(p!, b.mul(q!, r!)));
        return [y, y, b.neg(y), y, y];
      },
    }));
  });

  it('return views: turned, cut, spread, of carries, captures, elements and what they make', () => {
    checkFolds(length => ({
      captures: [b.permute(leaf([4, 4], 'float32', 2), { axes: [1, 0] })],
      carries: [leaf([4, 4])],
      sequences: [b.flip(leaf([length, 4, 4], 'float32', 3), { axes: [0, 2] })],
      body: ([capture], [carry], [element]) => {
        const turned = b.permute(carry!, { axes: [1, 0] });
        const made = b.permute(b.tanh(b.add(carry!, element!)), { axes: [1, 0] });
        const cut = b.slice(capture!, { start: [1, 0], stop: [4, 4], step: [2, 1] });
        return [
          turned,
          made,
          cut,
          b.flip(element!, { axes: [1] }),
          b.broadcast(b.sum(made, { axes: [0] }), { shape: [2, 4] }),
        ];
      },
    }));
  });

  it('carry values of every dtype, of one element and of none', () => {
    checkFolds(length => ({
      carries: (['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool'] as const).flatMap((dtype, i) => [
        leaf([5], dtype, i),
        leaf([], dtype, i + 9),
        leaf([0, 3], dtype),
      ]),
      sequences: [leaf([length, 2], 'uint8'), leaf([length], 'float64'), leaf([length, 0], 'int32')],
      body: (_, carries, [bytes, one, none]) => [
        ...carries.map((carry, i) => (i % 2 === 0 ? b.select(b.eq(carry, carry), carry, carry) : carry)),
        bytes!,
        b.mul(one!, one!),
        none!,
      ],
    }));
  });

  it('of scalars that change between runs, in bodies too', () => {
    checkFolds(length => ({
      carries: [x()],
      sequences: [leaf([length], 'int32', 4)],
      body: (_, [carry], [i]) => [
        b.add(b.mul(carry!, number(0.375, carry!)), b.broadcast(b.cast(i!, { dtype: 'float32' }), { shape: [3, 5] })),
        b.sub(carry!, number(7.5, carry!)),
      ],
    }));
  });
});

describe('bodies in bodies', () => {
  it('folds in folds, with carries that are handed through both', () => {
    checkFolds(outer => ({
      captures: [leaf([4], 'float32', 7)],
      carries: [leaf([4]), leaf([4], 'float32', 2)],
      sequences: [leaf([outer, 4], 'float32', 3)],
      body: ([capture], [p, q], [element]) => {
        const inner = bodies.trace([capture!, p!, q!].map(avalOf), ([c, r, s]) => [
          s!,
          b.tanh(b.add(r!, b.mul(c!, number(0.5, c!)))),
          r!,
        ]);
        const params = { body: inner, length: 3, captures: 1, carries: 2, reverse: false };
        const [r, s, all] = results(b.fold([element!, p!, q!], params)) as [Node, Node, Node];
        // Its numbers come behind those of the bodies before it, and of theirs.
        const other = bodies.trace([r].map(avalOf), ([c]) => [b.sub(b.mul(c!, number(0.125, c!)), number(5, c!))]);
        const [t] = results(b.fold([r], { body: other, length: 2, captures: 0, carries: 1, reverse: false })) as [Node];
        return [s, t, all, b.sum(all, { axes: [0] }), b.add(capture!, b.mul(r, number(0.75, r)))];
      },
    }));
  });

  it('conditions choose every branch, also beyond the ends, and branches hand through', () => {
    const [p, q] = [leaf([3]), leaf([3], 'float32', 2)];
    const branch = (f: (x: Node, y: Node) => readonly Node[]) =>
      bodies.trace([p, q].map(avalOf), ([x, y]) => f(x!, y!));
    const branches = [
      branch((x, y) => [x, y]),
      branch((_, y) => [y, y]),
      branch((x, y) => [b.add(x, y), number(4, x)]),
      branch(x => [b.flip(x, { axes: [0] }), b.tanh(x)]),
    ];
    for (const count of [1, 2, 3, 4])
      for (const index of [-3, -1, 0, 1, 2, 3, 4, 100])
        check(results(b.cond([b.add(int(index), int(0)), p, q], { branches: branches.slice(0, count) })));
  });

  it('loops that do not run at all, once, and more often', () => {
    for (const limit of [0, 1, 2, 3, 6, 7]) {
      const carries = [int(0), leaf([4], 'float32', 2), leaf([4], 'float32', 3)];
      const test = bodies.trace([int(limit), ...carries].map(avalOf), ([most, count]) => [b.lt(count!, most!)]);
      const body = bodies.trace([leaf([4]), ...carries].map(avalOf), ([capture, count, x, y]) => [
        b.add(count!, int(1)),
        y!,
        b.sub(b.mul(x!, number(0.5, x!)), capture!),
      ]);
      check(results(b.while([int(limit), leaf([4]), ...carries], { test, body, testCaptures: 1, bodyCaptures: 1 })));
    }
    const none = bodies.trace([], () => [number(0, { shape: [], dtype: 'bool' })]);
    const nothing = bodies.trace([], () => []);
    const tuple = b.while([], { test: none, body: nothing, testCaptures: 0, bodyCaptures: 0 });
    expect(results(tuple)).toEqual([]);
  });

  it('a while in a condition in a fold in a call', () => {
    const body = bodies.trace([leaf([6]), int(0)].map(avalOf), ([start, most]) => {
      const step = bodies.trace([int(0), leaf([6]), int(0)].map(avalOf), ([limit, carry, i]) => {
        const run = bodies.trace([int(0), leaf([6])].map(avalOf), ([top, x]) => {
          const test = bodies.trace([int(0), int(0), leaf([6])].map(avalOf), ([m, count]) => [b.lt(count!, m!)]);
          const next = bodies.trace([int(0), leaf([6])].map(avalOf), ([count, y]) => [
            b.add(count!, int(1)),
            b.flip(b.mul(y!, number(0.75, y!)), { axes: [0] }),
          ]);
          return results(b.while([top!, int(0), x!], { test, body: next, testCaptures: 1, bodyCaptures: 0 }));
        });
        const leave = bodies.trace([int(0), leaf([6])].map(avalOf), ([top, x]) => [top!, x!]);
        const [count, y] = results(b.cond([b.rem(i!, int(2)), limit!, carry!], { branches: [leave, run] })) as [
          Node,
          Node,
        ];
        return [y, count, y];
      });
      const params = { body: step, length: 5, captures: 1, carries: 1, reverse: true };
      const indices = b.iota({ shape: [5], dtype: 'int32', axis: 0 });
      return results(b.fold([most!, start!, indices], params));
    });
    check(results(b.call([leaf([6]), int(3)], { body })));
  });

  it('products, sorts, gathers and rows inside', () => {
    const w = leaf([4, 4], 'float32', 2);
    checkFolds(length => ({
      captures: [w],
      carries: [leaf([4, 4])],
      sequences: [leaf([length, 4], 'int32', 3)],
      body: ([weights], [carry], [element]) => {
        const product = b.dotGeneral(carry!, b.permute(weights!, { axes: [1, 0] }), {
          lhsBatch: [],
          rhsBatch: [],
          lhsContract: [1],
          rhsContract: [0],
        });
        const order = b.argsort(element!, { axis: 0 });
        const rows = nodeOf(softmax(wrap(b.mul(product, number(0.25, product)))));
        return [b.gather(rows, order, { axis: 0 }), order, b.concat([rows, carry!], { axis: 1 })];
      },
    }));
  });
});

describe('no JavaScript between the steps', () => {
  const planned = (roots: readonly Tensor[]): Plan => planOf(programOfPending(roots.map(nodeOf)).program);
  const linked = (plan: Plan) => link([{ name: 'main', writer: writeProgram(plan) }]);
  /** JavaScript functions that a program calls lane by lane. */
  const calls = (...roots: readonly Tensor[]): readonly string[] =>
    linked(planned(roots)).imports.flatMap(each => ('call' in each ? [each.name] : []));
  const stepsIn = (plan: Plan): number =>
    plan.steps.reduce(
      (count, step: Step) =>
        count + 1 + (step.kind === 'region' ? step.bodies : []).reduce((n, body) => n + stepsIn(body), 0),
      0,
    );

  const start = wrap(leaf([8, 8]));
  const weights = wrap(leaf([8, 8], 'float32', 2));
  const random = key(1);
  random.dataSync();
  /** What a network, a sampler, an optimizer do in a step. */
  const step = (x: Tensor, i: Tensor): Tensor => {
    const hidden = tanh(add(matmul(x, weights as never), cos(x))) as Tensor;
    const noise = normal(foldIn(random, i), [8, 8]) as Tensor;
    const kept = mul(hidden, bernoulli(foldIn(random, i), 0.5, [8, 8])) as Tensor;
    const centred = sub(softmax(kept), sum(hidden, { axis: 0 })) as Tensor;
    return add(mul(centred, 0.25), mul(noise, 0.125)) as Tensor;
  };

  /** Angles too large for vectors are the only thing that JavaScript is asked for. */
  const isAngle = (name: string): boolean => /^Math\.(sin|cos|tan)$/.test(name);

  it('a thousand steps of a network with noise call no JavaScript function', () => {
    const end = fold(step)(start, 1000);
    const [last, all] = scan((x: Tensor, i: Tensor) => [step(x, i), sum(x) as Tensor] as const)(start, 1000);
    expect(calls(end).filter(name => !isAngle(name))).toEqual([]);
    expect(calls(last, all).filter(name => !isAngle(name))).toEqual([]);
    // And there is a way to see it where one does.
    expect(calls(fold((x: Tensor, i: Tensor) => pow(x, i) as Tensor)(tensor([2, 3], { dtype: 'int32' }), 5))).toEqual([
      expect.stringMatching(/^pow:int32/),
    ]);
  });

  it('nor do a while and a condition', () => {
    type Carry = readonly [count: Tensor, x: Tensor];
    const [count, x] = whileLoop(
      ([i]: Carry) => less(i, 1000) as Tensor,
      ([i, y]: Carry): Carry => {
        const even = equal(bitwiseAnd(i, 1), 0) as Tensor;
        return [
          add(i, 1) as Tensor,
          cond(
            even,
            (z: Tensor) => mul(z, 0.5) as Tensor,
            (z: Tensor) => tanh(z) as Tensor,
          )(y),
        ];
      },
    )([tensor(0, { dtype: 'int32' }), start]);
    expect(calls(count, x)).toEqual([]);
    expect(count.item()).toBe(1000);
  });

  it('a thousand steps are planned and written as one', () => {
    // What is known before the loop is computed for all steps at once, by kernels that are the same from some hundred on.
    const [few, many] = [planned([fold(step)(start, 301)]), planned([fold(step)(start, 1001)])];
    expect(stepsIn(many)).toBe(stepsIn(few));
    expect(stepsIn(many)).toBeGreaterThan(5);
    // The indices of all steps, and the keys of their noise, which are known before the loop runs; nothing of the size of x.
    expect(many.bytes).toBeLessThanOrEqual(few.bytes + 16 * 700);
    expect(linked(many).bytes.length).toBeLessThan(linked(few).bytes.length + 100);
    // Also one after another: the second begins with what the first leaves.
    const chained = planned([fold(step)(fold(step)(start, 500), 500)]);
    expect(stepsIn(chained)).toBeLessThanOrEqual(2 * stepsIn(few));
  });

  it('a thousand steps give what a thousand folds of one step give', () => {
    const at = (x: Tensor, i: Tensor): Tensor => add(mul(x, 0.5), cos(mul(cast(i, 'float32'), 0.25))) as Tensor;
    const together = fold(at)(start, 1000).dataSync();
    let x = start;
    for (const i of range(1000)) x = fold((y: Tensor) => at(y, tensor(i, { dtype: 'int32' }) as Tensor))(x, 1);
    expect([...(x.dataSync() as Float32Array)]).toEqual([...(together as Float32Array)]);
  });
});
