/** Attention of some queries at a time, so that the scores of all never stand in memory together. */
import { attention } from '../tensor/ops/contraction/attention.js';
import { arange, zeros } from '../tensor/ops/creation/creation.js';
import { add } from '../tensor/ops/elementwise/arithmetic.js';
import { where } from '../tensor/ops/elementwise/comparison.js';
import { logicalAnd } from '../tensor/ops/elementwise/logic.js';
import { concat } from '../tensor/ops/movement/joining.js';
import { moveAxis, reshape } from '../tensor/ops/movement/movement.js';
import { slice } from '../tensor/ops/movement/slicing.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkpoint } from '../tensor/transform/checkpoint.js';
import { scan } from '../tensor/transform/loops.js';
import { inOrder, type Seen } from './attention-masks.js';

/** What a block of queries needs: they themselves, their rows of the mask, and the position of the first of them. */
interface Block {
  readonly q: Tensor;
  readonly mask: Tensor | null;
  readonly start: Tensor;
}

/** Rows of the last but one axis. */
const rowsOf = (x: Tensor, from: number, to: number): Tensor => {
  const lead = x.shape.slice(0, -2).map(() => 0);
  return slice(x, [...lead, from, 0], [...x.shape.slice(0, -2), to, x.shape.at(-1)!]) as Tensor;
};

/** `[…, count · size, n]` as `[count, …, size, n]`. */
const cut = (x: Tensor, count: number): Tensor => {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const blocks = reshape(x, [...x.shape.slice(0, -2), count, rows / count, columns]) as Tensor;
  return moveAxis(blocks, -3, 0) as Tensor;
};

/** The inverse of {@link cut}. */
const joined = (x: Tensor): Tensor => {
  const y = moveAxis(x, 0, -3) as Tensor;
  const [count, size, columns] = y.shape.slice(-3) as [number, number, number];
  return reshape(y, [...y.shape.slice(0, -3), count * size, columns]) as Tensor;
};

/** Attention of queries from a position on. */
const attended = ({ q, mask, start }: Block, k: Tensor, v: Tensor, causal: boolean, more: number): Tensor => {
  if (!causal) return attention(q, k, v, mask === null ? {} : { mask }) as Tensor;
  const at = add(arange(q.shape.at(-2)!, { dtype: 'int32' }), start) as Tensor;
  const before = inOrder(at, k.shape.at(-2)!, more);
  const both =
    mask === null
      ? before
      : mask.dtype === 'bool'
        ? logicalAnd(before, mask)
        : where(before, mask, Number.NEGATIVE_INFINITY);
  return attention(q, k, v, { mask: both as Tensor }) as Tensor;
};

/** How many queries are answered at a time, if nothing is said. */
export const usualBlock = 256;

/**
 * As the operation `attention`, `size` queries at a time: the memory grows with the number of queries, not with that times the
 * number of keys, and a derivative computes the weights of each block anew.
 */
export const attentionInBlocks = (
  [q, k, v]: readonly [Tensor, Tensor, Tensor],
  { mask, causal = false, more = 0 }: Seen = {},
  size: number = usualBlock,
): Tensor => {
  const length = q.shape.at(-2)!;
  if (length <= size && causal && more > 0) {
    return attended({ q, mask: mask ?? null, start: zeros([], { dtype: 'int32' }) }, k, v, causal, more);
  }
  if (length <= size) return attention(q, k, v, { causal, ...(mask === undefined ? {} : { mask }) }) as Tensor;
  const count = Math.floor(length / size);
  const whole = count * size;
  // A mask that is the same for all queries goes to each of the blocks as it is.
  const hasRows = mask !== undefined && mask.shape.length > 1 && mask.shape.at(-2)! > 1;
  const rows = (from: number, to: number): Tensor | null => (hasRows ? rowsOf(mask, from, to) : (mask ?? null));
  const step = checkpoint((block: Block, keys: Tensor, values: Tensor) => attended(block, keys, values, causal, more));
  const starts = arange(0, whole, size, { dtype: 'int32' }) as Tensor;
  const sequences = {
    q: cut(rowsOf(q, 0, whole), count),
    start: starts,
    ...(hasRows ? { mask: cut(rows(0, whole)!, count) } : {}),
  };
  const shared = hasRows ? null : (mask ?? null);
  const [, blocks] = scan((carry: null, each: Omit<Block, 'mask'> & { readonly mask?: Tensor }) => {
    const block = { q: each.q, start: each.start, mask: each.mask ?? shared };
    return [carry, step(block, k, v)] as const;
  })(null, sequences as never);
  const most = joined(blocks);
  if (whole === length) return most;
  const rest = {
    q: rowsOf(q, whole, length),
    mask: rows(whole, length),
    start: slice(add(starts, size) as Tensor, [count - 1], [count]) as Tensor,
  };
  return concat([most, step(rest, k, v)], { axis: -2 }) as Tensor;
};
