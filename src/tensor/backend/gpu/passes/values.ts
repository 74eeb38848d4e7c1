/** The values of a kernel as code: one thread computes them for one place. */
import type { Kernel } from '../../../compile/kernel.js';
import type { Code } from '../language/code.js';
import { operate } from '../language/operations.js';
import type { Scalar } from '../language/scalars.js';

/**
 * Code for the wanted values of a kernel and for all they need.
 *
 * @param read what is there already, by position: loads, indices, results of reductions; null for what its operation gives
 */
export const writeValues = (
  code: Code,
  { values }: Kernel,
  wanted: readonly number[],
  read: (at: number) => Scalar | null,
): readonly Scalar[] => {
  const needed = new Set<number>();
  const given = new Map<number, Scalar>();
  const need = (at: number): void => {
    if (needed.has(at)) return;
    needed.add(at);
    const scalar = read(at);
    if (scalar !== null) {
      given.set(at, scalar);
      return;
    }
    const value = values[at]!;
    if (value.kind !== 'operation')
      throw new Error(`tenfold: a kernel's ${value.kind} is not there; please report this`);
    for (const operand of value.operands) need(operand);
  };
  for (const at of wanted) need(at);
  const scalars = new Map<number, Scalar>(given);
  // Operands come before what uses them.
  for (const at of [...needed].sort((a, b) => a - b)) {
    const value = values[at]!;
    if (given.has(at) || value.kind !== 'operation') continue;
    const { op, params, operands, dtype } = value;
    const dtypes = operands.map(operand => values[operand]!.dtype);
    scalars.set(
      at,
      operate(
        code,
        op,
        params,
        operands.map(operand => scalars.get(operand)!),
        dtypes,
        dtype,
      ),
    );
  }
  return wanted.map(at => scalars.get(at)!);
};
