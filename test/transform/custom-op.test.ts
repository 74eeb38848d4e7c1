/** customOp: kernels of the user's, in every place where a primitive can be. */
import {
  ArgumentError,
  add,
  arange,
  cast,
  checkFinite,
  checkpoint,
  cond,
  customOp,
  DTypeError,
  exp,
  explain,
  FiniteError,
  fold,
  grad,
  greater,
  hessian,
  jit,
  jvp,
  less,
  MissingRuleError,
  matmul,
  memoryStats,
  mul,
  realize,
  reshape,
  type Shape,
  ShapeError,
  scan,
  setThreads,
  slice,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  type TensorSpec,
  TraceError,
  tanh,
  tensor,
  transpose,
  vjp,
  vmap,
  whileLoop,
  zeros,
} from 'tenfold';
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { referenceBackend } from '../../src/tensor/backend/reference/reference.js';
import { patience } from '../../src/tensor/backend/wasm/threads/control.js';
import { worth } from '../../src/tensor/backend/wasm/threads/work.js';
import { residency, threads, wasmBackend } from '../../src/tensor/backend/wasm/wasm.js';
import { dtypes } from '../../src/tensor/dtype.js';
import { computingBy, preparedBy } from '../../src/tensor/evaluate.js';
import { caught, close } from '../helpers.js';

type T = Tensor<Shape, 'float32'>;

const backends = [wasmBackend, referenceBackend];

let calls = 0;
beforeEach(() => {
  calls = 0;
});

/** First-order recursive filter y[i] = a·y[i − 1] + x[i] with a clipped memory: no scan of the library says it. */
const leak = (x: Float32Array, y: Float32Array): void => {
  let held = 0;
  for (let i = 0; i < x.length; i++) {
    held = Math.min(4, Math.fround(0.5 * held + x[i]!));
    y[i] = held;
  }
};

/** The filter over all elements in their order; its derivative is that of the filter where nothing is clipped. */
const filter: (x: T) => T = customOp({
  name: 'filter',
  result: (x: TensorSpec<Shape, 'float32'>) => x,
  kernel: ([x], [y]) => {
    calls++;
    leak(x, y);
  },
  jvp: ([x], [t]) => [filter(x), response(x, t)],
});

/** What the filter makes of a change of its input: linear in the change, and its own derivative in it. */
const response: (x: T, t: T) => T = customOp({
  name: 'response',
  result: (_: TensorSpec<Shape, 'float32'>, t: TensorSpec<Shape, 'float32'>) => t,
  kernel: ([x, t], [s]) => {
    const y = x.slice();
    leak(x, y);
    let held = 0;
    for (let i = 0; i < x.length; i++) {
      held = y[i] === 4 ? 0 : Math.fround(0.5 * held + t[i]!);
      s[i] = held;
    }
  },
  jvp: ([x, t], [, dt]) => [response(x, t), response(x, dt)],
  vjp: {
    forward: (x, t) => [response(x, t), x],
    backward: (x, v) => [null, transposedResponse(x, v)],
  },
});

const transposedResponse: (x: T, v: T) => T = customOp({
  name: 'transposedResponse',
  result: (_: TensorSpec<Shape, 'float32'>, v: TensorSpec<Shape, 'float32'>) => v,
  kernel: ([x, v], [s]) => {
    const y = x.slice();
    leak(x, y);
    let held = 0;
    for (let i = x.length - 1; i >= 0; i--) {
      held = y[i] === 4 ? 0 : held + v[i]!;
      s[i] = held;
      held *= 0.5;
    }
  },
  jvp: ([x, v], [, dv]) => [transposedResponse(x, v), transposedResponse(x, dv)],
  vjp: {
    forward: (x, v) => [transposedResponse(x, v), x],
    backward: (x, t) => [null, response(x, t)],
  },
});

/** Smallest element and where it is. */
const smallest: (x: T) => readonly [Tensor<readonly [], 'float32'>, Tensor<readonly [], 'int32'>] = customOp({
  name: 'smallest',
  result: (x: TensorSpec<Shape, 'float32'>) => [
    { shape: [], dtype: x.dtype },
    { shape: [], dtype: 'int32' },
  ],
  kernel: ([x], [value, at]) => {
    calls++;
    value[0] = Math.min(...x);
    at[0] = x.indexOf(value[0]);
  },
  jvp: ([x], [t]) => {
    const [value, at] = smallest(x);
    const here = cast(equalTo(arange(x.shape[0]!), at), 'float32');
    return [[value, at] as const, [sum(mul(t, here)), null] as const];
  },
});

const equalTo = (x: Tensor, y: Tensor): Tensor => mul(less(sub(x, y) as never, 0.5), greater(sub(x, y) as never, -0.5));

/** A batch at once: row by row in one call. */
const sorted: (x: Tensor) => Tensor = customOp({
  name: 'sorted',
  result: (x: TensorSpec) => x,
  kernel: ([x], [y], { inputs: [{ shape }] }) => {
    calls++;
    const length = shape.at(-1)!;
    for (let i = 0; i < x.length; i += length) y.set(x.slice(i, i + length).sort(), i);
  },
  batch: ([x]) => sorted(x),
});

const f32 = (...x: readonly number[]): T => tensor(Float32Array.from(x), [x.length]) as T;
const untyped = customOp as unknown as (definition: unknown) => (...args: readonly unknown[]) => Tensor;

describe.each(backends)('on the $name backend', backend => {
  const on = <R>(f: () => R): R => computingBy(backend, () => realize(f() as never)) as R;

  it('computes: values, views of others, numbers, nothing', () => {
    expect(on(() => filter(f32(1, 2, 3))).toArray()).toEqual([1, 2.5, 4]);
    const matrix = reshape(arange(6), [2, 3]) as T;
    expect(on(() => filter(transpose(matrix) as T)).toArray()).toEqual([
      [0, 3],
      [2.5, 4],
      [4, 4],
    ]);
    expect(on(() => filter(slice(arange(9) as never, [1], [8], [3]) as T)).toArray()).toEqual([1, 4, 4]);
    expect(on(() => filter(add(zeros([3]), 2) as T)).toArray()).toEqual([2, 3, 3.5]);
    expect(on(() => filter(tensor(3) as T)).item()).toBe(3);
    expect(on(() => filter(zeros([0, 2]) as T)).shape).toEqual([0, 2]);
    expect(on(() => smallest(f32(3, 1, 2))).map(x => x.item())).toEqual([1, 1]);
  });

  it('every dtype arrives as its typed array, zeros are there before, and bool is 0 or 1', () => {
    const classes = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint32: Uint32Array };
    for (const dtype of dtypes) {
      const twice = customOp({
        name: 'twice',
        result: (x: TensorSpec) => [x, { shape: [2, ...x.shape], dtype: 'bool' }],
        kernel: ([x], [y, flags], { inputs, outputs }) => {
          expect(x).toBeInstanceOf(Reflect.get(classes, dtype) ?? Uint8Array);
          expect([inputs, outputs.map(({ shape }) => shape)]).toEqual([[{ shape: [3], dtype }], [[3], [2, 3]]]);
          expect([...y, ...flags]).toEqual(new Array(9).fill(0));
          y.set(x);
          flags[1] = 255;
        },
      });
      const x = cast(tensor([1, 0, 1]), dtype);
      const [y, flags] = on(() => twice(x));
      expect([...y.dataSync()]).toEqual([1, 0, 1]);
      expect(y.dtype).toBe(dtype);
      expect([...flags.dataSync()]).toEqual([0, 1, 0, 0, 0, 0]);
      expect(sum(cast(flags, 'int32')).item()).toBe(1);
    }
  });

  it('in loops, branches, checkpoints and jitted functions', () => {
    const x = f32(1, 2, 3);
    const loop = (y: T): T => fold((c: T, i: Tensor) => mul(filter(add(c, i) as T), 0.5) as T)(y, 5) as T;
    let wanted = Float32Array.of(1, 2, 3);
    for (let i = 0; i < 5; i++) {
      const y = new Float32Array(3);
      leak(
        wanted.map(c => c + i),
        y,
      );
      wanted = y.map(c => c * 0.5);
    }
    for (const f of [loop, jit(loop), checkpoint(loop)]) expect([...on(() => f(x)).dataSync()]).toEqual([...wanted]);
    const [last, all] = on(() =>
      scan((c: T, e: T) => [filter(add(c, e) as T), sum(filter(c))] as const)(
        x,
        tensor([
          [1, 1, 1],
          [2, 2, 2],
        ]) as never,
      ),
    ) as unknown as [T, T];
    expect(last.toArray()).toEqual([4, 4, 4]);
    expect(all.toArray()).toEqual([7.5, 10]);
    const doubling = whileLoop(
      ([y]: readonly [T]) => less(sum(y), 9) as never,
      ([y]: readonly [T]): readonly [T] => [filter(mul(y, 2) as T)],
    );
    expect(on(() => doubling([x]))[0].toArray()).toEqual([2, 4, 4]);
    const branch = (y: T): T => cond(greater(sum(y), 0), filter, (z: T) => z)(y) as T;
    expect(on(() => branch(x)).toArray()).toEqual([1, 2.5, 4]);
    calls = 0;
    expect(on(() => branch(f32(-1, -2))).toArray()).toEqual([-1, -2]);
    expect(calls).toBe(0);
  });

  it('derivatives by its rules, of first and second order, and over batches', () => {
    const x = f32(1, 2, 3, 0.5);
    const weights = f32(1, 10, 100, 1000);
    const loss = (y: T): T => sum(mul(square(filter(y)), weights)) as T;
    // Filtered: 1, 2.5, 4 (clipped), 2.5.
    const wanted = [2 + 0.5 * 50, 50, 0, 5000];
    close(
      on(() => grad(loss)(x)),
      wanted,
    );
    close(
      on(() => jit(grad(loss))(x)),
      wanted,
    );
    close(
      on(() => jvp(loss, [x], [f32(1, 1, 1, 1)])[1]),
      wanted.reduce((s, w) => s + w),
    );
    close(
      on(() => vjp(filter, x)[1](f32(1, 1, 1, 1))[0]),
      [1.5, 1, 0, 1],
    );
    // J = [[1, 0], [½, 1]]: second derivatives 2·Jᵀ·diag(w)·J.
    close(
      on(() => hessian((y: T) => sum(mul(square(filter(y)), f32(1, 10))))(f32(1, 2))),
      [
        [7, 10],
        [10, 20],
      ],
    );
    const rows = tensor([
      [1, 2, 3, 0.5],
      [0.5, 0.5, 0.5, 0.5],
    ]) as never;
    const both = [wanted, [...on(() => grad(loss)(f32(0.5, 0.5, 0.5, 0.5))).dataSync()]];
    close(
      on(() => vmap(grad(loss))(rows)),
      both,
    );
    close(
      on(() => grad((ys: T) => sum(vmap(loss)(ys as never) as never) as T)(rows)),
      both,
    );
    const inLoop = (y: T): T => fold((c: T) => filter(mul(c, 0.5) as T))(y, 3) as T;
    const steps = (y: T): T => filter(mul(filter(mul(filter(mul(y, 0.5) as T), 0.5) as T), 0.5) as T);
    const lossOf =
      (f: (y: T) => T) =>
      (y: T): T =>
        sum(mul(f(y), weights)) as T;
    close(
      on(() => grad(lossOf(inLoop))(x)),
      on(() => grad(lossOf(steps))(x)).toArray() as never,
    );
    close(
      on(() => grad(lossOf(checkpoint(steps)))(x)),
      on(() => grad(lossOf(steps))(x)).toArray() as never,
    );
    const first = (y: T): T => add(smallest(y)[0], mul(smallest(y)[0], 2)) as T;
    expect(on(() => grad(first)(f32(3, 1, 2))).toArray()).toEqual([0, 3, 0]);
  });

  it('vmap calls the kernel for each example, or the batch rule', () => {
    const rows = tensor([
      [3, 1],
      [2, 5],
      [4, 4],
    ]) as Tensor<readonly [3, 2], 'float32'>;
    const [values, places] = on(() => vmap(smallest)(rows as never)) as unknown as [T, T];
    expect([values.toArray(), places.toArray()]).toEqual([
      [1, 2, 4],
      [1, 0, 0],
    ]);
    expect(calls).toBe(3);
    expect(on(() => vmap(sorted)(rows as never)).toArray()).toEqual([
      [1, 3],
      [2, 5],
      [4, 4],
    ]);
    expect(calls).toBe(4);
    const plus = customOp({
      name: 'plus',
      result: (x: TensorSpec<Shape, 'float32'>, _: TensorSpec) => x,
      kernel: ([x, y], [z]) => {
        for (let i = 0; i < x.length; i++) z[i] = x[i]! - y[0]!;
      },
    });
    const y = f32(10, 20, 30);
    expect(on(() => vmap(plus, { in: [null, 0] })(f32(1, 2), y as never)).toArray()).toEqual([
      [-9, -8],
      [-19, -18],
      [-29, -28],
    ]);
    expect(on(() => vmap(plus, { in: [0, null] })(rows as never, tensor(1))).toArray()).toEqual([
      [2, 0],
      [1, 4],
      [3, 3],
    ]);
    const nested = vmap(vmap(plus, { in: [0, null] }), { in: [null, 0] })(rows as never, y as never) as T;
    expect(on(() => nested).shape).toEqual([3, 3, 2]);
    expect((nested.toArray() as unknown as readonly unknown[])[2]).toEqual([
      [-27, -29],
      [-28, -25],
      [-26, -26],
    ]);
    expect(on(() => vmap(filter)(zeros([0, 4]) as never)).shape).toEqual([0, 4]);
  });

  it('what a kernel does to its arrays, then or later, changes nothing else', () => {
    const kept: Float32Array[] = [];
    const rude = customOp({
      name: 'rude',
      result: (x: TensorSpec<Shape, 'float32'>) => x,
      kernel: ([x], [y]) => {
        y.set(x);
        x.fill(-1);
        kept.push(x, y);
      },
    });
    const x = f32(...Array.from({ length: 40 }, (_, i) => i));
    const f = jit((v: T) => {
      const w = mul(v, 2) as T;
      return [rude(w), w, rude(v), v];
    });
    const results = on(() => f(x));
    for (const array of kept) array.fill(77);
    results.forEach((y, i) => {
      expect([...y.dataSync()]).toEqual([...x.dataSync()].map(value => (i < 2 ? 2 * value : value)));
    });
  });

  it('an error of the kernel comes out as it is, and what it was for can be asked for again', () => {
    const mine = new Error('not today');
    let fails = true;
    const moody = customOp({
      name: 'moody',
      result: (x: TensorSpec) => x,
      kernel: ([x], [y]) => {
        if (fails) throw mine;
        y.set(x);
      },
    });
    const y = add(moody(mul(tensor([1, 2]), 2)), 1);
    expect(() => on(() => y)).toThrow(mine);
    expect(() => on(() => jit((x: Tensor) => fold((c: Tensor) => moody(c))(x, 3))(tensor([1, 2])))).toThrow(mine);
    fails = false;
    expect(on(() => y).toArray()).toEqual([3, 5]);
  });

  it('a kernel that computes with tensors, returns something, or gives its results away is refused', () => {
    const other = realize(add(f32(1, 2), 1));
    const using = (
      kernel: (inputs: readonly Float32Array[], outputs: readonly Float32Array[]) => unknown,
    ): (() => unknown) => {
      const op = untyped({ name: 'odd', result: (x: TensorSpec) => x, kernel });
      return () => on(() => op(f32(1, 2)));
    };
    const jitted = jit((x: T) => add(x, 1));
    jitted(f32(1));
    for (const compute of [() => add(other, 1).dataSync(), () => jitted(f32(2)), () => explain(jitted)(f32(2))]) {
      const error = caught(using(([x], [y]) => y!.set(x!.map(() => Number(compute())))));
      expect(error).toBeInstanceOf(TraceError);
      expect(error.message).toMatch(/customOp odd: got a tensor that its kernel computes/);
    }
    // What there is may be read.
    const read = using(([x], [y]) => y!.set(x!.map((value, i) => value + other.dataSync()[i]!)));
    expect((read() as Tensor).toArray()).toEqual([3, 5]);
    const message = (kernel: Parameters<typeof using>[0]): string => caught(using(kernel)).message;
    expect(message(async () => undefined)).toMatch(/a kernel that returns a value of class Promise/);
    expect(message(([x]) => x)).toMatch(/a kernel that returns a value of class Float32Array/);
    expect(message((_, [y]) => void structuredClone(0, { transfer: [y!.buffer as ArrayBuffer] }))).toMatch(
      /transfers its arrays/,
    );
    // And all is well afterwards.
    expect(on(() => filter(f32(1, 2, 3))).toArray()).toEqual([1, 2.5, 4]);
  });
});

describe('rules', () => {
  it('without one, a derivative is refused by the name of the operation; integers need none', () => {
    const plain = customOp({
      name: 'median',
      result: (x: TensorSpec) => ({ shape: [], dtype: x.dtype }),
      kernel: () => {},
    });
    for (const f of [() => grad(plain as never)(f32(1, 2)), () => jvp(plain as never, [f32(1, 2)], [f32(1, 2)])]) {
      const error = caught(f);
      expect(error).toBeInstanceOf(MissingRuleError);
      expect(error.message).toMatch(/customOp median: .*Give customOp a rule: jvp/);
    }
    expect(grad((x: T) => add(sum(x), plain(stopGradient(x))) as T)(f32(1, 2)).toArray()).toEqual([1, 1]);
    const count = customOp({
      name: 'count',
      result: (_: TensorSpec) => ({ shape: [], dtype: 'int32' }),
      kernel: () => {},
    });
    expect(grad((x: T) => mul(sum(x), cast(add(count(x), 2), 'float32')) as T)(f32(1, 2)).toArray()).toEqual([2, 2]);
  });

  it('what a rule gives is checked in the name of the operation', () => {
    const result = (x: TensorSpec<Shape, 'float32'>) => x;
    const kernel = () => {};
    const longer = zeros([3]) as T;
    const cases = [
      () => grad((x: T) => sum(customOp({ name: 'op', result, kernel, jvp: (_, [t]) => [longer, t] })(x)) as T)(f32(1)),
      () => grad((x: T) => sum(customOp({ name: 'op', result, kernel, jvp: ([x]) => [x, longer] })(x)) as T)(f32(1)),
      () =>
        grad(
          (x: T) =>
            sum(
              customOp({ name: 'op', result, kernel, vjp: { forward: x => [x, null], backward: () => [longer] } })(x),
            ) as T,
        )(f32(1)),
      () => vmap(customOp({ name: 'op', result, kernel, batch: () => longer }))(zeros([2, 1]) as never),
    ];
    for (const each of cases) expect(caught(each).operation).toBe('customOp op');
  });
});

describe('what is given is checked', () => {
  const kernel = (): void => {};
  const like = (x: TensorSpec): TensorSpec => x;

  it('shapes and dtypes of results', () => {
    const of =
      (result: unknown): (() => unknown) =>
      () =>
        untyped({ name: 'op', result: () => result, kernel })(f32(1));
    for (const shape of [undefined, null, 3, [-1], [1.5], ['2'], [Number.NaN]]) {
      expect(caught(of({ shape, dtype: 'float32' }))).toBeInstanceOf(ShapeError);
      expect(
        caught(
          of([
            { shape: [], dtype: 'int32' },
            { shape, dtype: 'float32' },
          ]),
        ).operation,
      ).toBe('customOp op');
    }
    for (const dtype of [undefined, null, 'float16', 32])
      expect(caught(of({ shape: [2], dtype }))).toBeInstanceOf(DTypeError);
    for (const nothing of [undefined, null, 3, 'x', [], Promise.resolve({ shape: [], dtype: 'int32' }), [[2, 3]]])
      expect(caught(of(nothing)).operation).toBe('customOp op');
  });

  it('arguments are tensors', () => {
    const op = untyped({ name: 'op', result: like, kernel });
    for (const x of [3, [f32(1)], null, undefined, 'x', { x: f32(1) }, true]) {
      const error = caught(() => op(x));
      expect(error).toBeInstanceOf(ArgumentError);
      expect(error.operation).toBe('customOp op');
    }
  });
});

describe('programs', () => {
  const made = (f: () => unknown): number => {
    const before = preparedBy(wasmBackend).made;
    f();
    return preparedBy(wasmBackend).made - before;
  };
  const scaled = (by: number) =>
    customOp({
      name: 'scaled',
      result: (x: TensorSpec<Shape, 'float32'>) => x,
      kernel: ([x], [y]) => {
        calls++;
        for (let i = 0; i < x.length; i++) y[i] = by * x[i]!;
      },
    });

  it('the same operation is compiled once; others of its name are others', () => {
    const [two, three] = [scaled(2), scaled(3)];
    const use = (op: (x: T) => T, x: T): unknown => add(op(x), 1).toArray();
    const [x, y] = [f32(1, 2, 3, 4, 5), f32(5, 6, 7, 8, 9)];
    expect(made(() => expect(use(two, x)).toEqual([3, 5, 7, 9, 11]))).toBe(1);
    expect(made(() => expect(use(two, y)).toEqual([11, 13, 15, 17, 19]))).toBe(0);
    expect(made(() => expect(use(three, x)).toEqual([4, 7, 10, 13, 16]))).toBe(1);
    const both = jit((v: T) => [two(v), three(v), two(v)]);
    calls = 0;
    expect(both(x).map(z => z.dataSync()[1])).toEqual([4, 6, 4]);
    expect(calls).toBe(2);
  });

  it('what nobody uses is not called', () => {
    const two = scaled(2);
    const f = jit((x: T) => {
      two(x);
      return add(x, 1);
    });
    expect(f(f32(1)).item()).toBe(2);
    expect(calls).toBe(0);
  });

  it('explain lists it by its name, also in bodies', () => {
    const f = (x: T): T => fold((c: T) => mul(filter(exp(c) as T), 0.5) as T)(x, 3) as T;
    const { graph, report } = explain(f)(f32(1, 2));
    expect(graph).toContain('external(%0) { name: filter }');
    const [{ name, steps }] = report!.steps as [(typeof report & object)['steps'][number]];
    expect(name).toBe('fold of 3 steps');
    expect(steps.map(step => step.name)).toEqual(['exp', 'filter', 'mul']);
    const [step] = explain(filter)(f32(1, 2)).report!.steps;
    expect(step).toMatchObject({ name: 'filter', shape: 'float32[2] → float32[2]', bytes: 16, times: 1 });
  });

  it('checkFinite finds the one that makes a NaN', () => {
    const bad = customOp({ name: 'bad', result: like => like, kernel: (_, [y]) => void y.fill(Number.NaN) });
    expect(() => checkFinite((x: T) => add(bad(x), 1))(f32(1))).toThrow(FiniteError);
    expect(checkFinite(filter)(f32(1)).item()).toBe(1);
  });

  it('memory that grows between calls', () => {
    const two = scaled(2);
    const f = jit((x: T) => add(two(mul(x, 3) as T), 1));
    const before = residency().memory.buffer.byteLength;
    let [size, grown] = [2 ** 16, 0];
    const held: Tensor[] = [];
    while (grown < 3) {
      const buffer = residency().memory.buffer;
      const y = f(realize(mul(arange(size), 1e-3)) as T);
      held.push(y);
      expect(y.dataSync()[size - 1]).toBeCloseTo(6e-3 * (size - 1) + 1, 0);
      if (residency().memory.buffer !== buffer) grown++;
      size = Math.min(2 * size, 2 ** 23);
    }
    expect(residency().memory.buffer.byteLength).toBeGreaterThan(before);
    expect(held[0]!.dataSync().at(-1)).toBeCloseTo(6e-3 * (2 ** 16 - 1) + 1, 1);
  });
});

describe('threads', () => {
  const usual = { ...worth };
  beforeAll(() => {
    Object.assign(worth, { kernel: 0, tile: 1e-9, program: 1e-9, waking: 0, waiting: 5000 });
  });
  afterAll(() => {
    Object.assign(worth, usual);
    setThreads(1);
  });

  const large = realize(mul(sub(arange(30_000), 1e4), 1e-4)) as T;
  const matrix = reshape(slice(large, [0], [14_400]), [120, 120]) as T;
  let fails = false;
  const mine = new RangeError('of the kernel');
  const mixed = customOp({
    name: 'mixed',
    result: (x: TensorSpec<Shape, 'float32'>) => x,
    kernel: ([x], [y]) => {
      if (fails) throw mine;
      let held = 0;
      for (let i = 0; i < x.length; i++) {
        held = 0.9 * held + x[i]!;
        y[i] = held;
      }
    },
  });
  const programs: Readonly<Record<string, () => Tensor>> = {
    'between kernels': () => add(tanh(mixed(exp(large) as T)), large),
    'behind a product': () =>
      sum(mixed(matmul(matrix, transpose(matrix) as never) as T), { axis: 1 } as never) as Tensor,
    'in a loop': () => fold((c: T, i: Tensor) => tanh(add(mixed(mul(c, 0.5) as T), i)) as T)(large, 5) as Tensor,
    'in branches of a while': () =>
      whileLoop(
        ([i]: readonly [T, T]) => less(i, 6) as never,
        ([i, x]: readonly [T, T]): readonly [T, T] => [
          add(i, 1) as T,
          cond(
            greater(sum(mixed(x)), 3),
            (y: T) => mul(tanh(y), 0.5) as T,
            (y: T) => mixed(exp(y) as T),
          )(x) as T,
        ],
      )([tensor(0) as T, large])[1],
    alone: () => mixed(large),
  };

  it('the same bits with any number, on all of them', () => {
    setThreads(1);
    const wanted = Object.values(programs).map(f => f().dataSync());
    for (const count of [2, 3]) {
      setThreads(count);
      Object.entries(programs).forEach(([name, f], i) => {
        const before = threads().pool.runs;
        expect(f().dataSync(), name).toEqual(wanted[i]);
        if (name !== 'alone') expect(threads().pool.runs, name).toBeGreaterThan(before);
      });
    }
  });

  it('an error of the kernel lets all threads go, at once', () => {
    setThreads(3);
    const f = jit((x: T) => tanh(mixed(tanh(x) as T)) as T);
    const wanted = f(large).dataSync();
    const { residentBytes } = memoryStats() as { residentBytes: number };
    const crew = threads().pool.ready;
    for (let i = 0; i < 20; i++) {
      fails = true;
      const from = performance.now();
      expect(() => f(large)).toThrow(mine);
      expect(performance.now() - from).toBeLessThan(1000);
      fails = false;
      const { runs } = threads().pool;
      expect(f(large).dataSync()).toEqual(wanted);
      expect(threads().pool.runs).toBe(runs + 1);
      expect(threads().pool.ready).toBe(crew);
    }
    expect((memoryStats() as { residentBytes: number }).residentBytes).toBeLessThan(residentBytes + 30 * 120_000);
  });

  it('the others wait for a kernel as long as it takes', () => {
    setThreads(2);
    const words = new Int32Array(residency().memory.buffer);
    const before = Atomics.exchange(words, patience / 4, 25);
    try {
      const slow = customOp({
        name: 'slow',
        result: (x: TensorSpec<Shape, 'float32'>) => x,
        kernel: ([x], [y]) => {
          y.set(x);
          for (const until = performance.now() + 400; performance.now() < until; );
        },
      });
      const { runs } = threads().pool;
      expect(tanh(slow(tanh(large) as T)).dataSync()).toEqual(tanh(tanh(large)).dataSync());
      expect(threads().pool.runs).toBeGreaterThan(runs + 1);
    } finally {
      Atomics.store(new Int32Array(residency().memory.buffer), patience / 4, before);
    }
  });
});

it('types say what comes of what', () => {
  const pair = customOp({
    name: 'pair',
    result: (x: TensorSpec<readonly [3], 'float32'>, y: TensorSpec) => [x, { shape: [2, 3], dtype: 'int32' }, y],
    kernel: ([x, y], [p, q], { outputs }) => {
      expectTypeOf(x).toEqualTypeOf<Float32Array>();
      expectTypeOf(p).toEqualTypeOf<Float32Array>();
      expectTypeOf(q).toEqualTypeOf<Int32Array>();
      expectTypeOf(outputs[1].dtype).toEqualTypeOf<'int32'>();
      p.set(x);
      q.fill(y.length);
    },
  });
  const [p, q] = pair(tensor([1, 2, 3]), tensor(true));
  expectTypeOf(p).toEqualTypeOf<Tensor<readonly [3], 'float32'>>();
  expectTypeOf(q).toEqualTypeOf<Tensor<readonly [2, 3], 'int32'>>();
  expect([p.toArray(), q.toArray()]).toEqual([
    [1, 2, 3],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
  ]);
  // @ts-expect-error the shape is another one
  expect(() => pair(tensor([1, 2]), tensor(true))).not.toThrow();
});
