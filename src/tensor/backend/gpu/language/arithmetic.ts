/** Operations on floats that devices get wrong at NaN, infinities or halves, or do not have. */
import type { Float } from './code.js';
import type { Floats } from './parts.js';

/** Halves go to the even neighbour. */
export const round = (f: Floats, x: Float): Float => {
  const a = f.abs(x);
  const floor = f.floor(a);
  const rest = f.sub(a, floor);
  const odd = f.lt(0.5, f.fma(f.floor(f.mul(floor, 0.5)), -2, floor));
  const up = f.code.either(f.lt(0.5, rest), f.code.both(f.eq(rest, 0.5), odd));
  return f.signed(f.add(floor, f.select(up, 1, 0)), x);
};

export const sign = (f: Floats, x: Float): Float => f.select(f.lt(0, x), 1, f.select(f.lt(x, 0), -1, x));

/** NaN if either is: compilers make the device's maximum of a choice by comparison, which leaves NaN out (Mesa). */
const soundOr = (f: Floats, x: Float, y: Float, chosen: Float): Float =>
  f.select(f.code.isNaN(f.of(x)), x, f.select(f.code.isNaN(f.of(y)), y, chosen));

export const max = (f: Floats, x: Float, y: Float): Float => soundOr(f, x, y, f.max(y, x));
export const min = (f: Floats, x: Float, y: Float): Float => soundOr(f, x, y, f.min(x, y));

/** Compilers take x − x for 0, and x/x for 1, whatever x is. */
export const sub = (f: Floats, x: Float, y: Float): Float =>
  x === y ? f.select(f.finite(x), 0, f.code.nan) : f.sub(x, y);

/** Devices divide by way of the reciprocal, which of the largest numbers is denormal, and so 0 (WGSL, 15.7.4). */
export const div = (f: Floats, x: Float, y: Float): Float => {
  if (x === y) return f.select(f.code.both(f.finite(x), f.lt(0, f.abs(x))), 1, f.code.nan);
  const scale = f.select(f.lt(2 ** 125, f.abs(y)), 0.25, 1);
  return f.div(f.mul(x, scale), f.mul(y, scale));
};

/** Compilers take a product with a literal zero for 0. */
export const mul = (f: Floats, x: Float, y: Float): Float => {
  const zero = f.of(0);
  if (x !== zero && y !== zero) return f.mul(x, y);
  return f.select(f.finite(x === zero ? y : x), 0, f.code.nan);
};

export const sqrt = (f: Floats, x: Float): Float => {
  const regular = f.code.both(f.lt(0, x), f.finite(x));
  return f.select(regular, f.call('sqrt', f.select(regular, x, 1)), f.select(f.lt(x, 0), f.code.nan, x));
};

export const rsqrt = (f: Floats, x: Float): Float => f.div(1, sqrt(f, x));

/** √(x² + y²) as the larger times √(1 + q²); ∞ beside NaN is ∞. */
export const hypot = (f: Floats, x: Float, y: Float): Float => {
  const { code } = f;
  const [ax, ay] = [f.abs(x), f.abs(y)];
  const larger = f.max(ax, ay);
  const smaller = f.min(ax, ay);
  const regular = code.both(f.lt(0, larger), f.finite(larger));
  // Devices divide by the largest and smallest numbers badly.
  const scale = f.select(f.lt(2 ** 64, larger), 2 ** -64, f.select(f.lt(larger, 2 ** -64), 2 ** 62, 1));
  const q = f.div(f.mul(smaller, scale), f.select(regular, f.mul(larger, scale), 1));
  const length = f.select(regular, f.mul(larger, f.call('sqrt', f.fma(q, q, 1))), 0);
  const infinite = code.either(f.eq(ax, code.infinity), f.eq(ay, code.infinity));
  const sound = code.both(f.eq(x, x), f.eq(y, y));
  return f.select(infinite, code.infinity, f.select(sound, length, code.nan));
};

/** Turns that the longest division takes, 11 bits of the quotient each. */
const turns = 27;

/**
 * x − y·trunc(x/y) with the sign of x. What is taken away is a multiple of |y|, at most 12 bits of the quotient at a
 * time, and by halves of the digits of |y|: exact, unless a device flushes what is left of the smallest numbers.
 */
export const rem = (f: Floats, x: Float, y: Float): Float => {
  const { code } = f;
  const [a, d] = [f.abs(x), f.abs(y)];
  const [finiteX, finiteY] = [f.finite(x), f.finite(y)];
  const regular = code.both(finiteX, code.both(finiteY, f.lt(0, d)));
  const rest = code.variable(f.select(regular, a, 0));
  const divisor = f.select(regular, d, 1);
  const digits = f.floor(f.call('log2', divisor));
  code.if(f.le(divisor, rest), () => {
    code.loop(turns, () => {
      code.if(`(${rest} >= ${divisor})`, () => {
        const at = code.let(rest);
        const shift = f.max(f.sub(f.sub(f.floor(f.call('log2', at)), digits), 10), 0);
        const half = f.floor(f.mul(shift, 0.5));
        const power = f.call('exp2', half);
        const step = f.mul(f.mul(divisor, power), f.call('exp2', f.sub(shift, half)));
        // The leading half of the digits of the step.
        const unit = f.add(f.add(digits, shift), -10);
        const lower = f.floor(f.mul(unit, 0.5));
        const [up, upper] = [f.call('exp2', lower), f.call('exp2', f.sub(unit, lower))];
        const [down, further] = [f.call('exp2', f.neg(lower)), f.call('exp2', f.sub(lower, unit))];
        const head = f.mul(f.mul(f.floor(f.mul(f.mul(step, down), further)), up), upper);
        const quotient = f.floor(f.div(at, step));
        const left = f.fma(quotient, f.neg(f.sub(step, head)), f.fma(quotient, f.neg(head), at));
        // A quotient that was rounded may be one off.
        const raised = f.add(left, f.select(f.lt(left, 0), step, 0));
        code.assign(rest, f.sub(raised, f.select(f.le(step, raised), step, 0)));
      });
    });
  });
  const whole = f.select(code.both(finiteX, f.eq(d, code.infinity)), x, code.nan);
  return f.select(regular, f.signed(code.let(rest), x), whole);
};
