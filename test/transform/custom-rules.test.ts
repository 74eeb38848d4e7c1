/** customVjp, customJvp, customBatch: what they close over, what they refuse, the programs they become. */
import {
  add,
  cast,
  checkFinite,
  customBatch,
  customJvp,
  customVjp,
  div,
  exp,
  type FloatDType,
  fold,
  grad,
  jacrev,
  jit,
  jvp,
  log,
  mul,
  type Shape,
  sin,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  vjp,
  vmap,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/tensor/backend/wasm/plan.js';
import { programOfPending } from '../../src/tensor/compile/program.js';
import { preparedBy } from '../../src/tensor/evaluate.js';
import { nodeOf } from '../../src/tensor/tensor.js';
import { caught, close } from '../helpers.js';

type T = Tensor<Shape, FloatDType>;

const f64 = (x: number | readonly number[]): T =>
  (typeof x === 'number' ? tensor(x, { dtype: 'float64' }) : tensor(Float64Array.from(x), [x.length])) as T;

const log1pexp: (x: T) => T = customJvp(
  (x: T): T => log(add(exp(x), 1)),
  ([x], [t]) => [log1pexp(x), mul(t, sub(1, div(1, add(exp(x), 1))))],
);

describe('what a function closes over', () => {
  const w = f64([2, 3]);
  const scaleBy = (factor: T): ((x: T) => T) =>
    customVjp((x: T): T => mul(x, factor), {
      forward: x => [mul(x, factor), null],
      backward: (_, v) => [mul(v, factor)],
    });
  const scaledBy = (factor: T): ((x: T) => T) =>
    customJvp(
      (x: T): T => mul(x, factor),
      ([x], [t]) => [mul(x, factor), mul(t, factor)],
    );

  it('is a constant like any other', () => {
    for (const make of [scaleBy, scaledBy]) {
      const loss = (x: T): T => sum(square(make(w)(x)));
      close(grad(loss)(f64([1, 10])), [8, 180]);
      close(jit(grad(loss))(f64([1, 10])), [8, 180]);
      close(jacrev(make(w))(f64([1, 10])) as T, [
        [2, 0],
        [0, 3],
      ]);
      const rows = stack([f64([1, 10]), f64([0, 1])]) as T;
      close(vmap(grad(loss))(rows) as T, [
        [8, 180],
        [0, 18],
      ]);
      close(grad((xs: T) => sum(vmap(loss)(xs) as T))(rows), [
        [8, 180],
        [0, 18],
      ]);
      // With no derivative through it, it may depend on what is differentiated.
      close(grad((v: T) => sum(mul(v, stopGradient(make(v)(w)))))(w), [4, 9]);
      close(grad((v: T) => sum(mul(v, make(stopGradient(v))(f64([5, 7])))))(w), [10, 21]);
    }
  });

  it('must not be differentiated: an error, no zero', () => {
    for (const [name, make] of [
      ['customVjp', scaleBy],
      ['customJvp', scaledBy],
    ] as const) {
      const x = f64([1, 1]);
      const uses: readonly ((v: T) => T)[] = [
        v => sum(make(v)(x)),
        v => sum(make(mul(v, 2))(v)),
        v => sum(vmap(make(v))(stack([x, x]) as T) as T),
        v => sum(fold((c: T) => make(v)(c))(x, 2)),
        jit((v: T) => sum(make(v)(x))),
        v => sum(vmap((y: T) => make(v)(y))(stack([x, x]) as T) as T),
      ];
      for (const use of uses) {
        const error = caught(() => grad(use)(w).item());
        expect(error._tag).toBe('GradError');
        expect(error.message).toContain(
          `${name}: got a derivative with respect to float64[2], which the function closes over`,
        );
      }
      for (const use of uses) expect(caught(() => jvp(use, [w], [x]))._tag).toBe('GradError');
    }
  });

  it('inside of loops a rule is closed', () => {
    const x = f64([1, 1]);
    for (const make of [scaleBy, scaledBy]) {
      const loss = (y: T): T => sum(fold((c: T) => make(w)(c))(y, 2));
      close(loss(x), 13);
      const error = caught(() => grad(loss)(x));
      expect(error._tag).toBe('TraceError');
      expect(error.message).toMatch(
        /customVjp, customJvp or customBatch: got a use of float64\[2\], over which it closes/,
      );
      const outer = caught(() => jit((v: T) => grad((y: T) => sum(fold((c: T) => make(v)(c))(y, 2)))(x))(w));
      expect(outer._tag).toBe('TraceError');
    }
    // Passed along, everything works.
    const scale = customVjp((y: T, v: T): T => mul(y, v), {
      forward: (y, v) => [mul(y, v), [y, v]],
      backward: ([y, v], ct) => [mul(ct, v), mul(ct, y)],
    });
    const loss = (y: T, v: T): T => sum(fold((c: T) => scale(c, v))(y, 2));
    const [dy, dv] = vjp(loss, x, w)[1](f64(1));
    close(dy, [4, 9]);
    close(dv, [4, 6]);
  });

  it('must still be there when the rule runs', () => {
    const x = f64([1, 1]);
    const rows = stack([w, mul(w, 2)]) as T;
    for (const [name, make] of [
      ['customVjp', scaleBy],
      ['customJvp', scaledBy],
    ] as const) {
      close(jit((v: T, y: T) => grad((z: T) => sum(make(v)(z)))(y))(w, x), [2, 3]);
      close(vmap((v: T) => grad((z: T) => sum(make(v)(z)))(x))(rows) as T, [
        [2, 3],
        [4, 6],
      ]);
      const gone: readonly ((y: T) => T)[] = [
        y => sum(vmap((v: T) => make(v)(y))(rows) as T),
        y => jit((v: T, z: T) => sum(make(v)(z)))(w, y),
      ];
      for (const use of gone) {
        const error = caught(() => grad(use)(x));
        expect(error._tag).toBe('TraceError');
        expect(error.message).toMatch(
          new RegExp(
            `^${name}: got a tensor made inside a traced function, .*, in its rule; .* as arguments or residuals`,
          ),
        );
      }
    }
  });

  it('batched, customBatch refuses it', () => {
    const twice = (v: T): ((x: T) => T) =>
      customBatch(
        (x: T): T => mul(x, v),
        ([x]) => mul(x, v),
      );
    const error = caught(() => vmap((v: T) => twice(v)(f64(2)))(w));
    expect(error._tag).toBe('MissingRuleError');
    expect(error.message).toContain('customBatch: got a batch of float64[], which the function closes over');
  });
});

describe('what is refused', () => {
  const x = f64([1, 2]);
  const withForward = (forward: (x: T) => unknown, backward: (s: unknown, v: T) => unknown = (_, v) => [v]) =>
    customVjp((y: T): T => y, { forward, backward } as never);

  it.each([
    ['no pair', withForward(y => y), 'GradError', /forward; it returns a pair \[result, residuals\]/],
    ['another shape', withForward(y => [sum(y), null]), 'ShapeError', /a rule whose result is float64\[\] at \(root\)/],
    ['another form', withForward(y => [[y], null]), 'TreeError', /customVjp/],
    [
      'one cotangent instead of a list',
      withForward(
        y => [y, null],
        (_, v) => v,
      ),
      'GradError',
      /for an array of 1 at/,
    ],
    [
      'too many cotangents',
      withForward(
        y => [y, null],
        (_, v) => [v, v],
      ),
      'GradError',
      /array of 2 for an array of 1/,
    ],
    [
      'a cotangent of another shape',
      withForward(
        y => [y, null],
        () => [f64(1)],
      ),
      'GradError',
      /float64\[\] for float64\[2\] at \[0\]/,
    ],
    [
      'a cotangent of another dtype',
      withForward(
        y => [y, null],
        (_, v) => [cast(v, 'float32')],
      ),
      'GradError',
      /float32\[2\] for float64\[2\]/,
    ],
    [
      'a number for a cotangent',
      withForward(
        y => [y, null],
        () => [0],
      ),
      'GradError',
      /a cotangent of 0/,
    ],
    [
      'no pair from a rule for tangents',
      customJvp((y: T): T => y, (([y]: readonly [T]) => y) as never),
      'GradError',
      /the rule; it returns a pair \[result, tangent\]/,
    ],
    [
      'a tangent of another shape',
      customJvp((y: T): T => y, (([y]: readonly [T]) => [y, sum(y)]) as never),
      'GradError',
      /a tangent of float64\[\] for float64\[2\]/,
    ],
  ] as const)('%s', (_, f, tag, message) => {
    const error = caught(() => grad((y: T) => sum(f(y)))(x));
    expect(error._tag).toBe(tag);
    expect(error.message).toMatch(message);
  });

  it('what is no function, a promise, reading a placeholder', () => {
    expect(caught(() => customVjp((y: T) => y, {} as never))._tag).toBe('ArgumentError');
    expect(caught(() => customVjp(undefined as never, {} as never))._tag).toBe('ArgumentError');
    expect(caught(() => customJvp((y: T) => y, undefined as never))._tag).toBe('ArgumentError');
    expect(caught(() => customBatch(3 as never, (() => x) as never))._tag).toBe('ArgumentError');
    expect(caught(() => customJvp((async (y: T) => y) as never, (() => null) as never)(x as never))._tag).toBe(
      'ArgumentError',
    );
    expect(
      caught(() =>
        customJvp(
          (y: T) => mul(y, y.dataSync()[0] as number) as T,
          ([y], [t]) => [y, t],
        )(x),
      ).message,
    ).toMatch(/^customJvp: got a read of float64\[2\]/);
  });

  it('a result that depends on the tangents', () => {
    const f = customJvp(
      (y: T): T => y,
      ([y], [t]) => [add(y, t) as T, t],
    );
    expect(caught(() => grad((y: T) => sum(f(y)))(x).toArray())._tag).toBe('TraceError');
  });
});

describe('rules', () => {
  it('are asked for derivatives only, each time', () => {
    const asked: string[] = [];
    const noted = <R>(name: string, result: R): R => {
      asked.push(name);
      return result;
    };
    const f = customVjp((x: T): T => noted('f', square(x)), {
      forward: x => noted('forward', [square(x), x]),
      backward: (x, v) => noted('backward', [mul(v, mul(x, 2))]),
    });
    expect(f(f64(3)).item()).toBe(9);
    expect(asked).toEqual(['f']);
    grad(f)(f64(3));
    expect(asked).toEqual(['f', 'f', 'forward', 'backward']);
    asked.length = 0;
    const jitted = jit(grad(f));
    expect([1, 2, 3].map(x => jitted(f64(x)).item())).toEqual([2, 4, 6]);
    expect(asked).toEqual(['f', 'forward', 'backward']);
  });

  it('derivatives of derivatives may be made one by one, without end', () => {
    const nth = (n: number): ((x: T) => T) =>
      customJvp(
        (x: T): T => sin(add(x, (n * Math.PI) / 2)),
        ([x], [t]) => [nth(n)(x), mul(t, nth(n + 1)(x))],
      );
    let g = nth(0);
    const values = [Math.sin(0.4), Math.cos(0.4), -Math.sin(0.4), -Math.cos(0.4), Math.sin(0.4)];
    for (const value of values) {
      expect(g(f64(0.4)).item()).toBeCloseTo(value, 13);
      g = grad(g);
    }
  });
});

describe('programs', () => {
  const custom = (): ((x: T) => T) =>
    customVjp((x: T): T => mul(x, 2), { forward: x => [mul(x, 2), null], backward: (_, v) => [v] });

  it('have the operations of the function among the others: one kernel', () => {
    const plan = planOf(programOfPending([nodeOf(exp(custom()(exp(f64([1, 2])))) as T)]).program);
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['kernel']);
  });

  it('are found again for rules that are made anew', () => {
    const step = (x: T): T => grad((y: T) => sum(exp(custom()(y))))(x);
    step(f64([1, 2])).toArray();
    const { made } = preparedBy();
    step(f64([3, 4])).toArray();
    expect(preparedBy().made).toBe(made);
  });

  it('several results may be read one after the other', () => {
    const pair = customJvp(
      (x: T): readonly [T, T, T] => [exp(x), x, exp(x)],
      ([x], [t]) => [
        [exp(x), x, exp(x)],
        [mul(exp(x), t), t, null],
      ],
    );
    const [y, same, again] = pair(mul(f64([0, 1]), 1) as T);
    close(y, [1, Math.E], 1e-15);
    close(same, [0, 1]);
    close(again, [1, Math.E], 1e-15);
    close(add(y, again), [2, 2 * Math.E], 1e-15);
  });

  it('checkFinite looks inside', () => {
    const f = customJvp(
      (x: T): T => mul(log(x), 2),
      ([x], [t]) => [mul(log(x), 2), div(mul(t, 2), x)],
    );
    const error = caught(() => checkFinite(f)(f64([1, -1])));
    expect(error.message).toMatch(/NaN at \[1\].* from log .* in a call/);
  });
});
