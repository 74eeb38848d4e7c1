/** Programs in words: a form for people to read and for tools to compare line by line. */
import { Graph, type Params } from '../graph.js';
import { type Aval, sameShape, showAval } from '../shape.js';
import type { Instruction, Program } from './program.js';

/** What is known of an input apart from its shape and dtype. */
export interface InputLabel {
  /** What it is called. */
  readonly name: string;
  /** What stands in the place of shape and dtype. */
  readonly type?: string;
  /** Its elements, in words. */
  readonly value?: string;
}

/** Names for what goes into a program and what comes out; the empty name is that of a result that stands alone. */
export interface Labels {
  readonly inputs: readonly InputLabel[];
  readonly outputs: readonly string[];
  /** Name everything by its slot instead, for messages that speak of slots. */
  readonly slots?: boolean;
}

/** A number as an operand: float32 and bool are told from the others by how they are written. */
const showScalar = (value: number | undefined, known: number, dtype: Aval['dtype']): string => {
  const number = value ?? (known === 2 ? undefined : known);
  const text = number === undefined ? 'number' : Object.is(number, -0) ? '-0' : String(number);
  if (dtype === 'bool') return number === undefined ? 'boolean' : String(number !== 0);
  return dtype === 'float32' ? text : `${text}:${dtype}`;
};

const showParam = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(showParam).join(', ')}]` : `${value}`;

const isAll = (value: unknown, item: number): boolean => Array.isArray(value) && value.every(each => each === item);

/** Parameters that say nothing beyond the result's shape and dtype, the number of a body's inputs, or nothing at all. */
const isPlain = (name: string, value: unknown, { shape, dtype }: Aval): boolean => {
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return true;
  switch (name) {
    case 'shape':
      return sameShape(value as Aval['shape'], shape);
    case 'dtype':
      return value === dtype;
    case 'step':
      return isAll(value, 1);
    case 'low':
    case 'high':
    case 'interior':
      return isAll(value, 0);
    case 'captures':
    case 'carries':
    case 'testCaptures':
    case 'bodyCaptures':
      return true;
    default:
      return false;
  }
};

const showParams = (params: Params, aval: Aval): string => {
  const shown = Object.entries(params).flatMap(([name, value]) => {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'object' && first !== null && 'name' in first) return [`${name}: ${first.name}`];
    if (typeof first === 'object' || typeof first === 'function') return [];
    return isPlain(name, value, aval) ? [] : [`${name}: ${showParam(value)}`];
  });
  return shown.length === 0 ? '' : ` { ${shown.join(', ')} }`;
};

/** The names of the bodies, as the parameters have them: `body`, `branches[1]`. */
const bodyNames = (params: Params): readonly string[] =>
  Object.entries(params).flatMap(([name, value]) => {
    if (value instanceof Graph) return [name];
    return Array.isArray(value) ? value.flatMap((item, i) => (item instanceof Graph ? [`${name}[${i}]`] : [])) : [];
  });

const numbered = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${name}[${i}]`);

/** What goes into a body, by its part. */
const bodyInputs = ({ op, params }: Instruction, body: string, count: number): readonly string[] => {
  const captures = (op === 'while' ? params[`${body}Captures`] : params.captures) as number | undefined;
  if (captures === undefined) return numbered('operand', count);
  const carries = (params.carries ?? count - captures) as number;
  return [
    ...numbered('captured', captures),
    ...numbered('carry', carries),
    ...numbered('element', count - captures - carries),
  ];
};

/**
 * A program in words: a line for each input, operation and result, bodies indented. Operations are numbered from 0 in their
 * order, in each body anew; numbers stand where they are used.
 *
 * @param values those of the scalars, as far as they are known
 * @param labels names of inputs and results
 */
export const showProgram = (
  { inputs, scalars, instructions, outputs }: Program,
  values: readonly number[] = [],
  labels?: Labels,
): string => {
  const names = new Map<number, string>();
  inputs.forEach((_, slot) => {
    names.set(slot, labels?.slots ? `%${slot}` : (labels?.inputs[slot]?.name ?? `input[${slot}]`));
  });
  scalars.forEach(({ slot, dtype, class: known }, i) => {
    names.set(slot, showScalar(values[i], known, dtype));
  });
  const nameOf = (slot: number): string => names.get(slot)!;
  const lines = inputs.map((aval, slot) => {
    const label = labels?.inputs[slot];
    return `${nameOf(slot)}: ${label?.type ?? showAval(aval)}${label?.value === undefined ? '' : ` = ${label.value}`}`;
  });
  let count = 0;
  let next = scalars.length;
  for (const instruction of instructions) {
    const { op, params, aval, bodies, result } = instruction;
    const operands = instruction.inputs.map(nameOf);
    if (op === 'output' && !labels?.slots) {
      names.set(result, `${operands[0]}.${params.index}`);
      continue;
    }
    names.set(result, `%${labels?.slots ? result : count++}`);
    const type = instruction.outputs === null ? showAval(aval) : `(${instruction.outputs.map(showAval).join(', ')})`;
    lines.push(`${nameOf(result)}: ${type} = ${op}(${operands.join(', ')})${showParams(params, aval)}`);
    const parts = bodyNames(params);
    bodies.forEach((body, i) => {
      const name = parts[i]!;
      const own = values.slice(next, next + body.scalarCount);
      next += body.scalarCount;
      const given = bodyInputs(instruction, name, body.inputs.length).map(each => ({ name: each }));
      const text = showProgram(body, own, { inputs: given, outputs: [], slots: labels?.slots ?? false });
      lines.push(`  ${name}:`, ...text.split('\n').map(line => `    ${line}`));
    });
  }
  const named = labels?.outputs ?? [];
  if (named.length === 0 || named[0] === '') lines.push(`outputs ${outputs.map(nameOf).join(', ')}`.trimEnd());
  else lines.push('outputs', ...outputs.map((slot, i) => `  ${named[i]}: ${nameOf(slot)}`));
  return lines.join('\n');
};
