import * as fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import {
  abs,
  add,
  cast,
  clamp,
  cond,
  div,
  exp,
  fold,
  grad,
  greater,
  jvp,
  less,
  log,
  matmul,
  max,
  mean,
  mul,
  ones,
  relu,
  scan,
  sigmoid,
  sin,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
  whileLoop,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const cube = (x: Tensor): Tensor => sum(mul(x, mul(x, x)));

describe('grad', () => {
  it('gives the gradient of a sum of cubes', () => {
    expect(grad(cube)(tensor([1, 2, 3]) as Tensor).toArray()).toEqual([3, 12, 27]);
  });

  it('nests to any order', () => {
    let f: (x: Tensor) => Tensor = x => mul(mul(x, x), mul(x, x));
    const derivatives = [4 * 8, 12 * 4, 24 * 2, 24, 0];
    for (const expected of derivatives) {
      f = grad(f);
      expect(f(tensor(2)).item()).toBe(expected);
    }
  });

  it('works over trees, in any form, with null as an empty tree', () => {
    const loss = ({ w, b }: { w: readonly [Tensor, null]; b: Tensor }): Tensor => sum(add(mul(w[0], 2), mul(b, b)));
    const gradient = grad(loss)({ w: [tensor([1, 2]), null], b: tensor([3, 4]) });
    expect(gradient.w[0].toArray()).toEqual([2, 2]);
    expect(gradient.w[1]).toBeNull();
    expect(gradient.b.toArray()).toEqual([6, 8]);
  });

  it('leaves other arguments alone and gives zeros for what does not matter', () => {
    const gradient = grad((p: { a: Tensor; unused: Tensor }, x: Tensor) => sum(mul(p.a, x)))(
      { a: tensor([1, 2]), unused: tensor([5]) },
      tensor([3, 4]),
    );
    expect(gradient.a.toArray()).toEqual([3, 4]);
    expect(gradient.unused.toArray()).toEqual([0]);
  });

  it('reading a value inside works and does not cut the gradient', () => {
    const seen: unknown[] = [];
    const f = (x: Tensor): Tensor => {
      const y = mul(x, x);
      seen.push(y.item());
      return y.item() > 3 ? mul(y, x) : y;
    };
    expect(grad(f)(tensor(2)).item()).toBe(12);
    expect(grad(f)(tensor(1)).item()).toBe(2);
    expect(grad(grad(f))(tensor(2)).item()).toBe(12);
    expect(seen).toEqual([4, 1, 4]);
  });

  it('does not depend on what was read when', () => {
    const build = (read: boolean) => {
      const x = mul(tensor([0.3, -0.7, 1.1]), 1) as Tensor;
      if (read) x.dataSync();
      const g = grad((y: Tensor) => {
        const h = tanh(mul(y, 3));
        if (read) h.dataSync();
        return sum(mul(h, exp(y)));
      })(x);
      return g.toArray();
    };
    expect(build(true)).toEqual(build(false));
  });

  it('tells nested differentiations of different variables apart (perturbation confusion)', () => {
    // d/dx [x · d/dy (x + y) at y = 1] is 1, not 2 (Siskind & Pearlmutter 2005).
    expect(grad((x: Tensor) => mul(x, grad((y: Tensor) => add(x, y))(tensor(1))))(tensor(1)).item()).toBe(1);
    // d/dx [x · d/dy (x · y²) at y = 3] = d/dx 6x² = 12x.
    expect(grad((x: Tensor) => mul(x, grad((y: Tensor) => mul(x, mul(y, y)))(tensor(3))))(tensor(2)).item()).toBe(24);
    // Forward over reverse with the same closed-over variable.
    const [, t] = jvp(
      (x: Tensor) => mul(x, grad((y: Tensor) => mul(x, mul(y, y)))(tensor(3))),
      [tensor(2)],
      [tensor(1)],
    );
    expect(t.item()).toBe(24);
  });

  it('refuses integers by name and place', () => {
    const error = caught(() =>
      grad((p: { n: Tensor }) => sum(cast(p.n, 'float32')))({ n: tensor([1], { dtype: 'int32' }) }),
    );
    expect(error._tag).toBe('DTypeError');
    expect(error.message).toContain('grad: got int32[1] at n of the argument');
  });

  it('refuses a loss that is no scalar, and a leaf that is no tensor', () => {
    const error = caught(() => grad((x: Tensor) => mul(x, 2))(tensor([1, 2]) as Tensor));
    expect(error._tag).toBe('GradError');
    expect(error.message).toMatch(/grad: got a function that returns float32\[2\]/);
    expect(caught(() => grad((x: unknown) => x as Tensor)({ a: 'text' }))._tag).toBe('TreeError');
    expect(caught(() => grad(3 as unknown as (x: Tensor) => Tensor)).message).toContain('grad: got number 3');
  });

  it('stopGradient cuts', () => {
    expect(grad((x: Tensor) => sum(mul(x, stopGradient(x))))(tensor([2, 3]) as Tensor).toArray()).toEqual([2, 3]);
  });

  it('a chain of 100,000 additions evaluates and differentiates', () => {
    const f = (x: Tensor): Tensor => {
      let y = x;
      for (let i = 0; i < 100_000; i++) y = add(y, x);
      return sum(y);
    };
    expect(grad(f)(tensor([1, 2]) as Tensor).toArray()).toEqual([100_001, 100_001]);
    expect(f(tensor([1, 2]) as Tensor).item()).toBe(300_003);
  });

  it('valueAndGrad gives both, and passes auxiliary output through', () => {
    const [value, gradient] = valueAndGrad((x: Tensor) => sum(mul(x, x)))(tensor([1, 2]) as Tensor);
    expect([value.item(), gradient.toArray()]).toEqual([5, [2, 4]]);
    const [[loss, extra], g] = valueAndGrad((x: Tensor) => [sum(mul(x, x)), { twice: mul(x, 2) }] as const, {
      aux: true,
    })(tensor([1, 2]) as Tensor);
    expect([loss.item(), extra.twice.toArray(), g.toArray()]).toEqual([5, [2, 4], [2, 4]]);
  });
});

describe('vjp and jvp', () => {
  it('the pullback can be called later and often', () => {
    const [y, pullback] = vjp(
      (a: Tensor, b: Tensor) => matmul(a, b) as Tensor,
      tensor([
        [1, 2],
        [3, 4],
      ]) as Tensor,
      tensor([[1], [1]]) as Tensor,
    );
    expect(y.toArray()).toEqual([[3], [7]]);
    expect(pullback(tensor([[1], [0]]))[1].toArray()).toEqual([[1], [2]]);
    expect(pullback(tensor([[0], [1]]))[1].toArray()).toEqual([[3], [4]]);
  });

  it('a cotangent of another shape is refused', () => {
    const [, pullback] = vjp((a: Tensor) => mul(a, 2) as Tensor, tensor([1, 2]) as Tensor);
    const error = caught(() => pullback(tensor([1, 2, 3])));
    expect(error.message).toMatch(/vjp: got cotangents of float32\[3\] for float32\[2\]/);
  });

  it('tangents of another shape are refused', () => {
    const error = caught(() => jvp((a: Tensor) => mul(a, 2) as Tensor, [tensor([1, 2]) as Tensor], [tensor([1])]));
    expect(error.message).toMatch(/jvp: got tangents of float32\[1\] for float32\[2\]/);
  });

  it('forward and reverse agree through loops and branches', () => {
    const f = (x: Tensor): Tensor => {
      const h = fold((c: Tensor, w: Tensor): Tensor => tanh(add(mul(c, w), x)))(
        x,
        tensor(new Float64Array([0.5, -1, 2]), [3]),
      );
      return sum(
        cond(
          greater(sum(h), 0),
          (y: Tensor) => mul(y, y),
          (y: Tensor) => exp(y),
        )(h),
      );
    };
    for (const at of [0.4, -0.9]) {
      const x = tensor(at, { dtype: 'float64' }) as Tensor;
      const g = grad(f)(x).item() as number;
      const [, t] = jvp(f, [x], [tensor(1, { dtype: 'float64' }) as Tensor]);
      const e = 1e-6;
      const difference = ((f(add(x, e)).item() as number) - (f(sub(x, e)).item() as number)) / (2 * e);
      expect(g).toBeCloseTo(t.item() as number, 12);
      expect(g).toBeCloseTo(difference, 6);
    }
  });

  it('whileLoop has forward derivatives and says why it has no reverse ones', () => {
    const f = whileLoop(
      (x: Tensor) => less(x, 100),
      (x: Tensor) => mul(x, 2) as Tensor,
    );
    expect(jvp(f, [tensor(3) as Tensor], [tensor(1)])[1].item()).toBe(64);
    const error = caught(() => grad(f)(tensor(3) as Tensor));
    expect(error._tag).toBe('MissingRuleError');
    expect(error.message).toMatch(/primitive while.*number of its steps/);
  });
});

describe('vmap', () => {
  it('gives per-example gradients', () => {
    const loss = (w: Tensor, x: Tensor): Tensor => sum(square(sub(matmul(w, x) as Tensor, 1)));
    const w = tensor([
      [1, 2],
      [3, 4],
    ]) as Tensor;
    const xs = tensor([
      [1, 0],
      [0.5, -1],
      [2, 2],
    ]) as Tensor;
    const all = vmap(grad(loss), { in: [null, 0] })(w, xs).toArray() as number[][][];
    [
      [1, 0],
      [0.5, -1],
      [2, 2],
    ].forEach((x, i) => {
      close(all[i]!, grad(loss)(w, tensor(x) as Tensor).toArray() as number[][]);
    });
  });

  it('maps any axis in and out, and nests', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]) as Tensor;
    expect(vmap((row: Tensor) => sum(row) as Tensor, { in: 1 })(x).toArray()).toEqual([5, 7, 9]);
    expect(vmap((row: Tensor) => mul(row, 2) as Tensor, { in: 0, out: 1 })(x).shape).toEqual([3, 2]);
    expect(vmap(vmap((y: Tensor) => mul(y, y) as Tensor))(x).toArray()).toEqual([
      [1, 4, 9],
      [16, 25, 36],
    ]);
  });

  it('names what it was given when it cannot map', () => {
    expect(caught(() => vmap((x: Tensor) => x)(tensor(1) as Tensor)).message).toMatch(
      /vmap: got axis 0 of float32\[\]/,
    );
    const error = caught(() =>
      vmap((x: Tensor, y: Tensor) => add(x, y) as Tensor)(tensor([1, 2]) as Tensor, tensor([1, 2, 3]) as Tensor),
    );
    expect(error.message).toMatch(/vmap: got float32\[2\] and float32\[3\]/);
  });

  it('reading inside throws and says what to do', () => {
    const error = caught(() => vmap((x: Tensor) => tensor(x.item() as number) as Tensor)(tensor([1, 2]) as Tensor));
    expect(error._tag).toBe('TraceError');
    expect(error.message).toContain('vmap');
  });

  it('a placeholder that leaks is named', () => {
    let leaked: Tensor | undefined;
    vmap((x: Tensor) => {
      leaked = mul(x, 2) as Tensor;
      return x;
    })(tensor([1, 2]) as Tensor);
    expect(caught(() => add(leaked!, 1)).message).toMatch(/vmap.*after the trace ended/);
    expect(caught(() => leaked!.toArray())._tag).toBe('TraceError');
  });
});

describe('fold and scan', () => {
  it('agree with a plain loop, forwards and backwards, with closed-over tensors', () => {
    const w = mul(tensor([0.5, 2]), 1) as Tensor;
    const step = (c: { s: Tensor }, x: Tensor): { s: Tensor } => ({ s: add(mul(c.s, w), x) });
    const xs = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    let plain = { s: tensor([0, 0]) as Tensor };
    for (const x of xs) plain = step(plain, tensor(x) as Tensor);
    expect(fold(step)({ s: tensor([0, 0]) }, tensor(xs)).s.toArray()).toEqual(plain.s.toArray());
    const [, ys] = scan((c: Tensor, x: Tensor) => [add(c, x) as Tensor, c] as const, { reverse: true })(
      tensor(0),
      tensor([1, 2, 3]),
    );
    expect(ys.toArray()).toEqual([5, 3, 0]);
  });

  it('a tensor closed over may be read between writing the loop and computing it', () => {
    const w = ones([3]) as Tensor;
    const y = fold((c: Tensor) => add(c, w) as Tensor)(tensor([1, 2, 3]) as Tensor, 3);
    expect(w.toArray()).toEqual([1, 1, 1]);
    expect(y.toArray()).toEqual([4, 5, 6]);
  });

  it('a carry that changes shape or dtype, or sequences of different lengths, are refused', () => {
    const error = caught(() => fold((c: Tensor) => add(c, tensor([1, 2])) as Tensor)(tensor(0) as Tensor, 3));
    expect(error.message).toMatch(/fold: got a carry of float32\[\] that the step returns as float32\[2\]/);
    const other = caught(() =>
      scan((c: Tensor, x: { a: Tensor; b: Tensor }) => [c, add(x.a, x.b)] as const)(tensor(0) as Tensor, {
        a: tensor([1, 2]),
        b: tensor([1]),
      }),
    );
    expect(other.message).toMatch(/scan: got float32\[2\] and float32\[1\]/);
    expect(caught(() => fold((c: Tensor) => c)(tensor(0) as Tensor, 1.5)).message).toContain('fold: got 1.5 steps');
    expect(
      caught(() =>
        whileLoop(
          (x: Tensor) => x,
          (x: Tensor) => x,
        )(tensor(0) as Tensor),
      ).message,
    ).toMatch(/whileLoop: got a condition of float32\[\]/);
    expect(
      caught(() =>
        cond(
          tensor(1),
          (x: Tensor) => x,
          (x: Tensor) => x,
        )(tensor(0) as Tensor),
      ).message,
    ).toMatch(/cond: got a condition of float32\[\]/);
  });

  it('differentiates a damped oscillator of 50 steps as its closed form', () => {
    // x' = v, v' = −k·x − c·v by explicit Euler: a linear map, so the end is a matrix power.
    const run = (k: Tensor): Tensor =>
      fold(([x, v]: readonly [Tensor, Tensor]) => {
        const a = sub(mul(mul(k, x), -1), mul(v, 0.3)) as Tensor;
        return [add(x, mul(v, 0.1)) as Tensor, add(v, mul(a, 0.1)) as Tensor] as const;
      })([tensor(1, { dtype: 'float64' }), tensor(0, { dtype: 'float64' })] as readonly [Tensor, Tensor], 50)[0];
    const closed = (k: number): number => {
      // Eigenvalues of [[1, h], [−hk, 1 − hc]].
      const [h, c] = [0.1, 0.3];
      const re = 1 - (h * c) / 2;
      const im = h * Math.sqrt(k - (c * c) / 4);
      const [r, angle] = [Math.hypot(re, im), Math.atan2(im, re)];
      return r ** 50 * (Math.cos(50 * angle) + ((c * h) / 2 / im) * Math.sin(50 * angle));
    };
    const k = 2;
    expect(run(tensor(k, { dtype: 'float64' })).item()).toBeCloseTo(closed(k), 12);
    const expected = (closed(k + 1e-6) - closed(k - 1e-6)) / 2e-6;
    expect(grad(run)(tensor(k, { dtype: 'float64' }) as Tensor).item()).toBeCloseTo(expected, 7);
  });
});

describe('gradients against central differences, on generated expressions', () => {
  const unaries: readonly ((x: Tensor) => Tensor)[] = [
    x => sin(x) as Tensor,
    x => tanh(x) as Tensor,
    x => sigmoid(x) as Tensor,
    x => exp(mul(x, 0.3)) as Tensor,
    x => log(add(square(x), 1)) as Tensor,
    x => clamp(x, -0.9, 0.9) as Tensor,
    x => relu(x) as Tensor,
    x => abs(x) as Tensor,
    x => softmax(x, { axis: -1 }) as Tensor,
    x => sub(x, mean(x, { axis: -1, keepDims: true }) as Tensor) as Tensor,
    x => div(x, add(max(abs(x), { axis: -1, keepDims: true }) as Tensor, 1)) as Tensor,
  ];
  it('float64, to 1e-6', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(unaries.length - 1), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: -2000, max: 2000 }), { minLength: 6, maxLength: 6 }),
        (path, thousandths) => {
          const numbers = thousandths.map(n => n / 1000);
          const f = (x: Tensor): Tensor => {
            const y = path.reduce((z, i) => unaries[i]!(z), x);
            return sum(mul(y, tensor(new Float64Array([1, -2, 3, 0.5, 0.25, -1]), [2, 3])));
          };
          const at = (list: readonly number[]): Tensor => tensor(Float64Array.from(list), [2, 3]);
          const gradient = grad(f)(at(numbers)).dataSync();
          for (let i = 0; i < 6; i++) {
            const shift = (by: number): number => f(at(numbers.map((x, j) => (i === j ? x + by : x)))).item() as number;
            const [left, right] = [(shift(0) - shift(-1e-6)) / 1e-6, (shift(1e-6) - shift(0)) / 1e-6];
            // At a kink of relu, abs, clamp or max there is no derivative to compare with.
            fc.pre(Math.abs(left - right) < 1e-4);
            expect(Math.abs(gradient[i]! - (left + right) / 2)).toBeLessThan(2e-5 * (1 + Math.abs(gradient[i]!)));
          }
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });
});

it('pipes', () => {
  expect(pipe(tensor([1, 2]), mul(3), add(1), sum(), x => x.item())).toBe(11);
});
