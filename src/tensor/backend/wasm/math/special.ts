/** The error function, its complement and its inverse. The coefficients are those of test/math/derive.ts. */
import { expm1Reduced, reduced, scale } from './exponential.js';
import type { Lanes } from './lanes.js';
import { log } from './logarithm.js';
import { byWidth, leading, polynomial, powerOfTwo, rounder, signOf } from './parts.js';

/** erf x/x − 1 as a function of x², for |x| ≤ 1. */
const nearNarrow = [
  0.128379166, -0.376126271, 0.112836002, -0.0268544424, 0.00518952926, -0.000802077399, 0.0000788885708,
];
const nearWide = [
  0.12837916709551256, -0.3761263890318355, 0.11283791670945244, -0.02686617064327459, 0.005223977607409547,
  -0.0008548325989007923, 0.0001205529529932053, -0.000014924744246314914, 0.0000016447512412368128,
  -1.6209134706939673e-7, 1.3722794379068385e-8, -7.800842771046819e-10,
];

/** log₂(1 − erf x) for 1 ≤ x ≤ 4, in float64 6: there erf is 1. */
const farNarrow = [
  -0.000653160725, -1.6253911, -0.921740427, -0.147800279, 0.0310494589, -0.0041384751, 0.000257269252,
];
const farWide = [
  -0.0000010769176319683005, -1.6278965916379633, -0.9184952401845037, -0.14813862713167109, 0.027345352444468462,
  0.0006531426079419212, -0.0028152483514789282, 0.001141757541831429, -0.00020538497611629253,
  -0.000029019717345967913, 0.00003529679041383365, -0.000014208647337951052, 0.000003801347122969208,
  -7.503129181109847e-7, 1.1194036902951217e-7, -1.2548586951807416e-8, 1.0279964438512642e-9, -5.819240768962131e-11,
  2.035823774153199e-12, -3.3169407770115764e-14,
];

/** erf x for |x| ≤ 1. */
const central = <V>(m: Lanes<V>, x: V): V => m.fma(polynomial(m, m.mul(x, x), byWidth(m, nearNarrow, nearWide)), x, x);

export const erf = <V>(m: Lanes<V>, x: V): V => {
  const one = m.float(1);
  const a = m.min(m.abs(x), m.float(byWidth(m, 4, 6)));
  // 1 − 2^y, as 2^n·e^r with r = (y − n)·ln 2.
  const y = polynomial(m, a, byWidth(m, farNarrow, farWide));
  const n = m.add(y, rounder(m));
  const r = m.mul(m.sub(y, m.sub(n, rounder(m))), m.float(Math.LN2));
  const far = m.sub(one, m.mul(m.add(expm1Reduced(m, r), one), powerOfTwo(m, n)));
  return m.or(m.select(m.lt(a, one), central(m, a), far), signOf(m, x));
};

/** (1 + 2x)·e^(x²)·erfc x as a function of (x − 3)/(x + 3), up to where erfc is 0. */
const complementNarrow = [
  1.2530081, -0.135621088, -0.0475660093, 0.129643148, -0.119219679, 0.0683544271, -0.0240236805, 0.00222296657,
  0.00223881686, -0.000161947445,
];
const complementWide = [
  1.2530080582697296, -0.1356211061245806, -0.04756229435344968, 0.12964515870269414, -0.119273663415368,
  0.0683080273461908, -0.023770514917235353, 0.0025293917821583535, 0.0018886903401933793, -0.0007798319842866928,
  -0.00010515963972684667, 0.00012509786722822452, 0.000004948614509167407, -0.00002009568481133419,
  -7.284293312824236e-7, 0.0000034620135714946328, 3.497443365151038e-7, -6.024598118725291e-7, -1.3117138369356608e-7,
  9.004023493490481e-8, 3.248715204172228e-8, -7.942603572103382e-9, -3.973442021213565e-9,
];

/**
 * 1 − erf x near 0; else a factor times e^(−a²), with a² as the square of the leading half of a, which is exact, and what that
 * lacks.
 */
export const erfc = <V>(m: Lanes<V>, x: V): V => {
  const [one, three] = [m.float(1), m.float(3)];
  const a = m.min(m.abs(x), m.float(byWidth(m, 10.15, 27.4)));
  const t = m.div(m.sub(a, three), m.add(a, three));
  const g = m.div(polynomial(m, t, byWidth(m, complementNarrow, complementWide)), m.add(m.add(a, a), one));
  const head = leading(m, a);
  const { r, n } = reduced(m, m.neg(m.mul(head, head)), m.mul(m.sub(head, a), m.add(head, a)));
  const y = scale(m, m.fma(expm1Reduced(m, r), g, g), n);
  const far = m.select(m.lt(x, m.float(0)), m.sub(m.float(2), y), y);
  // NaN of different bits have been added on the way, in an order that the machine is free to choose.
  return m.or(m.select(m.lt(a, m.float(0.5)), m.sub(one, central(m, x)), far), m.ne(x, x));
};

/** erfinv x/x as a function of w − 3 for w = −log(1 − x²) ≤ 6, and of √w − 3.5 above. */
const inverseNarrow = [
  1.62354201, 0.241630412, -0.00573817904, -0.000836200115, 0.000195113993, -0.0000127058072, -0.00000177143023,
  4.47968526e-7, -1.89095224e-8, -5.45095479e-9, 6.51554053e-10,
];
const inverseWide = [
  1.6235420064648298, 0.24163040416615833, -0.005738135221005918, -0.0008361817769096196, 0.00019506132441350334,
  -0.000012716422637833506, -0.0000017480020963104346, 4.49985424260691e-7, -2.3688726616478646e-8,
  -5.467178088907843e-9, 1.110797606697438e-9, -3.1425960083142944e-11, -1.7328598396332655e-11, 2.699084984368917e-12,
  6.2032328440598655e-15, -5.2952695564881855e-14, 6.337334061509066e-15, 2.7693114063649714e-16,
  -1.624085891339234e-16, 1.2649155730790402e-17, 2.0346115390807756e-18, -3.815494416412677e-19,
  -1.0076413860600896e-20, 4.1410463787086466e-21,
];
const inverseTailNarrow = [
  3.33548571, 1.00736937, 0.00327713184, -0.00207510762, 0.00108565884, -0.000614113054, 0.000490143449,
  -0.000332188706, -0.0000453758907,
];
const inverseTailWide = [
  3.3354857170835537, 1.0073688127440537, 0.003276866219117644, -0.0020631750876312694, 0.0010934563833060154,
  -0.0006798558578461805, 0.00043077123593375364, -0.00022508928412958391, 0.00007842379676967983,
  -0.000005482057440860855, -0.000013385467921153318, 0.000009409785585749309, -0.000002867325549223145,
  -1.4942386091820618e-7, 5.780223593002222e-7, -2.6980916966937695e-7, 4.326675250142381e-8, 1.9092731377962176e-8,
  -1.5225996515374846e-8, 4.604062268940658e-9, -2.0283316695763241e-10, -4.5199784563996917e-10, 2.221738931306628e-10,
  -5.331903568920553e-11, 5.258425633057087e-12, 7.353156891666426e-13, -3.1578630918409864e-13, 4.1881968393967145e-14,
  -2.1240449002212664e-15,
];

export const erfinv = <V>(m: Lanes<V>, x: V): V => {
  const one = m.float(1);
  // Not neg, which would change the sign of a NaN: the product with x would be of one sign or the other.
  const w = m.sub(m.float(0), log(m, m.mul(m.sub(one, x), m.add(one, x))));
  const near = polynomial(m, m.sub(w, m.float(3)), byWidth(m, inverseNarrow, inverseWide));
  const far = polynomial(m, m.sub(m.sqrt(w), m.float(3.5)), byWidth(m, inverseTailNarrow, inverseTailWide));
  const ratio = m.select(m.lt(w, m.float(6)), near, far);
  return m.mul(x, m.select(m.eq(m.abs(x), one), m.float(Number.POSITIVE_INFINITY), ratio));
};
