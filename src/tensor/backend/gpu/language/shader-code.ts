/** Code in WGSL, inside a shader that somebody else puts together. */
import { type Builtin, Code, type Condition, type Coordinate, type Float, type Integer } from './code.js';

/** The largest float32. */
const largest = 3.4028234663852886e38;

export class ShaderCode extends Code {
  constructor() {
    super({ constant: 'let', variable: 'var' });
  }

  /** Numbers are four to a vector of the uniform `numbers`. */
  protected nameOfNumber(at: number): Float {
    return `numbers[${at >> 2}].${'xyzw'[at & 3]}`;
  }

  literal(value: number): Float {
    if (!Number.isFinite(value)) return this.number({ kind: 'constant', value });
    const rounded = Math.fround(value);
    // Nine digits say which float is meant, but may lie beyond the largest, which is refused.
    const nine = Number(rounded.toPrecision(9));
    const text = `${Math.abs(nine) <= largest ? nine : rounded}`;
    return `(${Object.is(value, -0) ? '-0' : text}${/[.e]/.test(text) ? '' : '.0'}f)`;
  }

  select(condition: Condition, yes: Float, no: Float): Float {
    return `select(${no}, ${yes}, ${condition})`;
  }

  call(name: Builtin, x: Float): Float {
    return `${name}(${x})`;
  }

  loop(length: number, body: (index: Coordinate) => void): void {
    const name = this.fresh();
    this.lines.push(`for (var ${name} = 0u; ${name} < ${length}u; ${name}++) {`);
    body({ integer: name, float: `f32(${name})` });
    this.lines.push('}');
  }

  bits(operator: '&' | '|' | '^', x: Float, y: Float): Float {
    return `f32(u32(${x}) ${operator} u32(${y}))`;
  }

  integer(x: Float): Integer {
    return `u32(${x})`;
  }

  chosen(condition: Condition, index: Integer): Integer {
    return `select(0u, ${index}, ${condition})`;
  }
}
