import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  AxisError,
  DTypeError,
  geglu,
  gelu,
  glu,
  grad,
  jit,
  logSigmoid,
  logSoftmax,
  mish,
  mul,
  relu,
  ShapeError,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  sum,
  type Tensor,
  tanhshrink,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { caught, close } from '../helpers.js';

const double = (values: readonly number[] | readonly (readonly number[])[]) => tensor(values, { dtype: 'float64' });
const x = [-20, -2, -0.5, 0, 0.5, 2, 20];
const { exp, log, sqrt, tanh, PI } = Math;

describe('values', () => {
  it('relu', () => {
    expect(relu(tensor([-1, -0, 0, 2, Infinity, -Infinity, NaN])).toArray()).toEqual([0, 0, 0, 2, Infinity, 0, NaN]);
    expect(relu(tensor([-3, 3], { dtype: 'int32' })).toArray()).toEqual([0, 3]);
    expect(relu(tensor([-3, 3], { dtype: 'int32' })).dtype).toBe('int32');
    expect(relu(tensor([true])).dtype).toBe('int32');
    expect(relu(double([-3, 3])).dtype).toBe('float64');
  });

  it('silu', () => {
    close(
      silu(double(x)),
      x.map(v => v / (1 + exp(-v))),
      1e-14,
    );
    close(silu(tensor([1000, -1000, Infinity])), [1000, 0, Infinity]);
  });

  it('gelu', () => {
    // torch.nn.functional.gelu in float64.
    const exact = [-0.04550026389635842, -0.15426876936299344, 0, 0.34573123063700656, 1.9544997361036416];
    close(gelu(double([-2, -0.5, 0, 0.5, 2])), exact, 1e-14);
    close(gelu(tensor([-2, -0.5, 0, 0.5, 2])), exact);
    const approximate = (v: number) => 0.5 * v * (1 + tanh(sqrt(2 / PI) * (v + 0.044715 * v ** 3)));
    close(gelu(double(x), { approximate: 'tanh' }), x.map(approximate), 1e-14);
    expect(gelu(double(x), { approximate: 'none' }).toArray()).toEqual(gelu(double(x)).toArray());
  });

  it('softplus', () => {
    close(
      softplus(double(x)),
      x.map(v => log(1 + exp(v))),
      1e-8,
    );
    close(softplus(double([-40, 40])), [exp(-40), 40], 1e-30);
    close(softplus(tensor([-1e4, 1e4, Infinity, -Infinity, NaN])), [0, 1e4, Infinity, 0, NaN]);
  });

  it('softmax', () => {
    close(softmax(double([0, log(3)])), [0.25, 0.75], 1e-15);
    close(
      softmax(
        tensor([
          [1e4, 1e4],
          [-1e4, 0],
        ]),
      ),
      [
        [0.5, 0.5],
        [0, 1],
      ],
    );
    close(
      softmax(
        tensor([
          [1e4, 1],
          [1e4, 1],
        ]),
        { axis: 0 },
      ),
      [
        [0.5, 0.5],
        [0.5, 0.5],
      ],
    );
    close(softmax(tensor([1, -Infinity])), [1, 0]);
    close(softmax(tensor([-Infinity, -Infinity])), [NaN, NaN]);
    close(softmax(tensor([0, 0], { dtype: 'int32' })), [0.5, 0.5]);
    close(
      sum(
        softmax(
          tensor([
            [
              [1, 2],
              [3, 4],
            ],
          ]),
          { axis: -2 },
        ),
        { axis: -2 },
      ),
      [[1, 1]],
    );
  });

  it('logSoftmax', () => {
    close(logSoftmax(double([0, log(3)])), [log(0.25), log(0.75)], 1e-15);
    close(logSoftmax(tensor([[1e4, 0]])), [[0, -1e4]]);
    close(
      logSoftmax(
        tensor([
          [1e4, 1],
          [1e4, 1],
        ]),
        { axis: 0 },
      ),
      [
        [-log(2), -log(2)],
        [-log(2), -log(2)],
      ],
    );
    close(logSoftmax(tensor([1, -Infinity])), [0, -Infinity]);
  });

  it('no elements', () => {
    expect(softmax(zeros([2, 0])).toArray()).toEqual([[], []]);
    expect(softmax(zeros([2, 0]), { axis: 0 }).shape).toEqual([2, 0]);
    expect(logSoftmax(zeros([0])).toArray()).toEqual([]);
    expect(gelu(zeros([0, 3])).shape).toEqual([0, 3]);
  });
});

describe('everywhere', () => {
  const softplusOf = (v: number): number => Math.max(v, 0) + Math.log1p(exp(-Math.abs(v)));
  /** The formula, then value and slope at −∞ and at ∞, and the second derivative at 0. */
  type Row = readonly [(x: Tensor) => Tensor, (v: number) => number, low: number[], high: number[], bend: number];
  const table: Readonly<Record<string, Row>> = {
    silu: [silu, v => v / (1 + exp(-v)), [NaN, NaN], [Infinity, NaN], 0.5],
    gelu: [v => gelu(v), () => NaN, [NaN, NaN], [Infinity, NaN], 2 / sqrt(2 * PI)],
    'gelu by tanh': [
      gelu({ approximate: 'tanh' }),
      v => 0.5 * v * (1 + tanh(sqrt(2 / PI) * (v + 0.044715 * v ** 3))),
      [NaN, NaN],
      [Infinity, NaN],
      2 / sqrt(2 * PI),
    ],
    mish: [mish, v => v * tanh(softplusOf(v)), [-0, 0], [Infinity, 1], 0.64],
    softplus: [v => softplus(v), softplusOf, [0, 0], [Infinity, 1], 0.25],
    'sharp softplus': [softplus({ beta: 4 }), v => softplusOf(4 * v) / 4, [0, 0], [Infinity, 1], 1],
    'cut softplus': [
      softplus({ beta: 2, threshold: 1 }),
      v => (2 * v > 1 ? v : softplusOf(2 * v) / 2),
      [0, 0],
      [Infinity, 1],
      0.5,
    ],
    logSigmoid: [logSigmoid, v => -softplusOf(-v), [-Infinity, 1], [-0, 0], -0.25],
    softsign: [softsign, v => v / (1 + Math.abs(v)), [-1, 0], [1, 0], 0],
    tanhshrink: [tanhshrink, v => v - tanh(v), [-Infinity, 1], [Infinity, 1], 0],
  };

  it.each(Object.entries(table))('%s', (name, [f, formula, [low, lowSlope], [high, highSlope], bend]) => {
    const points = [-1e4, -700, -50, -8, -3, -1, -0.5, -1e-9, 0, 1e-9, 0.5, 1, 3, 8, 50, 700, 1e4];
    if (name !== 'gelu') close(f(double(points)), points.map(formula), 1e-14);
    for (const dtype of ['float32', 'float64'] as const) {
      const ends = tensor([-Infinity, Infinity, NaN], { dtype });
      close(f(ends), [low!, high!, NaN]);
      close(grad((v: Tensor) => sum(f(v)))(ends) as Tensor, [lowSlope!, highSlope!, NaN]);
    }
    const slopeOf = (v: Tensor): Tensor => grad((w: Tensor) => sum(f(w)))(v) as Tensor;
    close(grad((v: Tensor) => sum(slopeOf(v)))(double([0])) as Tensor, [bend], 1e-12);
    const many = double([-1e30, -30, 0.1, 30, 1e30]);
    expect((slopeOf(many).toArray() as number[]).every(Number.isFinite)).toBe(true);
    expect(jit(f)(many).toArray()).toEqual(f(many).toArray());
    expect(vmap(f)(many).toArray()).toEqual(f(many).toArray());
  });

  it('keeps its digits where it is small', () => {
    const small = -6e10 / (1 + exp(2 * sqrt(2 / PI) * (6 + 0.044715 * 216)));
    close(mul(gelu(double([-6]), { approximate: 'tanh' }), 1e10), [small], 1e-12);
    close(mul(mish(double([-30])), 1e12), [-30e12 * tanh(Math.log1p(exp(-30)))], 1e-12);
  });
});

describe('gated units', () => {
  const x = tensor([
    [1, 2, -1, 0.5],
    [3, -4, 2, 0],
  ]);
  const [values, gates] = [
    tensor([
      [1, 2],
      [3, -4],
    ]),
    tensor([
      [-1, 0.5],
      [2, 0],
    ]),
  ];

  it('multiply the first half by a function of the second', () => {
    expect(glu(x).toArray()).toEqual(mul(values, sigmoid(gates)).toArray());
    expect(geglu(x).toArray()).toEqual(mul(values, gelu(gates)).toArray());
    expect(pipe(x, glu({ axis: 0 })).toArray()).toEqual([
      mul(tensor([1, 2, -1, 0.5]), sigmoid(tensor([3, -4, 2, 0]))).toArray(),
    ]);
    expect(vmap(glu)(x).toArray()).toEqual(glu(x).toArray());
    expect(glu(zeros([3, 0])).shape).toEqual([3, 0]);
    expect(glu(tensor([4, 0], { dtype: 'int32' })).toArray()).toEqual([2]);
  });

  it('refuse an odd length', () => {
    // @ts-expect-error geglu: axis 1 has the odd length 3
    for (const f of [glu, geglu]) expect(caught(() => f(zeros([2, 3])))).toBeInstanceOf(ShapeError);
    expect(glu(zeros([2, 3]), { axis: -2 }).shape).toEqual([1, 3]);
  });
});

describe('derivatives', () => {
  const slope = (f: (x: Tensor) => Tensor, at: number): number =>
    (grad((v: Tensor) => sum(f(v)))(tensor(at, { dtype: 'float64' })) as Tensor).item() as number;

  it('at 0 and far out', () => {
    expect(slope(relu, 0)).toBe(0);
    expect(slope(relu, 2)).toBe(1);
    close(slope(softplus, 0), 0.5, 1e-15);
    close(slope(softplus, 1000), 1, 1e-15);
    close(slope(softplus, -1000), 0, 1e-15);
    close(slope(silu, 0), 0.5, 1e-15);
    close(slope(gelu, 0), 0.5, 1e-15);
    close(slope(gelu({ approximate: 'tanh' }), 0), 0.5, 1e-15);
  });

  it('agree with differences', () => {
    for (const f of [silu, softplus, (v: Tensor) => gelu(v), gelu({ approximate: 'tanh' })] as ((
      x: Tensor,
    ) => Tensor)[]) {
      for (const at of [-1.5, 0.3, 2]) {
        const value = (v: number) => f(tensor(v, { dtype: 'float64' })).item() as number;
        close(slope(f, at), (value(at + 1e-6) - value(at - 1e-6)) / 2e-6, 1e-8);
      }
    }
  });

  it('of softmax and logSoftmax', () => {
    const first = (f: (x: Tensor) => Tensor) =>
      grad((v: Tensor) => sum(mul(f(v), tensor([1, 0]))))(double([0, log(3)]));
    close(first(v => softmax(v)) as Tensor, [0.25 * 0.75, -0.25 * 0.75], 1e-14);
    close(first(v => logSoftmax(v)) as Tensor, [0.75, -0.75], 1e-14);
  });
});

describe('argument order', () => {
  it('options last', () => {
    const y = double([
      [1, 2],
      [3, 4],
    ]);
    expect(pipe(y, softmax({ axis: 0 })).toArray()).toEqual(softmax(y, { axis: 0 }).toArray());
    expect(pipe(y, softmax()).toArray()).toEqual(softmax(y).toArray());
    expect(pipe(y, logSoftmax({ axis: 0 })).toArray()).toEqual(logSoftmax(y, { axis: 0 }).toArray());
    expect(pipe(y, gelu({ approximate: 'tanh' })).toArray()).toEqual(gelu(y, { approximate: 'tanh' }).toArray());
    expect(pipe(y, relu, silu, softplus).shape).toEqual([2, 2]);
  });
});

describe('errors', () => {
  it.each<[string, (x: Tensor) => unknown]>([
    ['relu', relu],
    ['silu', silu],
    ['gelu', x => gelu(x)],
    ['softplus', softplus],
    ['softmax', x => softmax(x)],
    ['logSoftmax', x => logSoftmax(x)],
  ])('%s of uint8 and of no tensor', (name, f) => {
    const error = caught(() => f(tensor([1], { dtype: 'uint8' })));
    expect(error).toBeInstanceOf(DTypeError);
    expect(error.message).toMatch(new RegExp(`^${name}: got a tensor of uint8; `));
    const other = caught(() => f(5 as unknown as Tensor));
    expect(other).toBeInstanceOf(ArgumentError);
    expect(other.message).toMatch(new RegExp(`^${name}: got (?:number 5|the number 5 in the place of the options); `));
  });

  it.each([
    ['softmax', softmax],
    ['logSoftmax', logSoftmax as typeof softmax],
  ] as const)('%s of an axis that is not there', (name, f) => {
    // @ts-expect-error softmax: axis 2 is out of range for rank 2
    const error = caught(() => f(zeros([2, 3]), { axis: 2 }));
    expect(error).toBeInstanceOf(AxisError);
    expect(error.message).toMatch(new RegExp(`^${name}: got axis 2 and the shape \\[2, 3\\]; `));
    expect(caught(() => f(tensor(1)))).toBeInstanceOf(AxisError);
    const option = caught(() => f(zeros([2]), { dim: 0 } as object));
    expect(option).toBeInstanceOf(ArgumentError);
    expect(option.message).toMatch(new RegExp(`^${name}: got the option dim; `));
    expect(caught(() => f(zeros([2]), 0 as never)).message).toMatch(
      new RegExp(`^${name}: got the number 0 in the place of the options; `),
    );
  });

  it('gelu of an unknown approximation', () => {
    const error = caught(() => gelu(zeros([1]), { approximate: 'sigmoid' as 'tanh' }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/^gelu: got approximate: sigmoid; /);
  });
});
