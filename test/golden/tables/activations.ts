/** How the groups `ops_unary` and `ops_nn` call activation functions. */
import {
  celu,
  elu,
  geglu,
  gelu,
  glu,
  greater,
  hardSigmoid,
  hardSwish,
  hardshrink,
  hardTanh,
  leakyRelu,
  logSigmoid,
  mish,
  mul,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  softshrink,
  softsign,
  type Tensor,
  tanhshrink,
  where,
} from 'tenfold';
import { type Args, type Operation, type Operations, withDerivative } from '../operations.js';
import { numberOf } from '../read.js';

const plain =
  (f: (x: Tensor) => Tensor): Operation =>
  ({ x }) =>
    f(x!);

/** A function with options, which have other names in the group. */
const tuned =
  (f: (x: Tensor, options: object) => Tensor, names: Readonly<Record<string, string>>): Operation =>
  ({ x }, args: Args) =>
    f(
      x!,
      Object.fromEntries(
        Object.entries(names)
          .filter(([, name]) => args[name] !== undefined)
          .map(([option, name]) => [option, numberOf(args[name])]),
      ),
    );

// PyTorch 1.13 rounds two constants of derivatives to float32 in float64 as well: 1/6 of hardsigmoid, alpha of celu. The
// derivatives compared are ours with the same rounding.
const { fround } = Math;

export const activations: Operations = {
  sigmoid: plain(sigmoid),
  log_sigmoid: plain(logSigmoid),
  silu: plain(silu),
  mish: plain(mish),
  gelu: plain(x => gelu(x)),
  gelu_tanh: plain(x => gelu(x, { approximate: 'tanh' })),
  relu: plain(relu),
  relu6: plain(relu6),
  hard_sigmoid: ({ x }) => {
    const y = hardSigmoid(x!);
    return withDerivative(y, mul(y, 6 * fround(1 / 6)));
  },
  hard_swish: plain(hardSwish),
  hardtanh: tuned(hardTanh, { low: 'min_val', high: 'max_val' }),
  softsign: plain(softsign),
  tanhshrink: plain(tanhshrink),
  softshrink: tuned(softshrink, { lambda: 'lambda' }),
  hardshrink: tuned(hardshrink, { lambda: 'lambda' }),
  selu: plain(selu),
  leaky_relu: tuned(leakyRelu, { negativeSlope: 'negative_slope' }),
  elu: tuned(elu, { alpha: 'alpha' }),
  celu: ({ x }, args) => {
    const alpha = numberOf(args.alpha);
    const rounded = celu(x!, { alpha: fround(alpha) });
    const derivative = where(greater(x!, 0), rounded, mul(rounded, alpha / fround(alpha))) as Tensor;
    return withDerivative(celu(x!, { alpha }), derivative);
  },
  softplus: tuned(softplus, { beta: 'beta', threshold: 'threshold' }),
  prelu: ({ x, weight }) => prelu(x!, weight!),
};

/** Of the group `ops_nn`. */
export const gated: Operations = {
  glu: tuned(glu, { axis: 'axis' }),
  geglu: tuned(geglu, { axis: 'axis' }),
};
