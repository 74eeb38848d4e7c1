/** Derivatives inside of derivatives, of every way: none takes another's variable for its own. */
import * as fc from 'fast-check';
import {
  add,
  fold,
  grad,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  mul,
  onesLike,
  reshape,
  stopGradient,
  type Tensor,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from 'tenfold';
import { describe, expect, it } from 'vitest';

('../helpers.js');

type T = Tensor;

const scalar = (value: number): T => tensor(value, { dtype: 'float64' });

/** Ways to the derivative of a function of a scalar. */
const derivatives: Readonly<Record<string, (f: (x: T) => T) => (x: T) => T>> = {
  grad: f => grad(f),
  valueAndGrad: f => x => valueAndGrad(f)(x)[1],
  vjp: f => x => vjp(f, x)[1](onesLike(x))[0],
  jvp: f => x => jvp(f, [x], [onesLike(x)])[1],
  linearize: f => x => linearize(f)(x)[1](onesLike(x)),
  jacfwd: f => jacfwd(f),
  jacrev: f => jacrev(f),
  'grad of jit': f => grad(jit(f)),
  'jit of jvp': f => jit((x: T) => jvp(f, [x], [onesLike(x)])[1]),
  'vmap of grad': f => x => reshape(vmap(grad(f))(reshape(x, [1])), []),
  'jvp of vmap': f => x => {
    const row = reshape(x, [1]);
    return reshape(jvp(vmap(f), [row], [onesLike(row)])[1], []);
  },
  'grad through fold': f => grad(x => fold((c: T): T => add(c, f(x)))(mul(x, 0), 1)),
};

describe('nested derivatives of different variables are told apart (Siskind & Pearlmutter 2005)', () => {
  for (const [outerName, outer] of Object.entries(derivatives)) {
    for (const [innerName, inner] of Object.entries(derivatives)) {
      it(`${outerName} over ${innerName}`, () => {
        for (const at of [1, -2.5]) {
          const x0 = scalar(at);
          // d/dx [x · d/dy (x + y)] = 1; 2 where the two are confused.
          expect(outer(x => mul(x, inner(y => add(x, y))(scalar(3))))(x0).item()).toBe(1);
          // d/dx [x · d/dy (x · y²) at 3] = d/dx 6x².
          expect(outer(x => mul(x, inner(y => mul(x, mul(y, y)))(scalar(3))))(x0).item()).toBe(12 * at);
          // At a point that depends on x: d/dx [d/dy (x · y²) at y = x] = d/dx 2x².
          expect(outer(x => inner(y => mul(x, mul(y, y)))(x))(x0).item()).toBe(4 * at);
          // y does not depend on x through the inner derivative's own variable: d/dx [d/dy (y²) at 2] = 0.
          expect(outer(x => add(inner(y => mul(y, y))(scalar(2)), mul(x, 0)))(x0).item()).toBe(0);
          // A constant of the inner one that is variable for the outer, and held back.
          expect(outer(x => mul(x, inner(y => mul(stopGradient(x), y))(x)))(x0).item()).toBe(at);
        }
      });
    }
  }

  it('three deep, over a function closed over', () => {
    const monomial = (x: T, y: T, z: T): T => mul(mul(x, mul(x, x)), mul(mul(y, y), z));
    // d/dx d/dy d/dz x³ y² z with y = x, z = y at each level: d/dx (2x⁴) = 8x³.
    const f = grad((x: T): T => grad((y: T): T => grad((z: T): T => monomial(x, y, z))(y))(x));
    expect(f(scalar(1.5)).item()).toBeCloseTo(8 * 1.5 ** 3, 12);
  });

  it('a function that was made inside a derivative, and outlives it, sees plain values', () => {
    let leaked: ((y: T) => T) | undefined;
    grad((x: T): T => {
      leaked = y => mul(x, y);
      return mul(x, x);
    })(scalar(3));
    expect(grad(leaked!)(scalar(5)).item()).toBe(3);
  });

  it('generated towers of derivatives of x⁶ agree whatever the ways', () => {
    const names = Object.keys(derivatives);
    const power = (x: T): T => mul(mul(x, mul(x, x)), mul(x, mul(x, x)));
    const expected = [1, 6, 30, 120];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }), path => {
        const tower = path.reduce((f, name) => derivatives[name]!(f), power);
        expect(tower(scalar(1)).item()).toBeCloseTo(expected[path.length]!, 10);
      }),
      { numRuns: 60, seed: 3 },
    );
  });
});
