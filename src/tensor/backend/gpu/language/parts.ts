/** What functions in device code are put together from. Every step is a constant: small statements are safest. */
import type { Builtin, Code, Condition, Float } from './code.js';
import { kept } from './scalars.js';

/** Arithmetic on floats, each result kept. Numbers stand for literals. */
export class Floats {
  readonly code: Code;

  constructor(code: Code) {
    this.code = code;
  }

  of(x: Float | number): Float {
    return typeof x === 'number' ? this.code.literal(x) : kept(this.code, x);
  }
  #two(operator: string, x: Float | number, y: Float | number): Float {
    return this.code.let(`(${this.of(x)} ${operator} ${this.of(y)})`);
  }
  add(x: Float | number, y: Float | number): Float {
    return this.#two('+', x, y);
  }
  sub(x: Float | number, y: Float | number): Float {
    return this.#two('-', x, y);
  }
  mul(x: Float | number, y: Float | number): Float {
    return this.#two('*', x, y);
  }
  div(x: Float | number, y: Float | number): Float {
    return this.#two('/', x, y);
  }
  neg(x: Float): Float {
    return this.code.let(`(-${this.of(x)})`);
  }
  /** x·y + z, rounded once or twice. */
  fma(x: Float | number, y: Float | number, z: Float | number): Float {
    return this.code.let(`((${this.of(x)} * ${this.of(y)}) + ${this.of(z)})`);
  }
  call(name: Builtin, x: Float): Float {
    return this.code.let(this.code.call(name, this.of(x)));
  }
  floor(x: Float): Float {
    return this.call('floor', x);
  }
  abs(x: Float): Float {
    return this.call('abs', x);
  }
  /** x to the nearest integer; halves go up. Of magnitudes that have halves. */
  nearest(x: Float): Float {
    return this.floor(this.add(x, 0.5));
  }
  select(condition: Condition, yes: Float | number, no: Float | number): Float {
    return this.code.let(this.code.select(condition, this.of(yes), this.of(no)));
  }

  lt(x: Float | number, y: Float | number): Condition {
    return `(${this.of(x)} < ${this.of(y)})`;
  }
  le(x: Float | number, y: Float | number): Condition {
    return `(${this.of(x)} <= ${this.of(y)})`;
  }
  eq(x: Float | number, y: Float | number): Condition {
    return `(${this.of(x)} == ${this.of(y)})`;
  }
  /** Neither infinite nor NaN: both compare false. */
  finite(x: Float): Condition {
    return this.le(this.abs(x), largest);
  }
  /** The smaller (larger) of two, of which none is NaN. */
  min(x: Float | number, y: Float | number): Float {
    return this.select(this.lt(x, y), x, y);
  }
  max(x: Float | number, y: Float | number): Float {
    return this.select(this.lt(x, y), y, x);
  }

  /** A polynomial by Horner's rule, lowest coefficient first. */
  polynomial(x: Float, coefficients: readonly number[]): Float {
    let sum = this.of(coefficients.at(-1) ?? 0);
    for (let i = coefficients.length - 2; i >= 0; i--) sum = this.fma(sum, x, coefficients[i] ?? 0);
    return sum;
  }
  /** The magnitude with the sign of x, which is not zero; at zero x itself. */
  signed(magnitude: Float, x: Float): Float {
    return this.select(this.lt(x, 0), this.neg(magnitude), this.select(this.lt(0, x), magnitude, x));
  }
}

/** The largest float32. */
const largest = 3.4028234663852886e38;

/** Below zero, or the zero that is. */
export const isNegative = (f: Floats, x: Float): Condition =>
  f.code.either(f.lt(x, 0), f.code.both(f.eq(x, 0), f.lt(f.div(1, x), 0)));
