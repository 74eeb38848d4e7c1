/**
 * The incomplete gamma and beta functions against values computed with 60 digits by mpmath 1.3, against sums that are
 * exact for integers, and their derivatives against each other.
 */
import { betainc, erf, gammainc, gammaincc, grad, jit, jvp, mul, sqrt, sum, type Tensor, tensor, vmap } from 'tenfold';
import { describe, expect, it } from 'vitest';
import { close } from '../helpers.js';

const f64 = (x: readonly number[]): Tensor => tensor(Float64Array.from(x)) as Tensor;

const numbers = (x: unknown): readonly number[] => Array.from((x as Tensor).dataSync() as ArrayLike<number>);

/** Each within a part of itself, and of what is given beside it. */
const near = (got: unknown, wanted: readonly number[], relative: number, absolute?: readonly number[]): void => {
  const off = numbers(got).map(
    (y, i) => Math.abs(y - wanted[i]!) - relative * Math.abs(wanted[i]!) - (absolute?.[i] ?? 0),
  );
  // NaN is no number that is not above 0 either.
  expect(off.flatMap((d, i) => (d <= 0 ? [] : [{ row: i, got: numbers(got)[i], wanted: wanted[i] }]))).toEqual([]);
};

/** a, x, P(a, x), Q(a, x), ∂P/∂a. */
const gammas: readonly (readonly [number, number, number, number, number])[] = [
  [0.001, 1e-6, 0.9868481336940766, 0.013151866305923335, -13.065809708321314],
  [0.001, 0.9, 0.9997395703001782, 0.0002604296998218178, -0.2606753804809487],
  [0.001, 1.1, 0.9998138054911445, 0.00018619450885552083, -0.18639808223652354],
  [0.001, 30, 1.0, 3.033689506589931e-18, -3.0458488566425612e-15],
  [0.05, 0.02, 0.8439212861136915, 0.15607871388630842, -2.8965412100438876],
  [0.3, 1, 0.9156741562411088, 0.08432584375889124, -0.33631980541990336],
  [0.3, 2.5, 0.9881546781546887, 0.011845321845311337, -0.05548343530682047],
  [0.5, 0.0001, 0.011283415555849618, 0.9887165844441503, -0.10433633085164666],
  [0.9, 1.0001, 0.6754268651560237, 0.3245731348439763, -0.43297135215127563],
  [1, 3, 0.950212931632136, 0.049787068367863944, -0.09648294199134635],
  [1.5, 0.2, 0.05975750516063926, 0.9402424948393607, -0.14014097074353124],
  [1.5, 60, 1.0, 7.716790355634159e-26, -3.1441163671093408e-25],
  [2.5, 1, 0.15085496391539036, 0.8491450360846097, -0.1800996069540415],
  [5, 4.9, 0.5417881317722046, 0.4582118682277953, -0.18307084618050695],
  [5, 5.1, 0.5768745855814007, 0.42312541441859935, -0.17945272016330552],
  [7.25, 100, 1.0, 1.0853089119482714e-34, -2.9360402028199824e-34],
  [9.9, 3, 0.0012529823262899071, 0.9987470176737101, -0.0015976653347534512],
  [10.1, 25, 0.9997547867202063, 0.00024521327979368663, -0.0002484079672215695],
  [30, 0.5, 2.1644672981498644e-42, 1.0, -8.89909183682752e-42],
  [40, 41, 0.5829485789294043, 0.4170514210705957, -0.06166982796290203],
  [100, 60, 1.4815276326460468e-6, 0.9999985184723673, -7.841202331593656e-7],
  [100, 170, 0.9999999975699227, 2.430077261155182e-9, -1.3342471355567492e-9],
  [333.3, 333.3, 0.5072841410130617, 0.4927158589869382, -0.021857526028790288],
  [1000, 800, 5.5014197761792284e-12, 0.9999999999944986, -1.251364571083481e-12],
  [1000, 1250, 0.9999999999998926, 1.0740080231386176e-13, -2.4433349271907984e-14],
  [2500, 5000, 1.0, 0.0, -0.0],
  [1e4, 9500, 1.862454651795155e-7, 0.9999998137545348, -9.892319012214694e-9],
  [1e4, 1e4, 0.5013298083399552, 0.4986701916600448, -0.003989456049453668],
  [1e4, 10400, 0.999961119829426, 3.88801705739882e-5, -1.6142448367768302e-6],
  [1e4, 12000, 1.0, 3.3272024923451615e-79, -6.0844086003347594e-80],
  [0.001, 1e-300, 0.5014761980108866, 0.4985238019891134, -346.11884978531333],
  [170, 1, 5.098831086239797e-308, 1.0, -2.620172596340993e-307],
];

/** a, b, x, I(a, b, x), ∂I/∂a, ∂I/∂b. */
const betas: readonly (readonly [number, number, number, number, number, number])[] = [
  [0.001, 0.001, 0.3, 0.49957696213967645, -250.21153453977456, 249.78910661399016],
  [0.001, 0.001, 0.999, 0.5034406643608944, -248.28048234356177, 251.70846785173043],
  [0.001, 50, 1e-5, 0.9929896662924815, -6.98650908698762, 2.004959495743846e-5],
  [0.001, 1e4, 0.0001, 0.9997803916614333, -0.21983269144794296, 3.681099132785223e-8],
  [0.5, 0.5, 1e-8, 6.366197734286143e-5, -0.0012117666744976801, 8.825423999594445e-5],
  [0.5, 0.5, 0.75, 0.6666666666666666, -0.4307545962926007, 0.6461318944389011],
  [0.1, 7, 0.02, 0.8487649743957226, -1.4410197719711408, 0.011460927458601299],
  [7, 0.1, 0.98, 0.15123502560427732, -0.011460927458601299, 1.4410197719711402],
  [7, 0.1, 0.4, 4.391463576363275e-5, -4.549435851835313e-5, 0.0005214912279241598],
  [2.5, 3, 0.1, 0.02148372385376893, -0.03893771767932822, 0.013212323877598088],
  [2.5, 3, 0.45, 0.5023999278774635, -0.2031817625491469, 0.16602632837070466],
  [2.5, 3, 0.99, 0.999993511180263, -5.842611469349977e-6, 2.758487991523802e-5],
  [1, 1, 0.37, 0.37, -0.36787334113723075, 0.29108233954583196],
  [12, 15, 0.2, 0.0023430252908282186, -0.0020689427204083543, 0.0009457861110930138],
  [12, 15, 0.9, 0.99999999737743, -1.931695876025151e-9, 4.64566360326595e-9],
  [100, 1.5, 0.99, 0.5692831794033117, -0.004156236232109687, 0.3727210475549879],
  [100, 1.5, 0.6, 4.714365947528646e-22, -2.3851619084355407e-22, 1.7335128769575834e-21],
  [100, 130, 0.43, 0.444134901864242, -0.029897140434390568, 0.022766261865798505],
  [100, 130, 0.3, 8.422010531118238e-6, -3.2775701861636034e-6, 1.888773865989978e-6],
  [1000, 3, 0.997, 0.4215092378695258, -0.0006714482795676609, 0.2361851187952039],
  [300, 4000, 0.07, 0.5306734225652895, -0.02214621862259873, 0.00166308611949026],
  [300, 4000, 0.05, 1.014514632174996e-8, -3.4719213449630013e-9, 2.1902960801576355e-10],
  [4000, 300, 0.93, 0.46932657743471623, -0.0016630861194902615, 0.022146218622598756],
  [1e4, 1e4, 0.5, 0.5, -0.002821006688412662, 0.002821006688412662],
  [1e4, 1e4, 0.49, 0.0023370593301101496, -5.2150466759684553e-5, 5.111772459437201e-5],
  [1e4, 1e4, 0.52, 0.9999999923892608, -3.07314509179736e-10, 3.1986126759626307e-10],
  [1e4, 0.001, 0.9999, 0.00021960833856670664, -3.6810991327856277e-8, 0.21983269144798354],
  [1e4, 20, 0.9985, 0.8737914109014991, -8.425247196553593e-5, 0.04884509464751484],
];

const column = (rows: readonly (readonly number[])[], k: number): number[] => rows.map(row => row[k]!);

const total =
  (f: (x: Tensor) => unknown) =>
  (x: Tensor): Tensor =>
    sum(f(x) as Tensor) as Tensor;

/** The derivative of a function of each element. */
const slope = (f: (x: Tensor) => unknown, x: Tensor): Tensor => grad(total(f))(x) as Tensor;

const columnsOf = (rows: readonly (readonly number[])[], count: number): Tensor[] =>
  Array.from({ length: count }, (_, k) => f64(column(rows, k)));

describe('gammainc and gammaincc', () => {
  const [a, x] = columnsOf(gammas, 2) as [Tensor, Tensor];
  const [lower, upper, inShape] = [2, 3, 4].map(k => column(gammas, k)) as [number[], number[], number[]];
  const mirrored = inShape.map(y => -y);

  it('are right to 12 digits, small values too', () => {
    near(gammainc(a, x), lower, 1e-12);
    near(gammaincc(a, x), upper, 1e-12);
  });

  it('float32 is the rounded value', () => {
    const single = (y: readonly number[]): Tensor => tensor(Float32Array.from(y)) as Tensor;
    // Shapes and places that float32 holds.
    const [p, q] = [
      [0.5, 1.5, 3, 40],
      [0.25, 2.5, 7, 30],
    ];
    const result = gammainc(single(p!), single(q!));
    expect(result.dtype).toBe('float32');
    near(result, numbers(gammainc(f64(p!), f64(q!))), 2 ** -24);
    near(
      slope(y => gammainc(y, single(q!)), single(p!)),
      numbers(slope(y => gammainc(y, f64(q!)), f64(p!))),
      2 ** -23,
    );
  });

  it('of integers are sums: Q(n, x) = e⁻ˣ Σ xᵏ / k!', () => {
    const places = [0.3, 1, 2.7, 9, 22];
    for (const n of [1, 2, 5, 11]) {
      const wanted = places.map(y => {
        let [term, whole] = [Math.exp(-y), 0];
        for (let k = 0; k < n; k++) {
          whole += term;
          term *= y / (k + 1);
        }
        return whole;
      });
      near(gammaincc(n, f64(places)), wanted, 1e-13);
    }
  });

  it('of ½ are error functions', () => {
    const places = f64([1e-8, 0.01, 0.4, 1, 1.2, 6]);
    near(gammainc(0.5, places), numbers(erf(sqrt(places))), 1e-14);
  });

  it('far beyond the table: the median of large shapes, and shapes near 0', () => {
    // The median of a is a − 1/3 + O(1/a).
    near(gammainc(f64([1e8, 1e12]), f64([1e8 - 1 / 3, 1e12 - 1 / 3])), [0.5, 0.5], 1e-9);
    // Q(a, x) / a tends to E₁(x) = 0.5597735947761608 at x = ½.
    near(gammaincc(f64([1e-12, 1e-200]), 0.5), [0.5597735947761608e-12, 0.5597735947761608e-200], 1e-11);
  });

  it('at the ends as SciPy has it', () => {
    const inf = Number.POSITIVE_INFINITY;
    const nan = Number.NaN;
    const p = [0, 0, 1, 2, inf, inf, inf, -1, 1, nan, 1, 0.5];
    const q = [1, 0, 0, inf, 2, 0, inf, 1, -1, 1, nan, 0];
    const wanted = [1, nan, 0, 1, 0, 0, nan, nan, nan, nan, nan, 0];
    close(gammainc(f64(p), f64(q)), wanted);
    close(
      gammaincc(f64(p), f64(q)),
      wanted.map(y => 1 - y),
    );
  });

  it('the derivative in a', () => {
    near(
      slope(y => gammainc(y, x), a),
      inShape,
      1e-12,
    );
    near(
      slope(y => gammaincc(y, x), a),
      mirrored,
      1e-12,
    );
    close(
      slope(y => gammainc(y, f64([1, 0, Number.POSITIVE_INFINITY, 1])), f64([0, 1, 2, -1])),
      [0, 0, 0, Number.NaN],
    );
  });

  it('parameters of 0 and ∞ are limits, as of SciPy', () => {
    const places = [0, 1e-300, 0.5, 1 - 2 ** -53, 1];
    const atZero = [0, 1, 1, 1, 1];
    const atOne = [0, 0, 0, 0, 1];
    const none = places.map(() => Number.NaN);
    const inf = Number.POSITIVE_INFINITY;
    const limits: readonly (readonly [a: number, b: number, values: readonly number[]])[] = [
      [0, 3, atZero],
      [0, inf, atZero],
      [2, inf, atZero],
      [2, 0, atOne],
      [inf, 0, atOne],
      [inf, 3, atOne],
      [0, 0, none],
      [inf, inf, none],
      [0, -1, none],
      [-1, inf, none],
      [Number.NaN, inf, none],
    ];
    const rows = limits.flatMap(([p, q, wanted]) => places.map((y, i) => [p, q, y, wanted[i]!]));
    const [p, q, y] = columnsOf(rows, 3) as [Tensor, Tensor, Tensor];
    const flat = column(rows, 3).map(z => 0 * z);
    close(betainc(p, q, y) as Tensor, column(rows, 3), 0);
    close(
      slope(z => betainc(p, q, z), y),
      flat,
    );
    close(
      slope(z => betainc(z, q, y), p),
      flat,
    );
    expect(numbers(betainc(0, 3, f64([-0.1, 1.1, Number.NaN])))).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it('the derivative in x is the density', () => {
    // For a = 3: x² e⁻ˣ / 2.
    const places = [0.2, 1, 1.5, 8, 40];
    const density = places.map(y => (y * y * Math.exp(-y)) / 2);
    near(
      slope(y => gammainc(3, y), f64(places)),
      density,
      1e-14,
    );
    near(
      slope(y => gammaincc(3, y), f64(places)),
      density.map(y => -y),
      1e-14,
    );
    close(
      slope(y => gammainc(f64([0.5, 1, 2]), y), f64([0, 0, 0])),
      [Number.POSITIVE_INFINITY, 1, 0],
    );
  });

  it('second derivatives, as differences of the first', () => {
    const [shapes, places] = [
      [0.7, 2.5, 2.5, 60],
      [0.4, 0.8, 4, 66],
    ];
    const second = slope(
      y =>
        mul(
          slope(z => gammainc(z, f64(places!)), y),
          1,
        ),
      f64(shapes!),
    );
    const mixed = slope(
      y =>
        mul(
          slope(z => gammainc(z, y), f64(shapes!)),
          1,
        ),
      f64(places!),
    );
    const h = 1e-4;
    const first = (moved: readonly number[], at: readonly number[]): readonly number[] =>
      numbers(slope(y => gammainc(y, f64(at)), f64(moved)));
    const difference = (up: readonly number[], down: readonly number[]): number[] =>
      up.map((y, i) => (y - down[i]!) / (2 * h));
    const by = (rows: readonly number[], d: number): number[] => rows.map(y => y + d);
    close(second, difference(first(by(shapes!, h), places!), first(by(shapes!, -h), places!)), 1e-7);
    close(mixed, difference(first(shapes!, by(places!, h)), first(shapes!, by(places!, -h))), 1e-7);
    // Both orders.
    const other = slope(y => slope(z => gammainc(y, z), f64(places!)), f64(shapes!));
    near(mixed, numbers(other), 1e-11);
  });

  it('forward mode, jit, vmap and broadcasting', () => {
    const [rows, places] = [f64([0.5, 2, 30]), f64([0.4, 2, 25])];
    const wanted = numbers(gammainc(rows, places));
    near(jit((p: Tensor, q: Tensor) => gammainc(p, q) as Tensor)(rows, places), wanted, 1e-15);
    near(vmap((p: Tensor, q: Tensor) => gammainc(p, q) as Tensor)(rows, places), wanted, 1e-15);
    near(vmap((p: Tensor) => slope(y => gammainc(y, 2), p))(rows), numbers(slope(y => gammainc(y, 2), rows)), 1e-14);
    const [, along] = jvp((p: Tensor) => gammainc(p, places) as Tensor, [rows], [f64([1, 2, 3])]);
    near(
      along,
      numbers(
        mul(
          slope(y => gammainc(y, places), rows),
          f64([1, 2, 3]),
        ),
      ),
      1e-14,
    );
    const grid = gammainc(tensor([[1], [2]]), tensor([1, 2, 3]));
    expect(grid.shape).toEqual([2, 3]);
    expect(grid.dtype).toBe('float32');
  });
});

describe('betainc', () => {
  const [a, b, x] = columnsOf(betas, 3) as [Tensor, Tensor, Tensor];
  const values = column(betas, 3);
  // What derivatives are integrals over: the tail that is computed. A difference of digammas loses some of its digits.
  const tails = betas.map(([p, q, y, whole]) => 1e-14 * (y * (p + q) > p ? 1 - whole : whole));

  it('is right to 12 digits, small values too', () => near(betainc(a, b, x), values, 1e-12));

  it('the derivatives in a and b', () => {
    near(
      slope(y => betainc(y, b, x), a),
      column(betas, 4),
      1e-12,
      tails,
    );
    near(
      slope(y => betainc(a, y, x), b),
      column(betas, 5),
      1e-12,
      tails,
    );
  });

  it('of integers is the tail of a binomial distribution', () => {
    const places = [0.01, 0.2, 0.5, 0.77, 0.999];
    for (const [m, n] of [
      [1, 1],
      [1, 6],
      [6, 1],
      [3, 4],
      [9, 5],
    ] as const) {
      const trials = m + n - 1;
      const choose = [1];
      for (let k = 1; k <= trials; k++) choose.push((choose[k - 1]! * (trials - k + 1)) / k);
      const wanted = places.map(y =>
        choose.reduce((s, c, k) => (k < m ? s : s + c * y ** k * (1 - y) ** (trials - k)), 0),
      );
      near(betainc(m, n, f64(places)), wanted, 1e-13);
    }
  });

  it('of ½ and ½ is the arc sine', () => {
    const places = [1e-12, 0.1, 0.5, 0.9];
    near(
      betainc(0.5, 0.5, f64(places)),
      places.map(y => (2 / Math.PI) * Math.asin(Math.sqrt(y))),
      1e-14,
    );
  });

  it('at the ends, and beyond them', () => {
    const nan = Number.NaN;
    const inf = Number.POSITIVE_INFINITY;
    const rows = [
      [1, 2, 0, 0],
      [1, 2, 1, 1],
      [0.1, 0.1, 1, 1],
      [1, -1, 0.5, nan],
      [-1, 1, 0.5, nan],
      [1, 1, -0.1, nan],
      [1, 1, 1.1, nan],
      [nan, 1, 0, nan],
      [1, 1, nan, nan],
    ];
    const [p, q, y] = columnsOf(rows, 3) as [Tensor, Tensor, Tensor];
    close(betainc(p, q, y) as Tensor, column(rows, 3));
    close(
      slope(z => betainc(z, q, y), p),
      column(rows, 3).map(z => 0 * z),
    );
    close(
      slope(z => betainc(f64([1, 2, 0.5, 3, 3]), f64([4, 4, 4, 1, 2]), z), f64([0, 0, 0, 1, 1])),
      [4, 0, inf, 3, 0],
    );
  });

  it('the derivative in x is the density', () => {
    // For a = 3 and b = 2: 12 x² (1 − x).
    const places = [0.001, 0.3, 0.6, 0.99];
    near(
      slope(y => betainc(3, 2, y), f64(places)),
      places.map(y => 12 * y * y * (1 - y)),
      1e-14,
    );
  });

  it('second derivatives, as differences of the first', () => {
    const [p, q, y] = [
      [0.7, 2.5, 40, 3],
      [2, 0.6, 30, 5],
      [0.2, 0.9, 0.6, 0.7],
    ] as const;
    const first = (moved: readonly number[]): readonly number[] =>
      numbers(slope(z => betainc(f64(p), z, f64(y)), f64(moved)));
    const h = 1e-4;
    const [up, down] = [h, -h].map(d => first(q.map(z => z + d))) as [readonly number[], readonly number[]];
    close(
      slope(z => slope(w => betainc(f64(p), w, f64(y)), z), f64(q)),
      up.map((z, i) => (z - down[i]!) / (2 * h)),
      1e-7,
    );
  });

  it('jit, vmap, numbers beside tensors and dtypes', () => {
    const wanted = numbers(betainc(a, b, x));
    near(jit((p: Tensor, q: Tensor, y: Tensor) => betainc(p, q, y) as Tensor)(a, b, x), wanted, 1e-15);
    near(vmap((p: Tensor, q: Tensor, y: Tensor) => betainc(p, q, y) as Tensor)(a, b, x), wanted, 1e-15);
    const single = betainc(2, tensor([[3], [4]]), tensor([0.5, 0.25]));
    expect(single.dtype).toBe('float32');
    close(single as Tensor, [
      [0.6875, 0.26171875],
      [0.8125, 0.3671875],
    ]);
  });
});
