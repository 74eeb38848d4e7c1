/** Programs in words. */
import { Graph } from '../graph.js';
import { showAval } from '../shape.js';
import type { Program } from './program.js';

const showParam = (value: unknown): string => {
  if (value instanceof Graph) return 'graph';
  return Array.isArray(value) ? `[${value.map(showParam).join(', ')}]` : String(value);
};

/** A program in words, for messages: a line for each slot, bodies indented. */
export const showProgram = (
  { inputs, scalars, instructions, outputs }: Program,
  values: readonly number[] = [],
): string => {
  const lead = [
    ...inputs.map((aval, slot) => `%${slot} = input ${showAval(aval)}`),
    ...scalars.map(({ slot, dtype }, i) => `%${slot} = ${dtype} ${values[i] ?? 'scalar'}`),
  ];
  let next = scalars.length;
  const body = instructions.flatMap(
    ({ op, params, inputs: operands, aval, outputs: several, bodies: inner, result }) => {
      const shown = Object.entries(params).map(([name, value]) => `${name}: ${showParam(value)}`);
      const given = operands.map(slot => `%${slot}`).join(', ');
      return [
        `%${result} = ${op}(${given}) { ${shown.join(', ')} } → ${(several ?? [aval]).map(showAval).join(', ')}`,
        ...inner.flatMap((each, i) => {
          const own = values.slice(next, next + each.scalarCount);
          next += each.scalarCount;
          return [
            `  body ${i}:`,
            ...showProgram(each, own)
              .split('\n')
              .map(line => `    ${line}`),
          ];
        }),
      ];
    },
  );
  return [...lead, ...body, `outputs ${outputs.map(slot => `%${slot}`).join(', ')}`].join('\n');
};
