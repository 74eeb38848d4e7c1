/** Code in the part of JavaScript that gpu.js translates for every mode. */
import { type Builtin, Code, type Condition, type Coordinate, type Float, type Integer } from './code.js';

const operators = { exp2: (x: Float): Float => `Math.pow(2, ${x})` } as const;

export class KernelCode extends Code {
  /** Whether `(x | 0)` is an integer, and cheap. */
  readonly #integers: boolean;
  #turns = 1;

  constructor(integers: boolean) {
    super({ constant: 'const', variable: 'let' });
    this.#integers = integers;
  }

  /** Turns of the longest loop. */
  get turns(): number {
    return this.#turns;
  }

  protected nameOfNumber(at: number): Float {
    return `n${at}`;
  }

  literal(value: number): Float {
    if (!Number.isFinite(value)) return this.number({ kind: 'constant', value });
    // Beyond what a float32 can be, WGSL refuses literals.
    const text = `${Math.fround(value) === value ? value : Number(Math.fround(value).toPrecision(9))}`;
    return value < 0 || Object.is(value, -0) ? `(${Object.is(value, -0) ? '-0' : text})` : text;
  }

  select(condition: Condition, yes: Float, no: Float): Float {
    return `(${condition} ? ${yes} : ${no})`;
  }

  call(name: Builtin, x: Float): Float {
    return name === 'exp2' ? operators.exp2(x) : `Math.${name}(${x})`;
  }

  loop(length: number, body: (index: Coordinate) => void): void {
    this.#turns = Math.max(this.#turns, length);
    const name = this.fresh();
    this.lines.push(`for (let ${name} = 0; ${name} < ${length}; ${name}++) {`);
    // Counters are integers, which GLSL does not let meet floats in a choice.
    const float = this.#integers ? name : this.let(name);
    body({ integer: this.integer(float), float });
    this.lines.push('}');
  }

  /** Leaves the loop around where the condition holds. */
  leave(condition: Condition): void {
    this.lines.push(`if (${condition}) { break; }`);
  }

  bits(operator: '&' | '|' | '^', x: Float, y: Float): Float {
    return `(${x} ${operator} ${y})`;
  }

  integer(x: Float): Integer {
    return this.#integers ? `(${x} | 0)` : x;
  }

  chosen(condition: Condition, index: Integer): Integer {
    if (index === '0') return index;
    // Of two literals to choose from gpu.js makes floats.
    const text = this.select(condition, /^\d+$/.test(index) ? this.integer(index) : index, '0');
    // Inside of an index GLSL would get a float and an integer to choose from.
    return this.#integers ? text : this.let(text);
  }

  /** The source of a kernel that reads so many buffers and returns this: a float, or four. */
  source(buffers: number, result: Float | readonly Float[]): string {
    const names = [...Array.from({ length: buffers }, (_, i) => `b${i}`), ...this.numbers.map((_, i) => `n${i}`)];
    const value = typeof result === 'string' ? result : `[${result.join(', ')}]`;
    return `function(${names.join(', ')}) {\n${this.text}\nreturn ${value};\n}`;
  }
}
