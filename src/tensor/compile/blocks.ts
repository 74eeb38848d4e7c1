/**
 * Decompositions and triangular systems of large matrices as those of their blocks, so that nearly all of the work is products of
 * matrices: a matrix is halved until its blocks are small (recursive forms: Gustavson 1997; Toledo 1997).
 */
import type { Params } from '../graph.js';
import type { TriangularParams } from '../primitives/signatures.js';
import { entryOf } from '../primitives/table.js';
import { type Aval, range, sizeOf } from '../shape.js';
import type { Instruction, Program } from './program.js';

/** Rows and columns that a block has at most. */
const largest = 64;

/** A slot, and what it holds. */
interface Value extends Aval {
  readonly slot: number;
}

type Emit = (op: string, inputs: readonly Value[], params?: Params) => Value;

/** Where to cut: about half, and a multiple of 16. */
const halfOf = (n: number): number => 16 * Math.ceil(n / 32);

class Blocks {
  readonly #emit: Emit;
  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /** Rows and columns from–to of matrices. */
  #part(x: Value, [top, bottom]: readonly [number, number], [left, right]: readonly [number, number]): Value {
    const rank = x.shape.length;
    const [rows, columns] = [x.shape[rank - 2]!, x.shape[rank - 1]!];
    if (top === 0 && bottom === rows && left === 0 && right === columns) return x;
    return this.#emit('slice', [x], {
      start: x.shape.map((_, axis) => (axis === rank - 2 ? top : axis === rank - 1 ? left : 0)),
      stop: x.shape.with(rank - 2, bottom).with(rank - 1, right),
      step: x.shape.map(() => 1),
    });
  }

  #rows(x: Value, from: number, to: number): Value {
    return this.#part(x, [from, to], [0, x.shape.at(-1)!]);
  }

  #columns(x: Value, from: number, to: number): Value {
    return this.#part(x, [0, x.shape.at(-2)!], [from, to]);
  }

  #beside(...xs: readonly Value[]): Value {
    return this.#emit('concat', xs, { axis: xs[0]!.shape.length - 1 });
  }

  #below(...xs: readonly Value[]): Value {
    return this.#emit('concat', xs, { axis: xs[0]!.shape.length - 2 });
  }

  #transposed(x: Value): Value {
    const rank = x.shape.length;
    return this.#emit('permute', [x], { axes: [...range(rank - 2), rank - 1, rank - 2] });
  }

  /** x − y·z, or x − yᵀ·z. */
  #lessProduct(x: Value, y: Value, z: Value, transpose: boolean): Value {
    const batch = range(x.shape.length - 2);
    const [row, column] = [batch.length, batch.length + 1];
    const axes = { lhsContract: [transpose ? row : column], rhsContract: [row], lhsBatch: batch, rhsBatch: batch };
    return this.#emit('sub', [x, this.#emit('dotGeneral', [y, z], axes)]);
  }

  solved(a: Value, y: Value, params: TriangularParams): Value {
    const n = a.shape.at(-1)!;
    if (n <= largest) return this.#emit('triangularSolve', [a, y], { ...params });
    const { upper, transpose } = params;
    const half = halfOf(n);
    const [first, last] = [[0, half] as const, [half, n] as const];
    const [one, other] = [this.#part(a, first, first), this.#part(a, last, last)];
    const corner = upper ? this.#part(a, first, last) : this.#part(a, last, first);
    const [top, bottom] = [this.#rows(y, 0, half), this.#rows(y, half, n)];
    if (upper === transpose) {
      const x = this.solved(one, top, params);
      return this.#below(x, this.solved(other, this.#lessProduct(bottom, corner, x, transpose), params));
    }
    const x = this.solved(other, bottom, params);
    return this.#below(this.solved(one, this.#lessProduct(top, corner, x, transpose), params), x);
  }

  factored(x: Value): Value {
    const n = x.shape.at(-1)!;
    if (n <= largest) return this.#emit('cholesky', [x]);
    const half = halfOf(n);
    const [first, last] = [[0, half] as const, [half, n] as const];
    const top = this.factored(this.#part(x, first, first));
    const lower = { upper: false, transpose: false, unit: false };
    const right = this.solved(top, this.#transposed(this.#part(x, last, first)), lower);
    const bottom = this.factored(this.#lessProduct(this.#part(x, last, last), right, right, true));
    const none = x.shape.map(() => 0);
    const beside = { low: none, high: none.with(none.length - 1, n - half), interior: none };
    return this.#below(this.#emit('pad', [top], beside), this.#beside(this.#transposed(right), bottom));
  }

  eliminated(x: Value): readonly [packed: Value, order: Value] {
    const [m, n] = [x.shape.at(-2)!, x.shape.at(-1)!];
    const k = Math.min(m, n);
    if (k <= largest) {
      const tuple = this.#emit('lu', [x]);
      return [this.#emit('output', [tuple], { index: 0 }), this.#emit('output', [tuple], { index: 1 })];
    }
    const half = halfOf(k);
    const axis = x.shape.length - 2;
    const [left, order] = this.eliminated(this.#columns(x, 0, half));
    const reordered = (rows: Value, places: Value): Value =>
      this.#emit('gather', [rows, this.#emit('reshape', [places], { shape: [sizeOf(places.shape)] })], { axis });
    const others = reordered(this.#columns(x, half, n), order);
    const unit = { upper: false, transpose: false, unit: true };
    const above = this.solved(this.#part(left, [0, half], [0, half]), this.#rows(others, 0, half), unit);
    const factors = this.#rows(left, half, m);
    const rest = this.#lessProduct(this.#rows(others, half, m), factors, above, false);
    const [packed, later] = this.eliminated(rest);
    const part = (from: number, to: number): Value =>
      this.#emit('slice', [order], {
        start: order.shape.map((_, i) => (i === axis ? from : 0)),
        stop: order.shape.with(axis, to),
        step: order.shape.map(() => 1),
      });
    return [
      this.#below(this.#beside(this.#rows(left, 0, half), above), this.#beside(reordered(factors, later), packed)),
      this.#emit('concat', [part(0, half), reordered(part(half, m), later)], { axis }),
    ];
  }
}

/** Whether an instruction is worth being cut into blocks. Rows are exchanged for one matrix at a time. */
const isLarge = ({ op, inputAvals, aval }: Instruction): boolean => {
  const { shape } = inputAvals[0] ?? aval;

  if (op === 'cholesky') return shape.at(-1)! > largest;
  if (op === 'triangularSolve') return shape.at(-1)! > largest && inputAvals[1]!.shape.at(-1)! > 0;
  return op === 'lu' && Math.min(shape.at(-1)!, shape.at(-2)!) > largest && sizeOf(shape.slice(0, -2)) === 1;
};

/** The program with large decompositions cut into blocks. Slots keep their numbers; new ones are added behind. */
export const inBlocks = (program: Program): Program => {
  const stored = new Set(program.outputs);
  const isCut = (each: Instruction): boolean => isLarge(each) && (each.outputs === null || !stored.has(each.result));
  if (!program.instructions.some(isCut)) return program;
  let { slots } = program;
  const instructions: Instruction[] = [];
  const names = new Map<number, number>();
  /** The results of what has several. */
  const tuples = new Map<number, readonly Value[]>();
  const slotOf = (slot: number): number => names.get(slot) ?? slot;
  for (const before of program.instructions) {
    const instruction: Instruction = { ...before, inputs: before.inputs.map(slotOf) };
    const { op, params, inputs, inputAvals, result } = instruction;
    const parts = op === 'output' ? tuples.get(before.inputs[0]!) : undefined;
    if (parts !== undefined) {
      names.set(result, parts[params.index as number]!.slot);
      continue;
    }
    if (!isCut(instruction)) {
      instructions.push(instruction);
      continue;
    }
    const outputsOf = new Map<number, readonly Aval[]>();
    const emit: Emit = (name, operands, own = {}) => {
      const made =
        name === 'output'
          ? outputsOf.get(operands[0]!.slot)![own.index as number]!
          : (entryOf(name) as { aval(inputs: readonly Aval[], params: Params): Aval | readonly Aval[] }).aval(
              operands,
              own,
            );
      const outputs = 'dtype' in made ? null : made;
      const aval = 'dtype' in made ? made : made[0]!;
      if (outputs !== null) outputsOf.set(slots, outputs);
      const avals = operands.map(({ shape, dtype }) => ({ shape, dtype }));
      const placed = { op: name, params: own, inputs: operands.map(({ slot }) => slot), inputAvals: avals };
      instructions.push({ ...instruction, ...placed, aval, outputs, result: slots });
      return { ...aval, slot: slots++ };
    };
    const given = inputs.map((slot, i): Value => ({ ...inputAvals[i]!, slot }));
    const blocks = new Blocks(emit);
    if (op === 'lu') tuples.set(result, blocks.eliminated(given[0]!));
    else {
      const whole =
        op === 'cholesky'
          ? blocks.factored(given[0]!)
          : blocks.solved(given[0]!, given[1]!, params as unknown as TriangularParams);
      names.set(result, whole.slot);
    }
  }
  return { ...program, instructions, outputs: program.outputs.map(slotOf), slots };
};
