/**
 * Elements that go to other places: pad, concat, gather. They move as floats, whatever they mean: an integer of 32 bits is an axis
 * of two.
 */
import { type DType, isFloat } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import { type Aval, sizeOf, stridesOf } from '../../../shape.js';
import type { Condition } from '../language/code.js';
import { Floats } from '../language/parts.js';
import { float, loadScalar, wordAsFloat } from '../language/scalars.js';
import { floatsOf } from '../pass.js';
import { divided, linear } from '../passes/indices.js';
import { type Operand, type Sequence, type Value, writePass } from '../passes/sequence.js';
import { launchLines, linesOf, made, placeIn } from './lines.js';

/** As floats that move. */
const floats = ({ value, offset, floats }: Operand, dtype: DType): Operand => ({
  value,
  offset: offset * floatsOf[dtype],
  floats,
});

export const pad = (
  sequence: Sequence,
  { low, interior }: ParamsOf<'pad'>,
  [x]: readonly Aval[],
  { shape, dtype }: Aval,
  [from]: readonly Operand[],
): Value => {
  const size = floatsOf[dtype];
  const own = x!.shape;
  const strides = stridesOf(own);
  const { value, offset, floats: all } = floats(from!, dtype);
  const pass = writePass(
    sequence.traits,
    { name: 'pad', lengths: [...shape, size], dtype: 'float32', reads: [all] },
    (code, at) => {
      const f = new Floats(code);
      const result = code.variable(code.literal(0));
      const conditions: Condition[] = [];
      const terms = own.map((length, axis) => {
        const [step, before] = [interior[axis]! + 1, low[axis]!];
        const last = (length - 1) * step;
        const place = at[axis]!;
        if (before > 0) conditions.push(`(${place.integer} >= ${before})`);
        if (before + last + 1 < shape[axis]!) conditions.push(`(${place.integer} <= ${before + last})`);
        // One element is where it begins.
        if (length === 1) return { at: '0', stride: 0 };
        if (step === 1) return { at: place.integer, stride: strides[axis]! * size };
        // Where the place lies before the first element, what is computed here is read by nobody.
        const moved = before === 0 ? place.float : f.max(f.sub(place.float, before), 0);
        const [quotient, rest] = divided(code, f.of(moved), step);
        conditions.push(f.eq(rest, 0));
        return { at: code.integer(quotient), stride: strides[axis]! * size };
      });
      // Places along axes with nothing between the elements count from the first one.
      const shift = own.reduce(
        (sum, length, axis) => sum + (interior[axis] === 0 && length > 1 ? low[axis]! * strides[axis]! * size : 0),
        0,
      );
      const read = (): void =>
        code.assign(result, code.load(0, linear(offset - shift, [...terms, { at: at.at(-1)!.integer, stride: 1 }])));
      if (conditions.length === 0) read();
      else code.if(code.both(...conditions), read);
      return float(result);
    },
  );
  return sequence.launch(pass, [value])[0]!;
};

/** A run of neighbouring floats in every row. */
interface Piece {
  readonly operand: Operand;
  readonly length: number;
}

/** Rows of the first, then of the second, and so on; in more passes than one where there are more than a pass can read. */
const joinedRows = (sequence: Sequence, rows: number, pieces: readonly Piece[]): Operand => {
  const { reads } = sequence.traits;
  if (pieces.length > reads) {
    const groups: Piece[] = [];
    const size = Math.max(reads, Math.ceil(pieces.length / reads));
    for (let i = 0; i < pieces.length; i += size) {
      const group = pieces.slice(i, i + size);
      groups.push({
        operand: group.length === 1 ? group[0]!.operand : joinedRows(sequence, rows, group),
        length: group.reduce((sum, { length }) => sum + length, 0),
      });
    }
    return joinedRows(sequence, rows, groups);
  }
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const pass = writePass(
    sequence.traits,
    { name: 'concat', lengths: [rows, length], dtype: 'float32', reads: pieces.map(({ operand }) => operand.floats) },
    (code, [row, at]) => {
      const result = code.variable(code.literal(0));
      let start = 0;
      pieces.forEach((piece, i) => {
        const { offset } = piece.operand;
        const index = linear(offset - start, [
          { at: row!.integer, stride: piece.length },
          { at: at!.integer, stride: 1 },
        ]);
        const end = start + piece.length;
        const conditions = [
          ...(start > 0 ? [`(${at!.integer} >= ${start})`] : []),
          ...(end < length ? [`(${at!.integer} < ${end})`] : []),
        ];
        const read = (): void => code.assign(result, code.load(i, index));
        if (conditions.length === 0) read();
        else code.if(code.both(...conditions), read);
        start = end;
      });
      return float(result);
    },
  );
  const [value] = sequence.launch(
    pass,
    pieces.map(({ operand }) => operand.value),
  );
  return made(value!, rows * length);
};

export const concat = (
  sequence: Sequence,
  { axis }: ParamsOf<'concat'>,
  inputs: readonly Aval[],
  { shape, dtype }: Aval,
  operands: readonly Operand[],
): Value => {
  const pieces = inputs.flatMap((input, i): Piece[] => {
    const length = sizeOf(input.shape.slice(axis)) * floatsOf[dtype];
    return length === 0 ? [] : [{ operand: floats(operands[i]!, dtype), length }];
  });
  return joinedRows(sequence, sizeOf(shape.slice(0, axis)), pieces).value;
};

export const gather = (
  sequence: Sequence,
  { axis }: ParamsOf<'gather'>,
  [x, indices]: readonly Aval[],
  { dtype }: Aval,
  [from, at]: readonly Operand[],
): Value => {
  const size = floatsOf[dtype];
  const { outer, length, inner } = linesOf(x!, axis);
  const own = { outer, length, inner: inner * size };
  const source = floats(from!, dtype);
  const result = { outer, length: sizeOf(indices!.shape), inner: inner * size };
  return launchLines(sequence, 'gather', result, 'float32', [source, at!], (code, line, place) => {
    const f = new Floats(code);
    const { offset } = at!;
    const index = wordAsFloat(
      code,
      'int32',
      loadScalar(code, 'int32', 1, linear(offset, [{ at: code.integer(place), stride: 1 }])),
    );
    const taken = code.variable(isFloat(dtype) ? code.nan : code.literal(0));
    code.if(code.both(f.le(0, index), f.lt(index, length)), () => {
      code.assign(taken, code.load(0, placeIn(own, line, code.integer(index), source.offset)));
    });
    return float(taken);
  }).value;
};
