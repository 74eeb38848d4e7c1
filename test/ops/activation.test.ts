import { pipe } from 'fp-ts/lib/function.js';
import {
  ArgumentError,
  AxisError,
  DTypeError,
  gelu,
  grad,
  logSoftmax,
  mul,
  relu,
  silu,
  softmax,
  softplus,
  sum,
  type Tensor,
  tensor,
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
    expect(other.message).toMatch(new RegExp(`^${name}: got number 5; `));
  });

  it.each([
    ['softmax', softmax],
    ['logSoftmax', logSoftmax],
  ] as const)('%s of an axis that is not there', (name, f) => {
    const error = caught(() => f(zeros([2, 3]), { axis: 2 }));
    expect(error).toBeInstanceOf(AxisError);
    expect(error.message).toMatch(new RegExp(`^${name}: got axis 2 and the shape \\[2, 3\\]; `));
    expect(caught(() => f(tensor(1)))).toBeInstanceOf(AxisError);
    const option = caught(() => f(zeros([2]), { dim: 0 } as object));
    expect(option).toBeInstanceOf(ArgumentError);
    expect(option.message).toMatch(new RegExp(`^${name}: got the option dim; `));
    expect(caught(() => f(zeros([2]), 0 as never)).message).toMatch(new RegExp(`^${name}: got number 0; `));
  });

  it('gelu of an unknown approximation', () => {
    const error = caught(() => gelu(zeros([1]), { approximate: 'sigmoid' as 'tanh' }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toMatch(/^gelu: got approximate: sigmoid; /);
  });
});
