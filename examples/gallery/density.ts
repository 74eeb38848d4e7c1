/** Densities as pictures: a Gaussian kernel estimate on a grid, in one colour that is the more opaque the denser it is. */

import { encode } from 'fast-png';
import { div, exp, expandDims, linspace, matmul, mul, square, sub, type Tensor, take, transpose } from 'tenfold';

/** The window of all pictures: both coordinates from −half to half. */
export const half = 2.6;

/** Cells on each side. */
const cells = 144;
/** The deviation of the kernel: some cell and a half. */
const blur = 0.05;
/** Below 1, so that tails are seen beside peaks. */
const gamma = 0.6;

/** The values at the centres of cells, row by row, the topmost first. */
type Density = Float32Array;

/**
 * The density of α x + σ ε for the points x [N, 2] and normal noise ε: a mixture of normal distributions around α x, to
 * whose variance that of the blur is added.
 */
export const densityOf = async (points: Tensor, alpha = 1, sigma = 0): Promise<Density> => {
  const width = Math.hypot(sigma, alpha * blur);
  const edge = half * (1 - 1 / cells);
  const nearness = (at: Tensor, axis: 0 | 1): Tensor => {
    const coordinate = mul(take(points, axis, { axis: 1 }), alpha) as Tensor;
    const apart = sub(expandDims(at, 1), expandDims(coordinate, 0)) as Tensor;
    return exp(mul(square(apart), -0.5 / width ** 2)) as Tensor;
  };
  // The second coordinate rises upwards, and rows go down.
  const rows = nearness(linspace(edge, -edge, cells) as Tensor, 1);
  const columns = nearness(linspace(-edge, edge, cells) as Tensor, 0);
  const density = div(matmul(rows, transpose(columns)), 2 * Math.PI * width ** 2 * points.shape[0]!) as Tensor;
  return (await density.data()) as Float32Array;
};

/** What is shown as opaque: a value that few cells of the density exceed. */
export const peakOf = (density: Density): number => {
  const sorted = density.filter(value => value > 0).sort();
  return sorted[Math.floor(0.995 * (sorted.length - 1))] ?? 1;
};

/** A PNG as a data URI: the colour `#rrggbb`, as opaque as a cell is dense in proportion to the peak. */
export const densityPng = (density: Density, peak: number, color: string, strength = 1): string => {
  const rgb = [1, 3, 5].map(at => Number.parseInt(color.slice(at, at + 2), 16));
  const data = new Uint8Array(4 * density.length);
  density.forEach((value, i) => {
    const share = Math.min(1, value / peak) ** gamma;
    data.set([...rgb, Math.round(255 * strength * share)], 4 * i);
  });
  const png = encode({ width: cells, height: cells, data, depth: 8, channels: 4 }, { zlib: { level: 9 } });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
};
