/** jit and compile: what is traced when, that the results are those of plain calls, and what is refused. */
import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  all,
  arange,
  bitwiseAnd,
  cast,
  clamp,
  compile,
  concat,
  cond,
  type DType,
  DTypeError,
  div,
  equal,
  exp,
  expandDims,
  eye,
  flip,
  fold,
  full,
  fullLike,
  grad,
  greater,
  jit,
  jvp,
  less,
  linspace,
  log,
  matmul,
  max,
  maximum,
  mean,
  mul,
  neg,
  oneHot,
  ones,
  pad,
  pow,
  realize,
  repeat,
  reshape,
  scan,
  scatterAdd,
  sin,
  slice,
  softmax,
  sort,
  split,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  tensor,
  tile,
  valueAndGrad,
  vjp,
  vmap,
  where,
  whileLoop,
  zeros,
} from 'tenfold';
import { normalKl } from 'tenfold/diffusion';
import { adam, applyUpdates, emaWarmup, scaleByLearningRate, updateEma, warmupCosine } from 'tenfold/optim';
import { bernoulli, foldIn, key, normal, permutation, randint, split as splitKey, uniform } from 'tenfold/random';
import { describe, expect, it } from 'vitest';
import { preparedBy } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { tracesOf } from '../../src/tensor/transform/jit.js';
import { caught } from '../helpers.js';

type T = Tensor;

const bits = (x: T): readonly number[] => {
  const data = x.dataSync();
  return [...new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
};

/** The same shapes, dtypes and bits, in trees of the same form. */
const expectSame = (actual: unknown, expected: unknown): void => {
  const plain = (x: unknown): unknown => {
    if (typeof x !== 'object' || x === null) return x;
    if (Array.isArray(x)) return x.map(plain);
    if ('dataSync' in x) return { shape: (x as T).shape, dtype: (x as T).dtype, bits: bits(x as T) };
    return Object.fromEntries(Object.entries(x).map(([name, value]) => [name, plain(value)]));
  };
  expect(plain(actual)).toEqual(plain(expected));
};

/** A function that counts how often it is called. */
const counted = <A extends readonly unknown[], R>(f: (...args: A) => R) => {
  const g = (...args: A): R => {
    g.calls++;
    return f(...args);
  };
  g.calls = 0;
  return g;
};

const vector = tensor([0.3, -0.7, 1.1]) as T;
const matrix = tensor([
  [0.5, -1, 2],
  [0.25, 3, -0.125],
]) as T;
const whole = tensor([1, 2, 3], { dtype: 'int32' }) as T;
const integers = tensor([1, 2], { dtype: 'int32' });
const flags = tensor([true, false, true]) as T;

describe('tracing', () => {
  it('happens once for a form, whatever the values', () => {
    const f = counted((x: T) => add(mul(x, 3), 2) as T);
    const g = jit(f);
    for (let i = 0; i < 5; i++) expectSame(g(tensor([i, 2 * i]) as T), f(tensor([i, 2 * i]) as T));
    expect(f.calls).toBe(1 + 5);
    expect(tracesOf(g).length).toBe(1);
  });

  it('happens again for another shape, dtype, tree, number of arguments', () => {
    const f = jit((...args: readonly unknown[]) => (args[0] as T) ?? null);
    f(vector);
    f(tensor([1, 2]));
    f(tensor([1, 2], { dtype: 'float64' }));
    f(vector, vector);
    f([vector], vector);
    f({ a: vector }, vector);
    f({ b: vector }, vector);
    f({ b: [vector, vector] }, vector);
    f({ b: [vector] }, vector);
    f(null, vector);
    expect(tracesOf(f).map(trace => trace.reason)).toEqual([
      'the first call',
      'argument 0: float32[3] before, now float32[2]',
      'argument 0: float32[2] before, now float64[2]',
      '1 arguments before, now 2',
      'argument 0: float32[3] before, now an array of 1',
      'argument 0: an array of 1 before, now a record of a',
      'argument 0: a record of a before, now a record of b',
      'argument 0 b: float32[3] before, now an array of 2',
      'argument 0 b: an array of 2 before, now an array of 1',
      'argument 0: a record of b before, now null',
    ]);
    f(vector);
    f({ b: [vector] }, vector);
    expect(tracesOf(f).length).toBe(10);
  });

  it('compares records by their keys, in whatever order they are written', () => {
    const f = jit((p: { a: T; b: T }) => sub(p.a, p.b) as T);
    expect(f({ a: tensor(5), b: tensor(3) }).item()).toBe(2);
    expect(f({ b: tensor(3), a: tensor(5) }).item()).toBe(2);
    expect(tracesOf(f).length).toBe(1);
  });

  it('gives the reason by place, and the avals and statics', () => {
    const f = jit((p: { x: readonly T[] }, name: string, n: number) => ({ y: mul(p.x[0]!, n), name }));
    f({ x: [zeros([4])] }, 'a', 1);
    f({ x: [zeros([8])] }, 'a', 2);
    f({ x: [zeros([8])] }, 'b', 2);
    const [first, second, third] = tracesOf(f);
    expect(second!.reason).toBe('argument 0 x[0]: float32[4] before, now float32[8]');
    expect(third!.reason).toBe('argument 1: "a" before, now "b"');
    expect(first!.avals).toEqual([
      { shape: [4], dtype: 'float32' },
      { shape: [], dtype: 'float64' },
    ]);
    expect(first!.statics).toEqual(['a']);
    expect(first!.program.inputs).toEqual(first!.avals);
  });

  it('numbers and booleans are data: another value compiles nothing', () => {
    const f = counted((x: T, rate: number, on: boolean) => where(on as unknown as T, mul(x, rate), x) as T);
    const g = jit(f);
    g(vector, 0.1, true);
    const rates = [0, 1, -1, 0.5, 1e-9, -0, Number.NaN, Number.POSITIVE_INFINITY];
    const expected = rates.map(rate => realize(mul(vector, rate)));
    const { made } = preparedBy();
    const results = rates.map(rate => [g(vector, rate, true), g(vector, rate, false)]);
    expect(preparedBy().made).toBe(made);
    results.forEach((pair, i) => {
      expectSame(pair, [expected[i], vector]);
    });
    expect(f.calls).toBe(1);
    expect(tracesOf(g).length).toBe(1);
  });

  it('compares what is neither tensor nor number nor boolean by Object.is', () => {
    class Config {
      readonly scale = 2;
    }
    const [one, other] = [new Config(), new Config()];
    const f = jit((x: T, c: Config | string | undefined | ((x: T) => T)) => {
      if (typeof c === 'function') return c(x);
      return mul(x, typeof c === 'string' ? c.length : (c?.scale ?? 1)) as T;
    });
    expect(f(tensor(3), 'four').item()).toBe(12);
    expect(f(tensor(3), 'four').item()).toBe(12);
    expect(f(tensor(3), one).item()).toBe(6);
    expect(f(tensor(3), other).item()).toBe(6);
    expect(f(tensor(3), undefined).item()).toBe(3);
    expect(
      f(tensor(3), function negative(x) {
        return neg(x) as T;
      }).item(),
    ).toBe(-3);
    expect(f(tensor(3), one).item()).toBe(6);
    expect(tracesOf(f).map(trace => trace.reason)).toEqual([
      'the first call',
      'argument 1: "four" before, now an object of class Config',
      'argument 1: an object of class Config before, now another',
      'argument 1: an object of class Config before, now undefined',
      'argument 1: undefined before, now the function negative',
    ]);
  });

  it('keeps the last 64 forms, the least recently used going first', () => {
    const f = counted((x: T) => add(x, 1) as T);
    const g = jit(f);
    for (let n = 1; n <= 64; n++) g(zeros([n]));
    g(zeros([1]));
    expect(f.calls).toBe(64);
    g(zeros([65]));
    // 1 was used lately, so 2 had to go.
    g(zeros([1]));
    expect(f.calls).toBe(65);
    g(zeros([2]));
    expect(f.calls).toBe(66);
    expect(tracesOf(g).length).toBe(64);
  });

  it('leaves nothing behind when the function throws', () => {
    let fails = true;
    const f = jit((x: T) => {
      if (fails) throw new Error('mine');
      return add(x, 1) as T;
    });
    expect(() => f(vector)).toThrow('mine');
    expect(tracesOf(f)).toEqual([]);
    fails = false;
    expectSame(f(vector), add(vector, 1));
  });

  it('records nothing for functions that are not jitted', () => {
    expect(tracesOf(() => null)).toEqual([]);
  });
});

it('10,000 jitted steps keep memory flat', () => {
  const collect = (): number => {
    for (let i = 0; i < 2; i++) (globalThis as unknown as { gc(): void }).gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const step = jit((p: { w: T; b: T }, rate: number) => {
    const gradient = grad((q: { w: T; b: T }) => sum(square(add(mul(q.w, vector), q.b))) as T)(p);
    return { w: sub(p.w, mul(gradient.w, rate)), b: sub(p.b, mul(gradient.b, rate)) };
  });
  let params: { w: T; b: T } = { w: vector, b: tensor(1) };
  const bytes: number[] = [];
  for (let part = 0; part < 10; part++) {
    for (let i = 0; i < 1000; i++) params = step(params, 0.01 / (1 + i)) as { w: T; b: T };
    bytes.push(collect());
  }
  expect(tracesOf(step).length).toBe(1);
  expect(Math.max(...bytes.slice(7))).toBeLessThan(Math.max(...bytes.slice(2, 5)) + 2 ** 20);
});

describe('static arguments', () => {
  it('are handed on as they are, and compared leaf by leaf', () => {
    const seen: unknown[] = [];
    const f = jit(
      (x: T, options: { axis: number; names: readonly string[] }, flag: boolean) => {
        seen.push(options, flag);
        return flag ? (sum(x, { axis: options.axis }) as T) : x;
      },
      { static: [1, 2] },
    );
    const options = { axis: 0, names: ['rows'] };
    expectSame(f(matrix, options, true), sum(matrix, { axis: 0 }));
    expect(seen).toEqual([options, true]);
    expect(seen[0]).toBe(options);
    f(matrix, { axis: 0, names: ['rows'] }, true);
    expect(seen.length).toBe(2);
    expectSame(f(matrix, { axis: 1, names: ['rows'] }, true), sum(matrix, { axis: 1 }));
    expectSame(f(matrix, { axis: 1, names: ['rows'] }, false), matrix);
    expectSame(f(matrix, { axis: 1, names: ['columns'] }, false), matrix);
    expect(tracesOf(f).map(trace => trace.reason)).toEqual([
      'the first call',
      'argument 1 axis: 0 before, now 1',
      'argument 2: true before, now false',
      'argument 1 names[0]: "rows" before, now "columns"',
    ]);
    expect(tracesOf(f)[0]!.statics).toEqual([0, 'rows', true]);
  });

  it('that change after the call do not change what was traced', () => {
    const f = jit((x: T, shape: number[]) => reshape(x, shape) as T, { static: [1] });
    const shape = [3, 2];
    f(matrix, shape);
    shape[0] = 6;
    shape[1] = 1;
    expect(f(matrix, shape).shape).toEqual([6, 1]);
    expect(f(matrix, [3, 2]).shape).toEqual([3, 2]);
  });

  it('may be tensors, compared as objects, whose values are captured', () => {
    const f = jit((x: T, w: T) => mul(x, w) as T, { static: [1] });
    const w = tensor(2) as T;
    expect(f(tensor(3), w).item()).toBe(6);
    expect(f(tensor(4), w).item()).toBe(8);
    expect(tracesOf(f).length).toBe(1);
    expect(f(tensor(4), tensor(2)).item()).toBe(8);
    expect(tracesOf(f)[1]!.reason).toBe('argument 1: the tensor float32[] before, now another');
  });

  it('may be typed arrays, which are refused elsewhere: their changes would not be seen', () => {
    const f = (values: Float32Array): T => tensor(values, [2]) as T;
    const values = Float32Array.of(1, 2);
    expect(jit(f, { static: [0] })(values).toArray()).toEqual([1, 2]);
    const error = caught(() => jit((p: { values: Float32Array }) => f(p.values))({ values }));
    expect([error._tag, error.operation, error.given]).toEqual([
      'ArgumentError',
      'jit',
      'a Float32Array among the arguments',
    ]);
    expect(caught(() => compile(f)(values)).operation).toBe('compile');
  });

  it('are named by positions', () => {
    for (const positions of [[-1], [0.5], ['x'], 1]) {
      const error = caught(() => jit((x: T) => x, { static: positions as readonly number[] }));
      expect(error._tag).toBe('ArgumentError');
      expect(error.message).toContain('jit: got static:');
      expect(caught(() => compile((x: T) => x, { static: positions as readonly number[] })).message).toContain(
        'compile: got static:',
      );
    }
  });
});

describe('numbers inside', () => {
  const dtypes: readonly DType[] = ['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool'];
  const binaries: Readonly<Record<string, (x: T | number, y: T | number) => T>> = {
    add: add as never,
    sub: sub as never,
    mul: mul as never,
    div: div as never,
    pow: pow as never,
    maximum: maximum as never,
    less: less as never,
    equal: equal as never,
    bitwiseAnd: bitwiseAnd as never,
    where: ((x: T, y: T) => where(flags, x, y)) as never,
    clamp: ((x: T, y: T) => clamp(x, y as never, 2)) as never,
    scatterAdd: ((x: T, y: T) => scatterAdd(x, tensor([0], { dtype: 'int32' }), y as never)) as never,
  };
  const outcome = (f: () => T): unknown => {
    try {
      const x = f();
      return [x.shape, x.dtype, bits(x)];
    } catch (error) {
      return error instanceof DTypeError ? `${error.operation}: ${error.rule}` : error;
    }
  };

  for (const [name, f] of Object.entries(binaries)) {
    it(`${name}: the dtypes, bits and errors of a plain call, whichever number came first`, () => {
      for (const dtype of dtypes) {
        const x = cast(tensor([1, 0, 3]), dtype) as T;
        const numbers = [2, 2.5, 0, -1, 0.1, 300, 2 ** 33, 1];
        for (const list of [numbers, numbers.toReversed()]) {
          const [left, right] = [jit((a: T, n: number) => f(a, n)), jit((n: number, a: T) => f(n, a))];
          for (const n of list) {
            expect(
              outcome(() => left(x, n)),
              `${dtype} and ${n}`,
            ).toEqual(outcome(() => f(x, n)));
            if (name === 'scatterAdd' || name === 'clamp') continue;
            expect(
              outcome(() => right(n, x)),
              `${n} and ${dtype}`,
            ).toEqual(outcome(() => f(n, x)));
          }
        }
      }
    });
  }

  it('a fraction for an integer tensor is refused in every call, without another trace', () => {
    const f = jit((x: T, n: number) => mul(x, n) as T);
    expect(caught(() => f(whole, 2.5))).toEqual(caught(() => mul(whole, 2.5)));
    expect(tracesOf(f).length).toBe(0);
    expectSame(f(whole, 2), mul(whole, 2));
    const error = caught(() => f(whole, 2.5));
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toBe(caught(() => mul(whole, 2.5)).message);
    expectSame(f(whole, 3), mul(whole, 3));
    expect(tracesOf(f).length).toBe(1);
  });

  it('a number beside bool is int32 or float32: one trace for each', () => {
    const f = counted((x: T, n: number) => add(x, n) as T);
    const g = jit(f);
    for (const n of [1, 0.5, 2, 1.5]) expect(g(flags, n).dtype).toBe(Number.isInteger(n) ? 'int32' : 'float32');
    expect(f.calls).toBe(2);
    expect(tracesOf(g)[1]!.reason).toBe(
      'argument 1: a number that add took as int32 beside bool before, now as float32',
    );
  });

  it('alone they are float32, as tensor(2)', () => {
    const f = jit((n: number, m: number) => {
      const [a, b] = [n as unknown as T, m as unknown as T];
      return {
        sum: add(a, b),
        root: sqrt(a),
        total: sum(a),
        mixed: mul(a, 2),
        chosen: where(flags, a, 1),
        type: a.dtype,
      };
    });
    const [a, b] = [tensor(0.1), tensor(0.7)];
    const result = f(0.1, 0.7);
    expectSame(
      { ...result, type: null },
      { sum: add(a, b), root: sqrt(a), total: sum(a), mixed: mul(a, 2), chosen: where(flags, 0.1, 1), type: null },
    );
    expect(result.type).toBe('float32');
  });

  it('are weak themselves only: a result of an operation is a tensor', () => {
    const double = tensor([1], { dtype: 'float64' }) as T;
    const f = jit((n: number) => mul(double, mul(n as unknown as T, 1)) as T);
    expectSame(f(0.1), mul(double, tensor(0.1)));
    const g = jit((n: number) => mul(double, n) as T);
    expectSame(g(0.1), mul(double, 0.1));
    // A cast says which dtype the number gets, and makes a tensor of it.
    expectSame(
      jit((n: number) => add(cast(n as unknown as T, 'float64'), vector) as T)(0.1),
      add(tensor(0.1, { dtype: 'float64' }), vector),
    );
    expectSame(jit((n: number) => mul(double, cast(n as unknown as T, 'float64')) as T)(0.1), mul(double, 0.1));
  });

  it('stand for tensors in trees, loops and branches', () => {
    const f = jit((n: number, flag: boolean) => {
      const start = n as unknown as T;
      const folded = fold((c: T) => mul(c, 2) as T)(start, 3);
      const branch = cond(
        flag as unknown as T,
        (x: T) => x,
        (x: T) => neg(x) as T,
      )(start);
      const scaled = fold((c: T) => mul(c, n) as T)(tensor(1) as T, 3);
      return { folded, branch, scaled };
    });
    expectSame(f(3, true), { folded: tensor(24), branch: tensor(3), scaled: tensor(27) });
    expectSame(f(2, false), { folded: tensor(16), branch: tensor(-2), scaled: tensor(8) });
    expect(tracesOf(f).length).toBe(1);
  });

  it('step numbers go into keys', () => {
    const f = jit((step: number) => normal(foldIn(key(3), step), [4]) as T);
    for (const step of [0, 7, 4_000_000_000]) expectSame(f(step), normal(foldIn(key(3), step), [4]));
    expect(tracesOf(f).length).toBe(1);
    expect(caught(() => f(1.5))._tag).toBe('DTypeError');
    expectSame(jit((p: number) => bernoulli(key(0), p, [50]) as T)(0.3), bernoulli(key(0), 0.3, [50]));
  });

  it('are refused, by name, where they set something up', () => {
    const settings: Readonly<Record<string, (n: never) => unknown>> = {
      arange: n => arange(n),
      linspace: n => linspace(0, 1, n),
      eye: n => eye(n),
      zeros: n => zeros([n]),
      full: n => full([2], n),
      fullLike: n => fullLike(vector, n),
      tensor: n => tensor([n]),
      reshape: n => reshape(matrix, [n, -1]),
      sum: n => sum(matrix, { axis: n }),
      mean: n => mean(matrix, { axis: [n] }),
      softmax: n => softmax(matrix, { axis: n }),
      concat: n => concat([vector, vector], { axis: n }),
      stack: n => stack([vector, vector], { axis: n }),
      expandDims: n => expandDims(vector, n),
      squeeze: n => squeeze(matrix, n),
      flip: n => flip(matrix, n),
      repeat: n => repeat(vector, n),
      tile: n => tile(vector, [n]),
      split: n => split(vector, n),
      slice: n => slice(vector, [n]),
      pad: n => pad(vector, [[n, 0]]),
      take: n => take(vector, n),
      oneHot: n => oneHot(integers, n),
      sort: n => sort(matrix, { axis: n }),
      scatterAdd: n => scatterAdd(vector, n, 1),
      fold: n => fold((c: T) => c)(vector, n),
      scan: n => scan((c: T) => [c, c] as const)(vector, n),
      vmap: n => vmap((x: T) => x, { in: n })(matrix),
      uniform: n => uniform(key(0), [2], { high: n }),
      randint: n => randint(key(0), [2], 0, n),
      permutation: n => permutation(key(0), n),
      key: n => key(n),
      scaleByLearningRate: n => scaleByLearningRate(n),
    };
    for (const [operation, f] of Object.entries(settings)) {
      const error = caught(() => jit((n: number) => f(n as never))(1));
      expect(error.operation, operation).toBe(operation);
      expect(error.message, operation).toContain('static');
    }
    // Those that compute with their settings in JavaScript come upon the operator.
    const computing: readonly ((n: never) => unknown)[] = [
      n => warmupCosine({ peak: n, warmup: 1, steps: 2 })(tensor(1)),
      n => emaWarmup(n),
      n => adam(0.1, { beta1: n }),
    ];
    for (const f of computing) {
      const error = caught(() => jit((n: number) => f(n as never))(1));
      expect(error._tag).toBe('ArgumentError');
      expect(error.message).toContain('static');
    }
  });

  it('in the functions of other folders give the bits of plain calls', () => {
    const double = tensor([0.1, 0.2], { dtype: 'float64' }) as T;
    for (const x of [vector, double]) {
      const average = jit((decay: number) => updateEma(x, mul(x, 3) as T, decay));
      const divergence = jit((m: number, v: number) => normalKl(x, v, m, 0));
      for (const n of [0.9999, 0.3]) {
        expectSame(average(n), updateEma(x, mul(x, 3) as T, n));
        expectSame(divergence(n, 1 - n), normalKl(x, 1 - n, n, 0));
      }
    }
  });

  it('in the place of a tensor given last are settings too', () => {
    for (const f of [
      (n: number) => pipe(vector, split(n)),
      (n: number) => pipe(vector, repeat(n)),
      (n: number) => pipe(integers, oneHot(n)),
      (n: number) => pipe(vector, fullLike(n)),
    ]) {
      expect(caught(() => jit(f)(1)).message).toContain('static');
    }
  });

  it('booleans are refused where they set something up', () => {
    const settings: Readonly<Record<string, (flag: never) => unknown>> = {
      sum: flag => sum(matrix, { keepDims: flag }),
      max: flag => max(matrix, { axis: 0, keepDims: flag }),
      all: flag => all(flags, { keepDims: flag }),
      sort: flag => sort(matrix, { descending: flag }),
      pad: flag => pad(flags, [[1, 1]], { value: flag }),
      fold: flag => fold((c: T) => c, { reverse: flag })(vector, 2),
      full: flag => full([2], flag),
    };
    for (const [operation, f] of Object.entries(settings)) {
      const error = caught(() => jit((flag: boolean) => f(flag as never))(true));
      expect(error.operation, operation).toBe(operation);
      expect(error.message, operation).toContain('static');
    }
  });

  it('do not compute with JavaScript operators', () => {
    for (const f of [
      (n: number) => n * 2,
      (n: number) => n + 1,
      (n: number) => (n > 1 ? 1 : 0),
      (n: number) => Math.sqrt(n),
    ]) {
      const error = caught(() => jit(f)(3));
      expect(error._tag).toBe('ArgumentError');
      expect(error.message).toMatch(/a placeholder of jit for a number; operators such as .*add\(\), mul\(\).*static/);
    }
    let text = '';
    jit((n: number, x: T) => {
      text = `${n} ${x}`;
      return n;
    })(3, vector);
    expect(text).toMatch(
      /^a number that jit has not seen yet \(.*static.*\) Tensor float32\[3\] \(a placeholder of jit\)$/,
    );
  });
});

describe('JavaScript operators on tensors', () => {
  it('throw, where they would give NaN', () => {
    const x = vector as unknown as number;
    for (const f of [() => x + 1, () => x * 2, () => -x, () => x < 1, () => Math.max(x, 1), () => +x]) {
      const error = caught(f);
      expect(error._tag).toBe('ArgumentError');
      expect(error.message).toMatch(/a tensor float32\[3\].*add\(\), mul\(\).*item\(\)/);
    }
  });

  it('leave text alone', () => {
    const x = tensor([1, 2]);
    expect(`${x}`).toBe(x.toString());
    expect(String(x)).toBe(x.toString());
    expect([x, 1].join(' and ')).toBe(`${x.toString()} and 1`);
    expect(x).toEqual(x);
    expect(() => expect(x).toBe(tensor([1, 2]))).toThrow();
  });
});

describe('results', () => {
  it('have the form that the function gave them, and are frozen', () => {
    const f = jit((x: T) => ({
      b: [mul(x, 2), null] as const,
      a: { c: x },
      name: 'n',
      count: 3,
      flag: true,
      none: undefined,
    }));
    for (let i = 0; i < 2; i++) {
      const result = f(vector);
      expect(Object.keys(result)).toEqual(['a', 'b', 'count', 'flag', 'name', 'none']);
      expectSame(result.b[0], mul(vector, 2));
      expect(result.b[1]).toBeNull();
      expect([result.name, result.count, result.flag, result.none]).toEqual(['n', 3, true, undefined]);
      expect(Object.isFrozen(result) && Object.isFrozen(result.b)).toBe(true);
    }
  });

  it('that are arguments are handed through', () => {
    const f = jit((x: T, n: number, flag: boolean, rest: { y: T }) => ({ x, n, flag, y: rest.y, again: [x] as const }));
    const y = add(vector, 1) as T;
    const result = f(vector, 3, false, { y });
    expect(result.x).toBe(vector);
    expect(result.again[0]).toBe(vector);
    expect(result.y).toBe(y);
    expect([result.n, result.flag]).toEqual([3, false]);
    expect(f(matrix as T, 4, true, { y }).n).toBe(4);
  });

  it('need not depend on arguments', () => {
    const outside = mul(vector, 3) as T;
    const f = jit((_: T) => ({
      zeros: zeros([2]),
      seven: tensor(7),
      outside,
      computed: exp(vector),
      range: arange(3),
    }));
    for (let i = 0; i < 2; i++) {
      expectSame(f(vector), {
        zeros: zeros([2]),
        seven: tensor(7),
        outside,
        computed: exp(vector),
        range: arange(3),
      });
    }
    expectSame(jit(() => tensor(5))(), tensor(5));
    expect(jit(() => 'text')()).toBe('text');
    expect(jit(() => null)()).toBeNull();
  });

  it('are there when the call returns, all from one program', () => {
    const f = jit((x: T) => ({ a: exp(x), b: sum(exp(x)), c: mul(x, x) }));
    const { a, b, c } = f(vector);
    for (const result of [a, b, c]) {
      expect(nodeOf(result as T).value).not.toBeNull();
      expect(nodeOf(result as T).op).toBe('buffer');
    }
    expect(tracesOf(f)[0]!.program.outputs.length).toBe(3);
  });

  it('twice the same node, and a boolean in arithmetic', () => {
    const f = jit((x: T, flag: boolean) => {
      const y = exp(x);
      return [y, y, add(x, flag as unknown as T)] as const;
    });
    expectSame(f(vector, true), [exp(vector), exp(vector), add(vector, tensor(true))]);
  });

  it('of a key __proto__ keep it', () => {
    const f = jit((x: T) => JSON.parse('{"__proto__": 1, "a": 2}', (_, value) => value) && { ['__proto__']: x });
    expect(Object.keys(f(vector) as object)).toEqual(['__proto__']);
  });

  it('leave the arguments alone', () => {
    const argument = { list: [vector, 2], name: 'a' };
    jit((p: typeof argument) => mul(p.list[0] as T, p.list[1] as number))(argument);
    expect(argument).toEqual({ list: [vector, 2], name: 'a' });
    expect(Object.isFrozen(argument)).toBe(false);
    let given: object = {};
    jit((p: typeof argument) => {
      given = p;
      return p.list[0];
    })(argument);
    expect(Object.isFrozen(given)).toBe(true);
  });

  it('of an asynchronous function are refused', () => {
    const error = caught(() => jit(async (x: T) => x)(vector));
    expect(error._tag).toBe('ArgumentError');
    expect(error.message).toContain('jit: got a function that returns a promise');
  });
});

describe('what is closed over', () => {
  it('is captured with its value, computed once', () => {
    const w = tensor([1, 2, 3]) as T;
    const pending = exp(w) as T;
    const f = jit((x: T) => mul(x, sum(mul(pending, 2))) as T);
    const expected = mul(vector, sum(mul(pending, 2)));
    expectSame(f(vector), expected);
    expectSame(f(vector), expected);
    // The sum does not depend on x, so the program only multiplies.
    expect(tracesOf(f)[0]!.program.instructions.map(({ op }) => op)).toEqual(['broadcast', 'mul']);
  });

  it('is the value at the time of tracing', () => {
    let w = tensor(2) as T;
    const f = jit((x: T) => mul(x, w) as T);
    expect(f(tensor(3)).item()).toBe(6);
    w = tensor(5) as T;
    expect(f(tensor(3)).item()).toBe(6);
    expectSame(f(tensor([3, 4])), tensor([15, 20]));
  });

  it('may be what a derivative is taken of: then every call is traced', () => {
    const inner = counted((x: T, w: T) => mul(x, w) as T);
    const gradient = grad((w: T) => {
      const g = jit((x: T) => inner(x, w));
      return add(sum(g(vector)), sum(g(vector))) as T;
    });
    expectSame(gradient(tensor(2)), grad((w: T) => add(sum(mul(vector, w)), sum(mul(vector, w))) as T)(tensor(2)));
    expect(inner.calls).toBe(2);
    let late: ((x: T) => T) | undefined;
    grad((w: T) => {
      late = jit((x: T) => mul(x, w) as T);
      return sum(late(vector)) as T;
    })(tensor(2));
    // The mark is closed: it is another name for the 2 it was set on.
    expectSame(late!(vector), mul(vector, 2));
    expect(tracesOf(late!).map(trace => trace.reason)[0]).toMatch(/closes over/);
  });

  it('may be a placeholder of a loop', () => {
    const f = fold((c: T, x: T) => jit((y: T) => add(mul(y, x), c) as T)(tensor(2)));
    expect(f(tensor(1), tensor([3, 4])).item()).toBe(15);
  });
});

describe('reading and leaking', () => {
  it('a read inside says what to do', () => {
    for (const read of [
      (x: T) => x.item(),
      (x: T) => x.toArray(),
      (x: T) => x.dataSync(),
      (x: T) => realize(mul(x, 2)),
    ]) {
      const error = caught(() => jit((x: T) => [read(x)])(tensor(1)));
      expect(error._tag).toBe('TraceError');
      expect(error.message).toMatch(/^jit: got a read of float32\[\]/);
    }
    expect(caught(() => jit((n: number) => (n as unknown as T).item())(1))._tag).toBe('TraceError');
    expect(caught(() => compile((x: T) => x.item())(tensor(1))).message).toMatch(/^compile: got a read/);
  });

  it('a placeholder that leaks is named', () => {
    let leaked: T | undefined;
    let number: T | undefined;
    jit((x: T, n: number) => {
      leaked = mul(x, 2) as T;
      number = n as unknown as T;
      return x;
    })(vector, 1);
    expect(caught(() => add(leaked!, 1)).message).toMatch(/^jit: .*after the trace ended/);
    expect(caught(() => mul(vector, number!)).message).toMatch(/^jit: .*after the trace ended/);
    expect(caught(() => leaked!.toArray())._tag).toBe('TraceError');
    expect(caught(() => jit((x: T) => mul(x, 2) as T)(leaked!))._tag).toBe('TraceError');
    expect(String(leaked)).toContain('placeholder of jit');
  });

  it('what is no function is refused', () => {
    expect(caught(() => jit(3 as never)).message).toContain('jit: got number 3');
    expect(caught(() => compile('f' as never)).message).toContain('compile: got string f');
  });
});

describe('the bits of plain calls', () => {
  const unaries: readonly ((x: T) => T)[] = [
    x => sin(x) as T,
    x => tanh(x) as T,
    x => exp(mul(x, 0.3)) as T,
    x => log(add(square(x), 1)) as T,
    x => softmax(x, { axis: -1 }) as T,
    x => sub(x, mean(x, { axis: -1, keepDims: true })) as T,
    x =>
      matmul(
        x,
        tensor([
          [1, 2, 3],
          [0, 1, 0],
          [0.5, 0, 1],
        ]),
      ) as T,
    x => mul(x, x) as T,
  ];
  it('for generated expressions, their gradients and batches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(unaries.length - 1), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: -5, max: 5 }),
        (path, thousandths, n) => {
          const x = tensor(
            Float32Array.from(thousandths, i => i / 1000),
            [2, 3],
          ) as T;
          const f = (y: T, m: number): T => path.reduce((z, i) => mul(unaries[i]!(z), m) as T, y);
          const g = jit(f);
          expectSame(g(x, n), f(x, n));
          expectSame(g(x, n / 3), f(x, n / 3));
          const loss = (h: typeof f) => (y: T) => sum(h(y, n)) as T;
          expectSame(grad(loss(g))(x), grad(loss(f))(x));
          expectSame(jit(grad(loss(f)))(x), grad(loss(f))(x));
        },
      ),
      { numRuns: 60, seed: 11 },
    );
  });
});

describe('under other transforms', () => {
  const plain = (x: T, w: T): T => sum(tanh(matmul(x, w))) as T;
  const jitted = jit(plain);
  const x = tensor([
    [1, 2],
    [0.5, -1],
  ]) as T;
  const w = tensor([
    [0.3, -0.2],
    [0.1, 0.7],
  ]) as T;

  it('grad(jit(f)), jit(grad(f)), both', () => {
    const expected = grad((v: T) => plain(x, v))(w);
    expectSame(grad((v: T) => jitted(x, v))(w), expected);
    expectSame(jit(grad((v: T) => plain(x, v)))(w), expected);
    expectSame(jit(grad((v: T) => jitted(x, v)))(w), expected);
    const second = (f: (v: T) => T) => grad((v: T) => sum(square(grad(f)(v))) as T);
    expectSame(second(v => jitted(x, v))(w), second(v => plain(x, v))(w));
    expectSame(jit(second(v => jitted(x, v)))(w), second(v => plain(x, v))(w));
  });

  it('a graph that was inlined first still becomes a program, and the other way round', () => {
    const f = (v: T): T => sum(add(mul(v, v), ones([3]))) as T;
    for (const order of [0, 1]) {
      const g = jit(f);
      const steps = [() => expectSame(grad(g)(vector), grad(f)(vector)), () => expectSame(g(vector), f(vector))];
      for (const i of order === 0 ? [0, 1, 0, 1] : [1, 0, 1, 0]) steps[i]!();
      expect(tracesOf(g).length).toBe(1);
    }
  });

  it('valueAndGrad, vjp, jvp', () => {
    expectSame(valueAndGrad((v: T) => jitted(x, v))(w), valueAndGrad((v: T) => plain(x, v))(w));
    const [y, pullback] = vjp(
      jit((v: T) => tanh(matmul(x, v)) as T),
      w,
    );
    const [z, expected] = vjp((v: T) => tanh(matmul(x, v)) as T, w);
    expectSame([y, pullback(x)], [z, expected(x)]);
    expectSame(
      jvp((v: T) => jitted(x, v), [w], [x]),
      jvp((v: T) => plain(x, v), [w], [x]),
    );
  });

  it('derivatives flow to arguments beside numbers, and through handed-through results', () => {
    const f = jit((v: T, n: number) => ({ v, scaled: mul(v, n) }));
    const gradient = grad((v: T) => {
      const { v: same, scaled } = f(v, 3);
      return sum(add(same, scaled)) as T;
    })(vector);
    expect(gradient.toArray()).toEqual([4, 4, 4]);
  });

  it('vmap(jit(f)), jit(vmap(f)), per-example gradients', () => {
    const f = (v: T): T => sum(mul(v, sin(v))) as T;
    const expected = vmap(f)(matrix);
    expectSame(vmap(jit(f))(matrix), expected);
    expectSame(jit(vmap(f))(matrix), expected);
    expectSame(jit(vmap(jit(grad(f))))(matrix), vmap(grad(f))(matrix));
    const scaled = jit((v: T, n: number) => mul(v, n) as T);
    expectSame(vmap((v: T) => scaled(v, 2))(matrix), mul(matrix, 2));
  });

  it('jit inside fold, scan, whileLoop, cond; those inside jit', () => {
    const step = (c: T, v: T): T => tanh(add(mul(c, v), 0.5)) as T;
    const start = tensor(0.25) as T;
    const expected = fold(step)(start, vector);
    expectSame(fold(jit(step))(start, vector), expected);
    expectSame(jit((c: T, v: T) => fold(step)(c, v))(start, vector), expected);
    expectSame(jit((c: T, v: T) => fold(jit(step))(c, v))(start, vector), expected);
    const both = (c: T, v: T): readonly [T, T] => [step(c, v), v];
    expectSame(scan(jit(both))(start, vector), scan(both)(start, vector));
    const test = jit((c: T) => less(c, 100));
    const double = jit((c: T) => mul(c, 2) as T);
    expect(whileLoop(test, double)(tensor(3) as T).item()).toBe(192);
    expect(jit((c: T) => whileLoop(test, double)(c))(tensor(3)).item()).toBe(192);
    const branches = (v: T): T => cond(greater(v, 0), double, jit(neg as (y: T) => T))(v);
    expect([branches(tensor(2)).item(), jit(branches)(tensor(-2)).item()]).toEqual([4, 2]);
    expectSame(
      grad((c: T) => jit((d: T) => fold(step)(d, vector))(c))(start),
      grad((c: T) => fold(step)(c, vector))(start),
    );
  });

  it('loops in jitted functions take numbers that are data', () => {
    const f = jit((c: T, n: number) => fold((s: T, i: T) => add(mul(s, n), cast(i, 'float32')) as T)(c, 3));
    expect(f(tensor(1), 2).item()).toBe(12);
    expect(f(tensor(1), 10).item()).toBe(1012);
    expect(tracesOf(f).length).toBe(1);
  });

  it('jit inside jit: numbers stay numbers, with the guards of the inner function', () => {
    const inner = counted((v: T, n: number) => mul(v, n) as T);
    const jittedInner = jit(inner);
    const outer = jit((v: T, n: number, flag: boolean) => ({ y: jittedInner(v, n), n, flag }));
    const double = tensor([1], { dtype: 'float64' }) as T;
    expectSame(outer(double, 0.1, true), { y: mul(double, 0.1), n: 0.1, flag: true });
    expectSame(outer(double, 0.7, false), { y: mul(double, 0.7), n: 0.7, flag: false });
    expect([inner.calls, tracesOf(outer).length, tracesOf(jittedInner).length]).toEqual([1, 1, 1]);
    expectSame(outer(whole, 2, true).y, mul(whole, 2));
    expect(caught(() => outer(whole, 2.5, true)).message).toBe(caught(() => mul(whole, 2.5)).message);
    // The inner trace is there already; what it went by holds for the outer one as well.
    const other = jit((v: T, n: number) => jittedInner(v, n));
    expectSame(other(whole, 3), mul(whole, 3));
    expect(caught(() => other(whole, 3.5))._tag).toBe('DTypeError');
    expect(outer(flags, 2, true).y.dtype).toBe('int32');
    expect(outer(flags, 2.5, true).y.dtype).toBe('float32');
  });

  it('runs at once where the arguments do not take part in what is going on around', () => {
    const f = jit((v: T) => exp(v) as T);
    grad((v: T) => {
      expect(nodeOf(f(vector)).value).not.toBeNull();
      return sum(mul(v, f(vector))) as T;
    })(vector);
    vmap((v: T) => {
      expect(nodeOf(f(vector)).value).not.toBeNull();
      return v;
    })(matrix);
  });

  it('a training step gives the bits of the plain one', () => {
    const optimizer = adam(0.01);
    const loss = (p: { w: T; b: T }, batch: T): T => mean(square(sub(add(matmul(batch, p.w), p.b), 1))) as T;
    type State = { params: { w: T; b: T }; state: ReturnType<typeof optimizer.init>; average: { w: T; b: T } };
    const step = (s: State, batch: T, seed: number): readonly [State, T] => {
      const noise = mul(normal(foldIn(key(0), seed), [2, 2]), 0.01);
      const [value, gradient] = valueAndGrad((p: { w: T; b: T }) => loss(p, add(batch, noise) as T))(s.params);
      const [updates, state] = optimizer.update(gradient, s.state, s.params);
      const params = applyUpdates(s.params, updates);
      return [{ params, state, average: updateEma(s.average, params, 0.9) }, value];
    };
    const params = { w: zeros([2, 1]) as T, b: tensor(0) as T };
    let [plainState, jitState]: [State, State] = [
      { params, state: optimizer.init(params), average: params },
      { params, state: optimizer.init(params), average: params },
    ];
    const fast = jit(step);
    for (let i = 0; i < 5; i++) {
      let [p, q] = [tensor(0) as T, tensor(0) as T];
      [plainState, p] = step(plainState, x, i);
      [jitState, q] = fast(jitState, x, i);
      expectSame(q, p);
      expectSame(jitState, plainState);
    }
    expect(tracesOf(fast).length).toBe(1);
  });

  it('keys are arguments like others', () => {
    const f = jit((k: ReturnType<typeof key>) => {
      const [a, c] = splitKey(k, 2);
      return add(normal(a!, [3]), uniform(c!, [3])) as T;
    });
    const [a, c] = splitKey(key(9), 2);
    expectSame(f(key(9)), add(normal(a!, [3]), uniform(c!, [3])));
  });
});

describe('compile', () => {
  const f = (p: { x: readonly T[] }, n: number, mode: string): T =>
    (mode === 'neg' ? neg(mul(p.x[0]!, n)) : p.x[0]!) as T;

  it('traces and prepares ahead, for examples of which the form counts', () => {
    const g = counted(f);
    const compiled = compile(g)({ x: [zeros([3])] }, 1, 'neg');
    expect(g.calls).toBe(1);
    const { made } = preparedBy();
    expectSame(compiled({ x: [vector] }, 0.3, 'neg'), f({ x: [vector] }, 0.3, 'neg'));
    expect(g.calls).toBe(1);
    expect(preparedBy().made).toBeLessThanOrEqual(made + 1);
    expect(tracesOf(compiled).map(({ reason }) => reason)).toEqual(['it was compiled for these examples']);
  });

  it('refuses other forms, naming the place, what was compiled for and what came', () => {
    const compiled = compile(f)({ x: [vector] }, 1, 'neg') as (...args: readonly unknown[]) => unknown;
    const cases: readonly (readonly [readonly unknown[], string, string, string])[] = [
      [[{ x: [tensor([1])] }, 1, 'neg'], 'ShapeError', 'float32[1] at argument 0 x[0]', 'compiled for float32[3]'],
      [[{ x: [whole] }, 1, 'neg'], 'DTypeError', 'int32[3] at argument 0 x[0]', 'compiled for float32[3]'],
      [[{ x: [vector, vector] }, 1, 'neg'], 'TreeError', 'an array of 2 at argument 0 x', 'compiled for an array of 1'],
      [[{ y: [vector] }, 1, 'neg'], 'TreeError', 'a record of y at argument 0', 'compiled for a record of x'],
      [[{ x: [vector] }, tensor(1), 'neg'], 'TreeError', 'float32[] at argument 1', 'compiled for a number'],
      [[{ x: [vector] }, true, 'neg'], 'TreeError', 'a boolean at argument 1', 'compiled for a number'],
      [[{ x: [vector] }, 1, 'other'], 'TreeError', '"other" at argument 2', 'compiled for "neg"'],
      [[{ x: [vector] }, 1], 'TreeError', '2 arguments', 'compiled for 3 arguments'],
      [[null, 1, 'neg'], 'TreeError', 'null at argument 0', 'compiled for a record of x'],
    ];
    for (const [args, tag, given, rule] of cases) {
      const error = caught(() => compiled(...args));
      expect([error._tag, error.operation]).toEqual([tag, 'compile']);
      expect(error.given).toBe(given);
      expect(error.rule).toContain(rule);
    }
  });

  it('takes static arguments and other settings as jit does', () => {
    const compiled = compile((x: T, axis: number) => sum(x, { axis }) as T, { static: [1] })(matrix, 0);
    expectSame(compiled(add(matrix, 1) as T, 0), sum(add(matrix, 1), { axis: 0 }));
    expect(caught(() => compiled(matrix, 1)).given).toBe('1 at argument 1');
    expect(caught(() => compile((x: T, n: number) => mul(x, n) as T)(whole, 0.5))._tag).toBe('DTypeError');
  });

  it('refuses numbers that lead to other dtypes', () => {
    const compiled = compile((x: T, n: number) => add(x, n) as T)(flags, 1);
    expect(compiled(flags, 5).dtype).toBe('int32');
    const error = caught(() => compiled(flags, 0.5));
    expect(error._tag).toBe('DTypeError');
    expect(error.given).toBe('argument 1: a number that add took as int32 beside bool before, now as float32');
  });

  it('can be differentiated and batched', () => {
    const square3 = (x: T): T => sum(mul(x, x)) as T;
    const compiled = compile(square3)(vector);
    expectSame(grad(compiled)(vector), grad(square3)(vector));
    expectSame(vmap(compiled)(matrix), vmap(square3)(matrix));
  });
});
