/** Metrics of two sets of samples by loops over all pairs, in plain numbers. */
export type Rows = readonly (readonly number[])[];

export const total = (values: readonly number[]): number => values.reduce((a, c) => a + c, 0);
export const average = (values: readonly number[]): number => total(values) / values.length;
// Loops, for these are called for millions of pairs.
export const squaredOf = (a: readonly number[], c: readonly number[]): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - c[i]!) ** 2;
  return sum;
};
export const dot = (a: readonly number[], c: readonly number[]): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * c[i]!;
  return sum;
};
export const distanceOf = (a: readonly number[], c: readonly number[]): number => Math.sqrt(squaredOf(a, c));
/** The mean over pairs of what a function makes of them, perhaps without those of a row with itself. */
const meanOver = (
  x: Rows,
  y: Rows,
  f: (a: readonly number[], c: readonly number[]) => number,
  besides = false,
): number => {
  let sum = 0;
  x.forEach((a, i) => {
    y.forEach((c, j) => {
      if (!besides || i !== j) sum += f(a, c);
    });
  });
  return sum / (x.length * (y.length - (besides ? 1 : 0)));
};
export const energyOf = (x: Rows, y: Rows): number =>
  2 * meanOver(x, y, distanceOf) - meanOver(x, x, distanceOf) - meanOver(y, y, distanceOf);
export const mmdOf = (
  x: Rows,
  y: Rows,
  f: (a: readonly number[], c: readonly number[]) => number,
  unbiased: boolean,
): number => meanOver(x, x, f, unbiased) + meanOver(y, y, f, unbiased) - 2 * meanOver(x, y, f);
export const gaussian =
  (...sigmas: readonly number[]) =>
  (a: readonly number[], c: readonly number[]): number =>
    total(sigmas.map(sigma => Math.exp(-squaredOf(a, c) / (2 * sigma * sigma))));
export const polynomial = (a: readonly number[], c: readonly number[]): number => (dot(a, c) / a.length + 1) ** 3;
export const prdcOf = (real: Rows, fake: Rows, count: number): readonly number[] => {
  const radii = (rows: Rows): number[] =>
    rows.map(
      (a, i) =>
        rows
          .filter((_, j) => i !== j)
          .map(c => distanceOf(a, c))
          .sort((p, q) => p - q)[count - 1]!,
    );
  const [realRadii, fakeRadii] = [radii(real), radii(fake)];
  const inReal = fake.map(c => real.filter((a, i) => distanceOf(a, c) <= realRadii[i]!).length);
  return [
    average(inReal.map(hits => Number(hits > 0))),
    average(real.map(a => Number(fake.some((c, j) => distanceOf(a, c) <= fakeRadii[j]!)))),
    total(inReal) / (count * fake.length),
    average(real.map((a, i) => Number(fake.some(c => distanceOf(a, c) <= realRadii[i]!)))),
  ];
};
