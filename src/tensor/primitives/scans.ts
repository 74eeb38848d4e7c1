/** What each element makes of those before it along an axis. */
import { DTypeError } from '../errors.js';
import type { Node } from '../graph.js';
import { type Aval, sameAval, showAval } from '../shape.js';
import type { Movement, Structured } from './kinds.js';
import type { Build, ScanParams } from './signatures.js';

/** The elements one place further towards the start (the end, if `by` is −1), with a zero behind them. */
const shifted = (b: Build, x: Node, axis: number, by: 1 | -1): Node => {
  const { shape } = x;
  const none = shape.map(() => 0);
  if (shape[axis] === 0) return x;
  const kept = b.slice(x, {
    start: by === 1 ? none : none.with(axis, 1),
    stop: by === 1 ? shape.with(axis, shape[axis]! - 1) : shape,
    step: shape.map(() => 1),
  });
  const one = none.with(axis, 1);
  return b.pad(kept, { low: by === 1 ? one : none, high: by === 1 ? none : one, interior: none });
};

/** What stands before each element on the way along the axis, a zero before the first. */
export const before = (b: Build, h: Node, { axis, reverse }: ScanParams): Node => shifted(b, h, axis, reverse ? -1 : 1);

const numbers = (name: string, inputs: readonly Aval[]): Aval => {
  const first = inputs[0]!;
  const counts = first.dtype !== 'bool' && first.dtype !== 'uint8' && inputs.every(input => sameAval(input, first));
  if (counts) return { shape: first.shape, dtype: first.dtype };
  throw new DTypeError({
    operation: name,
    given: inputs.map(showAval).join(' and '),
    rule: 'scans compute on float32, float64, int32 and uint32, of one shape',
    hint: "Cast first: cast(x, 'int32').",
  });
};

/** Linear, so it stands with what moves elements. */
export const cumsum: Movement<ScanParams> = {
  kind: 'movement',
  aval: inputs => numbers('cumsum', inputs),
  linear: () => true,
  transpose: (b, ct, _, { axis, reverse }) => b.cumsum(ct, { axis, reverse: !reverse }),
  batch: (b, [x], _, { axis, reverse }) => b.cumsum(x!, { axis: axis + 1, reverse }),
  view: null,
};

export const recurrence: Structured<ScanParams> = {
  kind: 'structured',
  aval: inputs => numbers('recurrence', inputs),
  jvp: (b, _, [factors, x], [factorTangent, tangent], params) => {
    const h = b.recurrence(factors!, x!, params);
    const terms = factorTangent == null ? null : b.mul(factorTangent, before(b, h, params));
    const sum = terms === null ? tangent! : tangent == null ? terms : b.add(terms, tangent);
    return { outputs: [h], tangents: [b.recurrence(factors!, sum, params)] };
  },
  vjp: (b, _, [factors, x], wanted, params) => {
    const h = b.recurrence(factors!, x!, params);
    const pullback = ([ct]: readonly (Node | null)[]): readonly (Node | null)[] => {
      if (ct == null) return [null, null];
      const { axis, reverse } = params;
      // What a result adds to the ones behind it comes back from them.
      const next = shifted(b, factors!, axis, reverse ? 1 : -1);
      const back = b.recurrence(next, ct, { axis, reverse: !reverse });
      return [wanted[0] ? b.mul(back, before(b, h, params)) : null, wanted[1] ? back : null];
    };
    return { outputs: [h], pullback };
  },
  batch: (b, _, inputs, batched, { axis, reverse }, size) => {
    const [factors, x] = inputs.map((x, i) => (batched[i] ? x : b.broadcast(x, { shape: [size, ...x.shape] })));
    return { outputs: [b.recurrence(factors!, x!, { axis: axis + 1, reverse })], batched: [true] };
  },
};

/** The positions of the extremes so far. */
export const runningPosition = (op: 'cumargmax' | 'cumargmin'): Structured<{ axis: number }> => ({
  kind: 'structured',
  aval: inputs => ({ shape: numbers(op, inputs).shape, dtype: 'int32' }),
  jvp: (b, _, [x], __, params) => ({ outputs: [b[op](x!, params)], tangents: [null] }),
  vjp: { none: 'its results are positions, so there is no tangent' },
  batch: (b, _, [x], __, { axis }) => ({ outputs: [b[op](x!, { axis: axis + 1 })], batched: [true] }),
});
