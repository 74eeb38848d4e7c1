/** checkFinite: which operation, element, step and line it names, and what it leaves alone. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  add,
  checkFinite,
  clamp,
  compile,
  cond,
  div,
  exp,
  type FiniteError,
  fold,
  full,
  grad,
  greater,
  isFinite as isFiniteEach,
  isNaN as isNaNEach,
  jit,
  less,
  log,
  logsumexp,
  matmul,
  mean,
  mul,
  reshape,
  scan,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  valueAndGrad,
  vmap,
  where,
  whileLoop,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { isWatched } from '../../src/tensor/build.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { sourceLine } from '../../src/tensor/transform/source-line.js';
import { caught } from '../helpers.js';

type T = Tensor;

/** The line of this file from which it is called, plus `offset`. */
const lineHere = (offset: number): number => {
  const frames = new Error().stack!.split('\n').filter(frame => frame.includes('check-finite.test.ts'));
  return Number(/:(\d+):\d+\)?$/.exec(frames[1]!)![1]) + offset;
};

const failing = (f: () => unknown): FiniteError => {
  const error = caught(f);
  expect(error._tag).toBe('FiniteError');
  expect(error.operation).toBe('checkFinite');
  return error as FiniteError;
};

const at = (line: number): string => `check-finite.test.ts:${line}:`;

describe('a finite computation', () => {
  it('gives what f gives, with its arguments', () => {
    const f = checkFinite((x: T, n: number, name: string) => ({ y: mul(x, n), name, rest: [sum(x), null] as const }));
    const result = f(tensor([1, 2]), 3, 'a');
    expect(result.y.toArray()).toEqual([3, 6]);
    expect([result.name, result.rest[0].item(), result.rest[1]]).toEqual(['a', 3, null]);
    expect(nodeOf(result.y as T).value).not.toBeNull();
  });

  it('to the same bits, loops and derivatives included', () => {
    const f = (x: T): T => {
      const h = fold((c: T, row: T) => softmax(add(mul(c, row), x)) as T)(
        x,
        tensor([
          [1, 2],
          [0.5, -1],
        ]),
      );
      return sum(
        cond(
          greater(sum(h), 0),
          (y: T) => mul(y, y) as T,
          (y: T) => exp(y) as T,
        )(h),
      ) as T;
    };
    const x = tensor([0.3, -0.4]) as T;
    expect(checkFinite(f)(x).item()).toBe(f(x).item());
    expect(checkFinite(grad(f))(x).toArray()).toEqual(grad(f)(x).toArray());
    expect(grad(checkFinite(f))(x).toArray()).toEqual(grad(f)(x).toArray());
    expect(
      checkFinite(vmap(f))(
        tensor([
          [0.3, -0.4],
          [1, 2],
        ]),
      ).toArray(),
    ).toEqual(
      vmap(f)(
        tensor([
          [0.3, -0.4],
          [1, 2],
        ]),
      ).toArray(),
    );
  });

  it('costs nothing afterwards: nothing is watched any more, after an error neither', () => {
    checkFinite((x: T) => {
      expect(isWatched()).toBe(true);
      return x;
    })(tensor(1));
    expect(isWatched()).toBe(false);
    const before = (Error as { stackTraceLimit?: number }).stackTraceLimit;
    failing(() => checkFinite((x: T) => log(x))(tensor(0)));
    expect(isWatched()).toBe(false);
    expect((Error as { stackTraceLimit?: number }).stackTraceLimit).toBe(before);
    expect(log(tensor(0)).item()).toBe(Number.NEGATIVE_INFINITY);
  });

  it('may use infinities in comparisons and for choices that are not made', () => {
    const x = tensor([1, -2, 3]) as T;
    const f = (y: T) => [
      where(isFiniteEach(y), y, 0),
      where(greater(y, 0), y, Number.NEGATIVE_INFINITY),
      clamp(y, 0, Number.POSITIVE_INFINITY),
      logsumexp(y),
    ];
    expect(failing(() => checkFinite(f)(x)).given).toContain('the number -Infinity');
    const good = (y: T) => [f(y)[0], f(y)[2], f(y)[3]];
    expect(checkFinite(good)(x).map(each => each!.toArray())).toEqual(good(x).map(each => each!.toArray()));
  });
});

describe('the first operation that is not finite', () => {
  it('is named with shapes, dtypes, element, count and line', () => {
    const f = (x: T, y: T): T => {
      const low = sub(x, y) as T;
      const bad = log(low) as T;
      return exp(mul(bad, 0)) as T;
    };
    const line = lineHere(-3);
    const error = failing(() =>
      checkFinite(f)(
        tensor([
          [1, 2],
          [3, 0],
        ]),
        tensor([
          [0, 3],
          [3, 1],
        ]),
      ),
    );
    expect(error.given).toMatch(
      /^NaN at \[0, 1\]; 3 of 4 elements are not finite, from log float32\[2, 2\] of float32\[2, 2\] at /,
    );
    expect(error.given).toContain(at(line));
    expect(error.rule).toBe('its operands are finite, and its result is not');
    expect(error.hint).toContain("allow: 'infinity'");
  });

  it('is the first in the order of evaluation, even if nothing of it comes out', () => {
    const f = (x: T): T => where(greater(x, 0), x, div(1, x)) as T;
    const error = failing(() => checkFinite(f)(tensor([1, 0])));
    expect(error.given).toMatch(/^infinity at \[1\], from div float32\[2\] of float32\[2\] and float32\[2\]/);
  });

  it('may be an overflow, a sum, a product, an index outside', () => {
    const huge = full([4], 3e38) as T;
    const cases: readonly (readonly [() => unknown, string])[] = [
      [() => checkFinite((x: T) => exp(x))(tensor(100)), 'infinity, from exp float32[] of float32[]'],
      [() => checkFinite((x: T) => sum(x))(huge), 'infinity, from sum float32[] of float32[4]'],
      [
        () => checkFinite((x: T) => matmul(reshape(x, [2, 2]), reshape(x, [2, 2])))(huge),
        'infinity at [0, 0]; 4 of 4 elements are not finite, from dotGeneral float32[2, 2] of float32[2, 2] and float32[2, 2]',
      ],
      [
        () => checkFinite((x: T) => take(x, tensor([1, 9], { dtype: 'int32' })))(huge),
        'NaN at [1], from gather float32[2] of float32[4] and int32[2]',
      ],
      [() => checkFinite((x: T) => log(x))(tensor(0)), '−infinity, from log float32[] of float32[]'],
    ];
    for (const [f, given] of cases) expect(failing(f).given.startsWith(given), `${failing(f).given}`).toBe(true);
  });

  it('is found too when f reads or pipes on the way', () => {
    const f = (x: T): T => {
      const y = log(x) as T;
      y.dataSync();
      return mul(y, 2) as T;
    };
    const line = lineHere(-4);
    expect(failing(() => checkFinite(f)(tensor([0, 1]))).given).toContain(at(line));
    const g = (x: T): T => pipe(x, log, mul(2), exp) as T;
    const other = lineHere(-1);
    expect(failing(() => checkFinite(g)(tensor([0, 1]))).given).toContain(at(other));
  });

  it('with infinities allowed is the first NaN', () => {
    const f = (x: T): T => sub(log(x), log(x)) as T;
    expect(failing(() => checkFinite(f)(tensor(0))).given).toContain('from log');
    const error = failing(() => checkFinite(f, { allow: 'infinity' })(tensor(0)));
    expect(error.given).toMatch(/^NaN, from sub float32\[\]/);
    expect(error.hint).not.toContain('allow');
    const masked = (x: T): T => softmax(where(greater(x, 0), x, Number.NEGATIVE_INFINITY)) as T;
    expect(checkFinite(masked, { allow: 'infinity' })(tensor([1, -1, 1])).toArray()).toEqual([0.5, 0, 0.5]);
  });
});

describe('what was not finite to begin with', () => {
  it('is named by its place among the arguments', () => {
    const error = failing(() =>
      checkFinite((p: { x: readonly T[] }, n: number) => mul(p.x[1]!, n))(
        { x: [tensor(1), tensor([1, Number.NaN])] },
        2,
      ),
    );
    expect(error.given).toBe('argument 0 x[1], float32[2]: NaN at [1]');
    expect(error.rule).toMatch(
      /^it was not finite before anything was computed, and mul uses it at .*check-finite\.test\.ts/,
    );
  });

  it('may be a number, a tensor closed over, or made inside', () => {
    expect(failing(() => checkFinite((x: T) => mul(x, Number.NaN))(tensor([1, 2]))).given).toMatch(
      /^the number NaN at .*check-finite\.test\.ts/,
    );
    const outside = tensor([Number.POSITIVE_INFINITY]) as T;
    const name = 'a tensor that the function closes over, float32[1]: infinity at [0]';
    expect(failing(() => checkFinite((x: T) => add(x, outside))(tensor([1]))).given).toBe(name);
    expect(failing(() => checkFinite((x: T) => add(x, tensor([Number.POSITIVE_INFINITY])))(tensor([1]))).given).toBe(
      name,
    );
  });

  it('is found behind moves, and when it is returned', () => {
    const x = tensor([1, Number.NaN, 2, 3]) as T;
    expect(failing(() => checkFinite((y: T) => exp(reshape(y, [2, 2])))(x)).given).toContain('argument 0, float32[4]');
    const error = failing(() => checkFinite((y: T) => [reshape(y, [2, 2])])(x));
    expect([error.given, error.rule]).toEqual([
      'argument 0, float32[4]: NaN at [1]',
      'it was not finite before anything was computed, and it is returned',
    ]);
    expect(failing(() => checkFinite((y: T) => fold((c: T) => c)(y, 3))(x)).given).toContain('argument 0');
  });

  it('is no matter where it is dealt with', () => {
    const f = (x: T): T => where(isNaNEach(x), 0, x) as T;
    expect(checkFinite(f)(tensor([1, Number.NaN])).toArray()).toEqual([1, 0]);
  });

  it('is named when it was pending', () => {
    expect(failing(() => checkFinite((x: T) => mul(x, 2))(log(tensor(0)) as T)).given).toContain(
      'argument 0, float32[]',
    );
  });
});

describe('inside of loops and branches', () => {
  it('fold: names the step and the line in its body', () => {
    const step = (c: T, x: T): T => {
      const y = sub(c, x) as T;
      return sqrt(y) as T;
    };
    const line = lineHere(-2);
    const run = (x: T, xs: T): T => fold(step)(x, xs);
    const error = failing(() => checkFinite(run)(tensor(16), tensor([0, 0, 3, 1])));
    expect(error.given).toMatch(/^NaN, from sqrt float32\[\] of float32\[\] in step 2 of fold at /);
    expect(error.given).toContain(at(line));
    const backwards = (x: T, xs: T): T => fold(step, { reverse: true })(x, xs);
    expect(failing(() => checkFinite(backwards)(tensor(16), tensor([9, 0, 0, 0]))).given).toContain(
      'in step 3 of fold',
    );
  });

  it('scan, nested folds, whileLoop, cond', () => {
    const inner = (c: T, x: T): T => fold((d: T) => div(d, x) as T)(c, 2);
    const nested = scan((c: T, x: T) => [inner(c, x), c] as const);
    expect(failing(() => checkFinite(nested)(tensor(1), tensor([1, 0]))).given).toContain(
      'infinity, from div float32[] of float32[] and float32[] in step 0 of fold in step 1 of fold at',
    );
    const loop = whileLoop(
      (x: T) => less(x, 1e30),
      (x: T) => mul(x, exp(x)) as T,
    );
    expect(failing(() => checkFinite(loop)(tensor(2))).given).toMatch(/^infinity, from exp .* in step \d of while at/);
    const test = whileLoop(
      (x: T) => less(log(sub(x, 4)), 1),
      (x: T) => sub(x, 1) as T,
    );
    expect(failing(() => checkFinite(test)(tensor(6))).given).toContain('in the test before step 2 of while');
    const branch = (x: T): T =>
      cond(
        greater(x, 0),
        (y: T) => sqrt(y) as T,
        (y: T) => log(y) as T,
      )(x);
    expect(checkFinite(branch)(tensor(4)).item()).toBe(2);
    expect(failing(() => checkFinite(branch)(tensor(-4))).given).toContain(
      'from log float32[] of float32[] in branch 0 of cond',
    );
  });

  it('a loop whose step hides what is not finite', () => {
    const run = fold((c: T, x: T) => where(greater(x, 0), div(c, x), c) as T);
    expect(failing(() => checkFinite(run)(tensor(1), tensor([2, 0]))).given).toContain('from div');
  });

  it('closed over tensors that are not finite are named', () => {
    const w = tensor(Number.NaN) as T;
    const error = failing(() => checkFinite((x: T) => fold((c: T) => mul(c, w) as T)(x, 2))(tensor(1)));
    expect(error.given).toContain('a tensor that the function closes over');
    expect(error.rule).toContain('mul uses it in step 0 of fold');
  });
});

describe('with other transforms', () => {
  it('grad: the line is that of the operation whose derivative it is', () => {
    // The derivative of √x at 0 is infinite, the root is not.
    const f = (x: T): T => sum(sqrt(x)) as T;
    const line = lineHere(-1);
    const error = failing(() => checkFinite(grad(f))(tensor([0, 1])));
    expect(error.given).toMatch(/^infinity at \[0\], from div \(by a rule of sqrt\) float32\[2\]/);
    expect(error.given).toContain(at(line));
    expect(failing(() => checkFinite(valueAndGrad(f))(tensor([0, 1]))).given).toContain(at(line));
    expect(failing(() => checkFinite(grad((x: T) => sum(square(grad(f)(x))) as T))(tensor([0, 1]))).given).toContain(
      at(line),
    );
    expect(grad(checkFinite(f))(tensor([0, 1])).toArray()).toEqual([Number.POSITIVE_INFINITY, 0.5]);
  });

  it('grad of a fold: the step back', () => {
    const f = (x: T): T => {
      const step = (c: T): T => sqrt(c) as T;
      return fold(step)(x, 2);
    };
    const line = lineHere(-3);
    const error = failing(() => checkFinite(grad(f))(tensor(0)));
    expect(error.given).toMatch(/\(by a rule of sqrt\).* in step 0 of fold at/);
    expect(error.given).toContain(at(line));
  });

  it('vmap: the line is that of the operation that is batched', () => {
    const f = (x: T): T => log(sum(x)) as T;
    const line = lineHere(-1);
    const error = failing(() =>
      checkFinite(vmap(f))(
        tensor([
          [1, 2],
          [0, 0],
        ]),
      ),
    );
    expect(error.given).toMatch(/^−infinity at \[1\], from log/);
    expect(error.given).toContain(at(line));
  });

  it('jit and compile: the function is run as it was written', () => {
    const f = (x: T, n: number): T => log(mul(x, n)) as T;
    const line = lineHere(-1);
    const jitted = jit(f);
    jitted(tensor([1, 2]), 2);
    expect(failing(() => checkFinite(jitted)(tensor([1, 0]), 2)).given).toContain(at(line));
    expect(failing(() => checkFinite((x: T) => mean(jitted(x, 3)))(tensor([1, 0]))).given).toContain(at(line));
    const compiled = compile(f)(zeros([2]), 1);
    expect(failing(() => checkFinite(compiled)(tensor([1, 0]), 2)).given).toContain(at(line));
    expect(caught(() => checkFinite(compiled)(tensor([1]), 2))._tag).toBe('ShapeError');
  });

  it('cannot compute inside of a traced function', () => {
    for (const [name, f] of [
      ['jit', jit(checkFinite((x: T) => log(x) as T))],
      ['vmap', vmap(checkFinite((x: T) => log(x) as T))],
    ] as const) {
      const error = caught(() => f(tensor([1, 2])));
      expect(error._tag).toBe('TraceError');
      expect(error.operation).toBe(name);
    }
  });

  it('nests', () => {
    const inner = checkFinite((x: T) => log(x) as T, { allow: 'infinity' });
    const outer = checkFinite((x: T) => exp(inner(x)) as T);
    expect(failing(() => outer(tensor(-1))).given).toMatch(/^NaN, from log/);
    expect([outer(tensor(0)).item(), outer(tensor(1)).item()]).toEqual([0, 1]);
  });
});

describe('source lines', () => {
  const library = new URL('../../src/', import.meta.url).pathname;
  const lineIn = (...frames: readonly string[]): string | null => {
    const error = new Error('of a test');
    error.stack = frames.join('\n');
    return sourceLine(error);
  };

  it('are the first outside of the library, of fp-ts and of Node', () => {
    const frames = [
      'Error: of a test',
      `    at make (${library}tensor/build.ts:1:2)`,
      `    at ${library}tensor/ops/arithmetic.ts:3:4`,
      '    at Array.map (<anonymous>)',
      '    at pipe (/project/node_modules/fp-ts/lib/function.js:5:6)',
      '    at node:internal/main:1:2',
    ];
    expect(lineIn(...frames)).toBeNull();
    expect(lineIn(...frames, '    at step (/my project/train.ts:7:8)', '    at /other.ts:1:1')).toBe(
      '/my project/train.ts:7:8',
    );
    expect(lineIn(...frames, '    at async file:///project/main.mjs:9:10')).toBe('/project/main.mjs:9:10');
    expect(lineIn(...frames, '    at eval (eval at run (/a.ts:1:2), <anonymous>:3:4)')).toBe('<anonymous>:3:4');
    expect(lineIn(...frames, '    at f (C:\\project\\main.ts:5:6)')).toBe('C:\\project\\main.ts:5:6');
  });

  it('are read from the stacks of other engines, and may be missing', () => {
    expect(lineIn(`make@${library}tensor/build.ts:1:2`, 'train@https://example.org/@me/train.js:3:4')).toBe(
      'https://example.org/@me/train.js:3:4',
    );
    expect(lineIn('@https://example.org/train.js:3:4')).toBe('https://example.org/train.js:3:4');
    expect(lineIn()).toBeNull();
  });
});

describe('bad calls', () => {
  it('are refused by name', () => {
    expect(caught(() => checkFinite(3 as never)).message).toContain('checkFinite: got number 3');
    const error = caught(() => checkFinite((x: T) => x, { allow: 'nan' as 'infinity' }));
    expect([error._tag, error.given]).toEqual(['ArgumentError', 'allow: nan']);
    const later = caught(() => checkFinite(async (x: T) => x)(tensor(1)));
    expect(later.message).toContain('checkFinite: got a function that returns a promise');
    expect(isWatched()).toBe(false);
  });

  it("leave f's own errors as they are", () => {
    expect(caught(() => checkFinite((x: T) => add(x, tensor([1, 2, 3])))(tensor([1, 2])))._tag).toBe('ShapeError');
  });
});
