/** Rewriting a program into one that does less: identities that hold to the last bit, and what is never used left out. */
import { freeAxes } from '../primitives/contraction.js';
import type { DotParams } from '../primitives/signatures.js';
import { entryOf } from '../primitives/table.js';
import { type Aval, range, sizeOf } from '../shape.js';
import type { Instruction, Program } from './program.js';

/** Axes of length 1 are none to reduce over. */
const longAxes = ({ shape }: Aval, axes: readonly number[]): readonly number[] =>
  axes.filter(axis => shape[axis] !== 1).sort((p, q) => p - q);

/** Whether only axes of length 1 stand between the first and the last. */
const neighbouring = ({ shape }: Aval, axes: readonly number[]): boolean =>
  range(shape.length).every(
    axis => axes.includes(axis) || shape[axis] === 1 || axis < axes[0]! || axis > axes[axes.length - 1]!,
  );

/** An operand of a contraction with the axes of a kind (batch, left, contracted) scattered: the order that has them together. */
const gatheredAxes = (aval: Aval, contract: readonly number[], batch: readonly number[]): readonly number[] | null => {
  const free = freeAxes(aval.shape.length, contract, batch);
  const long = (axes: readonly number[]): readonly number[] => axes.filter(axis => aval.shape[axis] !== 1);
  const inOrder = (axes: readonly number[]): boolean =>
    axes.every((axis, i) => i === 0 || axis > axes[i - 1]!) && (axes.length === 0 || neighbouring(aval, axes));
  return [batch, free, contract].every(axes => inOrder(long(axes))) ? null : [...batch, ...free, ...contract];
};

/**
 * Simplifies a program. Slots keep their numbers; new ones are added behind.
 *
 * An identity is used only if it holds for every value: x + 0 is not x (−0 + 0 is 0), x · 0 is not 0 (NaN).
 */
export const simplify = (program: Program): Program => {
  let { slots } = program;
  const classes = new Map(program.scalars.map(each => [each.slot, each.class] as const));
  /** Slots that are another one under another name. */
  const names = new Map<number, number>();
  /** Slots that hold one scalar everywhere, and that scalar's slot. */
  const spread = new Map<number, number>();
  const made = new Map<number, Instruction>();
  const instructions: Instruction[] = [];
  const add = (instruction: Instruction): void => {
    instructions.push(instruction);
    made.set(instruction.result, instruction);
  };
  const classOf = (slot: number): number | undefined => classes.get(spread.get(slot) ?? slot);

  const aliasOf = ({ op, params, inputs, inputAvals, aval }: Instruction): number | null => {
    const [x, y, z] = inputs as [number, number, number];
    switch (op) {
      case 'stopGradient':
        return x;
      case 'cast':
        return inputAvals[0]!.dtype === params.dtype ? x : null;
      case 'mul':
        return classOf(y) === 1 ? x : classOf(x) === 1 ? y : null;
      case 'div':
        return classOf(y) === 1 ? x : null;
      case 'sub':
        return classOf(y) === 0 ? x : null;
      case 'neg': {
        const inner = made.get(x);
        return inner?.op === 'neg' ? inner.inputs[0]! : null;
      }
      case 'select':
        return y === z ? y : null;
      case 'reshape':
      case 'broadcast':
        return inputAvals[0]!.shape.join() === aval.shape.join() ? x : null;
      default:
        return null;
    }
  };

  for (const before of program.instructions) {
    const instruction: Instruction = { ...before, inputs: before.inputs.map(slot => names.get(slot) ?? slot) };
    const { op, inputs, inputAvals, aval, result } = instruction;
    const alias = aliasOf(instruction);
    if (alias !== null) {
      names.set(result, alias);
      continue;
    }
    if ((op === 'broadcast' || op === 'reshape') && classOf(inputs[0]!) !== undefined)
      spread.set(result, spread.get(inputs[0]!) ?? inputs[0]!);
    const minusOne = op === 'mul' ? inputs.findIndex(slot => classOf(slot) === -1) : -1;
    if (minusOne >= 0) {
      const kept = 1 - minusOne;
      add({ ...instruction, op: 'neg', params: {}, inputs: [inputs[kept]!], inputAvals: [inputAvals[kept]!] });
      continue;
    }
    if (entryOf(op).kind === 'reduction' && op !== 'argmax' && op !== 'argmin') {
      const operand = inputAvals[0]!;
      const axes = longAxes(operand, instruction.params.axes as readonly number[]);
      if (axes.length === 0) {
        add({ ...instruction, op: 'reshape', params: { shape: aval.shape } });
        continue;
      }
      if (!neighbouring(operand, axes) && sizeOf(operand.shape) > 0) {
        // The axes that stay first, so that those reduced are neighbours.
        const order = [...range(operand.shape.length).filter(axis => !axes.includes(axis)), ...axes];
        const moved: Aval = { shape: order.map(axis => operand.shape[axis]!), dtype: operand.dtype };
        const slot = slots++;
        add({ ...instruction, op: 'permute', params: { axes: order }, aval: moved, result: slot });
        const last = range(order.length).slice(order.length - axes.length);
        add({ ...instruction, params: { axes: last }, inputs: [slot], inputAvals: [moved] });
        continue;
      }
      add({ ...instruction, params: { axes } });
      continue;
    }
    if (op === 'dotGeneral') {
      const { lhsContract, rhsContract, lhsBatch, rhsBatch } = instruction.params as unknown as DotParams;
      const sides = [
        { batch: lhsBatch, contract: lhsContract },
        { batch: rhsBatch, contract: rhsContract },
      ].map(({ batch, contract }, i) => {
        const operand = inputAvals[i]!;
        const order = gatheredAxes(operand, contract, batch);
        if (order === null) return { slot: inputs[i]!, aval: operand, batch, contract };
        const moved: Aval = { shape: order.map(axis => operand.shape[axis]!), dtype: operand.dtype };
        const permute = { ...instruction, op: 'permute', params: { axes: order }, inputs: [inputs[i]!] };
        add({ ...permute, inputAvals: [operand], aval: moved, result: slots });
        const last = order.length - contract.length;
        return { slot: slots++, aval: moved, batch: range(batch.length), contract: contract.map((_, j) => last + j) };
      });
      const [l, r] = sides as [(typeof sides)[0], (typeof sides)[0]];
      const params = { lhsContract: l.contract, rhsContract: r.contract, lhsBatch: l.batch, rhsBatch: r.batch };
      add({ ...instruction, params, inputs: [l.slot, r.slot], inputAvals: [l.aval, r.aval] });
      continue;
    }
    add(instruction);
  }

  const outputs = program.outputs.map(slot => names.get(slot) ?? slot);
  const used = new Set(outputs);
  const kept: Instruction[] = [];
  for (let i = instructions.length - 1; i >= 0; i--) {
    if (!used.has(instructions[i]!.result)) continue;
    for (const slot of instructions[i]!.inputs) used.add(slot);
    kept.push(instructions[i]!);
  }
  return { ...program, instructions: kept.reverse(), outputs, slots };
};
