/**
 * Code over float32 numbers, written once for two languages: the part of JavaScript that gpu.js translates, and WGSL.
 *
 * Expressions are texts. What is used more than once is kept in a constant (`let`), so code grows with the number of
 * operations. A condition is a text of its own kind, which only `select`, `both`, `either` and `not` take: neither
 * language lets it be a number, and gpu.js cannot return one.
 */
import type { PassNumber } from '../pass.js';

/** An expression whose value is a float32. */
export type Float = string & { readonly float?: never };
/** An expression that is true or false. */
export type Condition = string & { readonly condition?: never };
/** An expression whose value is an integer, to be used as an index or to compute one. */
export type Integer = string & { readonly integer?: never };

/** Functions of one float that both languages have. What they give for NaN, ∞ and huge arguments differs by device. */
export type Builtin =
  | 'exp'
  | 'log'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'sqrt'
  | 'floor'
  | 'ceil'
  | 'abs'
  | 'atan'
  | 'exp2'
  | 'log2';

/** Equal numbers are given once. */
const keyOf = (number: PassNumber): string =>
  number.kind === 'scalar'
    ? `${number.index} ${number.part}`
    : number.kind === 'constant'
      ? `${number.value}`
      : 'argument';

export abstract class Code {
  protected readonly lines: string[] = [];
  readonly numbers: PassNumber[] = [];
  readonly #given = new Map<string, Float>();
  readonly #words: { readonly constant: string; readonly variable: string };
  #names = 0;

  /** @param words what declares a constant, and what a variable */
  constructor(words: { readonly constant: string; readonly variable: string }) {
    this.#words = words;
  }

  /** A name that nothing else has. */
  protected fresh(): string {
    return `t${this.#names++}`;
  }

  /** The statements so far. */
  get text(): string {
    return this.lines.join('\n');
  }

  /** A constant with this value. */
  let(value: Float): Float {
    return this.#declare(this.#words.constant, value);
  }
  variable(value: Float): Float {
    return this.#declare(this.#words.variable, value);
  }
  #declare(word: string, value: Float): Float {
    const name = this.fresh();
    this.lines.push(`${word} ${name} = ${value};`);
    return name;
  }
  assign(variable: Float, value: Float): void {
    this.lines.push(`${variable} = ${value};`);
  }
  /** A finite number. */
  abstract literal(value: number): Float;
  abstract select(condition: Condition, yes: Float, no: Float): Float;
  abstract call(name: Builtin, x: Float): Float;
  /** The index goes from 0 to length − 1; the body may assign variables made before. */
  abstract loop(length: number, body: (index: Coordinate) => void): void;
  if(condition: Condition, yes: () => void): void {
    this.lines.push(`if (${condition}) {`);
    yes();
    this.lines.push('}');
  }
  /** Bits of integers of 0 to 65535. */
  abstract bits(operator: '&' | '|' | '^', x: Float, y: Float): Float;
  /** A number that the pass is given. */
  number(number: PassNumber): Float {
    const key = keyOf(number);
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    const name = this.nameOfNumber(this.numbers.length);
    this.numbers.push(number);
    this.#given.set(key, name);
    return name;
  }
  protected abstract nameOfNumber(at: number): Float;
  /** The float at an index of a buffer that the pass reads, by its position: buffers are b0, b1, … */
  load(buffer: number, index: Integer): Float {
    return `b${buffer}[${index}]`;
  }
  /** An integer of a float that holds one from 0 to 2^24 − 1. */
  abstract integer(x: Float): Integer;

  /** An index where a condition holds, else 0. */
  abstract chosen(condition: Condition, index: Integer): Integer;

  get infinity(): Float {
    return this.number({ kind: 'constant', value: Number.POSITIVE_INFINITY });
  }
  get nan(): Float {
    return this.number({ kind: 'constant', value: Number.NaN });
  }
  /** Not `x != x`: that is always false on WebGPU. */
  isNaN(x: Float): Condition {
    return `!(${x} == ${x})`;
  }
  both(...conditions: readonly Condition[]): Condition {
    return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' && ')})`;
  }
  either(...conditions: readonly Condition[]): Condition {
    return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' || ')})`;
  }
  not(condition: Condition): Condition {
    return `!(${condition})`;
  }
}

/** An index of an axis, as an integer and as a float. */
export interface Coordinate {
  readonly integer: Integer;
  readonly float: Float;
}
