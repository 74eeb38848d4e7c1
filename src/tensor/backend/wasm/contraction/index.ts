/** Contractions of float32: products of matrices and convolutions, by one generator. */
import type { Source } from '../../../compile/cluster.js';
import type { Instruction } from '../../../compile/program.js';
import type { View } from '../../../view.js';
import type { Crew } from '../threads/crew.js';
import type { Addresses } from './blocking.js';
import { convFlops, convOf, type GatherConv, readsConvView, type SpreadConv } from './conv.js';
import { type Dot, dotOf, readsDotView } from './dot.js';
import { gatherBytes, gatherColumns, writeGather } from './gather.js';
import type { Library } from './library.js';
import { dotBytes, madeUnit as madeRowUnit, writeDot } from './matrices.js';
import type { Pieces } from './pieces.js';
import { unitOf as unitOfColumns } from './product.js';
import { prepareSpread, writeSpread } from './spread.js';
import { madeUnit as madeSourceUnit, spreadBytes, spreadIsWhole, spreadUnit } from './spread-layout.js';
import {
  type WinogradConv,
  winogradBytes,
  winogradFlops,
  winogradIsWhole,
  winogradMadeUnit,
  winogradOf,
  winogradUnit,
} from './winograd/conv.js';
import {
  type WinogradGradient,
  winogradGradientBytes,
  winogradGradientFlops,
  winogradGradientOf,
  winogradGradientUnit,
  writeWinogradGradient,
} from './winograd/gradient.js';
import { prepareWinograd, writeWinograd } from './winograd/write.js';

export type Contraction = Dot | SpreadConv | WinogradConv | GatherConv | WinogradGradient;

/** Whether an operand of a contraction can be read through a view. */
export const readsView = (instruction: Instruction, view: View): boolean =>
  readsDotView(instruction, view) || readsConvView(instruction, view);

/** Those of which the left operand, a kernel, can be made ready for all samples that come. */
export type PreparedContraction = SpreadConv | WinogradConv;

/** Null for what is no contraction, of other dtypes, or of nothing. */
export const contractionOf = (instruction: Instruction, operands: readonly Source[]): Contraction | null => {
  const conv = convOf(instruction, operands);
  if (conv === null) return dotOf(instruction, operands);
  return (conv.kind === 'spread' ? winogradOf(conv) : winogradGradientOf(conv)) ?? conv;
};

/** Bytes of scratch memory: for all threads together and for each. With `made`, an operand is made piece by piece. */
export const scratchOf = (
  contraction: Contraction,
  { tallest }: Library,
  made: boolean,
): { readonly common: number; readonly own: number } => {
  switch (contraction.kind) {
    case 'dot':
      return dotBytes(contraction, tallest, made);
    case 'spread':
      return spreadBytes(contraction, tallest, made);
    case 'winograd':
      return winogradBytes(contraction, tallest, made);
    case 'winogradGradient':
      return winogradGradientBytes(contraction, tallest);
    default:
      return gatherBytes(contraction, tallest);
  }
};

/** The contraction if its left operand can be made ready ahead of it; null otherwise. */
export const preparedOf = (contraction: Contraction, { tallest }: Library): PreparedContraction | null => {
  if (contraction.kind === 'spread') return spreadIsWhole(contraction, tallest) ? contraction : null;
  if (contraction.kind === 'winograd') return winogradIsWhole(contraction, tallest) ? contraction : null;
  return null;
};

/** Makes the left operand ready, in the scratch memory that threads share; nothing else is read or written. */
export const writePreparation = (
  crew: Crew,
  contraction: PreparedContraction,
  addresses: Addresses,
  library: Library,
): void => {
  if (contraction.kind === 'spread') prepareSpread(crew, contraction, addresses, library);
  else prepareWinograd(crew, contraction, addresses, library);
};

export const flopsOf = (contraction: Contraction): number => {
  if (contraction.kind === 'winograd') return winogradFlops(contraction);
  if (contraction.kind === 'winogradGradient') return winogradGradientFlops(contraction);
  if (contraction.kind !== 'dot') return convFlops(contraction);
  const { batch, rows, columns, depth } = contraction;
  return 2 * batch.lengths.reduce((product, length) => product * length, rows * columns * depth);
};

/** How many elements of the result are ready at a time, in rows of tiles; null where that differs. */
export const unitOf = (contraction: Contraction, { tallest }: Library): number | null => {
  switch (contraction.kind) {
    case 'dot':
      return contraction.out.column === 4 ? unitOfColumns(contraction.columns, contraction.rows) : null;
    case 'spread':
      return spreadUnit(contraction, tallest);
    case 'winograd':
      return winogradUnit(contraction, tallest);
    case 'winogradGradient':
      return winogradGradientUnit(contraction);
    default:
      return unitOfColumns(gatherColumns(contraction), contraction.rows);
  }
};

/** How many elements of an operand are made at a time; null where it has to be there. */
export const madeUnitOf = (contraction: Contraction, operand: number, { tallest }: Library): number | null => {
  const isLeft = operand === contraction.leftOperand;
  if (contraction.kind === 'dot') return isLeft ? madeRowUnit(contraction) : null;
  if (isLeft) return null;
  switch (contraction.kind) {
    case 'spread':
      return madeSourceUnit(contraction, tallest);
    case 'winograd':
      return winogradMadeUnit(contraction, tallest);
    default:
      return null;
  }
};

/** Writes a contraction; the addresses of its operands are those of the left and the right one of the product. */
export const writeContraction = (
  crew: Crew,
  contraction: Contraction,
  addresses: Addresses,
  library: Library,
  pieces: Pieces,
): void => {
  switch (contraction.kind) {
    case 'dot':
      writeDot(crew, contraction, addresses, library, pieces);
      break;
    case 'spread':
      writeSpread(crew, contraction, addresses, library, pieces);
      break;
    case 'winograd':
      writeWinograd(crew, contraction, addresses, library, pieces);
      break;
    case 'winogradGradient':
      writeWinogradGradient(crew, contraction, addresses, library, pieces.finish);
      break;
    default:
      writeGather(crew, contraction, addresses, library, pieces.finish);
  }
};
