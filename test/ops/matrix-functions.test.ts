/** Powers, exponentials and norms of matrices beyond the goldens. */
import { pipe } from 'fp-ts/lib/function.js';
import {
  expm,
  grad,
  jit,
  jvp,
  matmul,
  matrixNorm,
  matrixPower,
  mul,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

type Rows = readonly (readonly number[])[];
type Map = (x: Tensor) => Tensor;

const double = (values: Rows | readonly Rows[]): Tensor => tensor(values, { dtype: 'float64' }) as Tensor;

const rowsOf = (x: Tensor): number[][] => x.toArray() as number[][];

const combine = (x: Rows, y: Rows, by: number): number[][] => x.map((row, i) => row.map((v, j) => v + by * y[i]![j]!));

const times = (x: Rows, y: Rows): number[][] =>
  x.map(row => y[0]!.map((_, j) => row.reduce((total, v, k) => total + v * y[k]![j]!, 0)));

const eye: Rows = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const a: Rows = [
  [0.5, -1.2, 0.3],
  [2.1, 0.4, -0.8],
  [-0.6, 1.1, 1.5],
];
const direction: Rows = [
  [0.3, 0.8, -0.4],
  [-0.9, 0.1, 0.6],
  [0.2, -0.5, 0.7],
];
const weights = double([
  [1, -2, 0.5],
  [0.3, 1.7, -1.1],
  [0.9, -0.4, 2],
]);

/** Derivatives in both modes and twice against central differences, along one direction. */
const checkDerivatives = (f: Map, at: Rows, tolerance: number): void => {
  const h = 1e-5;
  const [x, v] = [double(at), double(direction)];
  const differences = (g: Map): number[][] => {
    const [up, down] = [h, -h].map(by => rowsOf(g(double(combine(at, direction, by)))));
    return combine(up!, down!, -1).map(row => row.map(value => value / (2 * h)));
  };
  const forward = (g: Map, y: Tensor): Tensor => jvp(g as never, [y] as never, [v] as never)[1] as Tensor;
  close(forward(f, x), differences(f), tolerance);
  close(
    forward(y => forward(f, y), x),
    differences(y => forward(f, y)),
    tolerance,
  );
  const loss = (y: Tensor): Tensor => sum(mul(f(y), weights)) as Tensor;
  const slope: Map = y => grad(loss as never)(y as never) as Tensor;
  const along = (x0: Rows): number => x0.flat().reduce((total, value, i) => total + value * direction.flat()[i]!, 0);
  const [up, down] = [h, -h].map(by => loss(double(combine(at, direction, by))).item() as number);
  close([along(rowsOf(slope(x)))], [(up! - down!) / (2 * h)], tolerance);
  const second: Map = y => grad(((z: Tensor) => sum(mul(slope(z), v))) as never)(y as never) as Tensor;
  close(second(x), differences(slope), tolerance);
};

describe('matrixPower', () => {
  it('multiplies as often as it says', () => {
    let expected = eye;
    for (let n = 0; n < 12; n++) {
      close(matrixPower(double(a), n), expected, 1e-12);
      expected = times(expected as number[][], a);
    }
    const fibonacci = tensor(
      [
        [1, 1],
        [1, 0],
      ],
      { dtype: 'int32' },
    );
    expect(matrixPower(fibonacci, 40).toArray()).toEqual([
      [165580141, 102334155],
      [102334155, 63245986],
    ]);
  });

  it('inverts for negative exponents', () => {
    for (const n of [1, 2, 5]) {
      close(matmul(matrixPower(double(a), -n), matrixPower(double(a), n)) as Tensor, eye, 1e-11);
      close(
        pipe(double([a, direction]), matrixPower(-n)),
        [a, direction].map(x => rowsOf(matrixPower(double(x), -n))),
        1e-12,
      );
    }
  });

  it('keeps its dtype', () => {
    expect(matrixPower(zeros([2, 3, 3], { dtype: 'bool' }), 2).dtype).toBe('int32');
    expect(matrixPower(zeros([2, 3, 3]), 0).shape).toEqual([2, 3, 3]);
  });

  for (const n of [1, 2, 5, -1, -3]) {
    it(`derivatives of the power ${n}`, () => checkDerivatives(x => matrixPower(x, n), a, 2e-6));
  }
});

describe('expm', () => {
  for (const dtype of ['float32', 'float64'] as const) {
    const tolerance = dtype === 'float32' ? 1e-5 : 1e-12;
    const make = (values: Rows | readonly Rows[]): Tensor => tensor(values, { dtype }) as Tensor;

    it(`of matrices whose exponential is known, ${dtype}`, () => {
      const diagonal = [
        [1, 0, 0],
        [0, -2, 0],
        [0, 0, 0],
      ];
      close(
        expm(make(diagonal)),
        [
          [Math.E, 0, 0],
          [0, Math.exp(-2), 0],
          [0, 0, 1],
        ],
        tolerance,
      );
      const nilpotent = [
        [0, 2, 3],
        [0, 0, 4],
        [0, 0, 0],
      ];
      close(
        expm(make(nilpotent)),
        [
          [1, 2, 7],
          [0, 1, 4],
          [0, 0, 1],
        ],
        tolerance,
      );
      for (const angle of [0, 1e-4, 0.7, 3, 20]) {
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        close(
          expm(
            make([
              [0, angle],
              [-angle, 0],
            ]),
          ),
          [
            [c, s],
            [-s, c],
          ],
          10 * tolerance,
        );
      }
      close(
        expm(
          make([
            [-1e6, 0],
            [0, -3e4],
          ]),
        ),
        [
          [0, 0],
          [0, 0],
        ],
        tolerance,
      );
    });

    it(`each matrix of a batch with its own scale, ${dtype}`, () => {
      const batch = [0.01, 1, 6, 40].map(angle => [
        [0, angle],
        [-angle, 0],
      ]);
      const alone = batch.map(x => rowsOf(expm(make(x))));
      close(expm(make(batch)), alone, 0);
      close((vmap(expm as Map) as Map)(make(batch)), alone, tolerance);
      close((jit(expm as Map) as Map)(make(batch)), alone, tolerance);
    });
  }

  it('is inverted by the opposite', () => {
    for (const scale of [0.1, 1, 4]) {
      const x = mul(double(a), scale) as Tensor;
      close(matmul(expm(x), expm(mul(x, -1) as Tensor)) as Tensor, eye, 1e-8);
    }
  });

  it('is its series', () => {
    let [term, total]: Rows[] = [eye, eye];
    for (let k = 1; k < 60; k++) {
      term = times(term!, a).map(row => row.map(v => v / k));
      total = combine(total!, term, 1);
    }
    close(expm(double(a)), total!, 1e-13);
  });

  it('what is too large or no number stays alone', () => {
    const nan = Number.NaN;
    const bad = [
      [nan, nan],
      [nan, nan],
    ];
    const batch = [
      [
        [nan, 0],
        [0, 1],
      ],
      [
        [1e11, 0],
        [0, 1],
      ],
      [
        [Number.POSITIVE_INFINITY, 0],
        [0, 0],
      ],
      [
        [0, 1],
        [0, 0],
      ],
    ];
    close(
      expm(double(batch)),
      [
        bad,
        bad,
        bad,
        [
          [1, 1],
          [0, 1],
        ],
      ],
      1e-15,
    );
  });

  it('of nothing', () => {
    expect(expm(zeros([0, 0])).shape).toEqual([0, 0]);
    expect(expm(zeros([0, 3, 3])).shape).toEqual([0, 3, 3]);
    expect(expm(zeros([2, 2], { dtype: 'int32' })).dtype).toBe('float32');
  });

  it('derivatives without squarings', () => checkDerivatives(expm as Map, a, 1e-6));

  it('derivatives with squarings', () => {
    const turning = [
      [0, 9, -2],
      [-9, 0, 4],
      [2, -4, 0],
    ];
    checkDerivatives(expm as Map, turning, 1e-6);
  });
});

describe('matrixNorm', () => {
  const b: Rows = [
    [1, -2, 0.5, 4],
    [0, 3, -1, 0.25],
    [-6, 2, 2, 1],
  ];
  const rows = b.map(row => row.reduce((total, v) => total + Math.abs(v), 0));
  const columns = b[0]!.map((_, j) => b.reduce((total, row) => total + Math.abs(row[j]!), 0));
  const expected = [
    ['fro', Math.hypot(...b.flat())],
    [1, Math.max(...columns)],
    [-1, Math.min(...columns)],
    [Number.POSITIVE_INFINITY, Math.max(...rows)],
    [Number.NEGATIVE_INFINITY, Math.min(...rows)],
  ] as const;

  for (const [ord, value] of expected) {
    it(`of order ${ord}`, () => {
      close(matrixNorm(double(b), { ord }), value, 1e-14);
      const doubled = b.map(row => row.map(v => -2 * v));
      close(pipe(double([b, doubled]), matrixNorm({ ord })), [value, 2 * value], 1e-14);
      close(matrixNorm(double([b, doubled]), { ord, keepDims: true }), [[[value]], [[2 * value]]], 1e-14);
      close(
        (vmap((x: Tensor) => matrixNorm(x, { ord }) as Tensor) as Map)(double([b, doubled])),
        [value, 2 * value],
        1e-14,
      );
      checkDerivatives(x => mul(matrixNorm(x, { ord, keepDims: true }), x) as Tensor, a, 1e-6);
    });
  }

  it('of nothing', () => {
    expect(matrixNorm(zeros([2, 3, 0])).toArray()).toEqual([0, 0]);
    expect(matrixNorm(zeros([0, 3]), { ord: 1 }).item()).toBe(0);
    close(
      grad(((x: Tensor) => matrixNorm(x)) as never)(zeros([2, 2]) as never) as Tensor,
      [
        [0, 0],
        [0, 0],
      ],
      0,
    );
  });
});
