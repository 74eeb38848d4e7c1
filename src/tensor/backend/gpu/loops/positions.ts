/** Where the largest and smallest elements are: of lines, and of all elements up to each. Positions are carried, and the elements read again. */
import { type DType, isFloat } from '../../../dtype.js';
import type { ParamsOf } from '../../../primitives/signatures.js';
import type { Aval } from '../../../shape.js';
import type { Code, Condition, Float } from '../language/code.js';
import { Floats } from '../language/parts.js';
import { float, floatOf, type Scalar, scalarOfIndex, wordOf } from '../language/scalars.js';
import { lessWords } from '../language/words.js';
import type { Operand, Sequence, Value } from '../passes/sequence.js';
import { bestBlock, type Line, type Lines, launchLines, linesOf, loadAt, type Source, Variable } from './lines.js';
import { scanned } from './sums.js';

export const lessScalar = (code: Code, dtype: DType, x: Scalar, y: Scalar): Condition =>
  x.kind === 'word'
    ? lessWords(code, x, wordOf(y), dtype === 'int32')
    : new Floats(code).lt(floatOf(code, x), floatOf(code, y));

/** Of a float, whether it is NaN; no condition for what cannot be. */
export const whereNaN = (code: Code, dtype: DType, x: Scalar): readonly Condition[] =>
  isFloat(dtype) ? [code.isNaN(new Floats(code).of(floatOf(code, x)))] : [];

/** Whether x takes the place of what was found before it: if it is better, or a NaN and that was none. */
const isBetter = (code: Code, dtype: DType, largest: boolean, x: Scalar, best: Scalar): Condition => {
  const better = largest ? lessScalar(code, dtype, best, x) : lessScalar(code, dtype, x, best);
  const nan = whereNaN(code, dtype, x);
  if (nan.length === 0) return better;
  return code.both(code.either(...nan, better), ...whereNaN(code, dtype, best).map(is => code.not(is)));
};

/** As the last, but the later of equal ones wins, and of NaNs. */
const isAsGood = (code: Code, dtype: DType, largest: boolean, x: Scalar, best: Scalar): Condition => {
  const worse = largest ? lessScalar(code, dtype, x, best) : lessScalar(code, dtype, best, x);
  const nan = whereNaN(code, dtype, x);
  if (nan.length === 0) return code.not(worse);
  return code.either(...nan, code.both(code.not(worse), ...whereNaN(code, dtype, best).map(is => code.not(is))));
};

/** So many positions one thread looks at, at least and at most. */
const [fewest, most] = [32, 4096];

const position =
  (name: 'argmax' | 'argmin') =>
  (
    sequence: Sequence,
    { axes }: ParamsOf<'argmax'>,
    [x]: readonly Aval[],
    _: Aval,
    [from]: readonly Operand[],
  ): Value => {
    const { dtype } = x!;
    const lines = linesOf(x!, Math.min(...axes), Math.max(...axes));
    const source: Source = { lines, dtype, operand: from! };
    const rows = lines.outer * lines.inner;
    // The positions found so far: of all elements, then of blocks of them.
    let found: Source | null = null;
    for (let { length } = lines; ; ) {
      const size = bestBlock(sequence.traits.threads, Math.min(fewest, length), Math.min(most, length), block => ({
        launches: Math.ceil(Math.log(length) / Math.log(Math.max(2, block))),
        // Threads that are not there wait.
        turns: block * Math.max(rows * Math.ceil(length / block), sequence.traits.threads),
      }));
      const block = length <= size * 2 && length <= most ? length : size;
      const count = Math.ceil(length / block);
      const candidates: Source | null = found;
      const reads = [from!, ...(candidates === null ? [] : [candidates.operand])];
      const blocks: Lines = { ...lines, length: count };
      const operand: Operand = launchLines(
        sequence,
        name,
        blocks,
        count === 1 ? 'int32' : 'float32',
        reads,
        (code, line, at) => {
          const f = new Floats(code);
          const candidate = (turn: Float): Float =>
            candidates === null ? turn : floatOf(code, loadAt(code, candidates, 1, line, turn));
          const first = f.mul(at, block);
          const start = f.of(candidate(first));
          const place = code.variable(start);
          const best = new Variable(code, loadAt(code, source, 0, line, start));
          code.loop(block - 1, ({ float: turn }) => {
            const next = f.add(f.add(first, turn), 1);
            if (length % block !== 0) code.leave(f.le(length, next));
            const other = f.of(candidate(next));
            const value = loadAt(code, source, 0, line, other);
            code.if(isBetter(code, dtype, name === 'argmax', value, best.value), () => {
              best.set(value);
              code.assign(place, other);
            });
          });
          return count === 1 ? scalarOfIndex(code, 'int32', place) : float(place);
        },
      );
      if (count === 1) return operand.value;
      found = { lines: blocks, dtype: 'float32', operand };
      length = count;
    }
  };

export const argmax = position('argmax');
export const argmin = position('argmin');

const runningPosition =
  (name: 'cumargmax' | 'cumargmin') =>
  (
    sequence: Sequence,
    { axis }: ParamsOf<'cumargmax'>,
    [x]: readonly Aval[],
    _: Aval,
    [from]: readonly Operand[],
  ): Value => {
    const { dtype } = x!;
    const lines = linesOf(x!, axis);
    const source: Source = { lines, dtype, operand: from! };
    const at = (code: Code, line: Line, place: Scalar): Scalar => loadAt(code, source, 0, line, floatOf(code, place));
    return scanned(sequence, {
      name,
      lines,
      reverse: false,
      reads: [from!],
      dtype: 'float32',
      finalDtype: 'int32',
      final: (code, place) => scalarOfIndex(code, 'int32', floatOf(code, place)),
      first: (_, __, place) => float(place),
      combine: (code, line, earlier, later) => {
        const wins = isAsGood(code, dtype, name === 'cumargmax', at(code, line, later), at(code, line, earlier));
        return float(new Floats(code).select(wins, floatOf(code, later), floatOf(code, earlier)));
      },
    }).value;
  };

export const cumargmax = runningPosition('cumargmax');
export const cumargmin = runningPosition('cumargmin');
